#include "strata/crypto/jwt.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/jwk.h"
#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::system_clock;
using testing::Bytes;
using testing::FromHex;
using testing::ReadVectors;
using testing::VectorCase;

constexpr JwtAlgorithm kAlgorithms[] = {JwtAlgorithm::kHs256, JwtAlgorithm::kEs256,
                                        JwtAlgorithm::kEdDsa, JwtAlgorithm::kRs256,
                                        JwtAlgorithm::kPs256};

const Bytes& HmacKey() {
  static const Bytes& key = *new Bytes(32, 7);
  return key;
}

PrivateKey KeyFor(JwtAlgorithm algorithm) {
  static const SecretBytes& rsa =
      *new SecretBytes(PrivateKey::Generate(KeyType::kRsa, 2048)->ToDer());
  switch (algorithm) {
    case JwtAlgorithm::kEs256:
      return PrivateKey::Generate(KeyType::kP256).value();
    case JwtAlgorithm::kEdDsa:
      return PrivateKey::Generate(KeyType::kEd25519).value();
    default:
      return PrivateKey::FromDer(rsa.bytes()).value();
  }
}

struct Pair {
  JwtSigner signer;
  JwtVerifier verifier;
};

Pair MakePair(JwtAlgorithm algorithm, std::string_view key_id = {}) {
  if (algorithm == JwtAlgorithm::kHs256) {
    return {JwtSigner::CreateHs256(HmacKey(), key_id).value(),
            JwtVerifier::CreateHs256(HmacKey(), key_id).value()};
  }
  JwtSigner signer = JwtSigner::Create(algorithm, KeyFor(algorithm), key_id).value();
  JwtVerifier verifier = JwtVerifier::Create(algorithm, *signer.public_key(), key_id).value();
  return {std::move(signer), std::move(verifier)};
}

JwtClaims SomeClaims() {
  JwtClaims claims;
  claims.issuer = "https://login.example";
  claims.subject = "alice";
  claims.audience = {"orders", "bills"};
  claims.issued_at = std::chrono::floor<seconds>(system_clock::now());
  claims.not_before = claims.issued_at;
  claims.expires = *claims.issued_at + hours(1);
  claims.id = "a \"quoted\" id\n\xc3\xa9";
  claims.texts["scope"] = "read write";
  return claims;
}

JwtPolicy PolicyFor(std::string_view audience = "orders") {
  JwtPolicy policy;
  policy.issuer = "https://login.example";
  policy.audience = audience;
  return policy;
}

std::string Url(std::string_view text) {
  return absl::WebSafeBase64Escape(text).substr(0, (text.size() * 8 + 5) / 6);
}

TEST(JwtTest, EachAlgorithmSignsAndVerifies) {
  for (const JwtAlgorithm algorithm : kAlgorithms) {
    SCOPED_TRACE(JwtAlgorithmName(algorithm));
    const Pair pair = MakePair(algorithm, "key-1");
    const JwtClaims claims = SomeClaims();
    const absl::StatusOr<std::string> token = pair.signer.Sign(claims);
    ASSERT_TRUE(token.ok()) << token.status();
    const absl::StatusOr<JwtClaims> seen = pair.verifier.Verify(*token, PolicyFor());
    ASSERT_TRUE(seen.ok()) << seen.status();
    EXPECT_EQ(seen->issuer, claims.issuer);
    EXPECT_EQ(seen->subject, claims.subject);
    EXPECT_EQ(seen->audience, claims.audience);
    EXPECT_EQ(seen->expires, claims.expires);
    EXPECT_EQ(seen->not_before, claims.not_before);
    EXPECT_EQ(seen->issued_at, claims.issued_at);
    EXPECT_EQ(seen->id, claims.id);
    EXPECT_EQ(seen->texts, claims.texts);
    EXPECT_EQ(pair.verifier.VerifyPayload(pair.signer.SignPayload("any").value()).value(), "any");
  }
}

TEST(JwtTest, AnyChangeOfATokenIsRefused) {
  for (const JwtAlgorithm algorithm : kAlgorithms) {
    const Pair pair = MakePair(algorithm);
    const std::string token = pair.signer.Sign(SomeClaims()).value();
    for (std::size_t at = 0; at < token.size(); at += 5) {
      std::string changed = token;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      const absl::Status status = pair.verifier.Verify(changed, PolicyFor()).status();
      EXPECT_TRUE(absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status)) << status;
    }
  }
}

TEST(JwtTest, AKeyHasOneAlgorithm) {
  std::vector<Pair> pairs;
  for (const JwtAlgorithm algorithm : kAlgorithms) pairs.push_back(MakePair(algorithm));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string token = pairs[i].signer.Sign(SomeClaims()).value();
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      EXPECT_EQ(pairs[j].verifier.Verify(token, PolicyFor()).ok(), i == j) << i << " " << j;
    }
  }
  EXPECT_FALSE(JwtSigner::Create(JwtAlgorithm::kEs256, KeyFor(JwtAlgorithm::kEdDsa)).ok());
  EXPECT_FALSE(JwtSigner::Create(JwtAlgorithm::kHs256, KeyFor(JwtAlgorithm::kEdDsa)).ok());
  EXPECT_FALSE(
      JwtVerifier::Create(JwtAlgorithm::kHs256, KeyFor(JwtAlgorithm::kEdDsa).public_key()).ok());
}

// The classic: the public key, as text, taken for the key of an HMAC.
TEST(JwtTest, APublicKeyIsNoSecretOfHs256) {
  const Pair pair = MakePair(JwtAlgorithm::kRs256);
  const std::string pem = pair.signer.public_key()->ToPem();
  const Bytes bytes(pem.begin(), pem.end());
  const std::string forged = JwtSigner::CreateHs256(bytes)->Sign(SomeClaims()).value();
  EXPECT_TRUE(absl::IsUnauthenticated(pair.verifier.Verify(forged, PolicyFor()).status()));
}

TEST(JwtTest, ThereIsNoNone) {
  const Pair pair = MakePair(JwtAlgorithm::kEdDsa);
  for (const char* alg : {"none", "None", "NONE", "", "nonE"}) {
    const std::string token = absl::StrCat(Url(absl::StrCat("{\"alg\":\"", alg, "\"}")), ".",
                                           Url("{\"aud\":\"orders\"}"), ".");
    EXPECT_TRUE(absl::IsUnauthenticated(pair.verifier.Verify(token, PolicyFor()).status()));
  }
}

// A genuine signature under any header, by HmacKey().
std::string SignRaw(std::string_view header, std::string_view payload) {
  std::string token = absl::StrCat(Url(header), ".", Url(payload));
  const Digest mac = Hmac::Create(HashAlgorithm::kSha256, HmacKey())->Compute(token);
  return absl::StrCat(token, ".", Url(std::string_view(mac)));
}

absl::Status VerifyRaw(std::string_view header, std::string_view payload,
                       const JwtPolicy& policy = {.require_expiry = false}) {
  return JwtVerifier::CreateHs256(HmacKey())->Verify(SignRaw(header, payload), policy).status();
}

TEST(JwtTest, HeadersThatAreNotUnderstoodAreRefused) {
  EXPECT_TRUE(VerifyRaw(R"({"alg":"HS256"})", "{}").ok());
  EXPECT_TRUE(VerifyRaw(R"({"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"jku":"x"})", "{}").ok());
  const char* bad[] = {
      R"({"alg":"HS256","crit":["exp"],"exp":1})",
      R"({"alg":"HS256","b64":false})",
      R"({"alg":"HS256","alg":"none"})",
      R"({"alg":"none","alg":"HS256"})",
      R"({"alg":["HS256"]})",
      R"({"alg":"HS256","kid":1})",
      R"({"alg":"HS256","typ":{}})",
      R"({"typ":"JWT"})",
      R"({"alg":"HS256"}x)",
      R"([{"alg":"HS256"}])",
      "HS256",
      "",
  };
  for (const char* header : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(VerifyRaw(header, "{}"))) << header;
  }
}

TEST(JwtTest, ClaimsThatAreMalformedAreRefused) {
  const char* bad[] = {
      R"({"iss":1})",
      R"({"sub":null})",
      R"({"aud":[]})",
      R"({"aud":[1]})",
      R"({"aud":{"a":"b"}})",
      R"({"exp":"1"})",
      R"({"exp":-1})",
      R"({"exp":1e300})",
      R"({"exp":1,"exp":9999999999})",
      R"({"nbf":true})",
      R"({"iat":[]})",
      R"([])",
      R"(1)",
      "{",
      "",
      "{\"iss\":\"\xff\"}",
  };
  for (const char* payload : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(VerifyRaw(R"({"alg":"HS256"})", payload))) << payload;
  }
}

// 253402300799 is in the year 9999, which a system_clock's time_point cannot hold.
TEST(JwtTest, TimesBeyondTheClockAreItsEnd) {
  EXPECT_TRUE(VerifyRaw(R"({"alg":"HS256"})", R"({"exp":253402300799})", {}).ok());
  EXPECT_TRUE(VerifyRaw(R"({"alg":"HS256"})", R"({"exp":9999999999.5})", {}).ok());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(VerifyRaw(R"({"alg":"HS256"})", R"({"nbf":253402300799})")));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(VerifyRaw(R"({"alg":"HS256"})", R"({"iat":253402300799})")));
}

class JwtPolicyTest : public ::testing::Test {
 protected:
  absl::Status Check(const JwtClaims& claims, const JwtPolicy& policy,
                     std::string_view type = "JWT") {
    return pair_.verifier.Verify(pair_.signer.Sign(claims, type).value(), policy).status();
  }

  Pair pair_ = MakePair(JwtAlgorithm::kHs256);
};

TEST_F(JwtPolicyTest, TimesAreChecked) {
  const system_clock::time_point now = std::chrono::floor<seconds>(system_clock::now());
  JwtPolicy policy;
  policy.now = now;
  JwtClaims claims;
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy))) << "no expiry";
  claims.expires = now - seconds(59);
  EXPECT_TRUE(Check(claims, policy).ok()) << "within the leeway";
  claims.expires = now - seconds(60);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
  policy.leeway = seconds(0);
  claims.expires = now;
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
  claims.expires = now + seconds(1);
  EXPECT_TRUE(Check(claims, policy).ok());
  claims.not_before = now + seconds(1);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
  claims.not_before = now;
  EXPECT_TRUE(Check(claims, policy).ok());
  claims.issued_at = now + seconds(1);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
  policy.max_age = seconds(10);
  claims.issued_at = now - seconds(10);
  EXPECT_TRUE(Check(claims, policy).ok());
  claims.issued_at = now - seconds(11);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
  claims.issued_at.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
}

TEST_F(JwtPolicyTest, ALeewayIsAtMostAnHour) {
  JwtPolicy policy;
  policy.leeway = hours(1000);
  JwtClaims claims;
  claims.expires = system_clock::now() - hours(2);
  EXPECT_TRUE(absl::IsFailedPrecondition(Check(claims, policy)));
}

TEST_F(JwtPolicyTest, IssuerAudienceAndTypeAreChecked) {
  const JwtClaims claims = SomeClaims();
  EXPECT_TRUE(Check(claims, PolicyFor("orders")).ok());
  EXPECT_TRUE(Check(claims, PolicyFor("bills")).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(Check(claims, PolicyFor("Orders"))));
  EXPECT_TRUE(absl::IsPermissionDenied(Check(claims, {}))) << "for somebody, and we are nobody";
  JwtClaims for_all = claims;
  for_all.audience.clear();
  EXPECT_TRUE(absl::IsPermissionDenied(Check(for_all, PolicyFor())));
  EXPECT_TRUE(Check(for_all, {}).ok());
  JwtPolicy policy = PolicyFor();
  policy.issuer = "https://login.example/";
  EXPECT_TRUE(absl::IsPermissionDenied(Check(claims, policy)));
  JwtClaims nobodys = claims;
  nobodys.issuer.reset();
  EXPECT_TRUE(absl::IsPermissionDenied(Check(nobodys, PolicyFor())));
  policy = PolicyFor();
  policy.type = "at+jwt";
  EXPECT_TRUE(absl::IsPermissionDenied(Check(claims, policy)));
  EXPECT_TRUE(absl::IsPermissionDenied(Check(claims, policy, "")));
  EXPECT_TRUE(Check(claims, policy, "AT+JWT").ok());
  EXPECT_TRUE(Check(claims, policy, "application/at+jwt").ok());
}

TEST(JwtTest, TokensHaveBounds) {
  const Pair pair = MakePair(JwtAlgorithm::kHs256);
  JwtClaims claims = SomeClaims();
  claims.texts["big"] = std::string(kMaxJwtBytes, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(pair.signer.Sign(claims).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      pair.verifier.VerifyPayload(std::string(kMaxJwtBytes + 1, 'a')).status()));
  for (const char* token : {"", ".", "..", "a.b", "a.b.c.d", "e30..", "e30.e30.", "=.=.="}) {
    EXPECT_TRUE(absl::IsInvalidArgument(pair.verifier.VerifyPayload(token).status())) << token;
  }
}

TEST(JwtTest, WhatCannotBeWrittenIsRefused) {
  const Pair pair = MakePair(JwtAlgorithm::kHs256);
  JwtClaims claims;
  claims.texts["exp"] = "never";
  EXPECT_TRUE(absl::IsInvalidArgument(pair.signer.Sign(claims).status()));
  claims = {};
  claims.subject = "\xff";
  EXPECT_TRUE(absl::IsInvalidArgument(pair.signer.Sign(claims).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(pair.signer.Sign({}, "\xff").status()));
  EXPECT_FALSE(JwtSigner::CreateHs256(Bytes(31, 1)).ok());
  EXPECT_FALSE(JwtSigner::CreateHs256(HmacKey(), "\xff").ok());
}

// The verifier of a published case, by a JWK Set for what is not HS256.
absl::Status VerifyPublished(const VectorCase& of_key, const std::string& token) {
  if (of_key.Has("secret")) {
    return JwtVerifier::CreateHs256(of_key.Hex("secret"))->VerifyPayload(token).status();
  }
  const absl::StatusOr<JwtKeySet> keys =
      JwtKeySet::FromJson(absl::StrCat("{\"keys\":[", of_key.Text("jwk"), "]}"));
  if (!keys.ok()) return keys.status();
  return keys->VerifyPayload(token).status();
}

TEST(JwtTest, TokensAreGoodOrBadAsPublished) {
  std::optional<VectorCase> of_key;
  for (const VectorCase& vector : ReadVectors("jws.txt")) {
    SCOPED_TRACE(vector);
    if (vector.Has("algorithm")) of_key = vector;
    const absl::Status status = VerifyPublished(*of_key, vector.Text("token"));
    EXPECT_EQ(status.ok(), vector.Text("result") == "good") << status;
  }
}

// RFC 7515, appendix A.1, and RFC 8037, appendix A.4.
TEST(JwtTest, TokensOfTheRfcsAreGood) {
  std::string secret;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
      &secret));
  const JwtVerifier hs256 = JwtVerifier::CreateHs256(Bytes(secret.begin(), secret.end())).value();
  const std::string token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  JwtPolicy policy;
  policy.issuer = "joe";
  EXPECT_TRUE(absl::IsFailedPrecondition(hs256.Verify(token, policy).status()));
  policy.now = system_clock::time_point(seconds(1300819300));
  const absl::StatusOr<JwtClaims> claims = hs256.Verify(token, policy);
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_NE(claims->json.find("http://example.com/is_root"), std::string::npos);

  const JwtVerifier eddsa =
      JwtVerifier::Create(JwtAlgorithm::kEdDsa,
                          PublicKeyFromJwk(R"({"kty":"OKP","crv":"Ed25519",)"
                                           R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})")
                              .value())
          .value();
  EXPECT_EQ(
      eddsa
          .VerifyPayload("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                         "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsP"
                         "t9g7sVvpAr_MuM0KAg")
          .value(),
      "Example of Ed25519 signing");
}

TEST(JwtKeySetTest, FindsTheKeyOfAToken) {
  std::vector<std::string> members;
  std::vector<Pair> pairs;
  for (const JwtAlgorithm algorithm : kAlgorithms) {
    if (algorithm == JwtAlgorithm::kHs256) continue;
    pairs.push_back(MakePair(algorithm, JwtAlgorithmName(algorithm)));
    members.push_back(
        ToJwksMember(algorithm, *pairs.back().signer.public_key(), JwtAlgorithmName(algorithm))
            .value());
  }
  members.push_back(R"({"kty":"oct","k":"AAAA","kid":"secret"})");
  members.push_back(R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})");
  const absl::StatusOr<JwtKeySet> keys = JwtKeySet::FromJson(ToJwks(members));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), pairs.size());
  EXPECT_EQ(keys->skipped(), 2u);
  for (const Pair& pair : pairs) {
    EXPECT_TRUE(keys->Verify(pair.signer.Sign(SomeClaims()).value(), PolicyFor()).ok());
  }
  const Pair stranger = MakePair(JwtAlgorithm::kEdDsa, "EdDSA");
  const Pair nameless = MakePair(JwtAlgorithm::kEdDsa);
  for (const Pair* pair : {&stranger, &nameless}) {
    EXPECT_TRUE(absl::IsUnauthenticated(
        keys->Verify(pair->signer.Sign(SomeClaims()).value(), PolicyFor()).status()));
  }
}

TEST(JwtKeySetTest, SetsThatAreNotGoodAreRefused) {
  const PrivateKey key = PrivateKey::Generate(KeyType::kEd25519).value();
  const std::string member = ToJwksMember(JwtAlgorithm::kEdDsa, key.public_key(), "a").value();
  EXPECT_TRUE(JwtKeySet::FromJson(ToJwks(std::vector{member})).ok());
  const std::string private_member(ToJwk(key).text());
  const std::string bad[] = {
      "",
      "{}",
      "[]",
      R"({"keys":[]})",
      R"({"keys":{}})",
      R"({"keys":[1]})",
      ToJwks(std::vector{member, member}),
      ToJwks(std::vector{member, private_member}),
      ToJwks(std::vector<std::string>(JwtKeySet::kMaxKeys + 1, member)),
      R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
  };
  for (const std::string& json : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(JwtKeySet::FromJson(json).status())) << json.substr(0, 99);
  }
  EXPECT_FALSE(ToJwksMember(JwtAlgorithm::kEs256, key.public_key(), "a").ok());
  EXPECT_FALSE(ToJwksMember(JwtAlgorithm::kEdDsa, key.public_key(), "").ok());
}

}  // namespace
}  // namespace strata::crypto
