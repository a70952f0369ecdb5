// File: memory_resource.h
//
// Strata's allocator and its arenas as std::pmr memory resources, for containers:
//
//   std::pmr::vector<int> numbers(strata::mm::DefaultResource());
//
//   strata::mm::Arena arena;
//   strata::mm::ArenaResource resource(&arena);
//   std::pmr::map<int, std::pmr::string> names(&resource);
//
// As the standard demands of a memory resource, and unlike all else in Strata, allocating throws
// std::bad_alloc when there is no memory. Sizes and alignments are bytes; an alignment has to be a
// power of two.

#ifndef STRATA_MM_MEMORY_RESOURCE_H_
#define STRATA_MM_MEMORY_RESOURCE_H_

#include <cstddef>
#include <memory_resource>

#include "strata/mm/arena.h"

namespace strata::mm {

// The heap of strata_mm_malloc and strata_mm_free. Thread-safe. There is one, DefaultResource().
class MemoryResource final : public std::pmr::memory_resource {
 public:
  MemoryResource(const MemoryResource&) = delete;
  MemoryResource& operator=(const MemoryResource&) = delete;

 private:
  friend MemoryResource* DefaultResource();
  MemoryResource() = default;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override;
};

// The one MemoryResource. It is made when first asked for and never destroyed, so that containers
// in static storage may use it. std::pmr::set_default_resource() takes it.
MemoryResource* DefaultResource();

// An arena as a memory resource. What is allocated lives until the arena is reset or destroyed;
// deallocating does nothing, so a container that grows leaves its former memory behind: reserve
// first. Does not own the arena, which has to outlive it and its containers, and like the arena
// serves one thread at a time. Containers must be gone, or forgotten, before Arena::Reset().
class ArenaResource final : public std::pmr::memory_resource {
 public:
  // `arena` must not be null.
  explicit ArenaResource(Arena* arena) : arena_(arena) {}

  Arena* arena() const { return arena_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override;

  Arena* arena_;
};

}  // namespace strata::mm

#endif  // STRATA_MM_MEMORY_RESOURCE_H_
