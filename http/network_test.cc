// Networks: their texts, what they contain, and sets of them.

#include "strata/http/network.h"

#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

net::Address Ip(std::string_view text) {
  std::optional<net::Address> address = ParseIp(text);
  if (!address) ADD_FAILURE() << text;
  return *std::move(address);
}

TEST(ParseIpTest, ReadsAnAddressAlone) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "::", "::1", "2001:db8::1", "::ffff:192.0.2.1",
                           "1:2:3:4:5:6:7:8"}) {
    std::optional<net::Address> address = ParseIp(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToStringWithoutPort(), text);
    EXPECT_EQ(address->port(), 0);
  }
  EXPECT_TRUE(ParseIp("1111:2222:3333:4444:5555:6666:255.255.255.255"));
}

TEST(ParseIpTest, RefusesWhatIsMoreOrLess) {
  for (const char* text :
       {"", " ", "1", "1.2.3", "1.2.3.4:80", "1.2.3.4 ", " 1.2.3.4", "01.2.3.4", "[::1]",
        "[::1]:80", "::1]:80:[::1", "::1%1", "unix:/x", "localhost", ":", "1.2.3.4/8", "0x7f000001",
        "1111:2222:3333:4444:5555:6666:7777:255.255.255.255"}) {
    EXPECT_FALSE(ParseIp(text)) << text;
  }
  EXPECT_FALSE(ParseIp(std::string_view("1.2.3.4\0", 8)));
}

TEST(NetworkTest, WhatIsParsedIsPrintedInItsShortestForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1/32", "192.0.2.1"},
      {"128.0.0.0/1", "128.0.0.0/1"},
      {"::/0", "::/0"},
      {"::1", "::1"},
      {"::1/128", "::1"},
      {"2001:DB8:0::/32", "2001:db8::/32"},
      {"2001:db8:0:1::/64", "2001:db8:0:1::/64"},
      {"8000::/1", "8000::/1"},
      // RFC 4291 section 2.5.5.2: IPv4 in the clothes of IPv6.
      {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
      {"::ffff:0.0.0.0/96", "0.0.0.0/0"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::fffe:0:0/95", "::fffe:0:0/95"},
  };
  for (const auto& [text, printed] : cases) {
    absl::StatusOr<Network> network = Network::Parse(text);
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_EQ(network->ToString(), printed);
    EXPECT_EQ(*Network::Parse(printed), *network);
  }
}

TEST(NetworkTest, RefusesWhatIsNoNetwork) {
  for (const char* text : {"",
                           "/",
                           "/8",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/08",
                           "10.0.0.0/+8",
                           "10.0.0.0/-1",
                           "10.0.0.0/ 8",
                           "10.0.0.0/8 ",
                           "10.0.0.0/8/8",
                           "10.0.0.0/255.0.0.0",
                           "10/8",
                           "10.0.0/24",
                           "::/129",
                           "::1/00",
                           "fe80::1%2/128",
                           "[::1]/128",
                           "localhost",
                           "unix:",
                           "10.0.0.0/4294967304"}) {
    EXPECT_FALSE(Network::Parse(text).ok()) << text;
  }
}

TEST(NetworkTest, RefusesBitsThatDoNotCount) {
  const absl::Status status = Network::Parse("10.0.0.1/8").status();
  EXPECT_NE(status.message().find("10.0.0.0/8"), std::string_view::npos) << status;
  for (const char* text : {"0.0.0.1/0", "192.0.2.129/24", "2001:db8::1/64", "8000::/0",
                           "::ffff:192.0.2.1/120", "::ffff:0.0.0.0/95", "::ffff:0.0.0.0/0"}) {
    EXPECT_FALSE(Network::Parse(text).ok()) << text;
  }
}

TEST(NetworkTest, ErrorShowsTheTextEscapedAndCut) {
  const std::string message(Network::Parse(std::string(1000, '\n')).status().message());
  EXPECT_NE(message.find("\\n"), std::string::npos) << message;
  EXPECT_LT(message.size(), 300u);
}

TEST(NetworkTest, ContainsFromItsFirstAddressToItsLast) {
  struct Case {
    const char* network;
    std::vector<const char*> inside;
    std::vector<const char*> outside;
  };
  const std::vector<Case> cases = {
      {"10.0.0.0/8", {"10.0.0.0", "10.255.255.255"}, {"9.255.255.255", "11.0.0.0"}},
      {"192.0.2.4/31", {"192.0.2.4", "192.0.2.5"}, {"192.0.2.3", "192.0.2.6"}},
      {"192.0.2.4", {"192.0.2.4"}, {"192.0.2.5"}},
      {"2001:db8::/63",
       {"2001:db8::", "2001:db8:0:1:ffff:ffff:ffff:ffff"},
       {"2001:db8:0:2::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"}},
      {"2001:db8::/65", {"2001:db8::7fff:ffff:ffff:ffff"}, {"2001:db8::8000:0:0:0"}},
      {"2001:db8::/64", {"2001:db8::ffff:ffff:ffff:ffff"}, {"2001:db8:0:1::"}},
      {"::1", {"::1"}, {"::", "::2"}},
      {"::/0", {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}, {}},
  };
  for (const Case& c : cases) {
    const Network network = *Network::Parse(c.network);
    const NetworkSet set(std::span(&network, 1));
    for (const char* text : c.inside) {
      EXPECT_TRUE(network.Contains(Ip(text))) << c.network << ' ' << text;
      EXPECT_TRUE(set.Contains(Ip(text))) << c.network << ' ' << text;
    }
    for (const char* text : c.outside) {
      EXPECT_FALSE(network.Contains(Ip(text))) << c.network << ' ' << text;
      EXPECT_FALSE(set.Contains(Ip(text))) << c.network << ' ' << text;
    }
  }
}

TEST(NetworkTest, Ipv4IsIpv4HoweverItIsShown) {
  EXPECT_TRUE(Network::Parse("192.0.2.0/24")->Contains(Ip("::ffff:192.0.2.1")));
  EXPECT_TRUE(Network::Parse("::ffff:192.0.2.0/120")->Contains(Ip("192.0.2.1")));
  EXPECT_TRUE(NetworkSet::Parse("192.0.2.0/24")->Contains(Ip("::ffff:192.0.2.1")));
}

TEST(NetworkTest, AllOfIpv6IsNoneOfIpv4AndTheOtherWayRound) {
  for (const char* text : {"192.0.2.1", "::ffff:192.0.2.1"}) {
    EXPECT_FALSE(Network::Parse("::/0")->Contains(Ip(text)));
    EXPECT_FALSE(NetworkSet::Parse("::/0")->Contains(Ip(text)));
  }
  EXPECT_FALSE(Network::Parse("0.0.0.0/0")->Contains(Ip("::1")));
  EXPECT_FALSE(NetworkSet::Parse("0.0.0.0/0")->Contains(Ip("::1")));
}

TEST(NetworkTest, NeitherPortNorInterfaceCounts) {
  EXPECT_TRUE(Network::Parse("fe80::/10")->Contains(*net::Address::Parse("[fe80::1%3]:443")));
  EXPECT_TRUE(NetworkSet::Parse("fe80::/10")->Contains(*net::Address::Parse("[fe80::1%3]:443")));
}

TEST(NetworkTest, OfAnAddress) {
  EXPECT_EQ(Network::Of(Ip("192.0.2.129"), 24)->ToString(), "192.0.2.0/24");
  EXPECT_EQ(Network::Of(Ip("192.0.2.129"))->ToString(), "192.0.2.129");
  EXPECT_EQ(Network::Of(Ip("2001:db8:1:2:3:4:5:6"), 64)->ToString(), "2001:db8:1:2::/64");
  EXPECT_EQ(Network::Of(Ip("::ffff:192.0.2.129"), 24)->ToString(), "192.0.2.0/24");
  EXPECT_FALSE(Network::Of(Ip("192.0.2.129"), 33));
  EXPECT_FALSE(Network::Of(Ip("::1"), 129));
  EXPECT_FALSE(Network::Of(net::Address()));
}

TEST(NetworkSetTest, ReadsAListWithCommasAndSpaces) {
  const NetworkSet set = *NetworkSet::Parse(" 10.0.0.0/8,192.0.2.1 ,\n::1,, 2001:db8::/32 ");
  for (const char* text : {"10.1.2.3", "192.0.2.1", "::1", "2001:db8:ffff::"}) {
    EXPECT_TRUE(set.Contains(Ip(text))) << text;
  }
  for (const char* text : {"11.1.2.3", "192.0.2.2", "::2", "2001:db9::"}) {
    EXPECT_FALSE(set.Contains(Ip(text))) << text;
  }
}

TEST(NetworkSetTest, OneBadWordSpoilsTheList) {
  const absl::Status status = NetworkSet::Parse("10.0.0.0/8, 10.0.0.300, ::1").status();
  EXPECT_NE(status.message().find("10.0.0.300"), std::string_view::npos) << status;
  EXPECT_FALSE(NetworkSet::Parse("10.0.0.0/8;::1").ok());
}

TEST(NetworkSetTest, EmptyContainsNothing) {
  EXPECT_TRUE(NetworkSet().empty());
  EXPECT_TRUE(NetworkSet::Parse("")->empty());
  EXPECT_FALSE(NetworkSet().Contains(Ip("127.0.0.1")));
  EXPECT_FALSE(NetworkSet().Contains(net::Address()));
  EXPECT_FALSE(NetworkSet::Parse("0.0.0.0/0 ::/0")->Contains(net::Address()));
}

TEST(NetworkSetTest, MergesWhatOverlapsOrTouches) {
  EXPECT_EQ(NetworkSet::Parse("10.0.0.0/8 10.1.0.0/16 10.0.0.1")->range_count(), 1u);
  EXPECT_EQ(NetworkSet::Parse("10.0.1.0/24 10.0.0.0/24")->range_count(), 1u);
  EXPECT_EQ(NetworkSet::Parse("10.0.2.0/24 10.0.0.0/24")->range_count(), 2u);
  EXPECT_EQ(NetworkSet::Parse("0.0.0.0/1 128.0.0.0/1 255.255.255.255 0.0.0.0")->range_count(), 1u);
  EXPECT_EQ(NetworkSet::Parse("2001:db8::/65 2001:db8:0:0:8000::/65")->range_count(), 1u);
  EXPECT_EQ(NetworkSet::Parse("2001:db8::/64 2001:db8:0:1::/64")->range_count(), 1u);
  EXPECT_EQ(NetworkSet::Parse("8000::/1 ::/1 ::")->range_count(), 1u);
  // The last of IPv4 and the first of IPv6 do not touch.
  EXPECT_EQ(NetworkSet::Parse("255.255.255.255 ::")->range_count(), 2u);
}

#ifndef _WIN32
TEST(NetworkSetTest, UnixSocketsAreContainedIfNamed) {
  const net::Address socket = *net::Address::Parse("unix:/run/x.sock");
  EXPECT_FALSE(NetworkSet::Parse("0.0.0.0/0 ::/0")->Contains(socket));
  const NetworkSet set = *NetworkSet::Parse("unix:");
  EXPECT_TRUE(set.Contains(socket));
  EXPECT_FALSE(set.empty());
  EXPECT_FALSE(set.Contains(Ip("127.0.0.1")));
}
#endif

TEST(NetworkSetTest, PrivateIsWhatTheInternetDoesNotRoute) {
  const NetworkSet set = NetworkSet::Private();
  for (const char* text : {"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255",
                           "192.168.1.1", "169.254.1.1", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(set.Contains(Ip(text))) << text;
  }
  for (const char* text : {"8.8.8.8", "172.32.0.0", "192.169.0.0", "2001:db8::1", "::2"}) {
    EXPECT_FALSE(set.Contains(Ip(text))) << text;
  }
}

// The set against the networks one by one, near their edges, where mistakes would be.
TEST(NetworkSetTest, ContainsWhatAnyOfItsNetworksContains) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto address_of = [](const IpBits& bits, bool ipv6) {
    std::array<std::uint8_t, 16> bytes;
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[i] = static_cast<std::uint8_t>(bits.high >> (56 - 8 * i));
      bytes[8 + i] = static_cast<std::uint8_t>(bits.low >> (56 - 8 * i));
    }
    return ipv6 ? net::Address::Ipv6(bytes, 0)
                : net::Address::Ipv4(std::span(bytes).subspan<12, 4>(), 0);
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Network> networks;
    for (std::uint64_t i = random() % 20; i > 0; --i) {
      const bool ipv6 = random() % 2;
      // Few high bits, so that they overlap.
      const IpBits bits = {random() % 4 << 62, ipv6 ? random() : random() >> 32};
      networks.push_back(*Network::Of(address_of(bits, ipv6),
                                      static_cast<unsigned>(random() % (ipv6 ? 129 : 33))));
    }
    const NetworkSet set(networks);
    for (const Network& network : networks) {
      for (IpBits bits : {network.first(), network.last()}) {
        for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
          const IpBits near = {bits.high, bits.low + step};
          const net::Address address = address_of(near, network.is_ipv6());
          bool expected = false;
          for (const Network& one : networks) expected |= one.Contains(address);
          EXPECT_EQ(set.Contains(address), expected) << address.ToString();
        }
      }
    }
  }
}

}  // namespace
}  // namespace strata::http
