#include "strata/crypto/jwk.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace strata::crypto {
namespace {

// RFC 8037, appendix A.1 to A.3.
constexpr char kEd25519Private[] =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr char kEd25519Public[] =
    R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

// RFC 7638, section 3.1.
constexpr char kRsaPublic[] =
    R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7)"
    R"(aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0)"
    R"(h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0)"
    R"(8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ)"
    R"(zKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})";

TEST(JwkTest, PublishedKeysAndThumbprints) {
  const absl::StatusOr<PrivateKey> key = PrivateKeyFromJwk(kEd25519Private);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(ToJwk(key->public_key()), kEd25519Public);
  EXPECT_EQ(PublicKeyFromJwk(kEd25519Public).value(), key->public_key());
  EXPECT_EQ(JwkThumbprint(key->public_key()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  const absl::StatusOr<PublicKey> rsa = PublicKeyFromJwk(kRsaPublic);
  ASSERT_TRUE(rsa.ok()) << rsa.status();
  EXPECT_EQ(JwkThumbprint(*rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(JwkTest, EachTypeGoesThrough) {
  for (const KeyType type :
       {KeyType::kEd25519, KeyType::kX25519, KeyType::kP256, KeyType::kP384, KeyType::kRsa}) {
    SCOPED_TRACE(KeyTypeName(type));
    const PrivateKey key = PrivateKey::Generate(type, 2048).value();
    const SecretBytes json = ToJwk(key);
    const absl::StatusOr<PrivateKey> again = PrivateKeyFromJwk(json.text());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(ConstantTimeEquals(again->ToDer().bytes(), key.ToDer().bytes()));
    EXPECT_EQ(PublicKeyFromJwk(ToJwk(key.public_key())).value(), key.public_key());
    EXPECT_TRUE(absl::IsInvalidArgument(PublicKeyFromJwk(json.text()).status()))
        << "a private key passed for a public one";
    EXPECT_TRUE(absl::IsInvalidArgument(PrivateKeyFromJwk(ToJwk(key.public_key())).status()));
  }
}

TEST(JwkTest, MalformedKeysAreRefused) {
  const std::string good = kEd25519Public;
  const std::string bad[] = {
      "",
      "{}",
      "[]",
      "null",
      good + good,
      good.substr(0, good.size() - 1),
      absl::StrReplaceAll(good, {{"\"OKP\"", "\"EC\""}}),
      absl::StrReplaceAll(good, {{"\"OKP\"", "\"oct\""}}),
      absl::StrReplaceAll(good, {{"\"OKP\"", "1"}}),
      absl::StrReplaceAll(good, {{"Ed25519", "Ed448"}}),
      absl::StrReplaceAll(good, {{"Ed25519", "P-256"}}),
      absl::StrReplaceAll(good, {{"URo\"", "UR\""}}),
      absl::StrReplaceAll(good, {{"URo\"", "URp\""}}),   // Bits left over.
      absl::StrReplaceAll(good, {{"URo\"", "URo=\""}}),  // Padding.
      absl::StrReplaceAll(good, {{"VS_7", "VS/7"}}),     // The other alphabet.
      absl::StrReplaceAll(good, {{"\"x\"", "\"y\""}}),
      absl::StrReplaceAll(good, {{"}", ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"}}),
      absl::StrReplaceAll(good, {{"\"x\":\"", "\"x\":\"AA"}}),
      absl::StrCat(std::string(300'000, ' '), good),
      absl::StrCat("{\"z\":", std::string(100, '['), std::string(100, ']'), ",", good.substr(1)),
  };
  for (const std::string& json : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(PublicKeyFromJwk(json).status())) << json.substr(0, 200);
  }
}

TEST(JwkTest, HalvesOfDifferentKeysAreRefused) {
  const PrivateKey one = PrivateKey::Generate(KeyType::kP256).value();
  const PrivateKey other = PrivateKey::Generate(KeyType::kP256).value();
  const std::string of_one(ToJwk(one).text());
  const std::string of_other(ToJwk(other).text());
  // {"crv":"P-256","d":...,"kty":"EC","x":...
  const std::size_t d = of_one.find(",\"kty\"");
  EXPECT_FALSE(PrivateKeyFromJwk(of_one.substr(0, d) + of_other.substr(d)).ok());
}

TEST(JwkTest, CoordinatesOffTheCurveAreRefused) {
  std::string json = ToJwk(PrivateKey::Generate(KeyType::kP256)->public_key());
  const std::size_t x = json.find("\"x\":\"") + 5;
  json[x + 3] = json[x + 3] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(absl::IsInvalidArgument(PublicKeyFromJwk(json).status()));
}

TEST(JwkTest, RsaNumbersAreCanonicalAndGood) {
  const std::string good = kRsaPublic;
  for (const auto& [from, to] :
       {std::pair("\"AQAB\"", "\"AAEAAQ\""), std::pair("\"AQAB\"", "\"Aw\""),
        std::pair("\"AQAB\"", "\"AQAA\""), std::pair("\"AQAB\"", "\"\""),
        std::pair("\"n\":\"0v", "\"n\":\"AA0v")}) {
    EXPECT_FALSE(PublicKeyFromJwk(absl::StrReplaceAll(good, {{from, to}})).ok()) << to;
  }
}

}  // namespace
}  // namespace strata::crypto
