// Who is let through, and what the others are told. Sections are of RFC 9110, 7617 and 6750.

#include "strata/http/auth.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/crypto/password.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/runtime.h"

namespace strata::http {
namespace {

using testing::WireClient;
using testing::WireResponse;
using AuthTest = testing::WireTest;

constexpr char kBasicChallenge[] = "Basic realm=\"a \\\"b\\\"\", charset=\"UTF-8\"";

std::string With(std::string_view authorization, std::string_view path = "/") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\nAuthorization: ", authorization,
                      "\r\n\r\n");
}

std::string Basic(std::string_view user, std::string_view password) {
  return absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(user, ":", password)));
}

void ShowUser(Request& request, Response& response) {
  const auto user = request.Attached<AuthenticatedUser>();
  response.SendText(absl::StrCat(user->scheme, " ", user->name));
}

// The cheapest that is taken.
std::string Stored(std::string_view password) {
  return *crypto::HashPassword(password, crypto::Pbkdf2Cost{.iterations = 100'000});
}

TEST_F(AuthTest, TheExample) {
  const std::string stored = Stored("secret");
  const auto ShowReports = [](Request&, Response& response) { response.SendText("reports"); };
  auto runtime_made = net::Runtime::Create({.loops = 1});
  ASSERT_TRUE(runtime_made.ok()) << runtime_made.status();
  net::Runtime& runtime = **runtime_made;
  // RFC 8037, appendix A.2.
  const auto keys = std::make_shared<const crypto::JwtKeySet>(*crypto::JwtKeySet::FromJson(
      R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one",
          "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"));
  const crypto::JwtPolicy policy;
  Router router;

  auto users = PasswordUsers::Create({{"alice", stored}});  // By crypto::HashPassword().
  router.Get("/reports", RequirePassword(runtime.workers(), *users, "reports", ShowReports));

  router.Group("/api", [&](Router& api) {
    api.Use(RequireBearer(keys, {.realm = "orders", .scope = "orders.read", .policy = policy}));
    api.Get("/orders", [](Request& request, Response& response) {
      response.SendText(request.Attached<AuthenticatedUser>()->name);
    });
  });

  Serve(std::move(router));
  EXPECT_EQ(Connect().Ask(With(Basic("alice", "secret"), "/reports")).body, "reports");
  EXPECT_EQ(Connect().Ask(With("Bearer x", "/api/orders")).status, 401);
  Stop();
}

// ---- Basic -------------------------------------------------------------------------------------

Router BasicRouter() {
  Router router;
  router.Use(RequireBasic("a \"b\"", [](std::string_view user, std::string_view password) {
    return user == "Aladdin" && password == "open sesame";
  }));
  router.Get("/", ShowUser);
  return router;
}

TEST_F(AuthTest, BasicLetsAUserThrough) {
  Serve(BasicRouter());
  const WireResponse response = Connect().Ask(With("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "Basic Aladdin");
  EXPECT_EQ(Connect().Ask(With("bASIC QWxhZGRpbjpvcGVuIHNlc2FtZQ==")).status, 200);
}

TEST_F(AuthTest, BasicChallengesTheOthers) {
  Serve(BasicRouter());
  for (const std::string& request :
       {testing::Get("/"), With(Basic("Aladdin", "open")), With(Basic("aladdin", "open sesame")),
        With("Bearer abc"), With("Basic"), With("Basic !"), With("Basic QWxhZGRpbg=="),
        With("Basic a=1")}) {
    const WireResponse response = Connect().Ask(request);
    EXPECT_TRUE(response.status == 401 || response.status == 400) << request;
    if (response.status == 401) {
      EXPECT_EQ(response.Field("WWW-Authenticate"), kBasicChallenge) << request;
    }
    EXPECT_EQ(response.body.find("Aladdin"), std::string::npos);
  }
}

TEST_F(AuthTest, SeveralAuthorizationsAreNone) {
  Serve(BasicRouter());
  const std::string one = Basic("Aladdin", "open sesame");
  EXPECT_EQ(Connect()
                .Ask(absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ", one,
                                  "\r\nAuthorization: ", one, "\r\n\r\n"))
                .status,
            400);
}

// ---- Passwords ---------------------------------------------------------------------------------

class UserObserver final : public RequestObserver {
 public:
  UserObserver(std::mutex& mutex, std::vector<std::string>& users) : mutex_(mutex), users_(users) {}
  void OnAnswered(const AccessRecord& record) override {
    const std::lock_guard lock(mutex_);
    users_.emplace_back(record.user);
  }

 private:
  std::mutex& mutex_;
  std::vector<std::string>& users_;
};

TEST_F(AuthTest, PasswordsAreVerifiedOnThePoolAndThenRemembered) {
  net::WorkerPool pool({.threads = 1});
  auto users = PasswordUsers::Create({{"alice", Stored("secret")}});
  ASSERT_TRUE(users.ok());
  std::mutex mutex;
  std::vector<std::string> logged;
  Router router;
  router.Get("/", RequirePassword(pool, *users, "a \"b\"", ShowUser));
  ServerOptions options;
  options.observer = [&] { return std::make_unique<UserObserver>(mutex, logged); };
  Serve(std::move(router), std::move(options));

  WireClient client = Connect();
  for (int i = 0; i < 3; ++i) {
    const WireResponse response = client.Ask(With(Basic("alice", "secret")));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "Basic alice");
  }
  EXPECT_TRUE(Eventually([&] { return pool.counts().done == 1; })) << "the others were remembered";

  for (const std::string& bad : {Basic("alice", "Secret"), Basic("alice", ""), Basic("bob", "x")}) {
    const WireResponse response = client.Ask(With(bad));
    EXPECT_EQ(response.status, 401) << bad;
    EXPECT_EQ(response.Field("WWW-Authenticate"), kBasicChallenge);
  }
  EXPECT_TRUE(Eventually([&] { return pool.counts().done == 4; })) << "of one that is not, too";
  EXPECT_EQ(client.Ask(testing::Get("/")).status, 401);
  EXPECT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex);
    return logged == std::vector<std::string>{"alice", "alice", "alice", "", "", "", ""};
  }));
  Stop();
}

TEST_F(AuthTest, AFullPoolIsSaid) {
  net::WorkerPool pool({.threads = 1});
  pool.Stop();
  auto users = PasswordUsers::Create({{"alice", Stored("secret")}});
  Router router;
  router.Get("/", RequirePassword(pool, *users, "r", ShowUser));
  Serve(std::move(router));
  const WireResponse response = Connect().Ask(With(Basic("alice", "secret")));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Field("Retry-After"), "1");
}

TEST(PasswordUsersTest, AnotherPasswordIsForgotten) {
  auto users = *PasswordUsers::Create({{"alice", Stored("one")}});
  EXPECT_FALSE(users->IsRemembered("alice", "one"));
  EXPECT_TRUE(users->Verify("alice", "one"));
  EXPECT_TRUE(users->IsRemembered("alice", "one"));
  EXPECT_FALSE(users->IsRemembered("alice", "on"));
  EXPECT_FALSE(users->IsRemembered("alic", "e:one"));
  ASSERT_TRUE(users->Set("alice", Stored("two")).ok());
  EXPECT_FALSE(users->IsRemembered("alice", "one"));
  EXPECT_FALSE(users->Verify("alice", "one"));
  EXPECT_TRUE(users->Verify("alice", "two"));
  users->Remove("alice");
  EXPECT_FALSE(users->IsRemembered("alice", "two"));
  EXPECT_FALSE(users->Verify("alice", "two"));
}

TEST(PasswordUsersTest, OneWhoIsNotAUserHasNoPasswordOfAnother) {
  auto users = *PasswordUsers::Create({{"alice", Stored("one")}});
  EXPECT_FALSE(users->Verify("bob", "one"));
  EXPECT_FALSE(users->IsRemembered("bob", "one"));
}

TEST(PasswordUsersTest, NothingIsRememberedForLongerThanAsked) {
  auto users = *PasswordUsers::Create({{"a", Stored("p")}}, {.max_remembered = 0});
  EXPECT_TRUE(users->Verify("a", "p"));
  EXPECT_FALSE(users->IsRemembered("a", "p"));
  users = *PasswordUsers::Create({{"a", Stored("p")}}, {.remembered_for = std::chrono::seconds(0)});
  EXPECT_TRUE(users->Verify("a", "p"));
  EXPECT_FALSE(users->IsRemembered("a", "p"));
}

TEST(PasswordUsersTest, WhatIsNoUser) {
  EXPECT_FALSE(PasswordUsers::Create({{"", "$x"}}).ok());
  EXPECT_FALSE(PasswordUsers::Create({{"a:b", "$x"}}).ok());
  EXPECT_FALSE(PasswordUsers::Create({{"a", "secret"}}).ok());
}

// ---- Bearer ------------------------------------------------------------------------------------

const std::vector<std::uint8_t> kKey(32, 7);

std::string Token(std::string_view scope, std::chrono::seconds left = std::chrono::hours(1),
                  std::uint8_t key = 7) {
  auto signer = crypto::JwtSigner::CreateHs256(std::vector<std::uint8_t>(32, key));
  crypto::JwtClaims claims;
  claims.subject = "alice";
  claims.issuer = "login";
  claims.expires = std::chrono::system_clock::now() + left;
  if (!scope.empty()) claims.texts["scope"] = scope;
  return absl::StrCat("Bearer ", *signer->Sign(claims));
}

Router BearerRouter() {
  auto verifier = std::make_shared<crypto::JwtVerifier>(*crypto::JwtVerifier::CreateHs256(kKey));
  crypto::JwtPolicy policy;
  policy.issuer = "login";
  Router router;
  router.Use(RequireBearer(
      [verifier](std::string_view token, const crypto::JwtPolicy& policy) {
        return verifier->Verify(token, policy);
      },
      {.realm = "orders", .scope = "read write", .policy = policy}));
  router.Get("/", ShowUser);
  return router;
}

TEST_F(AuthTest, BearerLetsATokenThrough) {
  Serve(BearerRouter());
  const WireResponse response = Connect().Ask(With(Token("write other read")));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "Bearer alice");
}

TEST_F(AuthTest, BearerTellsWhyNot) {
  Serve(BearerRouter());
  const auto told = [this](const std::string& request) {
    const WireResponse response = Connect().Ask(request);
    return absl::StrCat(response.status, " ", response.Field("WWW-Authenticate"));
  };
  const std::string realm = "Bearer realm=\"orders\"";
  // RFC 6750 section 3.1.
  EXPECT_EQ(told(testing::Get("/")), "401 " + realm);
  EXPECT_EQ(told(With("Basic QTpi")), "401 " + realm);
  EXPECT_EQ(told(With("Bearer")), "400 " + realm + ", error=\"invalid_request\"");
  EXPECT_EQ(told(With("Bearer a b")), "400 " + realm + ", error=\"invalid_request\"");
  const std::string invalid = "401 " + realm + ", error=\"invalid_token\"";
  EXPECT_EQ(told(With("Bearer mF_9.B5f-4.1JqM")), invalid);
  EXPECT_EQ(told(With(Token("read write", -std::chrono::hours(1)))), invalid) << "expired";
  EXPECT_EQ(told(With(Token("read write", std::chrono::hours(1), 8))), invalid) << "another key";
  for (const char* scope : {"", "read", "reading write", "READ write"}) {
    EXPECT_EQ(told(With(Token(scope))),
              "403 " + realm + ", error=\"insufficient_scope\", scope=\"read write\"")
        << scope;
  }
}

TEST_F(AuthTest, BearerKnowsTheKeysOfAnIssuer) {
  auto key = crypto::PrivateKey::Generate(crypto::KeyType::kEd25519);
  ASSERT_TRUE(key.ok());
  auto signer = crypto::JwtSigner::Create(crypto::JwtAlgorithm::kEdDsa, *std::move(key), "one");
  ASSERT_TRUE(signer.ok());
  const std::vector<std::string> members = {
      *crypto::ToJwksMember(crypto::JwtAlgorithm::kEdDsa, *signer->public_key(), "one")};
  auto keys = crypto::JwtKeySet::FromJson(crypto::ToJwks(members));
  ASSERT_TRUE(keys.ok());
  Router router;
  router.Use(
      RequireBearer(std::make_shared<const crypto::JwtKeySet>(*std::move(keys)), {.realm = "r"}));
  router.Get("/", ShowUser);
  Serve(std::move(router));
  crypto::JwtClaims claims;
  claims.subject = "bob";
  claims.expires = std::chrono::system_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(Connect().Ask(With("Bearer " + *signer->Sign(claims))).body, "Bearer bob");
  EXPECT_EQ(Connect().Ask(With(Token(""))).status, 401) << "HS256 is not one of its algorithms";
}

}  // namespace
}  // namespace strata::http
