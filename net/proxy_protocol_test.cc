// The PROXY header: every place where it may be cut, and what is none.

#include "strata/net/proxy_protocol.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::net {
namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string Version2(char version_command, char protocol, const std::string& block) {
  return kSignature + version_command + protocol + static_cast<char>(block.size() >> 8) +
         static_cast<char>(block.size()) + block;
}

const std::string kIpv4Block("\xc0\x00\x02\x01\xc6\x33\x64\x02\x30\x39\x01\xbb", 12);

struct Good {
  std::string bytes;
  std::string source;
  std::string destination;
};

std::vector<Good> GoodHeaders() {
  const std::string ipv6(
      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x00\x50\x1f\x90",
      36);
  return {
      {"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n", "192.0.2.1:12345", "198.51.100.2:443"},
      {"PROXY TCP6 2001:db8::1 ::1 80 8080\r\n", "[2001:db8::1]:80", "[::1]:8080"},
      {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"PROXY UNKNOWN\r\n", "none", "none"},
      {"PROXY UNKNOWN ffff::1 whatever it says\r\n", "none", "none"},
      {Version2('\x21', '\x11', kIpv4Block), "192.0.2.1:12345", "198.51.100.2:443"},
      {Version2('\x21', '\x21', ipv6), "[2001:db8::1]:80", "[::1]:8080"},
      {Version2('\x21', '\x11', kIpv4Block + std::string("\x04\x00\x03xyz", 6)), "192.0.2.1:12345",
       "198.51.100.2:443"},
      {Version2('\x20', '\x00', ""), "none", "none"},
      {Version2('\x20', '\x11', kIpv4Block), "none", "none"},
      {Version2('\x21', '\x00', "anything"), "none", "none"},
      {Version2('\x21', '\x31', std::string(216, 'u')), "none", "none"},
  };
}

TEST(ProxyProtocolTest, ReadsGoodHeadersWhateverFollows) {
  for (const Good& good : GoodHeaders()) {
    for (const std::string rest : {"", "GET / HTTP/1.1\r\n", "\r\n"}) {
      ProxyHeader header;
      ASSERT_EQ(ParseProxyHeader(good.bytes + rest, &header), ProxyParse::kDone) << good.bytes;
      EXPECT_EQ(header.size, good.bytes.size());
      EXPECT_EQ(header.source.ToString(), good.source);
      EXPECT_EQ(header.destination.ToString(), good.destination);
    }
  }
}

TEST(ProxyProtocolTest, AsksForMoreWhereverItIsCut) {
  for (const Good& good : GoodHeaders()) {
    for (std::size_t size = 0; size < good.bytes.size(); ++size) {
      ProxyHeader header;
      EXPECT_EQ(ParseProxyHeader(good.bytes.substr(0, size), &header), ProxyParse::kMore)
          << good.bytes << " cut at " << size;
    }
  }
}

TEST(ProxyProtocolTest, RefusesWhatIsNone) {
  const std::vector<std::string> bad = {
      "GET / HTTP/1.1\r\n",
      "proxy TCP4",
      "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP5 ",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
      "PROXY TCP4 unix:/x 1.2.3.4 1 2\r\n",
      "PROXY TCP4 1.2.3.4\t",
      "PROXY UNKNOWN \xde\r\n",
      "PROXY UNKNOWN" + std::string(200, ' ') + "\r\n",
      Version2('\x11', '\x11', kIpv4Block),
      Version2('\x22', '\x11', kIpv4Block),
      Version2('\x21', '\x12', kIpv4Block),
      Version2('\x21', '\x41', kIpv4Block),
      Version2('\x21', '\x11', kIpv4Block.substr(1)),
      Version2('\x21', '\x21', std::string(35, 'x')),
      Version2('\x21', '\x31', std::string(215, 'x')),
      Version2('\x21', '\x11', std::string(60'000, 'x')),
  };
  for (const std::string& bytes : bad) {
    ProxyHeader header;
    EXPECT_EQ(ParseProxyHeader(bytes, &header), ProxyParse::kBad) << bytes;
  }
}

TEST(ProxyProtocolTest, EndlessLineIsRefusedAtItsMostBytes) {
  ProxyHeader header;
  const std::string start = "PROXY TCP4 ";
  EXPECT_EQ(ParseProxyHeader(start + std::string(106 - start.size(), '1'), &header),
            ProxyParse::kMore);
  EXPECT_EQ(ParseProxyHeader(start + std::string(107 - start.size(), '1'), &header),
            ProxyParse::kBad);
}

}  // namespace
}  // namespace strata::net
