// File: workload.h
//
// What the workloads of the allocator benchmark share. Each workload is one program made of
// `main.cc` and one file that defines RunWorkload():
//
//   uint64_t RunWorkload(const Options& options) {
//     Random random(1);
//     uint64_t sum = 0;
//     for (size_t i = 0; i < options.Scaled(1'000'000); ++i) {
//       size_t size = random.Between(16, 256);
//       void* block = Allocate(size);
//       Stamp(block, size, i);
//       sum += Unstamp(block, size);
//       Release(block);
//     }
//     return sum;
//   }
//
// The work is fixed by the options and by constant seeds, never by time, addresses or the order in
// which threads run. So the checksum is the same under every allocator, and two runs differ only in
// what the allocator costs. A workload uses the C++ library only where the program that it stands
// for did: the library's own pages would otherwise hide what an allocator keeps resident.

#ifndef STRATA_BENCH_MM_WORKLOADS_WORKLOAD_H_
#define STRATA_BENCH_MM_WORKLOADS_WORKLOAD_H_

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

namespace strata::bench {

// The command line of a workload.
struct Options {
  double scale = 1.0;    // Share of the full work; memory held at a time stays about the same.
  unsigned threads = 2;  // Workloads without threads, or with a fixed number, ignore it.

  // Returns `scale` times `count`, at least 1.
  size_t Scaled(size_t count) const {
    const double scaled = scale * static_cast<double>(count);
    return scaled < 1.0 ? 1 : static_cast<size_t>(scaled);
  }
};

// Most threads that a workload runs at a time.
inline constexpr unsigned kMaxThreads = 64;

// Threads' own records are aligned to this: two cache lines, which the processor fetches together.
// Without it two threads that count into neighbours share a line or not as the stack happens to
// lie, and a workload has two speeds, one a third slower, that no allocator is to blame for.
inline constexpr size_t kApart = 128;

// Does the work and returns its checksum. Defined by each workload.
uint64_t RunWorkload(const Options& options);

// Ends the process with a message: a broken block or an impossible result.
[[noreturn]] inline void Fail(const char* what) {
  fprintf(stderr, "workload failed: %s\n", what);
  abort();
}

// Steele, Lea and Flood's SplitMix64 ("Fast splittable pseudorandom number generators", OOPSLA
// 2014): one multiplication chain, so that the generator does not drown the allocator.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x1234567u) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Returns a number in [0, bound), by multiplication instead of a division.
  size_t Below(size_t bound) {
    return static_cast<size_t>(((Next() >> 32) * static_cast<uint64_t>(bound)) >> 32);
  }

  // Returns a number in [low, high].
  size_t Between(size_t low, size_t high) { return low + Below(high - low + 1); }

 private:
  uint64_t state_;
};

// Makes the compiler assume that `block` is used elsewhere, so that it cannot remove the
// allocation.
inline void Escape(void* block) { asm volatile("" : : "r"(block) : "memory"); }

// malloc, realloc and free that end the process when memory runs out.
inline void* Allocate(size_t size) {
  void* block = malloc(size);
  if (block == nullptr) Fail("malloc returned NULL");
  Escape(block);
  return block;
}

inline void* Reallocate(void* block, size_t size) {
  block = realloc(block, size);
  if (block == nullptr) Fail("realloc returned NULL");
  Escape(block);
  return block;
}

inline void Release(void* block) {
  Escape(block);
  free(block);
}

template <typename T>
T* AllocateArray(size_t count) {
  return static_cast<T*>(Allocate(count * sizeof(T)));
}

// Writes the first and the last bytes of a block of at least 8 bytes, as a program would. Two
// blocks that overlap are found by Unstamp().
inline void Stamp(void* block, size_t size, uint64_t tag) {
  auto* bytes = static_cast<unsigned char*>(block);
  __builtin_memcpy(bytes, &tag, sizeof(uint32_t));
  __builtin_memcpy(bytes + size - sizeof(uint32_t), &tag, sizeof(uint32_t));
}

// Returns the 32-bit tag of a stamped block; ends the process if the block was overwritten.
inline uint32_t Unstamp(const void* block, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  uint32_t head;
  uint32_t tail;
  __builtin_memcpy(&head, bytes, sizeof(head));
  __builtin_memcpy(&tail, bytes + size - sizeof(tail), sizeof(tail));
  if (head != tail) Fail("a block was overwritten");
  return head;
}

// A thread that runs `body(argument)`. It is pthreads underneath: std::thread allocates, and brings
// the C++ library in.
template <typename T>
class Thread {
 public:
  void Start(void (*body)(T*), T* argument) {
    body_ = body;
    argument_ = argument;
    if (pthread_create(&thread_, nullptr, &Thread::Main, this) != 0) Fail("pthread_create");
  }

  void Join() {
    if (pthread_join(thread_, nullptr) != 0) Fail("pthread_join");
  }

 private:
  static void* Main(void* self) {
    auto* thread = static_cast<Thread*>(self);
    thread->body_(thread->argument_);
    return nullptr;
  }

  void (*body_)(T*) = nullptr;
  T* argument_ = nullptr;
  pthread_t thread_ = {};
};

// Runs `body` on each of `count` arguments, each on a thread of its own, and waits for all.
template <typename T>
void RunThreads(void (*body)(T*), T* arguments, unsigned count) {
  if (count > kMaxThreads) Fail("too many threads");
  Thread<T> threads[kMaxThreads];
  for (unsigned i = 0; i < count; ++i) threads[i].Start(body, &arguments[i]);
  for (unsigned i = 0; i < count; ++i) threads[i].Join();
}

}  // namespace strata::bench

#endif  // STRATA_BENCH_MM_WORKLOADS_WORKLOAD_H_
