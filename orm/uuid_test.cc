#include "strata/orm/uuid.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace strata::orm {
namespace {

TEST(UuidTest, TextIsThatOfTheRfc) {
  // RFC 9562, appendices A.3 and A.6.
  const auto v4 = Uuid::Parse("919108f7-52d1-4320-9bac-f847db4148a8");
  ASSERT_TRUE(v4.ok()) << v4.status();
  EXPECT_EQ(v4->version(), 4);
  EXPECT_EQ(v4->bytes()[0], 0x91);
  EXPECT_EQ(v4->bytes()[15], 0xa8);
  EXPECT_EQ(v4->ToString(), "919108f7-52d1-4320-9bac-f847db4148a8");
  EXPECT_EQ(v4->time(), std::nullopt);

  const auto v7 = Uuid::Parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  ASSERT_TRUE(v7.ok()) << v7.status();
  EXPECT_EQ(v7->version(), 7);
  EXPECT_EQ(v7->time()->time_since_epoch().count(), 0x017F22E279B0);
  EXPECT_EQ(v7->ToString(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(UuidTest, RefusesOtherTexts) {
  const std::string good = "919108f7-52d1-4320-9bac-f847db4148a8";
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = good[i] == '-' ? '0' : '-';
    EXPECT_EQ(Uuid::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
    bad[i] = 'g';
    EXPECT_FALSE(Uuid::Parse(bad).ok()) << bad;
    EXPECT_FALSE(Uuid::Parse(good.substr(0, i)).ok());
  }
  EXPECT_FALSE(Uuid::Parse(good + " ").ok());
  EXPECT_FALSE(Uuid::Parse("{" + good + "}").ok());
}

TEST(UuidTest, RandomOnesHaveVersionAndVariant) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::V4();
    EXPECT_EQ(uuid.version(), 4);
    EXPECT_EQ(uuid.bytes()[8] >> 6, 2);
    EXPECT_TRUE(seen.insert(uuid).second);
  }
  EXPECT_FALSE(seen.begin()->is_nil());
  EXPECT_TRUE(Uuid().is_nil());
}

TEST(UuidTest, EachOfVersion7IsGreaterThanTheLast) {
  const auto before = std::chrono::system_clock::now();
  Uuid last = Uuid::V7();
  for (int i = 0; i < 10'000; ++i) {
    const Uuid next = Uuid::V7();
    ASSERT_LT(last, next);
    EXPECT_EQ(next.version(), 7);
    EXPECT_EQ(next.bytes()[8] >> 6, 2);
    last = next;
  }
  EXPECT_GE(*last.time(), std::chrono::floor<std::chrono::milliseconds>(before));
  // 10,000 counted on from the clock are at most 3 ms.
  EXPECT_LE(*last.time(), std::chrono::system_clock::now() + std::chrono::milliseconds(3));
}

TEST(UuidTest, ThreadsMakeDifferentOnes) {
  std::vector<Uuid> made[4];
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 5000; ++i) mine.push_back(Uuid::V7());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> ticks;  // Even without their random bits.
  for (const auto& mine : made) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    for (const Uuid& uuid : mine) ticks.insert(uuid.ToString().substr(0, 18));
  }
  EXPECT_EQ(ticks.size(), 20'000u);
}

}  // namespace
}  // namespace strata::orm
