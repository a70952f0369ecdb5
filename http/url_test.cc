// Absolute URLs and references to them.

#include "strata/http/url.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(UrlTest, TheExampleOfTheHeaderHolds) {
  absl::StatusOr<Url> url = Url::Parse("http://example.com/a/b?q=1");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->target, "/a/b?q=1");
  EXPECT_EQ(url->Resolve("../c")->ToString(), "http://example.com/c");
}

TEST(UrlTest, TakesEveryPartApart) {
  absl::StatusOr<Url> url = Url::Parse("HTTPS://us%65r:p@ss@Example.COM:8443/P%61th?Q=1&r=?/#Frag");
  ASSERT_FALSE(url.ok());  // Two "@".
  url = Url::Parse("HTTPS://us%65r:p-ss@Example.COM:8443/P%61th?Q=1&r=?/#Frag");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user_info, "us%65r:p-ss");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_FALSE(url->is_ipv6);
  EXPECT_EQ(url->target, "/P%61th?Q=1&r=?/");
  EXPECT_EQ(url->fragment, "Frag");
  EXPECT_EQ(url->ToString(), "https://us%65r:p-ss@example.com:8443/P%61th?Q=1&r=?/#Frag");
}

TEST(UrlTest, WhatIsParsedIsPrintedInItsShortestForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"http://a", "http://a/"},
      {"http://a?q", "http://a/?q"},
      {"http://a/?", "http://a/?"},
      {"http://a#f", "http://a/#f"},
      {"http://a/#", "http://a/"},
      {"http://a:80/", "http://a/"},
      {"http://a:/", "http://a/"},
      {"http://a:00080/", "http://a/"},
      {"http://a:443/", "http://a:443/"},
      {"https://a:443/", "https://a/"},
      {"https://a:80/", "https://a:80/"},
      {"ws://a:80/", "ws://a/"},
      {"wss://a:443/", "wss://a/"},
      {"http://a:65535/", "http://a:65535/"},
      {"socks5://a:1080", "socks5://a:1080/"},
      {"http://@a/", "http://a/"},
      {"http://u@a/", "http://u@a/"},
      {"http://u:p%40q:@a/", "http://u:p%40q:@a/"},
      {"http://a.b./", "http://a.b./"},
      {"http://x_y-z.1a/", "http://x_y-z.1a/"},
      {"http://1.2.3.4.example/", "http://1.2.3.4.example/"},
      {"http://192.0.2.1:8080/", "http://192.0.2.1:8080/"},
      {"http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"},
      {"http://[::1]:8080/x", "http://[::1]:8080/x"},
      {"http://[::1]:/x", "http://[::1]/x"},
      {"http://[::ffff:192.0.2.1]/", "http://[::ffff:192.0.2.1]/"},
      {"http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"},
      {"http://a//b/../c/%2E", "http://a//b/../c/%2E"},
      {"http://a/b:c@d;e=f,(g)*!$&'+~", "http://a/b:c@d;e=f,(g)*!$&'+~"},
      {"http://" + std::string(63, 'a') + "/", "http://" + std::string(63, 'a') + "/"},
  };
  for (const auto& [text, printed] : cases) {
    absl::StatusOr<Url> url = Url::Parse(text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->ToString(), printed);
    EXPECT_EQ(*Url::Parse(printed), *url);
  }
}

TEST(UrlTest, RefusesWhatIsNoUrl) {
  const std::string label = std::string(63, 'a') + ".";
  const std::vector<std::string> bad = {
      "",
      "/",
      "//a/",
      "a",
      "http",
      "http:",
      "http:a",
      "http:/a",
      "http://",
      "http:///a",
      "http://?q",
      "http://:80/",
      "http://u@/",
      "://a/",
      "1http://a/",
      "ht tp://a/",
      " http://a/",
      "http ://a/",
      "+http://a/",
      "ftp://a/",  // No port.
      "http://a:0/",
      "http://a:65536/",
      "http://a:4294967376/",
      "http://a:-80/",
      "http://a:+80/",
      "http://a:8 0/",
      "http://a:80:80/",
      "http://a:x/",
      "http://a b/",
      "http://a%2eb/",
      "http://b\xC3\xBC"
      "cher.example/",
      "http://a\\b/",
      "http://a,b/",
      "http://*.a/",
      "http://.a/",
      "http://a..b/",
      "http://a../",
      "http://./",
      "http://" + std::string(64, 'a') + "/",
      "http://" + label + label + label + label + "/",
      "http://1/",
      "http://127.1/",
      "http://1.2.3/",
      "http://1.2.3.4.5/",
      "http://1.2.3.4./",
      "http://256.0.0.1/",
      "http://0x7f.0.0.1/",
      "http://0x7f000001/",
      "http://0X7F000001/",
      "http://2130706433/",
      "http://017700000001/",
      "http://127.0.0.01/",
      "http://a.0x1f/",
      "http://[/",
      "http://[]/",
      "http://[::1/",
      "http://::1/",
      "http://[::1]80/",
      "http://[::1].a/",
      "http://[:::]/",
      "http://[127.0.0.1]/",
      "http://[fe80::1%1]/",
      "http://[fe80::1%251]/",
      "http://[v1.a]/",
      "http://u@v@a/",
      "http://u[@a/",
      "http://u%@a/",
      "http://u%4@a/",
      "http://a/ ",
      "http://a/b c",
      "http://a/%",
      "http://a/%1",
      "http://a/%gg",
      "http://a/\"",
      "http://a/<",
      "http://a/[",
      "http://a/\\",
      "http://a/\xC3\xA9",
      "http://a/\r\nX: y",
      "http://a/?\n",
      "http://a/?%x",
      "http://a/#\x7f",
      "http://a/#a#b",
      std::string("http://a/\0", 10),
      std::string("http://a\0.b/", 12),
      "http://a/" + std::string(kMaxUrlBytes, 'x'),
  };
  for (const std::string& text : bad) {
    absl::StatusOr<Url> url = Url::Parse(text);
    ASSERT_FALSE(url.ok()) << text << " is " << url->ToString();
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(UrlTest, ErrorShowsTheTextEscapedAndCut) {
  const std::string message(Url::Parse(std::string(1000, '\n')).status().message());
  EXPECT_NE(message.find("\\n"), std::string::npos) << message;
  EXPECT_LT(message.size(), 300u);
  EXPECT_EQ(Url::Parse("http://a:99999/").status().message(),
            "URL \"http://a:99999/\": the port is not 1 to 65535");
}

TEST(UrlTest, TheLongestIsParsed) {
  const std::string longest = "http://a/" + std::string(kMaxUrlBytes - 9, 'x');
  EXPECT_EQ(Url::Parse(longest)->target.size(), kMaxUrlBytes - 8);
  std::string host;
  for (int i = 0; i < 126; ++i) host += "a.";
  EXPECT_TRUE(Url::Parse("http://" + host + "b/").ok());
  EXPECT_TRUE(Url::Parse("http://" + host + "b./").ok());
  EXPECT_FALSE(Url::Parse("http://" + host + "bc/").ok());
}

TEST(UrlTest, FieldsForRequests) {
  EXPECT_EQ(Url::Parse("http://a/")->HostField(), "a");
  EXPECT_EQ(Url::Parse("http://a/")->Authority(), "a:80");
  EXPECT_EQ(Url::Parse("https://u@a:80/")->HostField(), "a:80");
  EXPECT_EQ(Url::Parse("https://[::1]/")->HostField(), "[::1]");
  EXPECT_EQ(Url::Parse("https://[::1]/")->Authority(), "[::1]:443");
  EXPECT_EQ(Url::Parse("https://[::1]:8443/")->HostField(), "[::1]:8443");
  EXPECT_EQ(DefaultPort("ftp"), 0);
}

TEST(UrlTest, OriginsDifferBySchemeHostOrPort) {
  const Url url = *Url::Parse("https://u@a.b:443/x?y#z");
  EXPECT_TRUE(url.SameOrigin(*Url::Parse("HTTPS://A.B")));
  EXPECT_FALSE(url.SameOrigin(*Url::Parse("http://a.b:443")));
  EXPECT_FALSE(url.SameOrigin(*Url::Parse("https://a.b:444")));
  EXPECT_FALSE(url.SameOrigin(*Url::Parse("https://a.c")));
}

// RFC 3986 sections 5.4.1 and 5.4.2.
TEST(ResolveReferenceTest, TheTablesOfTheRfc) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"http:g", "http:g"},
  };
  for (const auto& [reference, expected] : cases) {
    absl::StatusOr<std::string> resolved = ResolveReference("http://a/b/c/d;p?q", reference);
    ASSERT_TRUE(resolved.ok()) << resolved.status();
    EXPECT_EQ(*resolved, expected) << reference;
  }
}

TEST(ResolveReferenceTest, OtherBases) {
  EXPECT_EQ(*ResolveReference("http://a", "g"), "http://a/g");
  EXPECT_EQ(*ResolveReference("http://a", "../g"), "http://a/g");
  EXPECT_EQ(*ResolveReference("http://a?q", ""), "http://a?q");
  EXPECT_EQ(*ResolveReference("http://a/b#f", ""), "http://a/b");
  EXPECT_EQ(*ResolveReference("http://a/b/%2E%2e/", "%2e%2E/g"), "http://a/g");
  EXPECT_EQ(*ResolveReference("http://a/b", "//u@c:1/d/../e"), "http://u@c:1/e");
  EXPECT_EQ(*ResolveReference("http://a/b", "?"), "http://a/b?");
  EXPECT_EQ(*ResolveReference("http://a/b", "#"), "http://a/b#");
  EXPECT_EQ(*ResolveReference("mailto:x", "y"), "mailto:y");
  EXPECT_EQ(*ResolveReference("x:a/b", "../c"), "x:/c");
  // What has no authority does not get one from its path.
  EXPECT_EQ(*ResolveReference("x:/a", "/.//b"), "x:/.//b");
  EXPECT_EQ(*ResolveReference("x:/a", "x:/..//b"), "x:/.//b");
}

TEST(ResolveReferenceTest, RefusesWhatHasNoMeaning) {
  EXPECT_FALSE(ResolveReference("", "g").ok());
  EXPECT_FALSE(ResolveReference("//a/b", "g").ok());
  EXPECT_FALSE(ResolveReference("1:b", "g").ok());
  EXPECT_FALSE(ResolveReference("http://a/", "1:b").ok());
  EXPECT_FALSE(ResolveReference("http://a/", ":b").ok());
  EXPECT_FALSE(ResolveReference("http://a/", "g h:b").ok());
  EXPECT_FALSE(ResolveReference("http://a/", std::string(kMaxUrlBytes + 1, 'x')).ok());
  EXPECT_FALSE(ResolveReference("http://a/" + std::string(kMaxUrlBytes, 'x'), "g").ok());
}

TEST(UrlTest, RedirectsAreParsedStrictly) {
  const Url url = *Url::Parse("https://u@a:8443/b/c?q");
  EXPECT_EQ(url.Resolve("d")->ToString(), "https://u@a:8443/b/d");
  EXPECT_EQ(url.Resolve("//x")->ToString(), "https://x/");
  EXPECT_EQ(url.Resolve("http://x")->ToString(), "http://x/");
  EXPECT_FALSE(url.Resolve("http:g").ok());
  EXPECT_FALSE(url.Resolve("//x:0/").ok());
  EXPECT_FALSE(url.Resolve("a b").ok());
  EXPECT_FALSE(url.Resolve("javascript:alert(1)").ok());
  EXPECT_EQ(url.Resolve(EncodeUrl("/caf\xC3\xA9 x"))->target, "/caf%C3%A9%20x");
}

// RFC 3986 section 5.2.4, line by line as it stands there.
std::string RemoveDotSegmentsOfTheRfc(std::string in) {
  std::string out;
  const auto remove_last = [&out] {
    const std::size_t slash = out.rfind('/');
    out.resize(slash == std::string::npos ? 0 : slash);
  };
  while (!in.empty()) {
    if (in.starts_with("../")) {
      in.erase(0, 3);
    } else if (in.starts_with("./")) {
      in.erase(0, 2);
    } else if (in.starts_with("/./")) {
      in.replace(0, 3, "/");
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../")) {
      in.replace(0, 4, "/");
      remove_last();
    } else if (in == "/..") {
      in = "/";
      remove_last();
    } else if (in == "." || in == "..") {
      in.clear();
    } else {
      const std::size_t end = std::min(in.find('/', 1), in.size());
      out += in.substr(0, end);
      in.erase(0, end);
    }
  }
  return out;
}

TEST(RemoveDotSegmentsTest, DoesWhatTheRfcDoes) {
  EXPECT_EQ(RemoveDotSegments("/a/b/c/./../../g"), "/a/g");
  EXPECT_EQ(RemoveDotSegments("mid/content=5/../6"), "mid/6");
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> pieces = {"/", "/", "/", ".", ".", "..", "a", "b%"};
  for (int i = 0; i < 100'000; ++i) {
    std::string path;
    std::string encoded;
    for (std::size_t n = random() % 12; n > 0; --n) {
      const std::string& piece = pieces[random() % pieces.size()];
      path += piece;
      for (const char c : piece) {
        encoded += c != '.' || random() % 2 ? std::string(1, c) : random() % 2 ? "%2e" : "%2E";
      }
    }
    const std::string expected = RemoveDotSegmentsOfTheRfc(path);
    ASSERT_EQ(RemoveDotSegments(path), expected) << path;
    // Encoded dots are dots; those in other segments stay encoded.
    std::string decoded = RemoveDotSegments(encoded);
    for (std::size_t at;
         (at = std::min(decoded.find("%2e"), decoded.find("%2E"))) != decoded.npos;) {
      decoded.replace(at, 3, ".");
    }
    ASSERT_EQ(decoded, expected) << encoded;
  }
}

TEST(EncodeUrlTest, EncodesWhatMayNotStandWhereItDoes) {
  EXPECT_EQ(EncodeUrl("http://a/b c\"<>\\^`{|}?d e[]&f=#g h#i"),
            "http://a/b%20c%22%3C%3E%5C%5E%60%7B%7C%7D?d%20e%5B%5D&f=#g%20h%23i");
  EXPECT_EQ(EncodeUrl("http://a/100%/%zz/%41/%e9"), "http://a/100%25/%25zz/%41/%e9");
  EXPECT_EQ(EncodeUrl("/a\r\nSet-Cookie: x"), "/a%0D%0ASet-Cookie:%20x");
  EXPECT_EQ(EncodeUrl("http://[::1]:80/[x]"), "http://[::1]:80/%5Bx%5D");
  EXPECT_EQ(EncodeUrl(""), "");
  EXPECT_EQ(EncodeUrl("?"), "?");
  EXPECT_EQ(EncodeUrl("#"), "#");
  EXPECT_EQ(EncodeUrl("../a?b#c"), "../a?b#c");
  // Hosts are not repaired.
  EXPECT_FALSE(Url::Parse(EncodeUrl("http://a b/")).ok());
  EXPECT_FALSE(Url::Parse(EncodeUrl("http:\\\\a\\b")).ok());
}

}  // namespace
}  // namespace strata::http
