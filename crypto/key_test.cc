#include "strata/crypto/key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::Bytes;
using testing::FromHex;
using testing::ReadTestFile;

static_assert(!std::is_copy_constructible_v<PrivateKey>);
static_assert(!std::is_copy_assignable_v<PrivateKey>);
static_assert(std::is_nothrow_move_constructible_v<PrivateKey>);
template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<PrivateKey>);

constexpr KeyType kTypes[] = {KeyType::kEd25519, KeyType::kX25519, KeyType::kP256, KeyType::kP384,
                              KeyType::kRsa};

// RSA keys are slow to generate: one for all tests.
const PrivateKey& KeyOf(KeyType type) {
  static const std::vector<PrivateKey>& keys = *[] {
    auto* made = new std::vector<PrivateKey>;
    for (const KeyType each : kTypes) made->push_back(PrivateKey::Generate(each, 2048).value());
    return made;
  }();
  return keys[static_cast<std::size_t>(type)];
}

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class KeyTest : public ::testing::TestWithParam<KeyType> {
 protected:
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "an error was left in the queue"; }
  const PrivateKey& key() { return KeyOf(GetParam()); }
};

TEST_P(KeyTest, GoesThroughPemAndDer) {
  const SecretBytes der = key().ToDer();
  const SecretBytes pem = key().ToPem();
  for (const absl::StatusOr<PrivateKey>& again :
       {PrivateKey::FromDer(der.bytes()), PrivateKey::FromPem(pem.text())}) {
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->type(), GetParam());
    EXPECT_TRUE(ConstantTimeEquals(again->ToDer().bytes(), der.bytes()));
    EXPECT_EQ(again->public_key(), key().public_key());
  }
  const PublicKey& half = key().public_key();
  EXPECT_EQ(PublicKey::FromDer(half.ToDer()).value(), half);
  EXPECT_EQ(PublicKey::FromPem(half.ToPem()).value(), half);
}

TEST_P(KeyTest, GoesThroughRawBytes) {
  const absl::StatusOr<SecretBytes> raw = key().ToRaw();
  const absl::StatusOr<std::vector<std::uint8_t>> half = key().public_key().ToRaw();
  if (GetParam() == KeyType::kRsa) {
    EXPECT_TRUE(absl::IsInvalidArgument(raw.status()));
    EXPECT_TRUE(absl::IsInvalidArgument(half.status()));
    EXPECT_FALSE(PublicKey::FromRaw(KeyType::kRsa, Bytes(256, 1)).ok());
    EXPECT_FALSE(PrivateKey::FromRaw(KeyType::kRsa, Bytes(256, 1)).ok());
    return;
  }
  const absl::StatusOr<PrivateKey> again = PrivateKey::FromRaw(GetParam(), raw->bytes());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->public_key(), key().public_key());
  EXPECT_EQ(PublicKey::FromRaw(GetParam(), *half).value(), key().public_key());
  for (const std::size_t size : {std::size_t{0}, half->size() - 1, half->size() + 1}) {
    EXPECT_FALSE(PublicKey::FromRaw(GetParam(), Bytes(size, 4)).ok()) << size;
  }
  for (const std::size_t size : {std::size_t{0}, raw->size() - 1, raw->size() + 1}) {
    EXPECT_FALSE(PrivateKey::FromRaw(GetParam(), Bytes(size, 4)).ok()) << size;
  }
}

TEST_P(KeyTest, GoesThroughEncryptedPem) {
  const KeyEncryption quick = {.iterations = 100'000};
  const absl::StatusOr<std::string> pem = key().ToEncryptedPem("secret", quick);
  ASSERT_TRUE(pem.ok()) << pem.status();
  const absl::StatusOr<PrivateKey> again = PrivateKey::FromEncryptedPem(*pem, "secret");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->public_key(), key().public_key());
  EXPECT_TRUE(absl::IsUnauthenticated(PrivateKey::FromEncryptedPem(*pem, "Secret").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(PrivateKey::FromEncryptedPem(*pem, "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(PrivateKey::FromPem(*pem).status()));
}

// Whatever is cut or changed: an error, or (where a change makes another good key) a key, and in no
// case anything that the sanitizers see.
TEST_P(KeyTest, ContainersThatAreCutAreRefused) {
  const SecretBytes der = key().ToDer();
  const std::vector<std::uint8_t> half = key().public_key().ToDer();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(PrivateKey::FromDer(der.bytes().first(size)).ok()) << size;
  }
  for (std::size_t size = 0; size < half.size(); ++size) {
    EXPECT_FALSE(PublicKey::FromDer(std::span(half).first(size)).ok()) << size;
  }
  Bytes longer(half);
  longer.push_back(0);
  EXPECT_FALSE(PublicKey::FromDer(longer).ok());
  Bytes longer_private(der.bytes().begin(), der.bytes().end());
  longer_private.push_back(0);
  EXPECT_FALSE(PrivateKey::FromDer(longer_private).ok());
}

TEST_P(KeyTest, ContainersThatAreChangedAreRefusedOrAreOtherKeys) {
  const SecretBytes der = key().ToDer();
  // RSA takes its time to look at the numbers.
  const std::size_t step = GetParam() == KeyType::kRsa ? 97 : 1;
  for (std::size_t at = 0; at < der.size(); at += step) {
    Bytes changed(der.bytes().begin(), der.bytes().end());
    changed[at] ^= 0x10;
    const absl::StatusOr<PrivateKey> other = PrivateKey::FromDer(changed);
    if (other.ok()) {
      EXPECT_NE(other->public_key(), key().public_key()) << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KeyTest, ::testing::ValuesIn(kTypes), [](const auto& info) {
  return absl::StrReplaceAll(KeyTypeName(info.param), {{"-", ""}});
});

std::string File(std::string_view name) {
  return ReadTestFile(absl::StrCat("keys/", name, ".pem"));
}

struct OpenSslKey {
  const char* file;
  KeyType type;
};

class OpenSslKeyTest : public ::testing::TestWithParam<OpenSslKey> {};

TEST_P(OpenSslKeyTest, IsRead) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::FromPem(File(GetParam().file));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->type(), GetParam().type);
}

INSTANTIATE_TEST_SUITE_P(
    All, OpenSslKeyTest,
    ::testing::Values(OpenSslKey{"ed25519", KeyType::kEd25519},
                      OpenSslKey{"x25519", KeyType::kX25519}, OpenSslKey{"p256", KeyType::kP256},
                      OpenSslKey{"p256_sec1", KeyType::kP256}, OpenSslKey{"p384", KeyType::kP384},
                      OpenSslKey{"rsa", KeyType::kRsa}, OpenSslKey{"rsa_pkcs1", KeyType::kRsa}),
    [](const auto& info) { return std::string(info.param.file); });

TEST(KeyFilesTest, PublicKeysBelongToTheirPrivateOnes) {
  for (const char* name : {"ed25519", "p256", "rsa"}) {
    const absl::StatusOr<PublicKey> half = PublicKey::FromPem(File(absl::StrCat(name, "_public")));
    ASSERT_TRUE(half.ok()) << half.status();
    EXPECT_EQ(PrivateKey::FromPem(File(name))->public_key(), *half) << name;
  }
}

TEST(KeyFilesTest, OtherProgramsEncryptedKeysAreRead) {
  const PublicKey expected = PrivateKey::FromPem(File("p256"))->public_key();
  for (const char* name : {"p256_pbkdf2", "p256_scrypt"}) {
    const absl::StatusOr<PrivateKey> key = PrivateKey::FromEncryptedPem(File(name), "secret");
    ASSERT_TRUE(key.ok()) << name << ": " << key.status();
    EXPECT_EQ(key->public_key(), expected);
    EXPECT_TRUE(absl::IsUnauthenticated(PrivateKey::FromEncryptedPem(File(name), "x").status()));
  }
  EXPECT_TRUE(
      absl::IsUnimplemented(PrivateKey::FromEncryptedPem(File("p256_3des"), "secret").status()));
}

TEST(KeyFilesTest, WhatIsNotSupportedIsRefused) {
  for (const char* name :
       {"ed448", "explicit_curve", "legacy_encryption", "p521", "rsa_1024", "rsa_pss"}) {
    const absl::Status status =
        PrivateKey::FromPem(File(absl::StrCat("unsupported_", name))).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << ": " << status;
  }
}

TEST(KeyFilesTest, OneKindOfBlockDoesNotPassForAnother) {
  EXPECT_FALSE(PublicKey::FromPem(File("p256")).ok());
  EXPECT_FALSE(PrivateKey::FromPem(File("p256_public")).ok());
  EXPECT_FALSE(PrivateKey::FromEncryptedPem(File("p256"), "secret").ok());
  EXPECT_FALSE(PrivateKey::FromPem(File("p256") + File("p384")).ok()) << "two keys in one text";
  const std::string pkcs1_as_pkcs8 =
      absl::StrReplaceAll(File("rsa_pkcs1"), {{"RSA PRIVATE KEY", "PRIVATE KEY"}});
  EXPECT_FALSE(PrivateKey::FromPem(pkcs1_as_pkcs8).ok());
}

TEST(PemTest, MalformedTextNamesItsLine) {
  const std::string good = KeyOf(KeyType::kEd25519).public_key().ToPem();
  ASSERT_TRUE(PublicKey::FromPem(good).ok());
  ASSERT_TRUE(PublicKey::FromPem("a comment\n" + good + "another\n").ok());
  ASSERT_TRUE(PublicKey::FromPem(absl::StrReplaceAll(good, {{"\n", "\r\n"}})).ok());
  const std::string bad[] = {
      "",
      "no block",
      good.substr(0, good.size() - 10),
      good.substr(0, good.find("-----END")),
      absl::StrReplaceAll(good, {{"END PUBLIC", "END PRIVATE"}}),
      absl::StrReplaceAll(good, {{"BEGIN PUBLIC KEY-----", "BEGIN PUBLIC KEY----"}}),
      absl::StrReplaceAll(good, {{"-----\nM", "-----\nProc-Type: 4,ENCRYPTED\n\nM"}}),
      absl::StrReplaceAll(good, {{"-----\nM", "-----\n\nM"}}),
      absl::StrReplaceAll(good, {{"-----\nM", "-----\n M"}}),
      absl::StrReplaceAll(good, {{"-----\nM", "-----\n*"}}),
      absl::StrReplaceAll(good, {{"-----\nM", "-----\n=M"}}),
      absl::StrReplaceAll(good, {{"\n-----END", "AAA\n-----END"}}),
      absl::StrReplaceAll(good, {{"\n-----END", "====\n-----END"}}),
      good + good,
      std::string(5 << 20, '\n') + good,
  };
  for (const std::string& text : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(PublicKey::FromPem(text).status())) << text.substr(0, 200);
  }
  EXPECT_EQ(PublicKey::FromPem("\n\n-----BEGIN X-----\n!\n-----END X-----\n").status().message(),
            "PEM, line 5: the block is not base64");
}

// Each is good DER but for one thing. The first of a pair is the good form.
TEST(DerTest, OnlyTheStrictFormIsRead) {
  const std::string key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  EXPECT_TRUE(PublicKey::FromDer(FromHex("302a300506032b6570032100" + key)).ok());
  const std::string bad[] = {
      "30812a300506032b6570032100" + key,         // A length in more bytes than it needs.
      "3082002a300506032b6570032100" + key,       // The same, with a leading zero.
      "3080300506032b6570032100" + key + "0000",  // Indefinite.
      "302a300506032b6570032101" + key,           // An unused bit.
      "302c300706032b65700500032100" + key,       // NULL parameters.
      "302a300506032b6571032100" + key,           // Another algorithm.
      "302a300506032b6570032200" + key,           // The string is longer than what is there.
      "302a300506032b6570042100" + key,           // An octet string.
      "302a"
      "300506032b6570032100" +
          key.substr(2),
      "30843000002a300506032b6570032100" + key,
  };
  for (const std::string& der : bad) EXPECT_FALSE(PublicKey::FromDer(FromHex(der)).ok()) << der;
}

TEST(DerTest, AContainerHasABound) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(PublicKey::FromDer(Bytes(kMaxKeyDerBytes + 1, 0x30)).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(PrivateKey::FromDer(Bytes(kMaxKeyDerBytes + 1, 0x30)).status()));
}

TEST(KeyNumbersTest, PointsThatAreNotOnTheCurveAreRefused) {
  std::vector<std::uint8_t> point = KeyOf(KeyType::kP256).public_key().ToRaw().value();
  point.back() ^= 1;
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kP256, point).ok());
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kP256, Bytes{0}).ok()) << "the point at infinity";
  // Coordinates of 2^256 - 1, which is above the prime.
  Bytes beyond(65, 0xff);
  beyond[0] = 4;
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kP256, beyond).ok());
  // A hybrid form, which SEC1 has and RFC 5480 does not.
  std::vector<std::uint8_t> hybrid = KeyOf(KeyType::kP256).public_key().ToRaw().value();
  hybrid[0] = 6 + (hybrid.back() & 1);
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kP256, hybrid).ok());
}

TEST(KeyNumbersTest, CompressedPointsAreRead) {
  for (const KeyType type : {KeyType::kP256, KeyType::kP384}) {
    const std::vector<std::uint8_t> whole = KeyOf(type).public_key().ToRaw().value();
    Bytes compressed(whole.begin(),
                     whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2) + 1);
    compressed[0] = 2 + (whole.back() & 1);
    EXPECT_EQ(PublicKey::FromRaw(type, compressed).value(), KeyOf(type).public_key());
  }
}

TEST(KeyNumbersTest, PrivateNumbersOutOfRangeAreRefused) {
  const Bytes order = FromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  Bytes largest = order;
  largest.back() -= 1;
  EXPECT_TRUE(PrivateKey::FromRaw(KeyType::kP256, largest).ok());
  EXPECT_FALSE(PrivateKey::FromRaw(KeyType::kP256, order).ok());
  EXPECT_FALSE(PrivateKey::FromRaw(KeyType::kP256, Bytes(32, 0)).ok());
  EXPECT_FALSE(PrivateKey::FromRaw(KeyType::kP256, Bytes(32, 0xff)).ok());
}

// A container whose public half is another key's must not be used: the mixture leaks the private
// one with the first signature.
TEST(KeyNumbersTest, HalvesOfDifferentKeysAreRefused) {
  const PrivateKey& one = KeyOf(KeyType::kP256);
  const PrivateKey other = PrivateKey::Generate(KeyType::kP256).value();
  const SecretBytes der = one.ToDer();
  const std::vector<std::uint8_t> point = one.public_key().ToRaw().value();
  const std::vector<std::uint8_t> other_point = other.public_key().ToRaw().value();
  std::string mixed(der.text());
  const std::size_t at = mixed.find(testing::AsText(point));
  ASSERT_NE(at, mixed.npos);
  mixed.replace(at, point.size(), testing::AsText(other_point));
  EXPECT_FALSE(PrivateKey::FromDer(AsBytes(mixed)).ok());
}

TEST(KeyNumbersTest, WeakEd25519KeysAreRefused) {
  const std::string zeros(60, '0');
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kEd25519, Bytes(32, 0)).ok());
  EXPECT_FALSE(PublicKey::FromRaw(KeyType::kEd25519, FromHex("0100" + zeros)).ok());
  // 2^255 - 18 is 1, not in its only form.
  EXPECT_FALSE(
      PublicKey::FromRaw(KeyType::kEd25519, FromHex("eeff" + std::string(58, 'f') + "ff7f")).ok());
}

TEST(KeyNumbersTest, RsaKeysAreOfAGoodSize) {
  EXPECT_FALSE(PrivateKey::Generate(KeyType::kRsa, 1024).ok());
  EXPECT_FALSE(PrivateKey::Generate(KeyType::kRsa, 2050).ok());
  EXPECT_FALSE(PrivateKey::Generate(KeyType::kRsa, 16384).ok());
  EXPECT_EQ(KeyOf(KeyType::kRsa).public_key().bits(), 2048);
}

// The parameters of an encrypted key come from whoever wrote it.
TEST(KeyEncryptionTest, ParametersBeyondTheBoundsCostNothing) {
  const std::string pem = File("p256_pbkdf2");
  const std::size_t begin = pem.find("-----\n") + 6;
  std::string der;
  ASSERT_TRUE(absl::Base64Unescape(pem.substr(begin, pem.rfind("-----END") - begin), &der));
  const std::string iterations("\x02\x02\x07\xd0", 4);
  const std::size_t at = der.find(iterations);
  ASSERT_NE(at, der.npos);
  ASSERT_TRUE(PrivateKey::FromEncryptedDer(AsBytes(der), "secret").ok());
  // Four bytes for the number: all the lengths around it grow by two.
  std::string costly = der;
  costly.replace(at, 4, std::string("\x02\x04\x7f\xff\xff\xff", 6));
  for (const std::size_t length :
       {std::size_t{2}, std::size_t{4}, std::size_t{17}, std::size_t{19}, std::size_t{32}}) {
    costly[length] = static_cast<char>(costly[length] + 2);
  }
  const absl::Status status = PrivateKey::FromEncryptedDer(AsBytes(costly), "secret").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(status.message(), "encrypted key: its key derivation is out of bounds");
}

TEST(KeyEncryptionTest, OptionsHaveBounds) {
  const PrivateKey& key = KeyOf(KeyType::kEd25519);
  EXPECT_FALSE(key.ToEncryptedPem("").ok());
  EXPECT_FALSE(key.ToEncryptedPem(std::string(1025, 'x')).ok());
  EXPECT_FALSE(key.ToEncryptedPem("x", {.iterations = 99'999}).ok());
  EXPECT_FALSE(key.ToEncryptedPem("x", {.iterations = kMaxKeyIterations + 1}).ok());
}

}  // namespace
}  // namespace strata::crypto
