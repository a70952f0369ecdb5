// Pools and spans against a model: the set of blocks that are out.

#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/mm/heap_internal.h"
#include "strata/mm/testing/abi_check.h"

namespace strata::mm {
namespace {

using ::strata::mm::testing::CallChecked;

// Each class has a pool of its own, which other tests of this program and gtest itself leave alone.
class SpanTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override { ASSERT_EQ(smm_heap_init(), 1u); }

  // Takes a list from the pool, and checks its labels and its blocks.
  std::vector<Block*> Refill(uint32_t code) {
    std::vector<Block*> blocks;
    uint64_t bound = smm_class_bound[code];
    Block* list = smm_pool_refill(code);
    uint64_t length = 0;
    for (Block* b = list; b != &smm_sentinels[code]; b = b->next) ++length;
    for (Block* b = list; b != &smm_sentinels[code]; b = b->next) {
      EXPECT_EQ(b->label, smm_heap.key + bound + 1 - length) << "a label is not its list's";
      --length;
      CheckPlace(b, code);
      EXPECT_TRUE(out_.insert(b).second) << "given out twice";
      blocks.push_back(b);
    }
    EXPECT_GE(blocks.size(), 1u);
    EXPECT_LE(blocks.size(), smm_class_refill[code]);
    return blocks;
  }

  void CheckPlace(const Block* block, uint32_t code) {
    auto offset = reinterpret_cast<uintptr_t>(block) % kSpanSize;
    EXPECT_EQ(offset % smm_class_size[code], 0u);
    EXPECT_LE(offset + smm_class_size[code], static_cast<size_t>(kSpanSize));
    EXPECT_EQ(smm_heap.page_map[smm_index_of(block)], code);
  }

  void Return(const std::vector<Block*>& blocks, uint32_t code) {
    Block* list = &smm_sentinels[code];
    for (Block* block : blocks) {
      std::memset(block, 0x5a, smm_class_size[code]);  // It was in use.
      block->next = list;
      list = block;
      out_.erase(block);
    }
    smm_pool_return(list, code);
  }

  std::set<Block*> out_;
};

TEST_P(SpanTest, RandomStepsAgreeWithTheModel) {
  uint32_t code = GetParam();
  uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  uint64_t spans_before = smm_heap.span_pages;
  std::vector<std::vector<Block*>> lists;
  for (int step = 0; step < 600; ++step) {
    if (lists.empty() || (random() % 100 < 60 && lists.size() < 300)) {
      lists.push_back(Refill(code));
    } else {
      size_t i = random() % lists.size();
      std::swap(lists[i], lists.back());
      Return(lists.back(), code);
      lists.pop_back();
    }
    // All that is out fits into the spans, and the spans are no more than it needs at worst.
    ASSERT_LE(out_.size() * smm_class_size[code], smm_pools[code].spans * uint64_t{kSpanSize});
  }
  for (const std::vector<Block*>& list : lists) Return(list, code);
  EXPECT_LE(smm_pools[code].spans, 1u) << "empty spans stay";
  smm_pool_trim(code);
  EXPECT_EQ(smm_pools[code].spans, 0u);
  EXPECT_EQ(smm_heap.span_pages, spans_before);
}

TEST_P(SpanTest, NeighboursInAFreshListShareNoLine) {
  uint32_t code = GetParam();
  if (smm_class_refill[code] < 2 || smm_class_size[code] > 64) GTEST_SKIP() << "blocks of lines";
  smm_pool_trim(code);
  std::vector<Block*> blocks = Refill(code);
  for (size_t i = 1; i < blocks.size(); ++i) {
    EXPECT_NE(reinterpret_cast<uintptr_t>(blocks[i - 1]) / 64,
              reinterpret_cast<uintptr_t>(blocks[i]) / 64);
  }
  Return(blocks, code);
  smm_pool_trim(code);
}

TEST_P(SpanTest, TheRoutinesKeepTheConvention) {
  uint32_t code = GetParam();
  auto call = CallChecked(&smm_pool_refill, code);
  EXPECT_EQ(call.broken, "");
  auto* list = reinterpret_cast<Block*>(call.result);
  EXPECT_EQ(CallChecked(&smm_pool_return, list, code).broken, "");
  EXPECT_EQ(CallChecked(&smm_pool_trim, code).broken, "");
}

INSTANTIATE_TEST_SUITE_P(Codes, SpanTest, ::testing::Range(1u, uint32_t{kClasses} + 1),
                         [](const auto& info) {
                           return std::to_string(smm_class_size[info.param]) + "Bytes";
                         });

}  // namespace
}  // namespace strata::mm
