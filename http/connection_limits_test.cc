// Who may connect, and that whoever leaves makes room.

#include "strata/http/connection_limits.h"

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

// Each ConnectionLimits of these tests is on the heap: on the stack that GCC's AddressSanitizer
// makes for the use after return, what wants 64 bytes may get 32.

using Refusal = ConnectionLimits::Refusal;
using Token = ConnectionLimits::Token;

net::Address Ip(std::string_view text) { return *ParseIp(text); }

TEST(ConnectionLimitsTest, AClientHasSoManyAndNoMore) {
  const auto owner = std::make_unique<ConnectionLimits>(
      ConnectionLimits::Options{.max_connections = 100, .max_per_client = 2});
  ConnectionLimits& limits = *owner;
  const Token one = limits.Admit(Ip("192.0.2.1"));
  Token two = limits.Admit(Ip("192.0.2.1"));
  EXPECT_TRUE(one);
  EXPECT_TRUE(two);
  EXPECT_EQ(two.refusal(), Refusal::kNone);
  const Token three = limits.Admit(Ip("192.0.2.1"));
  EXPECT_FALSE(three);
  EXPECT_EQ(three.refusal(), Refusal::kTooManyOfClient);
  EXPECT_TRUE(limits.Admit(Ip("192.0.2.2")));
  EXPECT_EQ(limits.Of(Ip("192.0.2.1")), 2u);
  two.Release();
  EXPECT_EQ(limits.Of(Ip("192.0.2.1")), 1u);
  EXPECT_TRUE(limits.Admit(Ip("192.0.2.1")));
  EXPECT_EQ(limits.counts().refused_of_client, 1u);
}

TEST(ConnectionLimitsTest, AllTogetherHaveSoManyAndNoMore) {
  const auto owner =
      std::make_unique<ConnectionLimits>(ConnectionLimits::Options{.max_connections = 3});
  ConnectionLimits& limits = *owner;
  std::vector<Token> tokens;
  for (const char* client : {"192.0.2.1", "192.0.2.2", "2001:db8::1"}) {
    tokens.push_back(limits.Admit(Ip(client)));
    EXPECT_TRUE(tokens.back());
  }
  EXPECT_EQ(limits.Admit(Ip("192.0.2.4")).refusal(), Refusal::kTooMany);
  EXPECT_EQ(limits.counts().open, 3u);
  EXPECT_EQ(limits.counts().refused_in_all, 1u);
  tokens.pop_back();
  EXPECT_TRUE(limits.Admit(Ip("192.0.2.4")));
}

TEST(ConnectionLimitsTest, RefusedConnectionsLeaveNoTrace) {
  const auto owner = std::make_unique<ConnectionLimits>(
      ConnectionLimits::Options{.max_connections = 2, .max_per_client = 1});
  ConnectionLimits& limits = *owner;
  const Token one = limits.Admit(Ip("192.0.2.1"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limits.Admit(Ip("192.0.2.1")));
  EXPECT_EQ(limits.counts().open, 1u);
  const Token two = limits.Admit(Ip("192.0.2.2"));
  EXPECT_TRUE(two);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limits.Admit(Ip("192.0.2.3")));
  EXPECT_EQ(limits.counts().open, 2u);
  EXPECT_EQ(limits.client_count(), 2u);
}

TEST(ConnectionLimitsTest, AClientOfIpv6IsItsNetwork) {
  const auto owner =
      std::make_unique<ConnectionLimits>(ConnectionLimits::Options{.max_per_client = 1});
  ConnectionLimits& limits = *owner;
  const Token one = limits.Admit(Ip("2001:db8:1:2::1"));
  EXPECT_FALSE(limits.Admit(Ip("2001:db8:1:2:ffff::")));
  EXPECT_TRUE(limits.Admit(Ip("2001:db8:1:3::1")));
}

TEST(ConnectionLimitsTest, NeitherPortNorDressCounts) {
  const auto owner =
      std::make_unique<ConnectionLimits>(ConnectionLimits::Options{.max_per_client = 1});
  ConnectionLimits& limits = *owner;
  const Token one = limits.Admit(*net::Address::Parse("192.0.2.1:1"));
  EXPECT_FALSE(limits.Admit(*net::Address::Parse("192.0.2.1:2")));
  EXPECT_FALSE(limits.Admit(Ip("::ffff:192.0.2.1")));
}

TEST(ConnectionLimitsTest, WhoIsExemptCountsInAllOnly) {
  const auto owner = std::make_unique<ConnectionLimits>(ConnectionLimits::Options{
      .max_connections = 3, .max_per_client = 1, .exempt = *NetworkSet::Parse("10.0.0.0/8")});
  ConnectionLimits& limits = *owner;
  std::vector<Token> tokens;
  for (int i = 0; i < 3; ++i) {
    tokens.push_back(limits.Admit(Ip("10.0.0.1")));
    EXPECT_TRUE(tokens.back());
  }
  EXPECT_EQ(limits.Admit(Ip("10.0.0.1")).refusal(), Refusal::kTooMany);
  EXPECT_EQ(limits.client_count(), 0u);
  tokens.clear();
  EXPECT_EQ(limits.counts().open, 0u);
}

TEST(ConnectionLimitsTest, ATokenMovesAndCountsOnce) {
  const auto owner =
      std::make_unique<ConnectionLimits>(ConnectionLimits::Options{.max_per_client = 1});
  ConnectionLimits& limits = *owner;
  Token one = limits.Admit(Ip("192.0.2.1"));
  Token two = std::move(one);
  EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move): it is empty, and says so.
  EXPECT_TRUE(two);
  EXPECT_EQ(limits.counts().open, 1u);
  two = limits.Admit(Ip("192.0.2.2"));
  EXPECT_EQ(limits.counts().open, 1u);
  EXPECT_EQ(limits.Of(Ip("192.0.2.1")), 0u);
  Token& itself = two;
  two = std::move(itself);
  EXPECT_TRUE(two);
  two.Release();
  two.Release();
  EXPECT_EQ(limits.counts().open, 0u);
  EXPECT_EQ(Token().refusal(), Refusal::kNone);
  static_assert(sizeof(Token) == 16);
}

TEST(ConnectionLimitsTest, NoConnectionNoEntry) {
  const auto owner =
      std::make_unique<ConnectionLimits>(ConnectionLimits::Options{.max_connections = 100});
  ConnectionLimits& limits = *owner;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(
        limits.Admit(Ip("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256))));
  }
  EXPECT_EQ(limits.client_count(), 0u);
}

TEST(ConnectionLimitsTest, ThreadsNeverExceedTheLimits) {
  constexpr std::size_t kAll = 20;
  constexpr std::size_t kEach = 3;
  const auto owner = std::make_unique<ConnectionLimits>(
      ConnectionLimits::Options{.max_connections = kAll, .max_per_client = kEach});
  ConnectionLimits& limits = *owner;
  std::array<std::atomic<std::size_t>, 10> of_client = {};
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> admitted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      std::vector<std::pair<std::size_t, Token>> mine;
      for (int i = 0; i < 5000; ++i) {
        const std::size_t client = random() % of_client.size();
        Token token = limits.Admit(Ip("192.0.2." + std::to_string(client)));
        if (token) {
          ++admitted;
          EXPECT_LE(++of_client[client], kEach);
          EXPECT_LE(++open, kAll);
          mine.emplace_back(client, std::move(token));
        }
        if (!mine.empty() && random() % 2) {
          // What the test counts goes before, as the room that is made may be taken at once.
          --of_client[mine.back().first];
          --open;
          mine.pop_back();
        }
      }
      for (const auto& [client, token] : mine) {
        --of_client[client];
        --open;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(admitted.load(), 1000u);
  EXPECT_EQ(limits.counts().open, 0u);
  EXPECT_EQ(limits.client_count(), 0u);
}

}  // namespace
}  // namespace strata::http
