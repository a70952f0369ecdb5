#include "strata/http/cookie_jar.h"

#include <chrono>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

const sys_seconds kNow{seconds(1'700'000'000)};

Url At(std::string_view text) { return Url::Parse(text).value(); }

class CookieJarTest : public ::testing::Test {
 protected:
  bool Store(std::string_view url, std::string_view cookie) {
    return jar_.Store(At(url), cookie, kNow);
  }
  std::string Sent(std::string_view url, seconds later = seconds(0)) {
    return jar_.CookieField(At(url), kNow + later);
  }

  CookieJar jar_;
};

TEST_F(CookieJarTest, ACookieGoesBackToItsHostAlone) {
  EXPECT_TRUE(Store("http://a.test/", "id=7"));
  EXPECT_EQ(Sent("http://a.test/x"), "id=7");
  EXPECT_EQ(Sent("http://a.test:81/"), "id=7");
  EXPECT_EQ(Sent("http://b.a.test/"), "");
  EXPECT_EQ(Sent("http://test/"), "");
  EXPECT_EQ(Sent("http://xa.test/"), "");
}

TEST_F(CookieJarTest, ACookieOfADomainGoesToAllBelowIt) {
  EXPECT_TRUE(Store("http://www.Example.test/", "id=7; Domain=.EXAMPLE.test"));
  EXPECT_EQ(Sent("http://example.test/"), "id=7");
  EXPECT_EQ(Sent("http://a.b.example.test/"), "id=7");
  EXPECT_EQ(Sent("http://badexample.test/"), "");
}

TEST_F(CookieJarTest, NoCookieForTheDomainOfAnother) {
  for (const char* domain : {"other.test", "b.a.test", "test", "xa.test"}) {
    EXPECT_FALSE(Store("http://a.test/", std::string("id=7; Domain=") + domain)) << domain;
  }
  EXPECT_FALSE(Store("http://10.0.0.1/", "id=7; Domain=0.0.1"));
  EXPECT_TRUE(Store("http://10.0.0.1/", "id=7; Domain=10.0.0.1"));
  EXPECT_EQ(Sent("http://10.0.0.1/"), "id=7");
  EXPECT_EQ(jar_.size(), 1);
}

TEST_F(CookieJarTest, PublicSuffixesAreForTheirOwnHostAlone) {
  CookieJar::Options options;
  options.is_public_suffix = [](std::string_view domain) { return domain == "co.test"; };
  CookieJar jar(std::move(options));
  EXPECT_FALSE(jar.Store(At("http://a.co.test/"), "id=7; Domain=co.test", kNow));
  EXPECT_TRUE(jar.Store(At("http://a.co.test/"), "id=7; Domain=a.co.test", kNow));
  EXPECT_TRUE(jar.Store(At("http://co.test/"), "own=1; Domain=co.test", kNow));
  EXPECT_EQ(jar.CookieField(At("http://b.co.test/"), kNow), "");
  EXPECT_EQ(jar.CookieField(At("http://co.test/"), kNow), "own=1");
}

TEST_F(CookieJarTest, PathsMatchByWholeSegments) {
  EXPECT_TRUE(Store("http://a.test/", "id=7; Path=/x"));
  EXPECT_EQ(Sent("http://a.test/x"), "id=7");
  EXPECT_EQ(Sent("http://a.test/x/y?z"), "id=7");
  EXPECT_EQ(Sent("http://a.test/xy"), "");
  EXPECT_EQ(Sent("http://a.test/"), "");
}

TEST_F(CookieJarTest, WithoutAPathItIsThatOfTheFolder) {
  EXPECT_TRUE(Store("http://a.test/x/y?q=/z/", "id=7; Path=relative"));
  EXPECT_EQ(Sent("http://a.test/x/other"), "id=7");
  EXPECT_EQ(Sent("http://a.test/"), "");
}

TEST_F(CookieJarTest, LongerPathsComeFirstThenOlderOnes) {
  EXPECT_TRUE(Store("http://a.test/", "one=1"));
  EXPECT_TRUE(Store("http://a.test/", "two=2"));
  EXPECT_TRUE(Store("http://a.test/", "three=3; Path=/x"));
  EXPECT_TRUE(Store("http://a.test/", "one=4"));
  EXPECT_EQ(Sent("http://a.test/x"), "three=3; one=4; two=2");
}

TEST_F(CookieJarTest, SecureCookiesAreOfHttpsAlone) {
  EXPECT_FALSE(Store("http://a.test/", "id=7; Secure"));
  EXPECT_TRUE(Store("https://a.test/", "id=7; Secure"));
  EXPECT_EQ(Sent("https://a.test/"), "id=7");
  EXPECT_EQ(Sent("http://a.test/"), "");
  EXPECT_FALSE(Store("http://a.test/", "id=evil"));
  EXPECT_FALSE(Store("http://a.test/", "id=evil; Domain=a.test; Path=/x"));
  EXPECT_FALSE(Store("http://a.test/", "id=; Max-Age=0"));
  EXPECT_EQ(Sent("https://a.test/x"), "id=7");
}

TEST_F(CookieJarTest, NamePrefixesAreKept) {
  EXPECT_FALSE(Store("https://a.test/", "__Secure-id=7"));
  EXPECT_TRUE(Store("https://a.test/", "__Secure-id=7; Secure"));
  EXPECT_FALSE(Store("https://a.test/", "__host-id=7; Secure; Path=/; Domain=a.test"));
  EXPECT_FALSE(Store("https://a.test/", "__Host-id=7; Secure; Path=/x"));
  EXPECT_FALSE(Store("https://a.test/", "__Host-id=7; Secure"));
  EXPECT_TRUE(Store("https://a.test/", "__Host-id=7; Secure; Path=/"));
}

TEST_F(CookieJarTest, CookiesExpire) {
  EXPECT_TRUE(Store("http://a.test/", "age=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
  EXPECT_TRUE(Store("http://a.test/", "date=2; Expires=Tue, 14 Nov 2023 22:13:40 GMT"));
  EXPECT_TRUE(Store("http://a.test/", "long=3; Max-Age=99999999999999999999999"));
  EXPECT_TRUE(Store("http://a.test/", "bad=4; Max-Age=+5; Expires=never"));
  EXPECT_EQ(Sent("http://a.test/", seconds(9)), "age=1; date=2; long=3; bad=4");
  EXPECT_EQ(Sent("http://a.test/", seconds(10)), "date=2; long=3; bad=4");
  EXPECT_EQ(Sent("http://a.test/", seconds(20)), "long=3; bad=4");
  EXPECT_EQ(Sent("http://a.test/", std::chrono::days(401)), "bad=4");
  EXPECT_TRUE(Store("http://a.test/", "bad=; Max-Age=-1"));
  EXPECT_EQ(Sent("http://a.test/", std::chrono::days(401)), "");
}

TEST_F(CookieJarTest, WhatIsNoCookieIsNotTaken) {
  for (const std::string_view bad : {"", "id", "=7", ";id=7", "id=\x01", "id=7\r\nX: y"}) {
    EXPECT_FALSE(Store("http://a.test/", bad)) << bad;
  }
  EXPECT_FALSE(Store("http://a.test/", "id=" + std::string(4095, 'x')));
  EXPECT_TRUE(Store("http://a.test/", "id=" + std::string(4094, 'x')));
  EXPECT_FALSE(Store("http://a.test/", "id=7; Path=/" + std::string(1024, 'x')));
  EXPECT_TRUE(Store("http://b.test/", " id = a=b ; unknown=1; HttpOnly"));
  EXPECT_EQ(Sent("http://b.test/"), "id=a=b");
}

TEST_F(CookieJarTest, TheNumberIsBounded) {
  CookieJar::Options options;
  options.max_cookies = 4;
  options.max_cookies_per_domain = 2;
  CookieJar jar(std::move(options));
  const auto store = [&](std::string_view url, std::string_view cookie) {
    EXPECT_TRUE(jar.Store(At(url), cookie, kNow));
  };
  store("http://a.test/", "one=1");
  store("http://a.test/x/", "two=2");
  EXPECT_EQ(jar.CookieField(At("http://a.test/"), kNow), "one=1");  // Used later than the other.
  store("http://a.test/", "three=3");
  EXPECT_EQ(jar.CookieField(At("http://a.test/x/"), kNow), "one=1; three=3");
  for (const char* url : {"http://b.test/", "http://c.test/", "http://d.test/"}) store(url, "x=y");
  EXPECT_EQ(jar.size(), 4);
  jar.Clear();
  EXPECT_EQ(jar.size(), 0);
}

TEST(CookieDateTest, ReadsTheManyForms) {
  const sys_seconds expected{seconds(784'111'777)};
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "6 november 1994 8:49:37", "08:49:37;06/NOV/1994"}) {
    EXPECT_EQ(ParseCookieDate(text), expected) << text;
  }
  for (const char* text :
       {"", "06 Nov 1994", "06 Nov 1994 24:00:00", "31 Feb 1994 00:00:00", "06 Foo 1994 08:49:37",
        "06 Nov 1600 08:49:37", "06 Nov 19940 08:49:37", "00 Nov 1994 08:49:37",
        "006 Nov 1994 08:49:37", "06 Nov 1994 08:49", "06 Nov 1994 08:49:377"}) {
    EXPECT_EQ(ParseCookieDate(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace strata::http
