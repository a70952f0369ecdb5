// The extents against a model: a map of what is in use. After each step no two extents overlap,
// free ones are merged, and the counts agree.

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "strata/mm/heap_internal.h"

namespace strata::mm {
namespace {

class ExtentTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(smm_heap_init(), 1u); }

  // Walks the window: each extent's two ends agree, free ones have no free neighbour, and those
  // that the test holds are as long as it thinks.
  void CheckWindow() {
    const PageEntry* info = smm_heap.page_info;
    uint64_t dirty = 0;
    bool last_free = false;
    for (uint64_t at = kSpanPages; at < smm_heap.top;) {
      const PageEntry& first = info[at];
      ASSERT_GT(first.pages, 0u) << "page " << at;
      const PageEntry& last = info[at + first.pages - 1];
      ASSERT_EQ(last.pages, first.pages) << "page " << at;
      bool free = (first.state & kStateFree) != 0;
      ASSERT_EQ((last.state & kStateFree) != 0, free) << "page " << at;
      ASSERT_FALSE(free && last_free) << "unmerged at " << at;
      if (free) dirty += first.dirty;
      auto held = held_.find(at);
      if (held != held_.end()) {
        ASSERT_FALSE(free) << "page " << at;
        ASSERT_EQ(held->second, first.pages) << "page " << at;
      }
      last_free = free;
      at += first.pages;
      ASSERT_LE(at, smm_heap.top);
    }
    ASSERT_EQ(dirty, smm_heap.dirty_pages);
  }

  // The pages from `first` on, `pages` of them, belong to no extent that the test holds.
  void ExpectUnused(uint64_t first, uint64_t pages) {
    auto next = held_.lower_bound(first);
    if (next != held_.end()) {
      ASSERT_LE(first + pages, next->first);
    }
    if (next != held_.begin()) {
      --next;
      ASSERT_LE(next->first + next->second, first);
    }
  }

  std::map<uint64_t, uint64_t> held_;  // First page to pages.
};

TEST_F(ExtentTest, BinsAreExactThenEightADoubling) {
  for (uint32_t pages = 1; pages <= 64; ++pages) EXPECT_EQ(smm_bin_of(pages), pages - 1);
  uint32_t last = 63;
  for (uint32_t pages = 65; pages < 1u << 20; ++pages) {
    uint32_t bin = smm_bin_of(pages);
    ASSERT_TRUE(bin == last || bin == last + 1) << pages;
    uint32_t power = 31 - static_cast<uint32_t>(__builtin_clz(pages));
    ASSERT_EQ(bin, 64 + (power - 6) * 8 + ((pages >> (power - 3)) & 7)) << pages;
    last = bin;
  }
  EXPECT_LT(smm_bin_of(1u << 28), static_cast<uint32_t>(kBins));
}

TEST_F(ExtentTest, RandomStepsAgreeWithTheModel) {
  uint32_t seed = std::random_device()();
  if (const char* given = getenv("SEED")) seed = static_cast<uint32_t>(std::stoul(given));
  SCOPED_TRACE("SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  uint64_t live_before = smm_heap.large_pages;
  uint64_t live = 0;
  for (int step = 0; step < 20000; ++step) {
    uint32_t kind = random() % 100;
    if (held_.empty() || (kind < 45 && live < 50000)) {
      uint64_t pages = 1 + random() % (1u << (random() % 11));
      uint64_t alignment = random() % 4 == 0 ? uint64_t{1} << (random() % 8) : 1;
      uint64_t index = smm_extent_alloc(pages, alignment, &smm_heap.large_pages);
      ASSERT_NE(index, 0u);
      ASSERT_EQ(reinterpret_cast<uintptr_t>(smm_address_of(static_cast<uint32_t>(index))) %
                    (alignment << kPageShift),
                0u);
      ExpectUnused(index, pages);
      held_[index] = pages;
      live += pages;
    } else {
      auto it = held_.begin();
      std::advance(it, random() % held_.size());
      auto [index, pages] = *it;
      if (kind < 80) {
        held_.erase(it);
        live -= pages;
        smm_extent_free(index, &smm_heap.large_pages, random() % 4);
      } else if (kind < 90 && pages > 1) {
        uint64_t fewer = 1 + random() % (pages - 1);
        smm_extent_shrink(index, fewer);
        it->second = fewer;
        live -= pages - fewer;
      } else {
        uint64_t more = pages + 1 + random() % 64;
        if (smm_extent_grow(index, more) != 0) {
          ExpectUnused(index + pages, more - pages);
          it->second = more;
          live += more - pages;
        }
      }
    }
    ASSERT_EQ(smm_heap.large_pages - live_before, live);
    if (step % 64 == 0) {
      ASSERT_NO_FATAL_FAILURE(CheckWindow());
    }
  }
  for (auto [index, pages] : held_) smm_extent_free(index, &smm_heap.large_pages, 1);
  held_.clear();
  CheckWindow();
  EXPECT_EQ(smm_heap.large_pages, live_before);
}

TEST_F(ExtentTest, WhatIsSaidToBeZeroIsZero) {
  // Fresh pages, and purged ones.
  for (int round = 0; round < 3; ++round) {
    uint64_t index = smm_extent_alloc(64, 1, &smm_heap.large_pages);
    ASSERT_NE(index, 0u);
    auto* bytes = static_cast<char*>(smm_address_of(static_cast<uint32_t>(index)));
    std::memset(bytes, 0x5a, 64 << kPageShift);
    smm_extent_free(index, &smm_heap.large_pages, 1);
    smm_extent_purge_all();
    EXPECT_EQ(smm_heap.dirty_pages, 0u);
    index = smm_extent_alloc(64, 1, &smm_heap.large_pages);
    bytes = static_cast<char*>(smm_address_of(static_cast<uint32_t>(index)));
    EXPECT_TRUE(std::all_of(bytes, bytes + (64 << kPageShift), [](char c) { return c == 0; }));
    smm_extent_free(index, &smm_heap.large_pages, 1);
  }
}

TEST_F(ExtentTest, WhatCannotBeIsRefused) {
  EXPECT_EQ(smm_extent_alloc(uint64_t{1} << 51, 1, &smm_heap.large_pages), 0u);
  EXPECT_EQ(smm_extent_alloc(1, uint64_t{1} << 51, &smm_heap.large_pages), 0u);
  CheckWindow();
}

}  // namespace
}  // namespace strata::mm
