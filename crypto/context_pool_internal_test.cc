#include "strata/crypto/context_pool_internal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <iterator>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace strata::crypto {
namespace {

// Counts those alive, and is used by one thread at a time.
struct Context {
  static inline std::atomic<int> alive{0};

  Context() { ++alive; }
  ~Context() { --alive; }

  void Use() { ++uses; }

  int uses = 0;
};

using Pool = ContextPool<Context>;

std::unique_ptr<Context> TakeOrMake(Pool& pool) {
  std::unique_ptr<Context> context = pool.Take();
  return context != nullptr ? std::move(context) : std::make_unique<Context>();
}

TEST(ContextPoolTest, GivesBackWhatThisThreadGave) {
  Pool pool;
  EXPECT_EQ(pool.Take(), nullptr);
  auto context = std::make_unique<Context>();
  const Context* address = context.get();
  pool.Give(std::move(context));
  EXPECT_EQ(pool.Take().get(), address);
  EXPECT_EQ(pool.Take(), nullptr);
}

TEST(ContextPoolTest, KeepsOneOfTwo) {
  Pool pool;
  pool.Give(std::make_unique<Context>());
  pool.Give(std::make_unique<Context>());
  EXPECT_EQ(Context::alive, 1);
  EXPECT_NE(pool.Take(), nullptr);
  EXPECT_EQ(pool.Take(), nullptr);
}

TEST(ContextPoolTest, FreesWhatItHolds) {
  {
    Pool pool;
    pool.Give(std::make_unique<Context>());
  }
  EXPECT_EQ(Context::alive, 0);
}

TEST(ContextPoolTest, NumbersAreUniqueAndComeBack) {
  // More threads than have slots of their own, all alive at once, several times over.
  constexpr int kThreads = 3 * static_cast<int>(kOwningThreads);
  AssignThreadNumber();
  const std::size_t mine = thread_number;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::size_t> numbers(kThreads);
    std::barrier together(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t& number : numbers) {
      threads.emplace_back([&] {
        AssignThreadNumber();
        number = thread_number;
        together.arrive_and_wait();
      });
    }
    for (std::thread& thread : threads) thread.join();
    const std::set<std::size_t> unique(numbers.begin(), numbers.end());
    EXPECT_EQ(unique.size(), numbers.size());
    EXPECT_EQ(unique.count(mine), 0u);
    EXPECT_EQ(unique.count(0), 0u);
    const auto owning = std::distance(unique.begin(), unique.upper_bound(kOwningThreads));
    EXPECT_EQ(owning, static_cast<std::ptrdiff_t>(kOwningThreads) - (mine <= kOwningThreads));
  }
}

// Runs at the end of a thread, after the thread has given its number back.
struct Late {
  ~Late() {
    if (number != nullptr) *number = thread_number;
  }
  std::size_t* number = nullptr;
};

TEST(ContextPoolTest, AThreadThatEndsHasNoSlotsOfItsOwn) {
  std::size_t before = 0;
  std::size_t after = 0;
  std::thread([&] {
    static thread_local Late late;
    late.number = &after;
    AssignThreadNumber();
    before = thread_number;
  }).join();
  EXPECT_LE(before, kOwningThreads);
  EXPECT_GT(after, kOwningThreads);
}

TEST(ContextPoolTest, NoTwoThreadsHaveTheSameContext) {
  {
    Pool pool;
    constexpr int kThreads = 20;
    constexpr int kUses = 2000;
    // Two generations, so that slots of ended threads are inherited.
    for (int generation = 0; generation < 2; ++generation) {
      std::vector<std::thread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
          for (int j = 0; j < kUses; ++j) {
            std::unique_ptr<Context> context = TakeOrMake(pool);
            const int before = context->uses;
            context->Use();
            ASSERT_EQ(context->uses, before + 1);
            pool.Give(std::move(context));
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_LE(Context::alive, 12);
  }
  EXPECT_EQ(Context::alive, 0);
}

}  // namespace
}  // namespace strata::crypto
