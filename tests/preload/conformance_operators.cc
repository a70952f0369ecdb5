// The twenty C++ operators: by their mangled names, by use, and when there is no memory.

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <iterator>
#include <new>

#include "tests/preload/check.h"

#ifndef __cpp_sized_deallocation  // As with clang, which then also leaves them undeclared.
void operator delete(void*, std::size_t) noexcept;
void operator delete[](void*, std::size_t) noexcept;
void operator delete(void*, std::size_t, std::align_val_t) noexcept;
void operator delete[](void*, std::size_t, std::align_val_t) noexcept;
#endif

namespace strata::preload {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;

// Refused by every allocator, and not known to the compiler as such.
std::size_t Impossible() { return Opaque(std::size_t{PTRDIFF_MAX} - 1000); }

constexpr const char* kOperators[] = {
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
};
static_assert(std::size(kOperators) == 20);

STRATA_TEST(every_operator_comes_from_where_malloc_does) {
  Dl_info of_malloc = {};
  CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &of_malloc) != 0);
  for (const char* name : kOperators) {
    Dl_info of_operator = {};
    void* address = dlsym(RTLD_DEFAULT, name);
    const bool found = address != nullptr && dladdr(address, &of_operator) != 0;
    if (!found || of_operator.dli_fbase != of_malloc.dli_fbase) Fail(__FILE__, __LINE__, name);
  }
}

STRATA_TEST(operators_called_by_mangled_name_work) {
  std::size_t size = 1;
  for (const char* name : {"_Znwm", "_Znam"}) {
    auto* allocate = Find<void*(std::size_t)>(name);
    for (const char* release : {"_ZdlPv", "_ZdaPv"}) {
      for (size = 0; size < kMib; size = size * 3 + 1) {
        void* block = allocate(size);
        CHECK(block != nullptr && AsNumber(block) % 16 == 0);
        CHECK(malloc_usable_size(block) >= size);
        Find<void(void*)>(release)(block);
      }
    }
    for (const char* release : {"_ZdlPvm", "_ZdaPvm"}) {
      for (size = 0; size < kMib; size = size * 3 + 1) {
        Find<void(void*, std::size_t)>(release)(allocate(size), size);
      }
    }
  }
}

// Each form on one size and alignment; what the compiler calls for a new-expression.
void UseEveryForm(std::size_t size, std::align_val_t alignment) {
  const std::size_t a = static_cast<std::size_t>(alignment);
  void* block = Opaque(::operator new(size));
  CHECK(block != nullptr && AsNumber(block) % 16 == 0);
  memset(block, 1, size);
  ::operator delete(block);
  ::operator delete(Opaque(::operator new(size)), size);
  ::operator delete(Opaque(::operator new(size, std::nothrow)), std::nothrow);
  ::operator delete[](Opaque(::operator new[](size)));
  ::operator delete[](Opaque(::operator new[](size)), size);
  ::operator delete[](Opaque(::operator new[](size, std::nothrow)), std::nothrow);
  block = Opaque(::operator new(size, alignment));
  CHECK(block != nullptr && AsNumber(block) % a == 0);
  memset(block, 2, size);
  ::operator delete(block, alignment);
  block = Opaque(::operator new[](size, alignment));
  CHECK(block != nullptr && AsNumber(block) % a == 0);
  ::operator delete[](block, alignment);
  block = Opaque(::operator new(size, alignment, std::nothrow));
  CHECK(block != nullptr && AsNumber(block) % a == 0);
  ::operator delete(block, alignment, std::nothrow);
  block = Opaque(::operator new[](size, alignment, std::nothrow));
  CHECK(block != nullptr && AsNumber(block) % a == 0);
  ::operator delete[](block, alignment, std::nothrow);
  ::operator delete(Opaque(::operator new(size, alignment)), size, alignment);
  ::operator delete[](Opaque(::operator new[](size, alignment)), size, alignment);
}

STRATA_TEST(every_form_of_new_and_delete_works) {
  for (std::size_t size = 0; size < 3 * kMib; size = size * 2 + 1) {
    for (std::size_t alignment = 1; alignment <= kMib; alignment *= 4) {
      UseEveryForm(size, std::align_val_t{alignment});
    }
  }
}

STRATA_TEST(new_of_nothing_gives_blocks_of_their_own) {
  void* first = ::operator new(0);
  void* second = ::operator new(0);
  CHECK(first != nullptr && second != nullptr && first != second);
  ::operator delete(first);
  ::operator delete (second, std::size_t{0});
}

STRATA_TEST(delete_ignores_null) {
  const auto null = [] { return Opaque<void*>(nullptr); };
  const std::align_val_t alignment{64};
  ::operator delete(null());
  ::operator delete[](null());
  ::operator delete (null(), std::size_t{10});
  ::operator delete[](null(), std::size_t{10});
  ::operator delete(null(), std::nothrow);
  ::operator delete[](null(), std::nothrow);
  ::operator delete(null(), alignment);
  ::operator delete[](null(), alignment);
  ::operator delete (null(), std::size_t{10}, alignment);
  ::operator delete[](null(), std::size_t{10}, alignment);
  ::operator delete(null(), alignment, std::nothrow);
  ::operator delete[](null(), alignment, std::nothrow);
}

STRATA_TEST(over_aligned_objects_are_aligned_by_new_expressions) {
  struct alignas(256) Wide {
    char bytes[300];
  };
  Wide* one = Opaque(new Wide);
  Wide* many = Opaque(new Wide[3]);
  CHECK_EQ(AsNumber(one) % 256, 0u);
  CHECK_EQ(AsNumber(many) % 256, 0u);
  delete one;
  delete[] many;
}

// What the throwing forms do for `size`: 'b' bad_alloc, 'i' an int, '0' null, 'p' a block.
template <typename Form>
char Outcome(Form form) {
  try {
    return form() == nullptr ? '0' : 'p';
  } catch (const std::bad_alloc&) {
    return 'b';
  } catch (int) {
    return 'i';
  }
}

struct Outcomes {
  char plain, array, aligned, aligned_array;
};

Outcomes Throwing(std::size_t size) {
  const std::align_val_t alignment{128};
  return {Outcome([=] { return ::operator new(size); }),
          Outcome([=] { return ::operator new[](size); }),
          Outcome([=] { return ::operator new(size, alignment); }),
          Outcome([=] { return ::operator new[](size, alignment); })};
}

Outcomes NonThrowing(std::size_t size) {
  const std::align_val_t alignment{128};
  return {Outcome([=] { return ::operator new(size, std::nothrow); }),
          Outcome([=] { return ::operator new[](size, std::nothrow); }),
          Outcome([=] { return ::operator new(size, alignment, std::nothrow); }),
          Outcome([=] { return ::operator new[](size, alignment, std::nothrow); })};
}

void CheckAll(const Outcomes& outcomes, char want) {
  CHECK_EQ(outcomes.plain, want);
  CHECK_EQ(outcomes.array, want);
  CHECK_EQ(outcomes.aligned, want);
  CHECK_EQ(outcomes.aligned_array, want);
}

STRATA_TEST(new_without_a_handler_throws_bad_alloc) {
  std::set_new_handler(nullptr);
  CheckAll(Throwing(Impossible()), 'b');
  CheckAll(Throwing(Opaque(SIZE_MAX)), 'b');
  CheckAll(Throwing(Opaque(SIZE_MAX - 100)), 'b');
  CheckAll(NonThrowing(Impossible()), '0');
  CheckAll(NonThrowing(Opaque(SIZE_MAX)), '0');
}

STRATA_TEST(new_expression_of_an_absurd_array_throws_and_unwinds) {
  struct Witness {
    explicit Witness(int* count) : count(count) {}
    ~Witness() { ++*count; }
    int* count;
  };
  int unwound = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      Witness witness(&unwound);
      double* values = Opaque(new double[Opaque(std::size_t{PTRDIFF_MAX} / 16)]);
      delete[] values;
      CHECK(false);
    } catch (const std::bad_alloc& error) {
      CHECK(strlen(error.what()) > 0);
    }
  }
  CHECK_EQ(unwound, 100);
}

int handler_calls = 0;

STRATA_TEST(new_calls_the_handler_until_it_gives_up) {
  handler_calls = 0;
  const auto handler = [] {
    if (++handler_calls % 3 == 0) std::set_new_handler(nullptr);
  };
  const std::align_val_t alignment{128};
  const std::size_t size = Impossible();
  const auto check = [&](char outcome, char want) {
    CHECK_EQ(outcome, want);
    CHECK_EQ(handler_calls, 3);
    handler_calls = 0;
    std::set_new_handler(handler);
  };
  std::set_new_handler(handler);
  check(Outcome([=] { return ::operator new(size); }), 'b');
  check(Outcome([=] { return ::operator new[](size); }), 'b');
  check(Outcome([=] { return ::operator new(size, alignment); }), 'b');
  check(Outcome([=] { return ::operator new[](size, alignment); }), 'b');
  check(Outcome([=] { return ::operator new(size, std::nothrow); }), '0');
  check(Outcome([=] { return ::operator new[](size, std::nothrow); }), '0');
  check(Outcome([=] { return ::operator new(size, alignment, std::nothrow); }), '0');
  check(Outcome([=] { return ::operator new[](size, alignment, std::nothrow); }), '0');
  std::set_new_handler(nullptr);
}

STRATA_TEST(what_the_handler_throws_passes_through_new_and_not_through_nothrow) {
  std::set_new_handler([] { throw 42; });
  CheckAll(Throwing(Impossible()), 'i');
  CheckAll(NonThrowing(Impossible()), '0');
  std::set_new_handler([] { throw std::bad_alloc(); });
  CheckAll(Throwing(Impossible()), 'b');
  CheckAll(NonThrowing(Impossible()), '0');
  std::set_new_handler(nullptr);
}

STRATA_TEST(malloc_does_not_call_the_handler) {
  handler_calls = 0;
  std::set_new_handler([] {
    ++handler_calls;
    throw std::bad_alloc();
  });
  CHECK_EQ(malloc(Impossible()), static_cast<void*>(nullptr));
  CHECK_EQ(calloc(1, Impossible()), static_cast<void*>(nullptr));
  CHECK_EQ(realloc(nullptr, Impossible()), static_cast<void*>(nullptr));
  CHECK_EQ(memalign(64, Impossible()), static_cast<void*>(nullptr));
  CHECK_EQ(handler_calls, 0);
  std::set_new_handler(nullptr);
}

void* reserve = nullptr;

// The classic handler: memory is really exhausted, and it gives back what it had put aside.
STRATA_LIMITED_TEST(handler_that_frees_a_reserve_lets_new_succeed, RLIMIT_AS, 512 * kMib) {
  reserve = malloc(64 * kMib);
  CHECK(reserve != nullptr);
  void* chain = nullptr;
  while (void* block = ::operator new(4 * kMib, std::nothrow)) {
    *static_cast<void**>(block) = chain;
    chain = block;
  }
  handler_calls = 0;
  std::set_new_handler([] {
    ++handler_calls;
    if (reserve == nullptr) throw std::bad_alloc();
    free(reserve);
    reserve = nullptr;
  });
  void* block = ::operator new(32 * kMib);
  CHECK(block != nullptr);
  CHECK_EQ(handler_calls, 1);
  CHECK_EQ(reserve, static_cast<void*>(nullptr));
  ::operator delete(block, 32 * kMib);
  CHECK_EQ(Outcome([] { return ::operator new(400 * kMib); }), 'b');
  std::set_new_handler(nullptr);
  while (chain != nullptr) {
    void* next = *static_cast<void**>(chain);
    ::operator delete(chain);
    chain = next;
  }
}

}  // namespace
}  // namespace strata::preload
