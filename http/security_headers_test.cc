// What browsers are told to be careful with.

#include "strata/http/security_headers.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Framing = SecurityHeaders::Framing;

Fields Of(const SecurityHeaders::Options& options, bool secure) {
  absl::StatusOr<SecurityHeaders> headers = SecurityHeaders::Create(options);
  EXPECT_TRUE(headers.ok()) << headers.status();
  Fields fields;
  for (const FieldView& field : headers->For(secure)) fields.emplace_back(field.name, field.value);
  return fields;
}

TEST(SecurityHeadersTest, AreCarefulByDefault) {
  const Fields expected = {{"X-Content-Type-Options", "nosniff"},
                           {"X-Frame-Options", "DENY"},
                           {"Content-Security-Policy", "frame-ancestors 'none'"},
                           {"Referrer-Policy", "strict-origin-when-cross-origin"}};
  EXPECT_EQ(Of({}, false), expected);
  Fields secure = expected;
  secure.emplace_back("Strict-Transport-Security", "max-age=31536000");
  EXPECT_EQ(Of({}, true), secure);
}

TEST(SecurityHeadersTest, MayBeSwitchedOff) {
  const SecurityHeaders::Options none = {.no_sniff = false,
                                         .framing = Framing::kAnybody,
                                         .referrer_policy = "",
                                         .hsts_max_age = std::chrono::seconds(-1)};
  EXPECT_TRUE(Of(none, true).empty());
  EXPECT_TRUE(Of(none, false).empty());
}

TEST(SecurityHeadersTest, FramingIsPartOfTheContentsPolicy) {
  const auto csp = [](Framing framing, const std::string& policy) {
    for (const auto& [name, value] :
         Of({.framing = framing, .content_security_policy = policy}, false)) {
      if (name == "Content-Security-Policy") return value;
    }
    return std::string();
  };
  EXPECT_EQ(csp(Framing::kSameOrigin, ""), "frame-ancestors 'self'");
  EXPECT_EQ(csp(Framing::kNobody, "default-src 'self'"),
            "default-src 'self'; frame-ancestors 'none'");
  EXPECT_EQ(csp(Framing::kNobody, "default-src 'self'; ;"),
            "default-src 'self'; frame-ancestors 'none'");
  EXPECT_EQ(csp(Framing::kAnybody, "default-src 'self'"), "default-src 'self'");
  EXPECT_EQ(csp(Framing::kAnybody, "frame-ancestors https://a.example"),
            "frame-ancestors https://a.example");
}

TEST(SecurityHeadersTest, HstsIsForSecureConnectionsAlone) {
  const SecurityHeaders::Options options = {
      .hsts_max_age = std::chrono::hours(24 * 730), .hsts_subdomains = true, .hsts_preload = true};
  EXPECT_EQ(Of(options, true).back().second, "max-age=63072000; includeSubDomains; preload");
  for (const auto& [name, value] : Of(options, false)) EXPECT_NE(name, "Strict-Transport-Security");
  EXPECT_EQ(Of({.hsts_max_age = std::chrono::seconds(0)}, true).back().second, "max-age=0");
}

TEST(SecurityHeadersTest, SendsWhatIsGiven) {
  const Fields fields = Of({.referrer_policy = "no-referrer, strict-origin",
                            .permissions_policy = "camera=()",
                            .cross_origin_opener_policy = "same-origin",
                            .cross_origin_embedder_policy = "require-corp",
                            .cross_origin_resource_policy = "same-site"},
                           false);
  for (const auto& field : Fields{{"Referrer-Policy", "no-referrer, strict-origin"},
                                  {"Permissions-Policy", "camera=()"},
                                  {"Cross-Origin-Opener-Policy", "same-origin"},
                                  {"Cross-Origin-Embedder-Policy", "require-corp"},
                                  {"Cross-Origin-Resource-Policy", "same-site"}}) {
    EXPECT_NE(std::find(fields.begin(), fields.end(), field), fields.end()) << field.first;
  }
}

TEST(SecurityHeadersTest, RefusesWhatCannotBeMeant) {
  const std::string split = "x\r\nSet-Cookie: y";
  for (const SecurityHeaders::Options& options : std::vector<SecurityHeaders::Options>{
           {.referrer_policy = "no-referer"},
           {.referrer_policy = "origin,"},
           {.referrer_policy = split},
           {.content_security_policy = split},
           {.content_security_policy = " x"},
           {.content_security_policy = "default-src 'self'; frame-ancestors 'self'"},
           {.content_security_policy = "Frame-Ancestors 'self'"},
           {.content_security_policy = "default-src 'self', frame-ancestors 'self'"},
           {.permissions_policy = split},
           {.cross_origin_opener_policy = "\xc3\xa9"},
           {.cross_origin_embedder_policy = split},
           {.cross_origin_resource_policy = split},
           {.hsts_preload = true},
           {.hsts_max_age = std::chrono::hours(24), .hsts_subdomains = true, .hsts_preload = true},
       }) {
    EXPECT_EQ(SecurityHeaders::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(SecurityHeadersTest, CopiesAndMovesKeepTheViews) {
  SecurityHeaders one = *SecurityHeaders::Create({});
  const std::span<const FieldView> fields = one.For(true);
  const SecurityHeaders two = one;
  const SecurityHeaders three = std::move(one);
  EXPECT_EQ(fields[0].value, "nosniff");
  EXPECT_EQ(two.For(true).data(), fields.data());
  EXPECT_EQ(three.For(true).data(), fields.data());
}

}  // namespace
}  // namespace strata::http
