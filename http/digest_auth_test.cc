// Digest authentication: the vectors of RFC 7616, replays, and curl.

#include "strata/http/digest_auth.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "strata/crypto/hash.h"
#include "strata/http/auth.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using Verdict = DigestAuth::Verdict;

TEST(DigestTest, TheExampleOfRfc7616) {
  // Section 3.9.1.
  const std::string secret = DigestSecret("Mufasa", "http-auth@example.org", "Circle of Life");
  EXPECT_EQ(secret, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
  EXPECT_EQ(
      DigestResponse(secret, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
                     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "GET", "/dir/index.html"),
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

class DigestAuthTest : public ::testing::Test {
 protected:
  explicit DigestAuthTest(std::size_t max_nonces = 64) {
    auto auth =
        DigestAuth::Create({.realm = "r", .max_nonces = max_nonces, .now = [this] { return now_; }},
                           [](std::string_view user) -> std::optional<std::string> {
                             if (user != "alice") return std::nullopt;
                             return DigestSecret("alice", "r", "secret");
                           });
    EXPECT_TRUE(auth.ok());
    auth_ = *std::move(auth);
  }

  std::string Nonce() {
    now_ += std::chrono::nanoseconds(1);
    const std::string challenge = auth_->Challenge();
    const std::size_t begin = challenge.find("nonce=\"") + 7;
    return challenge.substr(begin, challenge.find('"', begin) - begin);
  }

  static std::string Field(std::string_view nonce, std::uint32_t count,
                           std::string_view password = "secret", std::string_view user = "alice",
                           std::string_view uri = "/a?b", std::string_view more = "") {
    const std::string nc = absl::StrFormat("%08x", count);
    const std::string response =
        DigestResponse(DigestSecret(user, "r", password), nonce, nc, "c", "GET", uri);
    return absl::StrCat("Digest username=\"", user, "\", realm=\"r\", nonce=\"", nonce,
                        "\", uri=\"", uri, "\", algorithm=SHA-256, qop=auth, nc=", nc,
                        ", cnonce=\"c\", response=\"", response, "\"", more);
  }

  Verdict Check(const std::string& field, std::string_view method = "GET",
                std::string_view target = "/a?b") {
    user_ = {};
    const Verdict verdict = auth_->Check(field, method, target, user_);
    EXPECT_EQ(user_.name, verdict == Verdict::kGood ? "alice" : "");
    EXPECT_EQ(user_.info.empty(), verdict != Verdict::kGood);
    return verdict;
  }

  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
  std::shared_ptr<DigestAuth> auth_;
  DigestAuth::User user_;
};

TEST_F(DigestAuthTest, AGoodDigestIsGoodOnce) {
  const std::string nonce = Nonce();
  EXPECT_EQ(Check(Field(nonce, 1)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 1)), Verdict::kReplayed);
  EXPECT_EQ(Check(Field(nonce, 2)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 1)), Verdict::kReplayed);
  EXPECT_EQ(Check(Field(nonce, 2)), Verdict::kReplayed);
}

TEST_F(DigestAuthTest, TheServerShowsThatItKnowsTheSecret) {
  // Section 3.5, in the words of section 3.4.
  const auto h = [](std::string_view text) {
    return crypto::Hash(crypto::HashAlgorithm::kSha256, text).ToHex();
  };
  const std::string nonce = Nonce();
  EXPECT_EQ(Check(Field(nonce, 0x1f)), Verdict::kGood);
  EXPECT_EQ(user_.info, absl::StrCat("qop=auth, rspauth=\"",
                                     h(absl::StrCat(h("alice:r:secret"), ":", nonce,
                                                    ":0000001f:c:auth:", h(":/a?b"))),
                                     "\", cnonce=\"c\", nc=0000001f"));
}

TEST_F(DigestAuthTest, CountsMayOvertakeEachOtherWithinAWindow) {
  const std::string nonce = Nonce();
  EXPECT_EQ(Check(Field(nonce, 5)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 3)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 3)), Verdict::kReplayed);
  EXPECT_EQ(Check(Field(nonce, 68)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 5)), Verdict::kReplayed);
  EXPECT_EQ(Check(Field(nonce, 4)), Verdict::kReplayed) << "too far behind to know";
  EXPECT_EQ(Check(Field(nonce, 6)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 1000)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 999)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 0xffffffff)), Verdict::kGood);
  EXPECT_EQ(Check(Field(nonce, 0xffffffff)), Verdict::kReplayed);
}

TEST_F(DigestAuthTest, ANonceLivesForItsTime) {
  const std::string nonce = Nonce();
  now_ += std::chrono::seconds(299);
  EXPECT_EQ(Check(Field(nonce, 1)), Verdict::kGood);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(Check(Field(nonce, 2)), Verdict::kStale);
  EXPECT_EQ(Check(Field(nonce, 3, "other")), Verdict::kNone) << "stale is only said to users";
}

TEST_F(DigestAuthTest, ANonceOfOneselfIsNone) {
  std::string nonce = Nonce();
  EXPECT_EQ(Check(Field("abc", 1)), Verdict::kStale);
  nonce[0] = nonce[0] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Check(Field(nonce, 1)), Verdict::kStale);
}

TEST_F(DigestAuthTest, WhatIsNotGood) {
  EXPECT_EQ(Check(Field(Nonce(), 1, "Secret")), Verdict::kNone);
  EXPECT_EQ(Check(Field(Nonce(), 1, "secret", "bob")), Verdict::kNone);
  EXPECT_EQ(Check(Field(Nonce(), 1), "POST"), Verdict::kNone) << "of another method";
  EXPECT_EQ(Check("Basic QTpi"), Verdict::kNone);
  std::string field = Field(Nonce(), 1);
  EXPECT_EQ(Check(field.substr(0, field.size() - 2) + "\""), Verdict::kNone) << "cut";
}

TEST_F(DigestAuthTest, WhatCannotBeRead) {
  EXPECT_EQ(Check(Field(Nonce(), 1), "GET", "/other"), Verdict::kMalformed);
  EXPECT_EQ(Check(Field(Nonce(), 0)), Verdict::kMalformed);
  EXPECT_EQ(Check(Field(Nonce(), 1, "secret", "alice", "/a?b", ", nc=00000002")),
            Verdict::kMalformed)
      << "twice";
  for (const char* nc : {"1", "0000000g", "000000001", "-0000001", "+0000001", "0x000001"}) {
    std::string field = Field(Nonce(), 1);
    field.replace(field.find("nc=00000001"), 11, absl::StrCat("nc=", nc));
    EXPECT_EQ(Check(field), Verdict::kMalformed) << nc;
  }
}

class DigestAuthOfOneNonceTest : public DigestAuthTest {
 protected:
  DigestAuthOfOneNonceTest() : DigestAuthTest(1) {}
};

TEST_F(DigestAuthOfOneNonceTest, ANonceThatWasGivenUpCannotBeReplayed) {
  const std::string first = Nonce();
  const std::string second = Nonce();
  EXPECT_EQ(Check(Field(first, 1)), Verdict::kGood);
  EXPECT_EQ(Check(Field(second, 1)), Verdict::kGood);
  EXPECT_EQ(Check(Field(first, 1)), Verdict::kStale);
  EXPECT_EQ(Check(Field(first, 2)), Verdict::kStale);
  EXPECT_EQ(Check(Field(second, 2)), Verdict::kGood);
  EXPECT_EQ(Check(Field(Nonce(), 1)), Verdict::kGood);
}

TEST(DigestTest, OptionsThatCannotBe) {
  const auto none = [](std::string_view) { return std::nullopt; };
  EXPECT_FALSE(DigestAuth::Create({.realm = "r", .max_nonces = 0}, none).ok());
  EXPECT_FALSE(DigestAuth::Create({.realm = "r\r\nX: y"}, none).ok());
}

// ---- On the wire -------------------------------------------------------------------------------

using DigestWireTest = testing::WireTest;

std::string Curl(const std::string& arguments) {
  std::FILE* const pipe = popen(("curl -s " + arguments).c_str(), "r");
  std::string out;
  std::array<char, 256> bytes;
  while (const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    out.append(bytes.data(), size);
  }
  pclose(pipe);
  return out;
}

Router DigestRouter() {
  Router router;
  auto auth = DigestAuth::Create({.realm = "a \"b\""},
                                 [](std::string_view user) -> std::optional<std::string> {
                                   if (user != "alice") return std::nullopt;
                                   return DigestSecret("alice", "a \"b\"", "se:cret");
                                 });
  router.Group("/digest", [&](Router& group) {
    group.Use(RequireDigest(*std::move(auth)));
    group.Get("/", [](Request& request, Response& response) {
      const auto user = request.Attached<AuthenticatedUser>();
      response.SendText(absl::StrCat(user->scheme, " ", user->name));
    });
  });
  router.Group("/basic", [](Router& group) {
    group.Use(RequireBasic("r", [](std::string_view user, std::string_view password) {
      return user == "alice" && password == "se:cret";
    }));
    group.Get("/", [](Request&, Response& response) { response.SendText("Basic"); });
  });
  return router;
}

TEST_F(DigestWireTest, WhoSendsNothingIsChallenged) {
  Serve(DigestRouter());
  const testing::WireResponse response = Connect().Ask(testing::Get("/digest/"));
  EXPECT_EQ(response.status, 401);
  const std::string challenge = response.Field("WWW-Authenticate");
  EXPECT_TRUE(challenge.starts_with(
      "Digest realm=\"a \\\"b\\\"\", qop=\"auth\", algorithm=SHA-256, nonce=\""))
      << challenge;
  EXPECT_TRUE(challenge.ends_with("\", charset=UTF-8")) << challenge;
  EXPECT_NE(Connect().Ask(testing::Get("/digest/")).Field("WWW-Authenticate"), challenge);
}

TEST_F(DigestWireTest, TheExample) {
  const auto FindStored = [](std::string_view user) -> std::optional<std::string> {
    if (user != "alice") return std::nullopt;
    return DigestSecret(user, "files", "secret");
  };
  Router router;
  auto digest = DigestAuth::Create({.realm = "files"}, [FindStored](std::string_view user) {
    return FindStored(user);  // Made by DigestSecret(user, "files", password).
  });
  router.Use(RequireDigest(*std::move(digest)));
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  const std::string url = absl::StrCat("'http://", server().address().ToString(), "/'");
  const std::string said = Curl("--digest -u alice:secret -i " + url);
  EXPECT_NE(said.find("Authentication-Info: qop=auth, rspauth=\""), std::string::npos) << said;
  EXPECT_EQ(said.find("Authentication-Info"), said.rfind("Authentication-Info"));
}

TEST_F(DigestWireTest, CurlIsLetThrough) {
  Serve(DigestRouter());
  const std::string url = absl::StrCat("'http://", server().address().ToString());
  const std::string show = " -w ' %{http_code} %{num_connects}' ";
  EXPECT_EQ(Curl(absl::StrCat("--digest -u alice:se:cret", show, url, "/digest/?a=b'")),
            "Digest alice 200 1");
  EXPECT_EQ(Curl(absl::StrCat("--digest -u alice:other -o /dev/null", show, url, "/digest/'")),
            " 401 1");
  EXPECT_EQ(Curl(absl::StrCat("--basic -u alice:se:cret", show, url, "/basic/'")), "Basic 200 1");
  EXPECT_EQ(Curl(absl::StrCat("--anyauth -u alice:se:cret", show, url, "/basic/'")), "Basic 200 1");
}

}  // namespace
}  // namespace strata::http
