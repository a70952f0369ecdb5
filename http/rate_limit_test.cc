// What a rate limiter lets through, by how much it forgets, and what a flood can do to it.

#include "strata/http/rate_limit.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/network.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Times of the tests; the first is none that a clock shows.
RateLimiter::Time At(nanoseconds since) { return RateLimiter::Time(std::chrono::hours(1) + since); }

std::unique_ptr<RateLimiter> Make(const RateLimiter::Options& options) {
  absl::StatusOr<std::unique_ptr<RateLimiter>> limiter = RateLimiter::Create(options);
  EXPECT_TRUE(limiter.ok()) << limiter.status();
  return *std::move(limiter);
}

net::Address Ip(std::string_view text) { return *ParseIp(text); }

std::size_t AllowedAtOnce(RateLimiter& limiter, const net::Address& client, RateLimiter::Time now) {
  std::size_t allowed = 0;
  while (limiter.Allow(client, now).allowed) ++allowed;
  return allowed;
}

TEST(RateLimitTest, AllowsABurstAndThenOneAtATime) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(0))), 5u);
  EXPECT_FALSE(limiter->Allow(client, At(milliseconds(99))).allowed);
  EXPECT_TRUE(limiter->Allow(client, At(milliseconds(100))).allowed);
  EXPECT_FALSE(limiter->Allow(client, At(milliseconds(199))).allowed);
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(milliseconds(400))), 3u);
}

TEST(RateLimitTest, IdleTimeGivesNoMoreThanABurst) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(0))), 5u);
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(1000))), 5u);
}

TEST(RateLimitTest, RetryAfterIsTheEarliestTimeThatWorks) {
  auto limiter = Make({.per_second = 3, .burst = 2});
  const net::Address client = Ip("192.0.2.1");
  AllowedAtOnce(*limiter, client, At(seconds(0)));
  nanoseconds now = milliseconds(50);
  const RateDecision refused = limiter->Allow(client, At(now));
  ASSERT_FALSE(refused.allowed);
  EXPECT_GT(refused.retry_after, milliseconds(283));
  EXPECT_LT(refused.retry_after, milliseconds(284));
  EXPECT_FALSE(limiter->Allow(client, At(now + refused.retry_after - nanoseconds(1))).allowed);
  EXPECT_TRUE(limiter->Allow(client, At(now + refused.retry_after)).allowed);
}

TEST(RateLimitTest, TellsWhatRemains) {
  auto limiter = Make({.per_second = 10, .burst = 3});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(limiter->Allow(client, At(seconds(0))).remaining, 2u);
  EXPECT_EQ(limiter->Allow(client, At(seconds(0))).remaining, 1u);
  EXPECT_EQ(limiter->Allow(client, At(seconds(0))).remaining, 0u);
  EXPECT_EQ(limiter->Allow(client, At(seconds(0))).remaining, 0u);
  EXPECT_EQ(limiter->Allow(client, At(milliseconds(250))).remaining, 1u);
}

TEST(RateLimitTest, WhatIsRefusedIsNotCounted) {
  auto limiter = Make({.per_second = 10, .burst = 2});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(0))), 2u);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter->Allow(client, At(milliseconds(50))).allowed);
  EXPECT_TRUE(limiter->Allow(client, At(milliseconds(100))).allowed);
  EXPECT_EQ(limiter->counts().refused, 101u);
}

TEST(RateLimitTest, ARequestMayCostMore) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_TRUE(limiter->Allow(client, At(seconds(0)), 3).allowed);
  const RateDecision refused = limiter->Allow(client, At(seconds(0)), 3);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 2u);
  EXPECT_EQ(refused.retry_after, milliseconds(100));
  EXPECT_TRUE(limiter->Allow(client, At(seconds(0)), 2).allowed);
}

TEST(RateLimitTest, MoreThanTheBurstIsNeverAllowed) {
  auto limiter = Make({.per_second = 1e-6, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  for (const std::uint32_t cost : {6u, std::numeric_limits<std::uint32_t>::max()}) {
    const RateDecision refused = limiter->Allow(client, At(seconds(0)), cost);
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, nanoseconds::max());
    EXPECT_EQ(refused.remaining, 5u);
  }
}

TEST(RateLimitTest, ACostOfNothingAsks) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(limiter->Allow(client, At(seconds(0)), 0).remaining, 5u);
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(0))), 5u);
  const RateDecision asked = limiter->Allow(client, At(seconds(0)), 0);
  EXPECT_TRUE(asked.allowed);
  EXPECT_EQ(asked.remaining, 0u);
}

TEST(RateLimitTest, ATimeThatGoesBackIsNoGain) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(AllowedAtOnce(*limiter, client, At(seconds(10))), 5u);
  EXPECT_FALSE(limiter->Allow(client, At(seconds(9))).allowed);
  EXPECT_EQ(limiter->Allow(client, At(seconds(9))).remaining, 0u);
  EXPECT_TRUE(limiter->Allow(client, At(seconds(9)), 0).allowed);
}

TEST(RateLimitTest, KeysDoNotKnowEachOther) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  for (const char* client : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"}) {
    EXPECT_EQ(AllowedAtOnce(*limiter, Ip(client), At(seconds(0))), 5u) << client;
  }
  for (const std::string_view name : {"alice", "bob", "", "\xc0\x00\x02\x01"}) {
    std::size_t allowed = 0;
    while (limiter->Allow(name, At(seconds(0))).allowed) ++allowed;
    EXPECT_EQ(allowed, 5u) << name;
  }
  EXPECT_EQ(limiter->counts().evicted, 0u);
}

TEST(RateLimitTest, AClientOfIpv6IsItsNetwork) {
  auto limiter = Make({.per_second = 10, .burst = 5});
  EXPECT_EQ(AllowedAtOnce(*limiter, Ip("2001:db8:1:2::1"), At(seconds(0))), 5u);
  EXPECT_FALSE(limiter->Allow(Ip("2001:db8:1:2:ffff::"), At(seconds(0))).allowed);
  EXPECT_TRUE(limiter->Allow(Ip("2001:db8:1:3::1"), At(seconds(0))).allowed);

  auto wider = Make({.per_second = 10, .burst = 5, .ipv6_prefix_bits = 48});
  EXPECT_EQ(AllowedAtOnce(*wider, Ip("2001:db8:1:2::1"), At(seconds(0))), 5u);
  EXPECT_FALSE(wider->Allow(Ip("2001:db8:1:3::1"), At(seconds(0))).allowed);
  EXPECT_TRUE(wider->Allow(Ip("2001:db8:2:2::1"), At(seconds(0))).allowed);
}

TEST(RateLimitTest, NeitherPortNorDressCounts) {
  auto limiter = Make({.per_second = 10, .burst = 1});
  EXPECT_TRUE(limiter->Allow(*net::Address::Parse("192.0.2.1:1"), At(seconds(0))).allowed);
  EXPECT_FALSE(limiter->Allow(*net::Address::Parse("192.0.2.1:2"), At(seconds(0))).allowed);
  EXPECT_FALSE(limiter->Allow(Ip("::ffff:192.0.2.1"), At(seconds(0))).allowed);
}

TEST(RateLimitTest, RefusesOptionsOutOfBounds) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const RateLimiter::Options& options : std::vector<RateLimiter::Options>{
           {.per_second = 0},
           {.per_second = -1},
           {.per_second = nan},
           {.per_second = 1e7},
           {.per_second = 1e-7},
           {.burst = 0},
           {.per_second = 1e-6, .burst = 1000},
           {.max_keys = 0},
           {.max_keys = RateLimiter::kMaxKeys + 1},
           {.ipv6_prefix_bits = 0},
           {.ipv6_prefix_bits = 65},
       }) {
    EXPECT_EQ(RateLimiter::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(RateLimitTest, MemoryIsFixed) {
  EXPECT_EQ(Make({.max_keys = 1})->capacity(), 8u);
  EXPECT_EQ(Make({.max_keys = 9})->capacity(), 16u);
  EXPECT_EQ(Make({.max_keys = 1 << 16})->capacity(), std::size_t{1} << 16);
}

// An attacker with many addresses wants his first one forgotten.
TEST(RateLimitTest, AFloodOfOtherKeysDoesNotResetALimit) {
  auto limiter = Make({.per_second = 1, .burst = 20, .max_keys = 1024});
  const net::Address attacker = Ip("192.0.2.1");
  ASSERT_EQ(AllowedAtOnce(*limiter, attacker, At(seconds(0))), 20u);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::uint8_t bytes[] = {10, static_cast<std::uint8_t>(i >> 16),
                                  static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    (void)limiter->Allow(net::Address::Ipv4(bytes, 0), At(seconds(0)));
    ASSERT_FALSE(limiter->Allow(attacker, At(seconds(0))).allowed) << i;
  }
  EXPECT_GT(limiter->counts().evicted, 1000u);
}

// While more keys than slots send one request each, others are hardly touched.
TEST(RateLimitTest, AFloodTakesLittleFromNewcomers) {
  auto limiter = Make({.per_second = 1, .burst = 20, .max_keys = 1024});
  for (int i = 0; i < 4096; ++i) {
    EXPECT_TRUE(limiter->Allow("flood " + std::to_string(i), At(seconds(0))).allowed);
  }
  // Four requests for each slot, not evenly: of a set's eight slots none is far above the others.
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(limiter->Allow("newcomer " + std::to_string(i), At(seconds(0)), 0).remaining, 8u);
  }
}

// Against a bucket for each key that nothing is ever forgotten of: the limiter may allow less, when
// there are more keys than slots, and never more.
TEST(RateLimitTest, NeverAllowsMoreThanItsRate) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  constexpr std::int64_t kInterval = 100'000'000;
  constexpr std::int64_t kBurst = 4;
  for (const std::uint64_t keys : {6, 60, 600}) {
    auto limiter = Make({.per_second = 10, .burst = kBurst, .max_keys = 64});
    std::map<std::uint64_t, std::int64_t> full_at;
    std::int64_t now = 0;
    std::uint64_t allowed = 0;
    std::uint64_t model_allowed = 0;
    for (int i = 0; i < 200'000; ++i) {
      now += static_cast<std::int64_t>(random() % (kInterval / 32));
      const std::uint64_t key =
          random() % keys * (random() % 2);  // One is heavier than all others.
      const auto cost = static_cast<std::uint32_t>(1 + random() % 2);
      const RateDecision decision = limiter->Allow(std::to_string(key), At(nanoseconds(now)), cost);
      const std::int64_t full = std::max(full_at[key], now) + kInterval * cost;
      const bool model = full - now <= kBurst * kInterval;
      model_allowed += model;
      allowed += decision.allowed;
      if (!decision.allowed) continue;
      ASSERT_TRUE(model) << key << " at " << now;
      full_at[key] = full;
    }
    // With room for all the two are the same.
    if (keys == 6) {
      EXPECT_EQ(allowed, model_allowed);
    }
    EXPECT_GT(allowed, 0u);
  }
}

TEST(RateLimitTest, ThreadsShareABucket) {
  constexpr std::uint32_t kBurst = 50'000;
  auto limiter = Make({.per_second = 1, .burst = kBurst});
  const net::Address client = Ip("192.0.2.1");
  ASSERT_TRUE(limiter->Allow(client, At(seconds(0))).allowed);
  std::atomic<std::uint32_t> allowed{1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::uint32_t j = 0; j < kBurst / 2; ++j) {
        if (limiter->Allow(client, At(seconds(0))).allowed) {
          allowed.fetch_add(1, std::memory_order_relaxed);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed.load(), kBurst);
  EXPECT_EQ(limiter->counts().refused, 4 * (kBurst / 2) + 1 - kBurst);
}

// Few slots, many keys: threads evict each other all the time.
TEST(RateLimitTest, ThreadsThatEvictEachOtherNeverGainByIt) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kKeys = 100;
  auto limiter = Make({.per_second = 1, .burst = 10, .max_keys = 8});
  std::vector<std::thread> threads;
  std::array<std::atomic<std::size_t>, kKeys> allowed = {};
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (int i = 0; i < 20'000; ++i) {
        const std::size_t key = random() % kKeys;
        if (limiter->Allow(std::to_string(key), At(seconds(0))).allowed) ++allowed[key];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // All of it is what eight slots have.
  std::size_t sum = 0;
  for (const std::atomic<std::size_t>& one : allowed) sum += one;
  EXPECT_EQ(sum, 80u);
}

}  // namespace
}  // namespace strata::http
