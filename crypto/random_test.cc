#include "strata/crypto/random.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace strata::crypto {
namespace {

using Draw = std::array<std::uint8_t, 16>;

TEST(SecureRandomTest, DrawsDiffer) {
  std::set<Draw> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(SecureRandom::Bytes<16>()).second);
}

TEST(SecureRandomTest, FillsEveryByteOfEverySize) {
  for (std::size_t size : {1u, 7u, 64u, 511u, 512u, 513u, 4095u, 4097u, 100000u}) {
    // A byte that is not written stays 0 in each of 16 draws; a random one does once in 2^128.
    std::vector<std::uint8_t> all(size);
    for (int i = 0; i < 16; ++i) {
      std::vector<std::uint8_t> bytes(size);
      SecureRandom::Fill(bytes);
      for (std::size_t at = 0; at < size; ++at) all[at] |= bytes[at];
    }
    EXPECT_EQ(std::count(all.begin(), all.end(), 0), 0) << size;
  }
  SecureRandom::Fill({});
}

TEST(SecureRandomTest, LeavesWhatIsBesideAlone) {
  std::array<std::uint8_t, 32> bytes = {};
  for (int i = 0; i < 1000; ++i) SecureRandom::Fill(std::span(bytes).subspan(8, 16));
  EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + 8, 0), 8);
  EXPECT_EQ(std::count(bytes.begin() + 24, bytes.end(), 0), 8);
}

TEST(SecureRandomTest, BitsAreBalanced) {
  // Of a million bits half are 1, give or take ten standard deviations of 500.
  int ones = 0;
  for (int i = 0; i < 1'000'000 / 64; ++i) ones += __builtin_popcountll(SecureRandom::Uint64());
  EXPECT_NEAR(ones, 500'000, 5'000);
}

TEST(SecureRandomTest, SecretsHaveTheirSizeAndDiffer) {
  const SecretBytes one = SecureRandom::Secret(32);
  const SecretBytes other = SecureRandom::Secret(32);
  EXPECT_EQ(one.size(), 32u);
  EXPECT_FALSE(ConstantTimeEquals(one.bytes(), other.bytes()));
  EXPECT_TRUE(SecureRandom::Secret(0).empty());
}

TEST(SecureRandomTest, UniformStaysBelowItsBoundAndReachesAll) {
  std::array<int, 6> counts = {};
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t drawn = SecureRandom::Uniform(6);
    ASSERT_LT(drawn, 6u);
    ++counts[drawn];
  }
  // Ten standard deviations.
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 920);
  EXPECT_EQ(SecureRandom::Uniform(1), 0u);
}

TEST(SecureRandomTest, UniformIsFairWhereTheRemainderIsLarge) {
  // Modulo 3 * 2^62 a plain remainder would fall into the lowest third every second time.
  const std::uint64_t third = std::uint64_t{1} << 62;
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += SecureRandom::Uniform(3 * third) < third ? 1 : 0;
  EXPECT_NEAR(low, 10'000, 820);
}

TEST(SecureRandomTest, IsAGeneratorOfTheStandardLibrary) {
  std::vector<int> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<int> shuffled = numbers;
  std::shuffle(shuffled.begin(), shuffled.end(), SecureRandom());
  EXPECT_NE(shuffled, numbers);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, numbers);
}

TEST(SecureRandomTest, ThreadsDrawApart) {
  constexpr int kThreads = 8;
  constexpr int kDraws = 500;
  std::vector<std::vector<Draw>> drawn(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<Draw>& mine : drawn) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < kDraws; ++i) mine.push_back(SecureRandom::Bytes<16>());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Draw> all;
  for (const std::vector<Draw>& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), kThreads * kDraws);
}

// What a child made by `make_child` draws first, read from a pipe. The store has bytes left in it.
template <typename MakeChild>
Draw DrawInChild(MakeChild make_child) {
  SecureRandom::Bytes<16>();
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t child = make_child();
  if (child == 0) {
    const Draw drawn = SecureRandom::Bytes<16>();
    const bool sent = write(pipe_ends[1], drawn.data(), drawn.size()) == ssize_t{drawn.size()};
    _exit(sent ? 0 : 1);
  }
  Draw drawn = {};
  EXPECT_EQ(read(pipe_ends[0], drawn.data(), drawn.size()), ssize_t{drawn.size()});
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return drawn;
}

TEST(SecureRandomForkTest, ChildrenNeverRepeatTheirParentOrEachOther) {
  std::set<Draw> seen;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(seen.insert(DrawInChild([] { return fork(); })).second);
    EXPECT_TRUE(seen.insert(SecureRandom::Bytes<16>()).second);
  }
}

TEST(SecureRandomForkTest, NorDoChildrenMadeWithoutTheLibrary) {
  const auto raw_fork = [] {
    return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  };
  std::set<Draw> seen;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(seen.insert(DrawInChild(raw_fork)).second);
    EXPECT_TRUE(seen.insert(SecureRandom::Bytes<16>()).second);
  }
}

}  // namespace
}  // namespace strata::crypto
