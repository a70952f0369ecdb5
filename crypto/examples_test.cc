// The examples at the heads of the headers, as they stand there.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "strata/crypto/aead.h"
#include "strata/crypto/agree.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/hazmat/aes_ctr.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/jwk.h"
#include "strata/crypto/jwt.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/key.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"
#include "strata/crypto/sealed_file.h"
#include "strata/crypto/secret.h"
#include "strata/crypto/sign.h"

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

TEST(ExamplesTest, SealedFile) {
  std::filesystem::current_path(::testing::TempDir());
  std::ofstream("notes.txt") << "text";
  using namespace strata::crypto;
  SealedFileKey key = SealedFileKey::FromPassword("correct horse");
  absl::Status sealed = SealFile("notes.txt", "notes.txt.sealed", key);
  absl::Status opened = OpenFile("notes.txt.sealed", "notes.txt", key, {.replace = true});
  EXPECT_EQ(sealed, absl::OkStatus());
  EXPECT_EQ(opened, absl::OkStatus());
}

TEST(ExamplesTest, Secret) {
  strata::crypto::SecretBytes copy = strata::crypto::SecretBytes::Copy(key.bytes());
  EXPECT_TRUE(strata::crypto::ConstantTimeEquals(copy.bytes(), key.bytes()));
}

absl::Status KeyExample() {
  absl::StatusOr<strata::crypto::PrivateKey> key =
      strata::crypto::PrivateKey::Generate(strata::crypto::KeyType::kEd25519);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> stored = key->ToEncryptedPem("correct horse");
  if (!stored.ok()) return stored.status();
  absl::StatusOr<strata::crypto::PrivateKey> again =
      strata::crypto::PrivateKey::FromEncryptedPem(*stored, "correct horse");
  std::string shown = key->public_key().ToPem();
  EXPECT_EQ(shown, again->public_key().ToPem());
  return again.status();
}

TEST(ExamplesTest, Key) { EXPECT_TRUE(KeyExample().ok()); }

absl::Status SignExample(absl::StatusOr<strata::crypto::PrivateKey> key) {
  absl::StatusOr<strata::crypto::Signer> signer =
      strata::crypto::Signer::Create(strata::crypto::SignatureAlgorithm::kEd25519, *std::move(key));
  if (!signer.ok()) return signer.status();
  absl::StatusOr<std::string> signature = signer->Sign("message");
  if (!signature.ok()) return signature.status();
  absl::StatusOr<strata::crypto::Verifier> verifier = strata::crypto::Verifier::Create(
      strata::crypto::SignatureAlgorithm::kEd25519, signer->public_key());
  if (!verifier.ok()) return verifier.status();
  absl::Status status = verifier->Verify("message", *signature);
  return status;
}

TEST(ExamplesTest, Sign) {
  EXPECT_TRUE(
      SignExample(strata::crypto::PrivateKey::Generate(strata::crypto::KeyType::kEd25519)).ok());
}

TEST(ExamplesTest, Agree) {
  using strata::crypto::KeyType;
  const auto mine = *strata::crypto::PrivateKey::Generate(KeyType::kX25519);
  const auto theirs = strata::crypto::PrivateKey::Generate(KeyType::kX25519)->public_key();
  absl::StatusOr<strata::crypto::SecretBytes> shared =
      strata::crypto::AgreeOnKey(mine, theirs, "chat/v1", 32);
  EXPECT_EQ(shared->size(), 32u);
}

TEST(ExamplesTest, Jwk) {
  const auto key = *strata::crypto::PrivateKey::Generate(strata::crypto::KeyType::kP256);
  std::string json = strata::crypto::ToJwk(key.public_key());
  absl::StatusOr<strata::crypto::PublicKey> again = strata::crypto::PublicKeyFromJwk(json);
  std::string id = strata::crypto::JwkThumbprint(key.public_key());
  EXPECT_EQ(strata::crypto::JwkThumbprint(*again), id);
}

absl::Status JwtExample(absl::StatusOr<strata::crypto::PrivateKey> key) {
  absl::StatusOr<strata::crypto::JwtSigner> signer = strata::crypto::JwtSigner::Create(
      strata::crypto::JwtAlgorithm::kEdDsa, *std::move(key), "key-1");
  if (!signer.ok()) return signer.status();
  strata::crypto::JwtClaims claims;
  claims.issuer = "https://login.example";
  claims.audience = {"orders"};
  claims.subject = "alice";
  claims.expires = std::chrono::system_clock::now() + std::chrono::minutes(10);
  absl::StatusOr<std::string> token = signer->Sign(claims);
  if (!token.ok()) return token.status();

  absl::StatusOr<strata::crypto::JwtVerifier> verifier = strata::crypto::JwtVerifier::Create(
      strata::crypto::JwtAlgorithm::kEdDsa, signer->public_key().value());
  if (!verifier.ok()) return verifier.status();
  strata::crypto::JwtPolicy policy;
  policy.issuer = "https://login.example";
  policy.audience = "orders";
  absl::StatusOr<strata::crypto::JwtClaims> seen = verifier->Verify(*token, policy);
  return seen.status();
}

TEST(ExamplesTest, Jwt) {
  EXPECT_TRUE(
      JwtExample(strata::crypto::PrivateKey::Generate(strata::crypto::KeyType::kEd25519)).ok());
}

}  // namespace
