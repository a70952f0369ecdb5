#include "strata/mm/memory_resource.h"

#include <cstdint>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/mm/mm.h"

namespace strata::mm {
namespace {

// What memory_resource.h shows at its top.
TEST(MemoryResourceTest, ExampleOfTheHeader) {
  std::pmr::vector<int> numbers(DefaultResource());
  for (int i = 0; i < 10000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers[9999], 9999);

  Arena arena;
  ArenaResource resource(&arena);
  std::pmr::map<int, std::pmr::string> names(&resource);
  names[1] = "a string too long for the object itself, so it lies in the arena";
  EXPECT_EQ(names.at(1).get_allocator().resource(), &resource);
  EXPECT_GT(arena.bytes_used(), 100u);
}

TEST(MemoryResourceTest, BlocksBelongToTheHeapAndAreAligned) {
  std::pmr::memory_resource* resource = DefaultResource();
  for (std::size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    for (const std::size_t size : {0, 1, 100, 5000, 100000}) {
      void* block = resource->allocate(size, alignment);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0u);
      EXPECT_GE(strata_mm_usable_size(block), size);
      resource->deallocate(block, size, alignment);
    }
  }
}

TEST(MemoryResourceTest, FreesWhatItIsGiven) {
  std::pmr::memory_resource* resource = DefaultResource();
  static strata_mm_stats before, after;
  strata_mm_get_stats(&before);
  for (int i = 0; i < 1000; ++i) resource->deallocate(resource->allocate(1 << 20), 1 << 20);
  strata_mm_get_stats(&after);
  EXPECT_LT(after.live_bytes, before.live_bytes + (8u << 20));
}

TEST(MemoryResourceTest, ThrowsWhenThereIsNoMemory) {
  EXPECT_THROW((void)DefaultResource()->allocate(PTRDIFF_MAX), std::bad_alloc);
  EXPECT_THROW((void)DefaultResource()->allocate(PTRDIFF_MAX, 4096), std::bad_alloc);
  Arena arena;
  ArenaResource resource(&arena);
  EXPECT_THROW((void)resource.allocate(PTRDIFF_MAX), std::bad_alloc);
}

TEST(MemoryResourceTest, IsOneAndEqualToItself) {
  EXPECT_EQ(DefaultResource(), DefaultResource());
  Arena arena;
  ArenaResource first(&arena);
  ArenaResource second(&arena);
  EXPECT_TRUE(first.is_equal(first));
  EXPECT_FALSE(first.is_equal(*DefaultResource()));
  EXPECT_FALSE(DefaultResource()->is_equal(first));
  EXPECT_EQ(first.arena(), second.arena());
}

TEST(MemoryResourceTest, MayBecomeTheDefaultOfThePrograms) {
  std::pmr::memory_resource* const before = std::pmr::set_default_resource(DefaultResource());
  {
    std::pmr::vector<std::pmr::string> strings(100, "a string that is too long to be kept inside");
    EXPECT_EQ(strings[5].get_allocator().resource(), DefaultResource());
  }
  std::pmr::set_default_resource(before);
}

TEST(MemoryResourceTest, ArenaGivesMemoryBackOnlyWhenReset) {
  Arena arena;
  ArenaResource resource(&arena);
  {
    std::pmr::vector<int> numbers(&resource);
    numbers.resize(1000);
  }
  const std::size_t used = arena.bytes_used();
  EXPECT_GE(used, 4000u);
  arena.Reset();
  EXPECT_EQ(arena.bytes_used(), 0u);
}

}  // namespace
}  // namespace strata::mm
