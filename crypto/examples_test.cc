// The examples at the heads of the headers, as they stand there.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "strata/crypto/aead.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/hazmat/aes_ctr.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"
#include "strata/crypto/secret.h"

namespace {

const strata::crypto::SecretBytes& key = *new strata::crypto::SecretBytes(32);

absl::Status AeadExample() {
  absl::StatusOr<strata::crypto::Aead> aead =
      strata::crypto::Aead::Create(strata::crypto::AeadAlgorithm::kAes256Gcm, key.bytes());
  if (!aead.ok()) return aead.status();
  absl::StatusOr<std::string> sealed = aead->Seal("text", "row 7");
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<std::string> text = aead->Open(*sealed, "row 7");
  EXPECT_EQ(text.value(), "text");
  return text.status();
}

TEST(ExamplesTest, Aead) { EXPECT_TRUE(AeadExample().ok()); }

absl::Status AesCtrExample(std::vector<std::uint8_t> data, std::vector<std::uint8_t> more) {
  const strata::crypto::hazmat::CounterBlock first_counter = {};
  absl::StatusOr<strata::crypto::hazmat::AesCtr> stream =
      strata::crypto::hazmat::AesCtr::Create(key.bytes(), first_counter);
  if (!stream.ok()) return stream.status();
  absl::Status status = stream->Transform(data, data);
  status.Update(stream->Seek(4096));
  status.Update(stream->Transform(more, more));
  return status;
}

TEST(ExamplesTest, AesCtr) {
  EXPECT_TRUE(AesCtrExample(std::vector<std::uint8_t>(10), std::vector<std::uint8_t>(10)).ok());
}

TEST(ExamplesTest, Hash) {
  using strata::crypto::HashAlgorithm;
  strata::crypto::Digest digest = strata::crypto::Hash(HashAlgorithm::kSha256, "abc");
  std::string hex = digest.ToHex();

  strata::crypto::Hasher hasher(HashAlgorithm::kSha256);
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_TRUE(hasher.Finish() == digest);
  EXPECT_EQ(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

absl::Status HmacExample(bool& genuine) {
  absl::StatusOr<strata::crypto::Hmac> hmac =
      strata::crypto::Hmac::Create(strata::crypto::HashAlgorithm::kSha256, key.bytes());
  if (!hmac.ok()) return hmac.status();
  strata::crypto::Digest mac = hmac->Compute("message");
  genuine = hmac->Verify("message", mac.bytes());
  return absl::OkStatus();
}

TEST(ExamplesTest, Hmac) {
  bool genuine = false;
  EXPECT_TRUE(HmacExample(genuine).ok());
  EXPECT_TRUE(genuine);
}

TEST(ExamplesTest, Kdf) {
  const auto salt = strata::crypto::SecureRandom::Bytes<16>();
  absl::StatusOr<strata::crypto::SecretBytes> derived = strata::crypto::Hkdf(
      strata::crypto::HashAlgorithm::kSha256, key.bytes(), salt, "orders/encrypt/v1", 32);
  absl::StatusOr<strata::crypto::SecretBytes> slow =
      strata::crypto::Scrypt("correct horse", salt, strata::crypto::ScryptCost(), 32);
  EXPECT_TRUE(derived.ok());
  EXPECT_TRUE(slow.ok());
}

TEST(ExamplesTest, Password) {
  absl::StatusOr<std::string> stored = strata::crypto::HashPassword("correct horse");
  absl::Status status = strata::crypto::VerifyPassword("correct horse", *stored);
  EXPECT_TRUE(status.ok() && !strata::crypto::PasswordNeedsRehash(*stored));
}

TEST(ExamplesTest, Random) {
  std::array<std::uint8_t, 12> nonce = strata::crypto::SecureRandom::Bytes<12>();
  strata::crypto::SecretBytes fresh = strata::crypto::SecureRandom::Secret(32);
  std::uint64_t die = 1 + strata::crypto::SecureRandom::Uniform(6);
  EXPECT_EQ(nonce.size() + fresh.size(), 44u);
  EXPECT_LE(die, 6u);
}

TEST(ExamplesTest, Secret) {
  strata::crypto::SecretBytes copy = strata::crypto::SecretBytes::Copy(key.bytes());
  EXPECT_TRUE(strata::crypto::ConstantTimeEquals(copy.bytes(), key.bytes()));
}

}  // namespace
