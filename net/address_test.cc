// Addresses and their texts.

#include "strata/net/address.h"

#ifdef _WIN32
#include <winsock2.h>
#else
#include <sys/socket.h>
#endif

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::net {
namespace {

TEST(AddressTest, WhatIsParsedIsPrintedInItsShortestForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"127.0.0.1:80", "127.0.0.1:80"},
      {"0.0.0.0:0", "0.0.0.0:0"},
      {"255.255.255.255:65535", "255.255.255.255:65535"},
      {"[::]:1", "[::]:1"},
      {"[::1]:1", "[::1]:1"},
      {"[1::]:1", "[1::]:1"},
      // RFC 5952 section 4: lower case, no leading zeros, the longest run, the first of equals, not
      // one group alone.
      {"[2001:0DB8::0001]:443", "[2001:db8::1]:443"},
      {"[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"},
      {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
      {"[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
      {"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
      {"[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"},
      {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1"},
      {"[::ffff:c000:201]:1", "[::ffff:192.0.2.1]:1"},
      {"[64:ff9b::192.0.2.33]:1", "[64:ff9b::c000:221]:1"},
      {"[fe80::1%2]:1", "[fe80::1%2]:1"},
#ifndef _WIN32
      {"unix:/run/x.sock", "unix:/run/x.sock"},
      {"unix:@name", "unix:@name"},
#endif
  };
  for (const auto& [text, printed] : cases) {
    absl::StatusOr<Address> address = Address::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), printed);
    EXPECT_EQ(Address::Parse(printed)->ToString(), printed);

    sockaddr_storage storage;
    const std::size_t size = address->ToSockaddr(&storage);
    EXPECT_EQ(Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size), *address);
  }
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  const std::vector<std::string> bad = {
      "",
      ":",
      ":80",
      "80",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "127.0.0.1:080",
      "127.0.0.1:+80",
      "127.0.0.1:8 0",
      " 127.0.0.1:80",
      "127.0.0.1 :80",
      "127.0.0:80",
      "127.0.0.1.1:80",
      "127.0.0.256:80",
      "127.0.0.01:80",
      "0x7f.0.0.1:80",
      "127.0.0.-1:80",
      "localhost:80",
      "::1:80",
      "[::1]",
      "[::1]80",
      "[::1:80",
      "::1]:80",
      "[]:80",
      "[:]:80",
      "[:::]:80",
      "[::1::]:80",
      "[1:2:3:4:5:6:7]:80",
      "[1:2:3:4:5:6:7:8:9]:80",
      "[1:2:3:4:5:6:7:8::]:80",
      "[12345::]:80",
      "[g::]:80",
      "[1:]:80",
      "[:1]:80",
      "[1::2:]:80",
      "[::1.2.3]:80",
      "[1.2.3.4::]:80",
      "[::1.2.3.4:5]:80",
      "[1:2:3:4:5:6:7:1.2.3.4]:80",
      "[::-1]:80",
      "[::1%]:80",
      "[::1%eth0]:80",
      "[::1%01]:80",
      "[127.0.0.1]:80",
      "unix:",
      std::string("1.2.3.4:8\0", 10),
#ifndef _WIN32
      "unix:@",
      std::string("unix:a\0b", 8),
      "unix:" + std::string(200, 'x'),
#endif
  };
  for (const std::string& text : bad) {
    absl::StatusOr<Address> address = Address::Parse(text);
    EXPECT_FALSE(address.ok()) << text << " is " << address->ToString();
  }
}

TEST(AddressTest, ErrorShowsTheTextEscapedAndCut) {
  const std::string message(Address::Parse(std::string(1000, '\n')).status().message());
  EXPECT_NE(message.find("\\n"), std::string::npos) << message;
  EXPECT_LT(message.size(), 300u);
}

TEST(AddressTest, UnmapsIpv4) {
  EXPECT_EQ(Address::Parse("[::ffff:1.2.3.4]:5")->Unmapped(), *Address::Parse("1.2.3.4:5"));
  EXPECT_EQ(Address::Parse("[::1]:5")->Unmapped(), *Address::Parse("[::1]:5"));
}

TEST(AddressTest, CopiesAndCompares) {
  const Address one = *Address::Parse("[::1]:5");
  Address two = one;
  EXPECT_EQ(one, two);
  two = *Address::Parse("[::1%1]:5");
  EXPECT_FALSE(one == two);
  two = two;
  EXPECT_EQ(two.scope(), 1u);
  EXPECT_EQ(Address().family(), Address::Family::kNone);
  EXPECT_EQ(Address().ToString(), "none");
  sockaddr_storage storage;
  EXPECT_EQ(Address().ToSockaddr(&storage), 0u);
}

TEST(AddressTest, ShortSockaddrIsNoAddress) {
  sockaddr_storage storage;
  const std::size_t size = Address::Parse("[::1]:5")->ToSockaddr(&storage);
  for (std::size_t cut = 0; cut < size; ++cut) {
    EXPECT_EQ(Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), cut).family(),
              Address::Family::kNone);
  }
}

TEST(HostPortTest, SplitsAtTheLastColon) {
  EXPECT_EQ(ParseHostPort("example.com:443")->host, "example.com");
  EXPECT_EQ(ParseHostPort("example.com:443")->port, 443);
  EXPECT_EQ(ParseHostPort("[::1]:80")->host, "::1");
  for (const char* bad : {"", "x", ":1", "x:", "x:65536", "a b:1", "::1:80", "[::1:80", "x\n:1"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace strata::net
