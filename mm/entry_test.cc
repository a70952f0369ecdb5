// The entry points and the lock keep what the calling convention promises, on every path.

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"
#include "strata/mm/testing/abi_check.h"

namespace strata::mm {
namespace {

using ::strata::mm::testing::CallChecked;

void* Pointer(uint64_t word) { return reinterpret_cast<void*>(word); }

// Calls each entry point for sizes of every kind, often enough that lists run empty and full.
void CallAll() {
  uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<void*> blocks;
  for (int i = 0; i < 4000; ++i) {
    size_t size = random() % (size_t{1} << (4 + random() % 18));
    auto made = random() % 3 == 0   ? CallChecked(&strata_mm_calloc, size_t{1}, size)
                : random() % 2 == 0 ? CallChecked(&strata_mm_memalign, size_t{64}, size)
                                    : CallChecked(&strata_mm_malloc, size);
    ASSERT_EQ(made.broken, "") << size;
    blocks.push_back(Pointer(made.result));
    if (random() % 3 == 0) {
      auto& block = blocks[random() % blocks.size()];
      size_t bytes = 1 + random() % 200000;
      auto moved = CallChecked(&strata_mm_realloc, block, bytes);
      ASSERT_EQ(moved.broken, "");
      block = Pointer(moved.result);
      ASSERT_EQ(CallChecked(&strata_mm_usable_size, static_cast<const void*>(block)).broken, "");
    }
    if (blocks.size() > 500) {
      while (blocks.size() > 100) {
        ASSERT_EQ(CallChecked(&strata_mm_free, blocks.back()).broken, "");
        blocks.pop_back();
      }
    }
  }
  for (void* block : blocks) strata_mm_free(block);
}

TEST(Entry, KeepsTheConventionWithRseq) { CallAll(); }

TEST(Entry, KeepsTheConventionWithoutRseq) {
  smm_heap_init();
  int64_t before = smm_heap.rseq_offset;
  smm_disable_rseq();
  CallAll();
  smm_heap.rseq_offset = before;
}

// Counts the blocks in the bins of the class.
size_t BinnedBlocks(uint32_t code) {
  size_t count = 0;
  for (auto& way : smm_shelves) {
    for (Block* b = way[code].bin; b != nullptr && b != &smm_sentinels[code]; b = b->next) ++count;
  }
  return count;
}

TEST(Entry, FreeLeavesABlockInABinWhereAllShelvesAreHeld) {
  constexpr uint32_t kCode = 5;
  constexpr int kBlocks = 40;
  smm_heap_init();
  int64_t before = smm_heap.rseq_offset;
  smm_disable_rseq();
  std::vector<void*> blocks;
  for (int i = 0; i < kBlocks; ++i) blocks.push_back(strata_mm_malloc(smm_class_size[kCode]));
  Contention counts = {};
  uint64_t binned = smm_heap.binned;
  for (auto& way : smm_shelves) smm_lock(&way[kCode].lock, &counts);
  for (void* block : blocks) strata_mm_free(block);
  EXPECT_EQ(smm_heap.binned - binned, uint64_t{kBlocks});
  EXPECT_EQ(BinnedBlocks(kCode), size_t{kBlocks});
  for (auto& way : smm_shelves) Unlock(&way[kCode].lock);
  // The next frees find the bins, way by way, and take them home.
  for (int i = 0; i < kBlocks; ++i) {
    blocks[0] = strata_mm_malloc(smm_class_size[kCode]);
    strata_mm_free(blocks[0]);
  }
  strata_mm_trim();
  EXPECT_EQ(BinnedBlocks(kCode), 0u);
  smm_heap.rseq_offset = before;
}

TEST(Entry, FailuresKeepTheConvention) {
  EXPECT_EQ(CallChecked(&strata_mm_malloc, SIZE_MAX).broken, "");
  EXPECT_EQ(CallChecked(&strata_mm_calloc, SIZE_MAX, size_t{2}).broken, "");
  EXPECT_EQ(CallChecked(&strata_mm_memalign, SIZE_MAX, size_t{2}).broken, "");
  void* block = strata_mm_malloc(100000);
  EXPECT_EQ(CallChecked(&strata_mm_realloc, block, SIZE_MAX).broken, "");
  strata_mm_free(block);
}

TEST(Lock, ExcludesAndCounts) {
  static uint32_t lock = 0;
  static Contention counts = {};
  static uint64_t sum = 0;
  constexpr int kThreads = 4;
  constexpr int kRounds = 20000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < kRounds; ++i) {
        smm_lock(&lock, &counts);
        uint64_t seen = sum;  // Two steps, which another holder would come between.
        std::atomic_signal_fence(std::memory_order_seq_cst);
        sum = seen + 1;
        Unlock(&lock);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, uint64_t{kThreads} * kRounds);
  EXPECT_EQ(lock, 0u);
  EXPECT_EQ(CallChecked(&smm_try_lock, &lock).result, 1u);
  auto second = CallChecked(&smm_try_lock, &lock);
  EXPECT_EQ(second.result, 0u) << "a held lock was taken";
  EXPECT_EQ(second.broken, "");
  Unlock(&lock);
  EXPECT_EQ(CallChecked(&smm_lock, &lock, &counts).broken, "");
  Unlock(&lock);
}

TEST(Lock, AWaiterGetsItWhenItIsFree) {
  static uint32_t lock = 0;
  static Contention counts = {};
  smm_lock(&lock, &counts);
  std::thread waiter([] {
    smm_lock(&lock, &counts);
    Unlock(&lock);
  });
  // Held until the waiter has gone all the way to sleeping.
  while (__atomic_load_n(&counts.sleeps, __ATOMIC_RELAXED) == 0) std::this_thread::yield();
  Unlock(&lock);
  waiter.join();
  EXPECT_GE(counts.spins, 1u);
  EXPECT_GE(counts.yields, 1u);
  EXPECT_GE(counts.slept_ns, counts.sleeps * 50'000);
}

}  // namespace
}  // namespace strata::mm
