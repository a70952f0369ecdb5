#include "strata/crypto/agree.h"

#include <gtest/gtest.h>

#include <string>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::Bytes;
using testing::ReadVectors;
using testing::VectorCase;

struct PublishedFile {
  KeyType type;
  const char* file;
  bool is_der = false;
};

class AgreementVectorTest : public ::testing::TestWithParam<PublishedFile> {};

TEST_P(AgreementVectorTest, AgreeAsPublished) {
  int refused = 0;
  for (const VectorCase& vector : ReadVectors(GetParam().file)) {
    SCOPED_TRACE(vector);
    const Bytes bytes = vector.Hex("public");
    const absl::StatusOr<PublicKey> theirs =
        GetParam().is_der ? PublicKey::FromDer(bytes) : PublicKey::FromRaw(GetParam().type, bytes);
    const absl::StatusOr<PrivateKey> mine =
        PrivateKey::FromRaw(GetParam().type, vector.Hex("private"));
    ASSERT_TRUE(mine.ok()) << mine.status();
    const absl::StatusOr<SecretBytes> secret =
        theirs.ok() ? RawSharedSecret(*mine, *theirs) : theirs.status();
    if (vector.Has("shared")) {
      ASSERT_TRUE(secret.ok()) << secret.status();
      const Bytes expected = vector.Hex("shared");
      EXPECT_TRUE(ConstantTimeEquals(secret->bytes(), expected));
    } else {
      EXPECT_TRUE(absl::IsInvalidArgument(secret.status())) << secret.status();
      ++refused;
    }
  }
  EXPECT_GT(refused, 3);
}

INSTANTIATE_TEST_SUITE_P(All, AgreementVectorTest,
                         ::testing::Values(PublishedFile{KeyType::kX25519, "x25519.txt"},
                                           PublishedFile{KeyType::kP256, "ecdh_p256.txt", true},
                                           PublishedFile{KeyType::kP384, "ecdh_p384.txt"}),
                         [](const auto& info) {
                           const std::string file = info.param.file;
                           return file.substr(0, file.find('.'));
                         });

TEST(AgreementTest, BothSidesGetTheSameKeyForTheSamePurpose) {
  for (const KeyType type : {KeyType::kX25519, KeyType::kP256, KeyType::kP384}) {
    const PrivateKey alice = PrivateKey::Generate(type).value();
    const PrivateKey bob = PrivateKey::Generate(type).value();
    const SecretBytes of_alice = AgreeOnKey(alice, bob.public_key(), "test", 32).value();
    const SecretBytes of_bob = AgreeOnKey(bob, alice.public_key(), "test", 32).value();
    EXPECT_TRUE(ConstantTimeEquals(of_alice.bytes(), of_bob.bytes()));
    EXPECT_EQ(of_alice.size(), 32u);
    const SecretBytes other = AgreeOnKey(bob, alice.public_key(), "other", 32).value();
    EXPECT_FALSE(ConstantTimeEquals(of_alice.bytes(), other.bytes()));
    const SecretBytes raw = RawSharedSecret(alice, bob.public_key()).value();
    EXPECT_FALSE(ConstantTimeEquals(of_alice.bytes(), raw.bytes().first(32)));
  }
}

TEST(AgreementTest, KeysThatDoNotFitAreRefused) {
  const PrivateKey x25519 = PrivateKey::Generate(KeyType::kX25519).value();
  const PrivateKey p256 = PrivateKey::Generate(KeyType::kP256).value();
  const PrivateKey ed25519 = PrivateKey::Generate(KeyType::kEd25519).value();
  EXPECT_TRUE(absl::IsInvalidArgument(RawSharedSecret(x25519, p256.public_key()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RawSharedSecret(ed25519, ed25519.public_key()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AgreeOnKey(x25519, x25519.public_key(), "", 0).status()));
}

}  // namespace
}  // namespace strata::crypto
