// Who is banned, when and for how long, and what a flood can do to it.

#include "strata/http/ban_list.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

BanList::Time At(nanoseconds since) { return BanList::Time(hours(1) + since); }

std::unique_ptr<BanList> Make(BanList::Options options) {
  absl::StatusOr<std::unique_ptr<BanList>> bans = BanList::Create(std::move(options));
  EXPECT_TRUE(bans.ok()) << bans.status();
  return *std::move(bans);
}

net::Address Ip(std::string_view text) { return *ParseIp(text); }

net::Address Numbered(std::uint32_t number) {
  const std::uint8_t bytes[] = {10, static_cast<std::uint8_t>(number >> 16),
                                static_cast<std::uint8_t>(number >> 8),
                                static_cast<std::uint8_t>(number)};
  return net::Address::Ipv4(bytes, 0);
}

TEST(BanListTest, SoManyStrikesWithinAWindowAreABan) {
  auto bans = Make({.strikes = 3, .window = seconds(10), .first_ban = seconds(60)});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_FALSE(bans->Strike(client, At(seconds(0))));
  EXPECT_FALSE(bans->Strike(client, At(seconds(5))));
  EXPECT_FALSE(bans->IsBanned(client, At(seconds(9))));
  EXPECT_EQ(bans->Strike(client, At(seconds(9))), seconds(60));
  EXPECT_TRUE(bans->IsBanned(client, At(seconds(9))));
  EXPECT_TRUE(bans->IsBanned(client, At(seconds(69) - nanoseconds(1))));
  EXPECT_FALSE(bans->IsBanned(client, At(seconds(69))));
}

TEST(BanListTest, StrikesOfAnotherWindowDoNotCount) {
  auto bans = Make({.strikes = 3, .window = seconds(10)});
  const net::Address client = Ip("192.0.2.1");
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(bans->Strike(client, At(seconds(10 * i))));
    EXPECT_FALSE(bans->Strike(client, At(seconds(10 * i + 9))));
  }
}

TEST(BanListTest, AStrikeMayWeighMore) {
  auto bans = Make({.strikes = 10});
  EXPECT_FALSE(bans->Strike(Ip("192.0.2.1"), At(seconds(0)), 9));
  EXPECT_TRUE(bans->Strike(Ip("192.0.2.1"), At(seconds(0)), 1));
  EXPECT_TRUE(bans->Strike(Ip("192.0.2.2"), At(seconds(0)), 0xffffffff));
  EXPECT_FALSE(bans->Strike(Ip("192.0.2.3"), At(seconds(0)), 0));
}

TEST(BanListTest, BansGrowUpToTheLongest) {
  auto bans = Make({.strikes = 1, .first_ban = seconds(60), .longest_ban = seconds(400)});
  const net::Address client = Ip("192.0.2.1");
  nanoseconds now{0};
  for (const int expected : {60, 120, 240, 400, 400, 400}) {
    const auto length = bans->Strike(client, At(now));
    ASSERT_EQ(length, seconds(expected));
    now += *length;
  }
  EXPECT_EQ(bans->List(At(now - seconds(1)))[0].bans, 6u);
}

TEST(BanListTest, BansAreForgottenAfterAWhile) {
  auto bans = Make({.strikes = 1, .first_ban = seconds(60), .memory = hours(1)});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_EQ(bans->Strike(client, At(seconds(0))), seconds(60));
  EXPECT_EQ(bans->Strike(client, At(minutes(61) - nanoseconds(1))), seconds(120));
  EXPECT_EQ(bans->Strike(client, At(minutes(123) + minutes(60))), seconds(60));
}

TEST(BanListTest, StrikesWhileABanRunsDoNotProlongIt) {
  auto bans = Make({.strikes = 1, .first_ban = seconds(60)});
  const net::Address client = Ip("192.0.2.1");
  EXPECT_TRUE(bans->Strike(client, At(seconds(0))));
  EXPECT_FALSE(bans->Strike(client, At(seconds(59))));
  EXPECT_FALSE(bans->IsBanned(client, At(seconds(60))));
}

TEST(BanListTest, StrikesBeforeABanDoNotCountAfterIt) {
  auto bans = Make({.strikes = 2, .window = hours(1), .first_ban = seconds(60)});
  const net::Address client = Ip("192.0.2.1");
  bans->Strike(client, At(seconds(0)));
  EXPECT_TRUE(bans->Strike(client, At(seconds(0))));
  EXPECT_FALSE(bans->Strike(client, At(seconds(61))));
}

TEST(BanListTest, ABanIsNobodyElses) {
  auto bans = Make({.strikes = 1});
  bans->Strike(*net::Address::Parse("192.0.2.1:1000"), At(seconds(0)));
  EXPECT_TRUE(bans->IsBanned(*net::Address::Parse("192.0.2.1:2000"), At(seconds(1))));
  EXPECT_TRUE(bans->IsBanned(Ip("::ffff:192.0.2.1"), At(seconds(1))));
  EXPECT_FALSE(bans->IsBanned(Ip("192.0.2.2"), At(seconds(1))));
}

TEST(BanListTest, AClientOfIpv6IsItsNetwork) {
  auto bans = Make({.strikes = 2});
  bans->Strike(Ip("2001:db8:1:2::1"), At(seconds(0)));
  EXPECT_TRUE(bans->Strike(Ip("2001:db8:1:2:ffff::"), At(seconds(0))));
  EXPECT_TRUE(bans->IsBanned(Ip("2001:db8:1:2:3::"), At(seconds(1))));
  EXPECT_FALSE(bans->IsBanned(Ip("2001:db8:1:3::1"), At(seconds(1))));
}

TEST(BanListTest, WhoIsExemptIsNeverBanned) {
  auto bans = Make({.strikes = 1, .exempt = *NetworkSet::Parse("10.0.0.0/8")});
  EXPECT_FALSE(bans->Strike(Ip("10.1.2.3"), At(seconds(0))));
  EXPECT_FALSE(bans->Ban(Ip("10.1.2.3"), At(seconds(0)), seconds(60)));
  EXPECT_FALSE(bans->IsBanned(Ip("10.1.2.3"), At(seconds(0))));
  EXPECT_TRUE(bans->Strike(Ip("11.1.2.3"), At(seconds(0))));
}

TEST(BanListTest, AnOperatorBansListsAndLifts) {
  auto bans = Make({});
  EXPECT_TRUE(bans->Ban(Ip("192.0.2.1"), At(seconds(0)), hours(2)));
  EXPECT_TRUE(bans->Ban(Ip("2001:db8::1"), At(seconds(0)), seconds(10)));
  EXPECT_TRUE(bans->IsBanned(Ip("192.0.2.1"), At(seconds(7199))));

  std::vector<BanList::Entry> list = bans->List(At(seconds(1) + nanoseconds(1)));
  ASSERT_EQ(list.size(), 2u);
  if (list[0].client->is_ipv6()) std::swap(list[0], list[1]);
  EXPECT_EQ(list[0].client->ToString(), "192.0.2.1");
  EXPECT_EQ(list[0].left, seconds(7199));
  EXPECT_EQ(list[1].client->ToString(), "2001:db8::/64");
  EXPECT_EQ(list[1].left, seconds(9));
  EXPECT_EQ(bans->List(At(seconds(10))).size(), 1u);
  EXPECT_EQ(bans->List(At(seconds(1)), 1).size(), 1u);
  EXPECT_TRUE(bans->List(At(seconds(1)), 0).empty());

  EXPECT_TRUE(bans->Lift(Ip("192.0.2.1"), At(seconds(1))));
  EXPECT_FALSE(bans->IsBanned(Ip("192.0.2.1"), At(seconds(1))));
  EXPECT_FALSE(bans->Lift(Ip("192.0.2.1"), At(seconds(1))));
  EXPECT_FALSE(bans->Lift(Ip("192.0.2.9"), At(seconds(1))));
  EXPECT_FALSE(bans->Lift(Ip("2001:db8::1"), At(seconds(10))));
}

TEST(BanListTest, WhatIsLiftedIsForgotten) {
  auto bans = Make({.strikes = 2, .first_ban = seconds(60)});
  const net::Address client = Ip("192.0.2.1");
  bans->Strike(client, At(seconds(0)), 2);
  EXPECT_TRUE(bans->Lift(client, At(seconds(1))));
  EXPECT_FALSE(bans->Strike(client, At(seconds(2))));
  EXPECT_EQ(bans->Strike(client, At(seconds(2))), seconds(60));
}

TEST(BanListTest, AnOperatorsBanReplacesAnother) {
  auto bans = Make({.strikes = 1});
  const net::Address client = Ip("192.0.2.1");
  bans->Strike(client, At(seconds(0)));
  EXPECT_TRUE(bans->Ban(client, At(seconds(1)), hours(24 * 365 * 100)));
  EXPECT_EQ(bans->List(At(seconds(1)))[0].left, BanList::kLongest);
  EXPECT_TRUE(bans->Ban(client, At(seconds(1)), seconds(1)));
  EXPECT_FALSE(bans->IsBanned(client, At(seconds(2))));
  EXPECT_TRUE(bans->Ban(client, At(seconds(2)), seconds(-1)));
  EXPECT_FALSE(bans->IsBanned(client, At(seconds(2))));
}

TEST(BanListTest, Counts) {
  auto bans = Make({.strikes = 2});
  const net::Address client = Ip("192.0.2.1");
  bans->Strike(client, At(seconds(0)));
  bans->Strike(client, At(seconds(0)));
  (void)bans->IsBanned(client, At(seconds(1)));
  (void)bans->IsBanned(Ip("192.0.2.2"), At(seconds(1)));
  bans->Lift(client, At(seconds(1)));
  const BanList::Counts counts = bans->counts();
  EXPECT_EQ(counts.strikes, 2u);
  EXPECT_EQ(counts.bans, 1u);
  EXPECT_EQ(counts.turned_away, 1u);
  EXPECT_EQ(counts.lifted, 1u);
  EXPECT_EQ(counts.dropped, 0u);
}

TEST(BanListTest, WhatHasNoAddressIsOneClient) {
  auto bans = Make({.strikes = 1});
  EXPECT_TRUE(bans->Strike(net::Address(), At(seconds(0))));
  EXPECT_TRUE(bans->IsBanned(net::Address(), At(seconds(0))));
  EXPECT_FALSE(bans->IsBanned(Ip("0.0.0.0"), At(seconds(0))));
  EXPECT_FALSE(bans->IsBanned(Ip("::"), At(seconds(0))));
  EXPECT_FALSE(bans->List(At(seconds(0)))[0].client);
}

TEST(BanListTest, RefusesOptionsOutOfBounds) {
  for (const BanList::Options& options : std::vector<BanList::Options>{
           {.strikes = 0},
           {.strikes = BanList::kMaxStrikes + 1},
           {.window = seconds(0)},
           {.first_ban = seconds(0)},
           {.first_ban = hours(25)},
           {.longest_ban = BanList::kLongest + seconds(1)},
           {.memory = seconds(0)},
           {.max_clients = 0},
           {.max_clients = BanList::kMaxClients + 1},
       }) {
    EXPECT_EQ(BanList::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(BanListTest, AFloodOfStrikesEndsNobodysBan) {
  auto bans = Make({.strikes = 2, .max_clients = 64});
  const net::Address attacker = Ip("192.0.2.1");
  ASSERT_TRUE(bans->Strike(attacker, At(seconds(0)), 2));
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    bans->Strike(Numbered(i), At(seconds(0)));
    ASSERT_TRUE(bans->IsBanned(attacker, At(seconds(0)))) << i;
  }
}

TEST(BanListTest, AFloodOfBansEndsNobodysBanAndIsBounded) {
  auto bans = Make({.strikes = 1, .first_ban = seconds(60), .max_clients = 64});
  const net::Address attacker = Ip("192.0.2.1");
  ASSERT_TRUE(bans->Strike(attacker, At(seconds(0))));
  for (std::uint32_t i = 0; i < 10'000; ++i) bans->Strike(Numbered(i), At(seconds(0)));
  EXPECT_TRUE(bans->IsBanned(attacker, At(seconds(0))));
  EXPECT_EQ(bans->List(At(seconds(0))).size(), 64u);
  EXPECT_EQ(bans->counts().dropped, 10'001u - 64);
  EXPECT_EQ(bans->counts().bans, 64u);
  // There is room again when they have ended.
  EXPECT_TRUE(bans->Strike(Ip("192.0.2.2"), At(seconds(60))));
}

TEST(BanListTest, ThePersistentAreForgottenLast) {
  auto bans = Make({.strikes = 10, .max_clients = 8});
  const net::Address persistent = Ip("192.0.2.1");
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(bans->Strike(persistent, At(seconds(0))));
  for (std::uint32_t i = 0; i < 1000; ++i) bans->Strike(Numbered(i), At(seconds(0)));
  EXPECT_TRUE(bans->Strike(persistent, At(seconds(0))));
}

TEST(BanListTest, OfEqualsTheOldestIsForgottenFirst) {
  auto bans = Make({.strikes = 2, .window = seconds(60), .max_clients = 8});
  for (std::uint32_t i = 0; i < 9; ++i) bans->Strike(Numbered(i), At(seconds(i)));
  for (std::uint32_t i = 1; i < 9; ++i) EXPECT_TRUE(bans->Strike(Numbered(i), At(seconds(9)))) << i;
}

TEST(BanListTest, BansThatEndedAreRememberedWhileThereIsRoom) {
  auto bans =
      Make({.strikes = 2, .window = seconds(10), .first_ban = seconds(10), .max_clients = 8});
  const net::Address former = Ip("192.0.2.1");
  ASSERT_TRUE(bans->Strike(former, At(seconds(0)), 2));
  // Windows that are over make room before what is remembered.
  for (std::uint32_t i = 0; i < 7; ++i) bans->Strike(Numbered(i), At(seconds(15)));
  for (std::uint32_t i = 7; i < 14; ++i) bans->Strike(Numbered(i), At(seconds(30)));
  EXPECT_EQ(bans->Strike(former, At(seconds(30)), 2), seconds(20));
}

TEST(BanListTest, ThreadsStrikeCheckListAndLift) {
  auto bans = Make({.strikes = 100, .max_clients = 64});
  constexpr int kThreads = 4;
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 2000; ++i) {
        // All strike one together, and one of their own.
        if (bans->Strike(Ip("192.0.2.1"), At(seconds(0)))) ++begun;
        bans->Strike(Numbered(static_cast<std::uint32_t>(t)), At(seconds(0)), 100);
        EXPECT_TRUE(bans->IsBanned(Numbered(static_cast<std::uint32_t>(t)), At(seconds(0))));
        if (i % 64 == 0) {
          EXPECT_GE(bans->List(At(seconds(0))).size(), 1u);
        }
      }
      EXPECT_TRUE(bans->Lift(Numbered(static_cast<std::uint32_t>(t)), At(seconds(0))));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(begun.load(), 1);
  EXPECT_EQ(bans->counts().strikes, 2u * kThreads * 2000);
  EXPECT_EQ(bans->List(At(seconds(0))).size(), 1u);
}

}  // namespace
}  // namespace strata::http
