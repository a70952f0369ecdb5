// File: check.h
//
// The harness of the conformance program: tests that register themselves, checks that report and go
// on, and a driver that runs every test in a process of its own.
//
//   STRATA_TEST(free_ignores_null) { free(nullptr); CHECK(true); }
//   STRATA_LIMITED_TEST(malloc_fails_cleanly, RLIMIT_AS, 256 << 20) { ... }
//
// It is no gtest on purpose: what runs under the allocator being tested has to be small enough to
// say what went wrong even if that allocator is broken, so nothing here allocates. Each test is
// executed anew (not merely forked), which gives it a fresh heap, and its limits apply from the
// first instruction on, when an allocator reserves its address space.

#ifndef STRATA_TESTS_PRELOAD_CHECK_H_
#define STRATA_TESTS_PRELOAD_CHECK_H_

#include <dlfcn.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace strata::preload {

// One registered test. Lives in static storage; the list is built before main().
struct Test {
  Test(const char* test_name, void (*body)(), int limited_resource = -1,
       std::size_t limit_bytes = 0);

  const char* name;
  void (*run)();
  int resource;       // RLIMIT_AS, RLIMIT_DATA, or -1 for no limit.
  std::size_t limit;  // Bytes.
  Test* next;
};

// Reports a failed check on standard error and marks the running test as failed. `got` and `want`
// are printed if `values` says so.
void Fail(const char* file, int line, const char* what, bool values = false, std::uint64_t got = 0,
          std::uint64_t want = 0);

// Prints one line about what a test measured, without judging it.
void Note(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Number of failed checks in this process.
int Failures();

// Runs `argv`'s choice of tests (all by default). Returns main()'s exit status.
int RunTests(int argc, char** argv);

// Hides a value from the optimizer, which otherwise knows what malloc does.
template <typename T>
T Opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

template <typename T>
std::uint64_t AsNumber(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uintptr_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

// The function `name` wherever the dynamic linker finds it first, or nullptr.
template <typename Function>
Function* Find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

// A fast, seedable generator, so that a run can be repeated.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t Below(std::size_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

// Fills `size` bytes at `block` with a pattern of its address, size and `seed`; Intact tells
// whether it is still there. `from` is the address it was filled at, for a block that moved.
void Fill(void* block, std::size_t size, std::uint64_t seed = 0);
bool Intact(const void* block, std::size_t size, std::uint64_t seed = 0,
            const void* from = nullptr);

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) ::strata::preload::Fail(__FILE__, __LINE__, #condition); \
  } while (0)

#define CHECK_EQ(got, want)                                                                  \
  do {                                                                                       \
    const auto check_got = (got);                                                            \
    const auto check_want = (want);                                                          \
    if (::strata::preload::AsNumber(check_got) != ::strata::preload::AsNumber(check_want)) { \
      ::strata::preload::Fail(__FILE__, __LINE__, #got " == " #want, true,                   \
                              ::strata::preload::AsNumber(check_got),                        \
                              ::strata::preload::AsNumber(check_want));                      \
    }                                                                                        \
  } while (0)

#define STRATA_TEST(name)                                      \
  static void name();                                          \
  static ::strata::preload::Test test_of_##name(#name, &name); \
  static void name()

#define STRATA_LIMITED_TEST(name, resource, bytes)                              \
  static void name();                                                           \
  static ::strata::preload::Test test_of_##name(#name, &name, resource, bytes); \
  static void name()

}  // namespace strata::preload

#endif  // STRATA_TESTS_PRELOAD_CHECK_H_
