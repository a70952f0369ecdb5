#include "strata/crypto/sign.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::AsText;
using testing::Bytes;
using testing::FromHex;
using testing::ReadVectors;
using testing::VectorCase;

struct PublishedFile {
  SignatureAlgorithm algorithm;
  const char* file;
};

class SignatureVectorTest : public ::testing::TestWithParam<PublishedFile> {};

TEST_P(SignatureVectorTest, AreGoodOrBadAsPublished) {
  std::optional<Verifier> verifier;
  int bad = 0;
  for (const VectorCase& vector : ReadVectors(GetParam().file)) {
    SCOPED_TRACE(vector);
    if (vector.Has("key")) {
      absl::StatusOr<PublicKey> key = PublicKey::FromDer(vector.Hex("key"));
      ASSERT_TRUE(key.ok()) << key.status();
      verifier = Verifier::Create(GetParam().algorithm, *std::move(key)).value();
    }
    const absl::Status status =
        verifier->Verify(AsText(vector.Hex("message")), AsText(vector.Hex("signature")));
    if (vector.Text("result") == "good") {
      EXPECT_TRUE(status.ok()) << status;
    } else {
      EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
      EXPECT_EQ(status.message(), "the signature is not good");
      ++bad;
    }
  }
  EXPECT_GT(bad, 5);
}

INSTANTIATE_TEST_SUITE_P(
    All, SignatureVectorTest,
    ::testing::Values(
        PublishedFile{SignatureAlgorithm::kEd25519, "ed25519.txt"},
        PublishedFile{SignatureAlgorithm::kEcdsaP256Sha256, "ecdsa_p256_sha256.txt"},
        PublishedFile{SignatureAlgorithm::kEcdsaP256Sha256Fixed, "ecdsa_p256_sha256_fixed.txt"},
        PublishedFile{SignatureAlgorithm::kEcdsaP384Sha384, "ecdsa_p384_sha384.txt"},
        PublishedFile{SignatureAlgorithm::kEcdsaP384Sha384Fixed, "ecdsa_p384_sha384_fixed.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPkcs1Sha256, "rsa_pkcs1_sha256.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPkcs1Sha384, "rsa_pkcs1_sha384.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPkcs1Sha512, "rsa_pkcs1_sha512.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPssSha256, "rsa_pss_sha256.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPssSha384, "rsa_pss_sha384.txt"},
        PublishedFile{SignatureAlgorithm::kRsaPssSha512, "rsa_pss_sha512.txt"}),
    [](const auto& info) {
      const std::string file = info.param.file;
      return file.substr(0, file.find('.'));
    });

TEST(SignatureTest, PssWithAnotherSaltIsRefused) {
  std::optional<Verifier> verifier;
  for (const VectorCase& vector : ReadVectors("rsa_pss_sha256_no_salt.txt")) {
    SCOPED_TRACE(vector);
    if (vector.Has("key")) {
      verifier = Verifier::Create(SignatureAlgorithm::kRsaPssSha256,
                                  PublicKey::FromDer(vector.Hex("key")).value())
                     .value();
    }
    EXPECT_FALSE(
        verifier->Verify(AsText(vector.Hex("message")), AsText(vector.Hex("signature"))).ok());
  }
}

// RFC 8032, section 7.1, tests 1 and 2: these signatures have no randomness.
TEST(SignatureTest, Ed25519SignsAsPublished) {
  const struct {
    const char *seed, *message, *signature;
  } cases[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
  };
  for (const auto& [seed, message, signature] : cases) {
    PrivateKey key = PrivateKey::FromRaw(KeyType::kEd25519, FromHex(seed)).value();
    const Signer signer = Signer::Create(SignatureAlgorithm::kEd25519, std::move(key)).value();
    EXPECT_EQ(signer.Sign(AsText(FromHex(message))).value(), AsText(FromHex(signature)));
  }
}

constexpr SignatureAlgorithm kAlgorithms[] = {SignatureAlgorithm::kEd25519,
                                              SignatureAlgorithm::kEcdsaP256Sha256,
                                              SignatureAlgorithm::kEcdsaP384Sha384,
                                              SignatureAlgorithm::kEcdsaP256Sha256Fixed,
                                              SignatureAlgorithm::kEcdsaP384Sha384Fixed,
                                              SignatureAlgorithm::kRsaPssSha256,
                                              SignatureAlgorithm::kRsaPssSha384,
                                              SignatureAlgorithm::kRsaPssSha512,
                                              SignatureAlgorithm::kRsaPkcs1Sha256,
                                              SignatureAlgorithm::kRsaPkcs1Sha384,
                                              SignatureAlgorithm::kRsaPkcs1Sha512};

PrivateKey KeyFor(SignatureAlgorithm algorithm) {
  static std::map<KeyType, SecretBytes>& made = *new std::map<KeyType, SecretBytes>;
  const KeyType type = KeyTypeOf(algorithm);
  if (made.count(type) == 0) made[type] = PrivateKey::Generate(type, 2048)->ToDer();
  return PrivateKey::FromDer(made[type].bytes()).value();
}

TEST(SignatureTest, EachAlgorithmVerifiesItsOwnAndNoOther) {
  for (const SignatureAlgorithm algorithm : kAlgorithms) {
    SCOPED_TRACE(static_cast<int>(algorithm));
    const Signer signer = Signer::Create(algorithm, KeyFor(algorithm)).value();
    const std::string signature = signer.Sign("message").value();
    for (const SignatureAlgorithm other : kAlgorithms) {
      absl::StatusOr<Verifier> verifier = Verifier::Create(other, signer.public_key());
      if (KeyTypeOf(other) != KeyTypeOf(algorithm)) {
        EXPECT_TRUE(absl::IsInvalidArgument(verifier.status()));
        continue;
      }
      EXPECT_EQ(verifier->Verify("message", signature).ok(), other == algorithm)
          << static_cast<int>(other);
    }
    const Verifier verifier = Verifier::Create(algorithm, signer.public_key()).value();
    EXPECT_FALSE(verifier.Verify("Message", signature).ok());
    EXPECT_FALSE(verifier.Verify("message", "").ok());
    EXPECT_FALSE(verifier.Verify("message", signature + '\0').ok());
    EXPECT_FALSE(verifier.Verify("message", signature.substr(1)).ok());
    for (std::size_t at = 0; at < signature.size(); at += 7) {
      std::string changed = signature;
      changed[at] ^= 0x20;
      EXPECT_FALSE(verifier.Verify("message", changed).ok()) << at;
    }
    EXPECT_TRUE(verifier.Verify("message", signature).ok());
  }
}

// As a number it is the same without its leading zero.
TEST(SignatureTest, AnRsaSignatureIsAsLongAsItsModulus) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kRsaPssSha256, SignatureAlgorithm::kRsaPkcs1Sha256}) {
    const Signer signer = Signer::Create(algorithm, KeyFor(algorithm)).value();
    const Verifier verifier = Verifier::Create(algorithm, signer.public_key()).value();
    // One of 256 begins so.
    std::string message, signature;
    for (int i = 0; i < 10'000 && !signature.starts_with('\0'); ++i) {
      message = std::to_string(i);
      signature = signer.Sign(message).value();
    }
    ASSERT_TRUE(signature.starts_with('\0'));
    EXPECT_TRUE(verifier.Verify(message, signature).ok());
    EXPECT_FALSE(verifier.Verify(message, signature.substr(1)).ok());
    EXPECT_FALSE(verifier.Verify(message, '\0' + signature).ok());
  }
}

TEST(SignatureTest, FixedFormsHaveOneSize) {
  for (int i = 0; i < 50; ++i) {
    const Signer p256 = Signer::Create(SignatureAlgorithm::kEcdsaP256Sha256Fixed,
                                       KeyFor(SignatureAlgorithm::kEcdsaP256Sha256Fixed))
                            .value();
    EXPECT_EQ(p256.Sign("message")->size(), 64u);
  }
}

TEST(SignatureTest, AKeyOfAnotherTypeCannotSign) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      Signer::Create(SignatureAlgorithm::kRsaPssSha256, KeyFor(SignatureAlgorithm::kEd25519))
          .status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Signer::Create(SignatureAlgorithm::kEd25519, PrivateKey::Generate(KeyType::kX25519).value())
          .status()));
}

}  // namespace
}  // namespace strata::crypto
