// What the Authorization field says, and what it does not.

#include "strata/http/authorization.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(AuthorizationTest, ReadsTheTokenOfRfc7617) {
  const auto sent = Authorization::Parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  ASSERT_TRUE(sent.ok());
  EXPECT_TRUE(sent->Is("basic"));
  EXPECT_FALSE(sent->Is("bearer"));
  const auto credentials = ParseBasicToken(sent->token68());
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->user, "Aladdin");
  EXPECT_EQ(credentials->password, "open sesame");
}

TEST(AuthorizationTest, APasswordMayBeUtf8) {
  // RFC 7617 section 2.1.
  const auto credentials = ParseBasicToken("dGVzdDoxMjPCow==");
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->user, "test");
  EXPECT_EQ(credentials->password, "123\xC2\xA3");
}

TEST(AuthorizationTest, APasswordMayHaveColonsAndAUserNone) {
  const auto credentials = ParseBasicToken("YTpiOmM=");  // a:b:c
  ASSERT_TRUE(credentials.has_value());
  EXPECT_EQ(credentials->user, "a");
  EXPECT_EQ(credentials->password, "b:c");
}

TEST(AuthorizationTest, WhatIsNoBasicToken) {
  for (const char* token : {"", "QQ==", "QTpi\n", "QTp i", "QTpiYw", "QTpiYw=", "QTpiYw===", "====",
                            "QTp_", "QT~i", "YQphOmI=", "YToKYg==", "YToA"}) {
    EXPECT_FALSE(ParseBasicToken(token).has_value()) << token;
  }
}

TEST(AuthorizationTest, ReadsTheParametersOfRfc7616) {
  const auto sent = Authorization::Parse(
      R"(Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html",)"
      R"( algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,)"
      R"( cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth)");
  ASSERT_TRUE(sent.ok());
  EXPECT_TRUE(sent->Is("Digest"));
  EXPECT_EQ(sent->token68(), "");
  EXPECT_EQ(sent->param("username"), "Mufasa");
  EXPECT_EQ(sent->param("NC"), "00000001");
  EXPECT_EQ(sent->param("qop"), "auth");
  EXPECT_EQ(sent->param("opaque"), std::nullopt);
}

TEST(AuthorizationTest, QuotedPairsAndBadWhitespaceAreTaken) {
  const auto sent = Authorization::Parse("X  a = \"q\\\"\\\\, b=c\"\t,\tb=1");
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->param("a"), "q\"\\, b=c");
  EXPECT_EQ(sent->param("b"), "1");
}

TEST(AuthorizationTest, EmptyElementsArePassedOver) {
  const auto sent = Authorization::Parse("X , a=1,, b=2,");
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->param("a"), "1");
  EXPECT_EQ(sent->param("b"), "2");
}

TEST(AuthorizationTest, WhatIsNoAuthorization) {
  std::string many = "X a0=1";
  for (std::size_t i = 1; i <= kMaxAuthorizationParams; ++i) absl::StrAppend(&many, ",a", i, "=1");
  for (const std::string& value :
       {std::string(""), std::string(" Basic QQ=="), std::string("Ba,sic QQ=="),
        std::string("Basic QQ== QQ=="), std::string("X a=1, A=2"), std::string("X a=\"1"),
        std::string("X a=\"1\\"), std::string("X a=1 b=2"), std::string("X ,"),
        std::string("X a=1,=2"), std::string("X =1"), std::string("X QQ==, a=1"),
        std::string("X a=\"1\"2"), std::string("X a=\"1\n\""), std::string("X a=b@c"), many}) {
    EXPECT_FALSE(Authorization::Parse(value).ok()) << value;
  }
  EXPECT_TRUE(Authorization::Parse(many.substr(0, many.rfind(','))).ok());
}

TEST(AuthorizationTest, ASchemeMayStandAlone) {
  const auto sent = Authorization::Parse("Negotiate");
  ASSERT_TRUE(sent.ok());
  EXPECT_TRUE(sent->Is("negotiate"));
  EXPECT_EQ(sent->token68(), "");
}

TEST(AuthorizationTest, AQuotedStringReadsAsItsText) {
  const std::string text = "a \"b\" \\ c, d=e";
  const std::string value = absl::StrCat("X r=", QuotedString(text));
  const auto sent = Authorization::Parse(value);
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->param("r"), text);
}

}  // namespace
}  // namespace strata::http
