// Whose request it is: the grammar of RFC 7239, the walk from the right, and those who try to be
// somebody else.

#include "strata/http/forwarded.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using Kind = ForwardedNode::Kind;
using Values = std::vector<std::string_view>;

// Proxies in 10.0.0.0/8 and 2001:db8:f::/48.
const NetworkSet& Trusted() {
  static const auto& set = *new NetworkSet(*NetworkSet::Parse("10.0.0.0/8, 2001:db8:f::/48"));
  return set;
}

net::Address Peer(std::string_view text) { return *net::Address::Parse(text); }

ForwardedClient Of(std::string_view peer, const Values& lines, std::size_t max_hops = 16) {
  return ClientOf(Peer(peer), Trusted(), ForwardedLines{lines}, max_hops);
}

ForwardedClient OfX(std::string_view peer, const Values& fors, const Values& protos = {},
                    const Values& hosts = {}, std::size_t max_hops = 16) {
  return ClientOf(Peer(peer), Trusted(), XForwardedLines{fors, protos, hosts}, max_hops);
}

std::vector<ForwardedElement> Parsed(const Values& lines) {
  absl::StatusOr<std::vector<ForwardedElement>> elements = ParseForwarded(lines);
  EXPECT_TRUE(elements.ok()) << elements.status();
  return elements.ok() ? *std::move(elements) : std::vector<ForwardedElement>();
}

TEST(ForwardedNodeTest, IsAnAddressUnknownOrObfuscated) {
  // RFC 7239 sections 6, 6.1 to 6.3.
  EXPECT_EQ(ParseForwardedNode("192.0.2.43")->address.ToString(), "192.0.2.43:0");
  EXPECT_EQ(ParseForwardedNode("192.0.2.43:47011")->address.ToString(), "192.0.2.43:47011");
  EXPECT_EQ(ParseForwardedNode("192.0.2.43:00080")->address.ToString(), "192.0.2.43:80");
  EXPECT_EQ(ParseForwardedNode("[2001:db8:cafe::17]")->address.ToString(), "[2001:db8:cafe::17]:0");
  EXPECT_EQ(ParseForwardedNode("[2001:db8:cafe::17]:4711")->address.port(), 4711);
  EXPECT_EQ(ParseForwardedNode("unknown")->kind, Kind::kUnknown);
  EXPECT_EQ(ParseForwardedNode("UNKNOWN:80")->kind, Kind::kUnknown);
  EXPECT_EQ(ParseForwardedNode("_hidden")->kind, Kind::kObfuscated);
  EXPECT_EQ(ParseForwardedNode("_SEVKISEK")->name, "_SEVKISEK");
  EXPECT_EQ(ParseForwardedNode("_gazonk:_p0.-_")->obfuscated_port, "_p0.-_");
  EXPECT_EQ(ParseForwardedNode("192.0.2.43:_port")->address.port(), 0);
}

TEST(ForwardedNodeTest, IsNothingElse) {
  for (const char* text : {"",
                           "hidden",
                           "_",
                           "_a b",
                           "_a:",
                           ":80",
                           "1.2.3.4:",
                           "1.2.3.4:1:2",
                           "1.2.3.4:x",
                           "1.2.3.4:65536",
                           "1.2.3.4:123456",
                           "1.2.3.4:_",
                           "1.2.3.4:-1",
                           "2001:db8::1",
                           "[2001:db8::1",
                           "[1.2.3.4]",
                           "[]",
                           "[::1]80",
                           "[::1%1]",
                           "[::1]:",
                           "01.2.3.4",
                           " 1.2.3.4",
                           "unknown ",
                           "[_hidden]",
                           "example.com",
                           "[::1]]"}) {
    EXPECT_FALSE(ParseForwardedNode(text)) << text;
  }
}

TEST(ForwardedTest, ReadsTheExamplesOfTheRfc) {
  // RFC 7239 section 4.
  EXPECT_EQ(Parsed({R"(for="_gazonk")"})[0].for_node.name, "_gazonk");
  EXPECT_EQ(Parsed({R"(For="[2001:db8:cafe::17]:4711")"})[0].for_node.address.port(), 4711);
  const ForwardedElement all = Parsed({"for=192.0.2.60;proto=http;by=203.0.113.43"})[0];
  EXPECT_EQ(all.for_node.address.ToStringWithoutPort(), "192.0.2.60");
  EXPECT_EQ(all.by_node.address.ToStringWithoutPort(), "203.0.113.43");
  EXPECT_EQ(all.proto, "http");
  const auto two = Parsed({"for=192.0.2.43, for=198.51.100.17"});
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1].for_node.address.ToStringWithoutPort(), "198.51.100.17");
  // Section 7.1: several lines are one list.
  const auto lines = Parsed({R"(for=192.0.2.43, for="[2001:db8:cafe::17]")", "for=unknown"});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2].for_node.kind, Kind::kUnknown);
  // Section 7.4.
  EXPECT_EQ(Parsed({"for=_hidden, for=_SEVKISEK"})[1].for_node.name, "_SEVKISEK");
}

TEST(ForwardedTest, ReadsWhatTheGrammarAllows) {
  // RFC 9110 section 5.6.1.2: empty elements of a list do not count.
  EXPECT_EQ(Parsed({" , for=1.2.3.4 ,,\t, ", "", ","}).size(), 1u);
  // Empty pairs.
  EXPECT_EQ(Parsed({";;for=1.2.3.4;"})[0].for_node.kind, Kind::kAddress);
  EXPECT_EQ(Parsed({";"})[0].for_node.kind, Kind::kNone);
  // Blanks around semicolons, which the grammar does not have.
  EXPECT_EQ(Parsed({"for=1.2.3.4 ; proto=https"})[0].proto, "https");
  // Extensions, and what is quoted in them.
  EXPECT_EQ(Parsed({R"(secret="a, for=9.9.9.9; b\"" ;for=1.2.3.4)"}).size(), 1u);
  // Quoted pairs mean what is quoted.
  EXPECT_EQ(Parsed({R"(for="\1.2\.3.4";proto="htt\ps")"})[0].proto, "https");
  // Case: names, protocols.
  EXPECT_EQ(Parsed({"FOR=1.2.3.4;PrOtO=HTTPS"})[0].proto, "https");
  EXPECT_EQ(Parsed({R"(host="example.com:8080")"})[0].host, "example.com:8080");
  EXPECT_EQ(Parsed({R"(host="[2001:db8::1]:443")"})[0].host, "[2001:db8::1]:443");
  EXPECT_TRUE(Parsed({}).empty());
}

TEST(ForwardedTest, RefusesWhatTheGrammarDoesNotHave) {
  for (const char* line : {"1.2.3.4",
                           "for",
                           "for=",
                           "=1.2.3.4",
                           "for =1.2.3.4",
                           "for= 1.2.3.4",
                           "for=1.2.3.4:80",
                           "for=[::1]",
                           R"(for="[::1])",
                           R"(for="1.2.3.4"x)",
                           R"(for="1.2.3.4\)",
                           "for=1.2.3.4 for=x",
                           "for=1.2.3.4;for=1.2.3.4",
                           "for=1.2.3.4;For=1.2.3.5",
                           "x=1;x=2",
                           "for=1.2.3.4, @",
                           "proto=h/t",
                           "proto=1http",
                           R"(proto="")",
                           "host=a/b",
                           R"(host="")",
                           R"(host="a:b")",
                           R"(host="a:65536")",
                           R"(host="a b")",
                           R"(host="[::1")",
                           R"(host="[x]")",
                           R"(host="u@h")",
                           "for=nobody",
                           R"(for="")",
                           "by=nobody",
                           "a=\"\x01\"",
                           "a=\"\x7f\"",
                           "a=\"\r\n\"",
                           "for=1.2.3.4\n"}) {
    const std::string_view view = line;
    EXPECT_FALSE(ParseForwarded(std::span(&view, 1)).ok()) << line;
  }
}

TEST(ForwardedTest, IsBounded) {
  std::string line = "for=1.2.3.4";
  for (std::size_t i = 1; i < kMaxForwardedElements; ++i) line += ",for=1.2.3.4";
  EXPECT_EQ(Parsed({line}).size(), kMaxForwardedElements);
  line += ",for=1.2.3.4";
  const std::string_view view = line;
  EXPECT_EQ(ParseForwarded(std::span(&view, 1)).status().code(),
            absl::StatusCode::kResourceExhausted);

  std::string parameters;
  for (std::size_t i = 0; i < kMaxForwardedParameters; ++i) {
    parameters += "p" + std::to_string(i) + "=x;";
  }
  EXPECT_EQ(Parsed({parameters}).size(), 1u);
  parameters += "for=1.2.3.4";
  const std::string_view too_many = parameters;
  EXPECT_FALSE(ParseForwarded(std::span(&too_many, 1)).ok());

  const std::string name(254, 'a');
  const std::string long_host = "host=" + name + ".example";
  const std::string_view long_view = long_host;
  EXPECT_FALSE(ParseForwarded(std::span(&long_view, 1)).ok());
}

TEST(ClientOfTest, WithoutAProxyItIsThePeer) {
  const ForwardedClient client = Of("198.51.100.1:1234", {});
  EXPECT_EQ(client.address.ToString(), "198.51.100.1:1234");
  EXPECT_EQ(client.hops, 0u);
  EXPECT_TRUE(client.complete);
  EXPECT_EQ(client.proto, "");
  EXPECT_EQ(client.host, "");
}

TEST(ClientOfTest, AStrangersWordIsNotTaken) {
  const ForwardedClient client =
      Of("198.51.100.1:1234", {"for=127.0.0.1;proto=https;host=admin.example"});
  EXPECT_EQ(client.address.ToString(), "198.51.100.1:1234");
  EXPECT_EQ(client.proto, "");
  EXPECT_EQ(client.host, "");
  const ForwardedClient x = OfX("198.51.100.1:1234", {"127.0.0.1"}, {"https"}, {"admin.example"});
  EXPECT_EQ(x.address.ToString(), "198.51.100.1:1234");
  EXPECT_EQ(x.proto, "");
  EXPECT_EQ(x.host, "");
}

TEST(ClientOfTest, ATrustedProxysWordIsTaken) {
  const ForwardedClient client =
      Of("10.0.0.1:5", {R"(for="198.51.100.1:4711";proto=https;host=example.com)"});
  EXPECT_EQ(client.address.ToString(), "198.51.100.1:4711");
  EXPECT_EQ(client.proto, "https");
  EXPECT_EQ(client.host, "example.com");
  EXPECT_EQ(client.hops, 1u);
  EXPECT_TRUE(client.complete);

  const ForwardedClient x = OfX("10.0.0.1:5", {"198.51.100.1"}, {"HTTPS"}, {"example.com"});
  EXPECT_EQ(x.address.ToString(), "198.51.100.1:0");
  EXPECT_EQ(x.proto, "https");
  EXPECT_EQ(x.host, "example.com");
  EXPECT_EQ(x.hops, 1u);
}

TEST(ClientOfTest, WalksOverAllTrustedProxies) {
  const ForwardedClient client =
      Of("[::ffff:10.0.0.1]:5", {"for=198.51.100.1;proto=https;host=example.com",
                                 R"(for="[2001:db8:f::2]";proto=http, for=10.0.0.2;proto=http)"});
  EXPECT_EQ(client.address.ToStringWithoutPort(), "198.51.100.1");
  EXPECT_EQ(client.proto, "https");
  EXPECT_EQ(client.host, "example.com");
  EXPECT_EQ(client.hops, 3u);

  const ForwardedClient x = OfX("10.0.0.1:5", {"198.51.100.1, 2001:db8:f::2", "10.0.0.2"},
                                {"https, http, http"}, {"example.com"});
  EXPECT_EQ(x.address.ToStringWithoutPort(), "198.51.100.1");
  EXPECT_EQ(x.proto, "https");
  EXPECT_EQ(x.host, "example.com");
  EXPECT_EQ(x.hops, 3u);
}

// What the client itself puts into the fields stands to the left of what the proxies add.
TEST(ClientOfTest, WhatTheClientWroteIsNotTaken) {
  for (const char* spoofed :
       {"for=127.0.0.1", "for=10.0.0.7", "for=127.0.0.1;proto=https;host=evil.example",
        "for=unknown", "@@@", "for=\"", "for=\"\\", "for=\"x\\\"", "\"", "\\\"", "for=\"10.0.0.7",
        "for=10.0.0.7;x=\"", ",,,,", "for=10.0.0.7,for=\"[::1"}) {
    for (const char* added : {"for=198.51.100.1", R"(for="198.51.100.1")",
                              R"(for=198.51.100.1;secret="a\\", for=10.0.0.2;by="_a")"}) {
      const std::string together = std::string(spoofed) + ", " + added;
      const ForwardedClient client = Of("10.0.0.1:5", {together});
      EXPECT_EQ(client.address.ToStringWithoutPort(), "198.51.100.1") << together;
      EXPECT_EQ(client.proto, "");
      EXPECT_EQ(client.host, "");
      EXPECT_TRUE(client.complete);
      EXPECT_EQ(Of("10.0.0.1:5", {spoofed, added}).address.ToStringWithoutPort(), "198.51.100.1");
    }
  }
  for (const char* spoofed :
       {"127.0.0.1", "10.0.0.7", "\"", "@", "", ",", "unknown", "1.2.3.4,\""}) {
    const std::string together = std::string(spoofed) + ", 198.51.100.1";
    const ForwardedClient client = OfX("10.0.0.1:5", {together}, {"https, http"}, {"evil, good"});
    EXPECT_EQ(client.address.ToStringWithoutPort(), "198.51.100.1") << together;
    EXPECT_EQ(client.proto, "http");
    EXPECT_EQ(client.host, "good");
  }
}

TEST(ClientOfTest, StopsAtWhatCannotBeRead) {
  for (const char* behind : {"unknown", "_hidden", "\"_hidden:_1\""}) {
    const ForwardedClient client =
        Of("10.0.0.1:5", {"for=1.2.3.4", std::string("for=") + behind + ";proto=https"});
    EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.1") << behind;
    EXPECT_EQ(client.proto, "https");
    EXPECT_FALSE(client.complete);
  }
  for (const char* line : {"for=1.2.3.4, nonsense", "for=1.2.3.4, for=x\"", "for=1.2.3.4, \"x",
                           "for=1.2.3.4, proto=https", "for=1.2.3.4, for=5.6.7.8 x"}) {
    const ForwardedClient client = Of("10.0.0.1:5", {line});
    EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.1") << line;
    EXPECT_FALSE(client.complete);
  }
  for (const char* line : {"1.2.3.4, nonsense", "1.2.3.4, unknown", "1.2.3.4, 5.6.7.8 9"}) {
    const ForwardedClient client = OfX("10.0.0.1:5", {line});
    EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.1") << line;
    EXPECT_FALSE(client.complete);
  }
}

TEST(ClientOfTest, AMalformedElementBehindTheFirstProxyLeavesThatProxy) {
  const ForwardedClient client =
      Of("10.0.0.1:5", {"for=1.2.3.4, nonsense, for=10.0.0.2;proto=http"});
  EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.2");
  EXPECT_EQ(client.proto, "http");
  EXPECT_EQ(client.hops, 1u);
  EXPECT_FALSE(client.complete);
}

TEST(ClientOfTest, WhereAllAreTrustedItIsTheFirst) {
  const ForwardedClient client = Of("10.0.0.1:5", {"for=10.0.0.3, for=10.0.0.2"});
  EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.3");
  EXPECT_TRUE(client.complete);
  EXPECT_EQ(client.hops, 2u);
  EXPECT_EQ(OfX("10.0.0.1:5", {"10.0.0.3, 10.0.0.2"}).address.ToStringWithoutPort(), "10.0.0.3");
  // A proxy that told nothing made the request itself.
  EXPECT_EQ(Of("10.0.0.1:5", {}).address.ToString(), "10.0.0.1:5");
  EXPECT_TRUE(Of("10.0.0.1:5", {}).complete);
}

TEST(ClientOfTest, HopsAreBounded) {
  std::string line = "for=198.51.100.1";
  std::string x = "198.51.100.1";
  for (int i = 0; i < 10; ++i) {
    line += ", for=10.0.0." + std::to_string(100 - i);
    x += ", 10.0.0." + std::to_string(100 - i);
  }
  EXPECT_EQ(Of("10.0.0.1:5", {line}, 11).address.ToStringWithoutPort(), "198.51.100.1");
  const ForwardedClient client = Of("10.0.0.1:5", {line}, 3);
  EXPECT_EQ(client.address.ToStringWithoutPort(), "10.0.0.93");
  EXPECT_EQ(client.hops, 3u);
  EXPECT_FALSE(client.complete);
  EXPECT_EQ(OfX("10.0.0.1:5", {x}, {}, {}, 3).address.ToStringWithoutPort(), "10.0.0.93");
  EXPECT_EQ(Of("10.0.0.1:5", {line}, 0).address.ToStringWithoutPort(), "10.0.0.1");
}

TEST(ClientOfTest, OnlyTheOutermostProxySaysHowItWasAsked) {
  // The inner one's "http" is how the outer one asked it, not how the client did.
  const ForwardedClient client = Of("10.0.0.1:5", {"for=198.51.100.1, for=10.0.0.2;proto=http"});
  EXPECT_EQ(client.proto, "");
}

TEST(ClientOfTest, XForwardedProtoMayComeAlone) {
  EXPECT_EQ(OfX("10.0.0.1:5", {}, {"https"}).proto, "https");
  EXPECT_EQ(OfX("10.0.0.1:5", {}, {"https"}).address.ToStringWithoutPort(), "10.0.0.1");
}

TEST(ClientOfTest, XForwardedProtoAndHostAreLookedAt) {
  EXPECT_EQ(OfX("10.0.0.1:5", {"1.2.3.4"}, {"ht tp"}, {"a\"b"}).proto, "");
  EXPECT_EQ(OfX("10.0.0.1:5", {"1.2.3.4"}, {"http"}, {"a\"b"}).host, "");
  EXPECT_EQ(OfX("10.0.0.1:5", {"1.2.3.4"}, {"http"}, {"a<script>"}).host, "");
}

TEST(ClientOfTest, XForwardedForHasAddressesInAnyDress) {
  for (const char* text : {"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"}) {
    EXPECT_EQ(OfX("10.0.0.1:5", {text}).address.ToStringWithoutPort(), "2001:db8::1") << text;
  }
  EXPECT_EQ(OfX("10.0.0.1:5", {"1.2.3.4:4711"}).address.ToString(), "1.2.3.4:4711");
  EXPECT_EQ(OfX("10.0.0.1:5", {"::ffff:1.2.3.4"}).address.ToStringWithoutPort(), "1.2.3.4");
}

#ifndef _WIN32
TEST(ClientOfTest, AProxyOnAUnixSocketIsTrustedIfNamed) {
  const net::Address peer = *net::Address::Parse("unix:/run/x.sock");
  const Values lines = {"for=198.51.100.1"};
  EXPECT_EQ(ClientOf(peer, Trusted(), ForwardedLines{lines}).address, peer);
  EXPECT_EQ(ClientOf(peer, *NetworkSet::Parse("unix:"), ForwardedLines{lines})
                .address.ToStringWithoutPort(),
            "198.51.100.1");
}
#endif

// Quotes and backslashes without end: the time is that of one look at each.
TEST(ClientOfTest, IsLinear) {
  std::string line(1 << 20, '\\');
  line += "\"";
  EXPECT_FALSE(Of("10.0.0.1:5", {line}).complete);
  std::string quotes;
  for (int i = 0; i < 1 << 18; ++i) quotes += "\\\"";
  EXPECT_FALSE(Of("10.0.0.1:5", {quotes}).complete);
  const std::string commas(1 << 20, ',');
  EXPECT_TRUE(Of("10.0.0.1:5", {commas}).complete);
}

}  // namespace
}  // namespace strata::http
