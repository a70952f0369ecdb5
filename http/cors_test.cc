// Whom a policy lets read the answers. Sections are of the Fetch standard.

#include "strata/http/cors.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using Fields = std::map<std::string, std::string>;

CorsPolicy Make(const CorsPolicy::Options& options) {
  absl::StatusOr<CorsPolicy> policy = CorsPolicy::Create(options);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *std::move(policy);
}

Fields Of(const CorsPolicy::Decision& decision) {
  Fields fields;
  for (const FieldView& field : decision.fields()) {
    EXPECT_TRUE(fields.emplace(field.name, field.value).second) << field.name;
  }
  return fields;
}

const Fields kVary = {{"Vary", "Origin"}};
const std::string kPreflightVary =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

TEST(CorsTest, AnAllowedOriginIsNamed) {
  const CorsPolicy policy = Make({.origins = {"https://a.example", "http://b.example:8080"}});
  for (const char* origin : {"https://a.example", "http://b.example:8080"}) {
    const auto decision = policy.Actual(origin);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(Of(decision), (Fields{{"Access-Control-Allow-Origin", origin}, {"Vary", "Origin"}}));
  }
}

TEST(CorsTest, AnotherOriginIsNot) {
  const CorsPolicy policy = Make({.origins = {"https://a.example", "http://b.example:8080"}});
  for (const char* origin :
       {"http://a.example", "https://a.example:8443", "https://a.example:443", "https://A.example",
        "https://a.example.evil.example", "https://evil.example/https://a.example",
        "https://a.example/", "https://a.exampl", "https://xa.example", "http://b.example", "null",
        "*", "a.example", "https://a.example, https://a.example", "https://a.example\r\nX: y"}) {
    const auto decision = policy.Actual(origin);
    EXPECT_FALSE(decision.allowed) << origin;
    EXPECT_EQ(Of(decision), kVary);
    EXPECT_FALSE(policy.Preflight(origin, "GET", "").allowed);
  }
}

TEST(CorsTest, ARequestWithoutOriginIsNobodysBusiness) {
  const auto decision = Make({.origins = {"https://a.example"}}).Actual("");
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(Of(decision), kVary);  // A cache must not give it to a page of another origin.
}

TEST(CorsTest, AWildcardIsEveryNameBelow) {
  const CorsPolicy policy = Make({.origins = {"https://*.a.example", "http://*.localhost:3000"}});
  for (const char* origin :
       {"https://x.a.example", "https://x.y-z_1.a.example", "http://app.localhost:3000"}) {
    const auto decision = policy.Actual(origin);
    EXPECT_TRUE(decision.allowed) << origin;
    EXPECT_EQ(Of(decision)["Access-Control-Allow-Origin"], origin);
  }
}

TEST(CorsTest, AWildcardIsNothingElse) {
  const CorsPolicy policy = Make({.origins = {"https://*.a.example", "http://*.localhost:3000"}});
  for (const char* origin : {"https://a.example",
                             "https://.a.example",
                             "https://xa.example",
                             "http://x.a.example",
                             "https://x.a.example:8443",
                             "https://x.a.example.evil.example",
                             "https://evil.example/.a.example",
                             "https://evil.example#.a.example",
                             "https://evil.example?.a.example",
                             "https://evil.example:80.a.example",
                             "https://user@x.a.example",
                             "https://x..a.example",
                             "https://.x.a.example",
                             "https://X.a.example",
                             "https://*.a.example",
                             "https://x y.a.example",
                             "https://evil.example\\.a.example",
                             "http://x.localhost",
                             "https://https://x.a.example",
                             "https://a.example.a.exampl"}) {
    EXPECT_FALSE(policy.Actual(origin).allowed) << origin;
  }
  EXPECT_FALSE(policy.Actual("https://" + std::string(300, 'x') + ".a.example").allowed);
}

TEST(CorsTest, OneWildcardDoesNotHideAnother) {
  const CorsPolicy policy =
      Make({.origins = {"https://*.b.example:80", "https://*.example", "https://*.b.example"}});
  EXPECT_TRUE(policy.Actual("https://x.b.example").allowed);
}

TEST(CorsTest, EveryOriginIsAStarForAll) {
  const CorsPolicy policy = Make({.origins = {"*"}});
  for (const char* origin : {"https://a.example", "null", "x-scheme://whatever", ""}) {
    const auto decision = policy.Actual(origin);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(Of(decision), (Fields{{"Access-Control-Allow-Origin", "*"}})) << origin;
  }
}

TEST(CorsTest, NullIsAnOriginIfNamed) {
  EXPECT_TRUE(Make({.origins = {"null"}}).Actual("null").allowed);
  EXPECT_FALSE(Make({.origins = {"https://a.example"}}).Actual("null").allowed);
}

TEST(CorsTest, CredentialsAreSaidToBeAllowed) {
  const CorsPolicy policy = Make({.origins = {"https://a.example"}, .credentials = true});
  EXPECT_EQ(Of(policy.Actual("https://a.example"))["Access-Control-Allow-Credentials"], "true");
  EXPECT_EQ(
      Of(policy.Preflight("https://a.example", "GET", ""))["Access-Control-Allow-Credentials"],
      "true");
  EXPECT_EQ(Of(policy.Actual("https://b.example")), kVary);
}

TEST(CorsTest, ExposesHeaders) {
  const CorsPolicy policy =
      Make({.origins = {"https://a.example"}, .exposed = {"X-Request-Id", "ETag"}});
  EXPECT_EQ(Of(policy.Actual("https://a.example"))["Access-Control-Expose-Headers"],
            "X-Request-Id, ETag");
  EXPECT_EQ(
      Of(policy.Preflight("https://a.example", "GET", "")).count("Access-Control-Expose-Headers"),
      0u);
  EXPECT_EQ(Of(Make({.origins = {"*"}, .exposed = {"*"}})
                   .Actual("https://a.example"))["Access-Control-Expose-Headers"],
            "*");
}

TEST(CorsTest, APreflightIsOptionsWithOriginAndMethod) {
  EXPECT_TRUE(CorsPolicy::IsPreflight("OPTIONS", "https://a.example", "PUT"));
  EXPECT_FALSE(CorsPolicy::IsPreflight("GET", "https://a.example", "PUT"));
  EXPECT_FALSE(CorsPolicy::IsPreflight("OPTIONS", "", "PUT"));
  EXPECT_FALSE(CorsPolicy::IsPreflight("OPTIONS", "https://a.example", ""));
}

TEST(CorsTest, APreflightIsToldWhatIsAllowed) {
  const CorsPolicy policy = Make({.origins = {"https://a.example"},
                                  .methods = {"PUT", "DELETE"},
                                  .headers = {"Content-Type", "X-Token"},
                                  .max_age = std::chrono::minutes(10)});
  const auto decision = policy.Preflight("https://a.example", "PUT", "content-type, x-token");
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(Of(decision), (Fields{{"Vary", kPreflightVary},
                                  {"Access-Control-Allow-Origin", "https://a.example"},
                                  {"Access-Control-Allow-Methods", "PUT, DELETE"},
                                  {"Access-Control-Allow-Headers", "Content-Type, X-Token"},
                                  {"Access-Control-Max-Age", "600"}}));
}

TEST(CorsTest, APreflightForWhatIsNotAllowedIsRefused) {
  const CorsPolicy policy =
      Make({.origins = {"https://a.example"}, .methods = {"PUT"}, .headers = {"content-type"}});
  struct Case {
    const char* origin;
    const char* method;
    const char* headers;
  };
  for (const Case& c : {
           Case{"https://b.example", "PUT", "content-type"},
           Case{"", "PUT", ""},
           Case{"https://a.example", "DELETE", "content-type"},
           Case{"https://a.example", "put", "content-type"},  // Methods know case.
           Case{"https://a.example", "", ""},
           Case{"https://a.example", "PUT", "x-token"},
           Case{"https://a.example", "PUT", "content-type,x-token"},
           Case{"https://a.example", "PUT", "content type"},
           Case{"https://a.example", "PUT", "content-type;x"},
           Case{"https://a.example", "PUT", "content-type\r\n"},
       }) {
    const auto decision = policy.Preflight(c.origin, c.method, c.headers);
    EXPECT_FALSE(decision.allowed) << c.origin << ' ' << c.method << ' ' << c.headers;
    EXPECT_EQ(Of(decision), (Fields{{"Vary", kPreflightVary}}));
  }
}

TEST(CorsTest, SafelistedMethodsNeedNotBeNamed) {
  const CorsPolicy policy = Make({.origins = {"https://a.example"}});
  for (const char* method : {"GET", "HEAD", "POST"}) {
    EXPECT_TRUE(policy.Preflight("https://a.example", method, "").allowed);
  }
  EXPECT_FALSE(policy.Preflight("https://a.example", "PATCH", "").allowed);
}

TEST(CorsTest, HeadersKnowNoCaseAndMayHaveBlanks) {
  const CorsPolicy policy = Make({.origins = {"https://a.example"}, .headers = {"X-One", "x-two"}});
  for (const char* headers : {"x-one,x-two", "X-ONE , X-Two", "x-one,,\tx-two,", "", ","}) {
    EXPECT_TRUE(policy.Preflight("https://a.example", "GET", headers).allowed) << headers;
  }
}

TEST(CorsTest, EveryMethodAndHeaderIsAStarWithoutCredentials) {
  const CorsPolicy policy = Make({.origins = {"*"}, .methods = {"*"}, .headers = {"*"}});
  const auto decision = policy.Preflight("https://a.example", "PURGE", "x-any");
  EXPECT_EQ(Of(decision), (Fields{{"Vary", kPreflightVary},
                                  {"Access-Control-Allow-Origin", "*"},
                                  {"Access-Control-Allow-Methods", "*"},
                                  {"Access-Control-Allow-Headers", "*"}}));
}

// A "*" means itself then (section 3.3.3): so what was asked for is repeated, if it is a list.
TEST(CorsTest, EveryMethodAndHeaderIsRepeatedWithCredentials) {
  const CorsPolicy policy = Make(
      {.origins = {"https://a.example"}, .methods = {"*"}, .headers = {"*"}, .credentials = true});
  const auto decision = policy.Preflight("https://a.example", "PURGE", "x-any, x-other");
  EXPECT_TRUE(decision.allowed);
  Fields fields = Of(decision);
  EXPECT_EQ(fields["Access-Control-Allow-Methods"], "PURGE");
  EXPECT_EQ(fields["Access-Control-Allow-Headers"], "x-any, x-other");
  for (const char* bad :
       {"x\r\nSet-Cookie: a", "x-any\r\n", "\nx-any", "x any", "x\x01", "\xc3\xa9"}) {
    EXPECT_FALSE(policy.Preflight("https://a.example", "PURGE", bad).allowed);
    EXPECT_FALSE(policy.Preflight("https://a.example", bad, "").allowed);
  }
  EXPECT_FALSE(policy.Preflight("https://a.example", std::string(65, 'X'), "").allowed);
}

TEST(CorsTest, AuthorizationHasToBeNamed) {
  for (const bool credentials : {false, true}) {
    CorsPolicy::Options options = {
        .origins = {"https://a.example"}, .headers = {"*"}, .credentials = credentials};
    EXPECT_FALSE(Make(options).Preflight("https://a.example", "GET", "Authorization").allowed);
    options.headers.push_back("Authorization");
    const CorsPolicy policy = Make(options);
    const auto decision = policy.Preflight("https://a.example", "GET", "authorization,x");
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(Of(decision)["Access-Control-Allow-Headers"],
              credentials ? "authorization,x" : "Authorization, *");
  }
}

TEST(CorsTest, ForbiddenMethodsAreNever) {
  const CorsPolicy policy = Make({.origins = {"*"}, .methods = {"*"}});
  for (const char* method : {"CONNECT", "TRACE", "TRACK"}) {
    EXPECT_FALSE(policy.Preflight("https://a.example", method, "").allowed);
  }
}

TEST(CorsTest, RequestedHeadersAreBounded) {
  const CorsPolicy policy = Make({.origins = {"*"}, .headers = {"*"}});
  std::string headers = "x";
  for (std::size_t i = 1; i < CorsPolicy::kMaxRequestedHeaders; ++i) headers += ",x";
  EXPECT_TRUE(policy.Preflight("https://a.example", "GET", headers).allowed);
  EXPECT_FALSE(policy.Preflight("https://a.example", "GET", headers + ",x").allowed);
}

TEST(CorsTest, RefusesPoliciesThatCannotBeMeant) {
  const auto refused = [](const CorsPolicy::Options& options) {
    return CorsPolicy::Create(options).status().code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.origins = {"*"}, .credentials = true}));
  EXPECT_TRUE(refused({.origins = {"null"}, .credentials = true}));
  EXPECT_TRUE(refused({.origins = {"https://a.example"}, .exposed = {"*"}, .credentials = true}));
  EXPECT_TRUE(refused({.methods = {"CONNECT"}}));
  EXPECT_TRUE(refused({.methods = {"A B"}}));
  EXPECT_TRUE(refused({.headers = {"x:y"}}));
  EXPECT_TRUE(refused({.exposed = {"x\r\ny"}}));
  EXPECT_TRUE(refused({.max_age = std::chrono::seconds(-1)}));
  for (const char* origin : {"",
                             "a.example",
                             "https://",
                             "://a.example",
                             "https://a.example/",
                             "https://a.example/x",
                             "HTTPS://a.example",
                             "https://A.example",
                             "https://a.example:443",
                             "http://a.example:80",
                             "https://a.example:",
                             "https://a.example:0",
                             "https://a.example:080",
                             "https://a.example:123456",
                             "https://user@a.example",
                             "https://a..example",
                             "https://.a.example",
                             "https://a.example.",
                             "https://*",
                             "https://*.",
                             "https://*a.example",
                             "https://x.*.example",
                             "https://*.*.example",
                             "*.a.example",
                             "https://a b.example",
                             "https://[::1",
                             "https://*.[::1]",
                             "https://[x]",
                             "https://a.example?x"}) {
    EXPECT_TRUE(refused({.origins = {origin}})) << origin;
  }
}

TEST(CorsTest, TakesOriginsOfAllKinds) {
  for (const char* origin :
       {"https://a.example", "http://a.example:443", "https://localhost:3000", "https://192.0.2.1",
        "https://[2001:db8::1]", "http://[::1]:8080", "chrome-extension://abcdef", "app://x"}) {
    EXPECT_TRUE(Make({.origins = {origin}}).Actual(origin).allowed) << origin;
  }
}

TEST(CorsTest, NothingIsAllowedByDefault) {
  const CorsPolicy policy = Make({});
  EXPECT_FALSE(policy.Actual("https://a.example").allowed);
  EXPECT_FALSE(policy.Preflight("https://a.example", "GET", "").allowed);
}

}  // namespace
}  // namespace strata::http
