// File: allocator.h
//
// A standard allocator over strata_mm_malloc, for containers of a program whose own malloc is
// another:
//
//   std::vector<Point, strata::mm::Allocator<Point>> points;
//
// [allocator.requirements] of C++20. All objects of all types are equal: what one allocated, any
// other frees, on any thread. Throws std::bad_alloc where there is no memory.

#ifndef STRATA_MM_ALLOCATOR_H_
#define STRATA_MM_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "strata/mm/mm.h"

namespace strata::mm {

template <typename T>
class Allocator {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using is_always_equal = std::true_type;

  Allocator() noexcept = default;
  template <typename U>
  Allocator(const Allocator<U>&) noexcept {}

  // Memory for `count` objects, none of them constructed. Throws std::bad_array_new_length if their
  // size exceeds PTRDIFF_MAX, std::bad_alloc if there is no memory.
  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > PTRDIFF_MAX / sizeof(T)) throw std::bad_array_new_length();
    void* block = strata_mm_memalign(alignof(T), count * sizeof(T));
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<T*>(block);
  }

  void deallocate(T* first, std::size_t) noexcept { strata_mm_free(first); }
};

template <typename T, typename U>
bool operator==(const Allocator<T>&, const Allocator<U>&) noexcept {
  return true;
}

}  // namespace strata::mm

#endif  // STRATA_MM_ALLOCATOR_H_
