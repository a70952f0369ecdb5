#include "strata/mm/memory_resource.h"

#include <new>

#include "strata/mm/mm.h"

namespace strata::mm {

void* MemoryResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  void* block = alignment <= Arena::kDefaultAlignment ? strata_mm_malloc(bytes)
                                                      : strata_mm_memalign(alignment, bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void MemoryResource::do_deallocate(void* block, std::size_t, std::size_t) { strata_mm_free(block); }

bool MemoryResource::do_is_equal(const std::pmr::memory_resource& other) const noexcept {
  return this == &other;  // There is only one.
}

MemoryResource* DefaultResource() {
  // In raw memory, for a static object of the class would be destroyed at exit.
  alignas(MemoryResource) static unsigned char memory[sizeof(MemoryResource)];
  static MemoryResource* const resource = ::new (memory) MemoryResource;
  return resource;
}

void* ArenaResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  void* memory = arena_->Allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void ArenaResource::do_deallocate(void*, std::size_t, std::size_t) {}

// Two on one arena could be equal, but telling needs a dynamic_cast; containers then copy, which is
// right too.
bool ArenaResource::do_is_equal(const std::pmr::memory_resource& other) const noexcept {
  return this == &other;
}

}  // namespace strata::mm
