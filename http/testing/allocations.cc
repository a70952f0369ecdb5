// The operators.

#include "strata/http/testing/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace strata::http::testing {
namespace {

std::atomic<std::uint64_t> allocations = 0;

void* Allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  // Like any test that has no memory.
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

std::uint64_t Allocations() { return allocations.load(std::memory_order_relaxed); }

}  // namespace strata::http::testing

void* operator new(std::size_t size) { return strata::http::testing::Allocate(size); }
void* operator new[](std::size_t size) { return strata::http::testing::Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
