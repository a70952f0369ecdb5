#include "strata/crypto/kdf.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <string>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::AsText;
using testing::Bytes;
using testing::ReadVectors;
using testing::ToHex;
using testing::VectorCase;

constexpr auto kSha256 = HashAlgorithm::kSha256;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const Bytes kSecret(32, 7);
const Bytes kSalt(16, 9);

std::string Hex(const absl::StatusOr<SecretBytes>& key) {
  if (!key.ok()) return key.status().ToString();
  return ToHex(Bytes(key->bytes().begin(), key->bytes().end()));
}

TEST(HkdfTest, IsAsPublished) {
  for (const VectorCase& vector : ReadVectors("hkdf_sha256.txt")) {
    SCOPED_TRACE(vector);
    const Bytes info = vector.Hex("info");
    const std::size_t size = vector.Hex("key").size();
    EXPECT_EQ(Hex(Hkdf(kSha256, vector.Hex("secret"), vector.Hex("salt"), AsText(info), size)),
              vector.Text("key"));
    EXPECT_EQ(Hex(HkdfExpand(kSha256, vector.Hex("prk"), AsText(info), size)), vector.Text("key"));
  }
}

TEST(HkdfTest, AnotherPurposeIsAnotherKey) {
  EXPECT_NE(Hex(Hkdf(kSha256, kSecret, kSalt, "encrypt", 32)),
            Hex(Hkdf(kSha256, kSecret, kSalt, "sign", 32)));
  EXPECT_NE(Hex(Hkdf(kSha256, kSecret, kSalt, "encrypt", 32)),
            Hex(Hkdf(HashAlgorithm::kSha512, kSecret, kSalt, "encrypt", 32)));
}

TEST(HkdfTest, HasBounds) {
  EXPECT_EQ(Hkdf(kSha256, kSecret, kSalt, "", 255 * 32)->size(), 255u * 32);
  EXPECT_EQ(Hkdf(kSha256, kSecret, kSalt, "", 255 * 32 + 1).status().code(), kInvalid);
  EXPECT_EQ(Hkdf(kSha256, kSecret, kSalt, "", 0).status().code(), kInvalid);
  EXPECT_EQ(Hkdf(kSha256, {}, kSalt, "", 32).status().code(), kInvalid);
  EXPECT_TRUE(Hkdf(kSha256, kSecret, kSalt, std::string(1024, 'i'), 32).ok());
  EXPECT_EQ(Hkdf(kSha256, kSecret, kSalt, std::string(1025, 'i'), 32).status().code(), kInvalid);
  EXPECT_EQ(HkdfExpand(kSha256, Bytes(31), "", 32).status().code(), kInvalid);
}

TEST(Pbkdf2Test, IsAsPublished) {
  for (const VectorCase& vector : ReadVectors("pbkdf2_sha256.txt")) {
    SCOPED_TRACE(vector);
    const Bytes password = vector.Hex("password");
    EXPECT_EQ(Hex(Pbkdf2(kSha256, AsText(password), vector.Hex("salt"),
                         static_cast<std::uint32_t>(vector.Number("iterations")), 64)),
              vector.Text("key"));
  }
}

TEST(Pbkdf2Test, HasBounds) {
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, 0, 32).status().code(), kInvalid);
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, kMaxPbkdf2Iterations + 1, 32).status().code(), kInvalid);
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, 0xffffffff, 32).status().code(), kInvalid);
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, 1, 0).status().code(), kInvalid);
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, 1, kMaxKdfBytes + 1).status().code(), kInvalid);
  EXPECT_EQ(Pbkdf2(kSha256, "p", kSalt, 1, kMaxKdfBytes)->size(), kMaxKdfBytes);
  EXPECT_TRUE(Pbkdf2(kSha256, "", {}, 1, 1).ok());
}

TEST(ScryptTest, IsAsPublished) {
  for (const VectorCase& vector : ReadVectors("scrypt.txt")) {
    SCOPED_TRACE(vector);
    const Bytes password = vector.Hex("password");
    const ScryptCost cost = {static_cast<std::uint32_t>(vector.Number("log2_n")),
                             static_cast<std::uint32_t>(vector.Number("r")),
                             static_cast<std::uint32_t>(vector.Number("p"))};
    EXPECT_EQ(Hex(Scrypt(AsText(password), vector.Hex("salt"), cost, 64)), vector.Text("key"));
  }
}

TEST(ScryptTest, HasBoundsThatAreCheckedBeforeAnyWork) {
  const auto code = [](std::uint32_t log2_n, std::uint32_t r, std::uint32_t p) {
    return Scrypt("p", kSalt, {log2_n, r, p}, 32).status().code();
  };
  EXPECT_EQ(code(1, 1, 1), absl::StatusCode::kOk);
  EXPECT_EQ(code(0, 8, 1), kInvalid);
  EXPECT_EQ(code(25, 1, 1), kInvalid);
  EXPECT_EQ(code(64, 8, 1), kInvalid);
  EXPECT_EQ(code(0xffffffff, 8, 1), kInvalid);
  EXPECT_EQ(code(4, 0, 1), kInvalid);
  EXPECT_EQ(code(4, 65, 1), kInvalid);
  EXPECT_EQ(code(4, 8, 0), kInvalid);
  EXPECT_EQ(code(4, 8, 65), kInvalid);
  // A gigabyte and what is above it; four gone over, and what is above them; RFC 7914, section 2.
  EXPECT_EQ(code(21, 8, 1), kInvalid);
  EXPECT_EQ(code(20, 8, 5), kInvalid);
  EXPECT_EQ(code(16, 1, 1), kInvalid);
  EXPECT_EQ(code(10, 64, 64), absl::StatusCode::kOk);
}

TEST(Argon2idTest, IsThereOrSaysThatItIsNot) {
  const Bytes salt = {'s', 'o', 'm', 'e', 's', 'a', 'l', 't'};
  const absl::StatusOr<SecretBytes> key =
      Argon2id("password", salt, {.memory_kib = 65536, .passes = 2, .lanes = 1}, 32);
  if (OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= 2) {
    // From the reference implementation's test.c.
    EXPECT_EQ(Hex(key), "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7");
  } else {
    EXPECT_EQ(key.status().code(), absl::StatusCode::kUnimplemented);
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST(Argon2idTest, HasBounds) {
  const auto code = [](const Argon2Cost& cost) {
    return Argon2id("password", kSalt, cost, 32).status().code();
  };
  EXPECT_EQ(code({.memory_kib = 7}), kInvalid);
  EXPECT_EQ(code({.memory_kib = (1u << 20) + 1}), kInvalid);
  EXPECT_EQ(code({.passes = 0}), kInvalid);
  EXPECT_EQ(code({.passes = 65}), kInvalid);
  EXPECT_EQ(code({.lanes = 0}), kInvalid);
  EXPECT_EQ(code({.lanes = 65}), kInvalid);
  EXPECT_EQ(Argon2id("password", Bytes(7), {}, 32).status().code(), kInvalid);
  EXPECT_EQ(Argon2id("password", kSalt, {}, 3).status().code(), kInvalid);
}

}  // namespace
}  // namespace strata::crypto
