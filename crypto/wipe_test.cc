// Whether keys are gone when their owners are: every block that is freed, by C++ or by OpenSSL, is
// searched for the key before it goes. The table of round keys of AES begins with the key itself,
// so that OpenSSL's contexts are seen into as well.

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "strata/crypto/aead.h"
#include "strata/crypto/agree.h"
#include "strata/crypto/hazmat/aes_ctr.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/jwk.h"
#include "strata/crypto/jwt.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/key.h"
#include "strata/crypto/random.h"
#include "strata/crypto/sealed_file.h"
#include "strata/crypto/secret.h"
#include "strata/crypto/sign.h"

namespace {

constexpr std::size_t kKeyBytes = 32;

// The key that is looked for: a part of it is enough.
std::array<std::uint8_t, kKeyBytes> key;
constexpr std::size_t kPartBytes = 16;

std::atomic<bool> watching{false};
std::atomic<int> blocks{0};
std::atomic<int> found{0};

void Search(void* block) {
  if (block == nullptr || !watching.load()) return;
  ++blocks;
  const std::size_t size = malloc_usable_size(block);
  if (memmem(block, size, key.data(), kPartBytes) != nullptr ||
      memmem(block, size, key.data() + kKeyBytes - kPartBytes, kPartBytes) != nullptr) {
    ++found;
  }
}

void* OpenSslMalloc(std::size_t size, const char*, int) { return std::malloc(size); }
void OpenSslFree(void* block, const char*, int) {
  Search(block);
  std::free(block);
}
void* OpenSslRealloc(void* block, std::size_t size, const char*, int) {
  // What realloc leaves behind is as good as freed.
  void* grown = std::malloc(size);
  if (block != nullptr && grown != nullptr) {
    std::memcpy(grown, block, std::min(size, malloc_usable_size(block)));
    Search(block);
    std::free(block);
  }
  return grown;
}

}  // namespace

void* operator new(std::size_t size) {
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) std::abort();
  return block;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  void* block = nullptr;
  if (posix_memalign(&block, static_cast<std::size_t>(alignment), size) != 0) std::abort();
  return block;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
void operator delete(void* block) noexcept {
  Search(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete(void* block, std::align_val_t) noexcept { operator delete(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  operator delete(block);
}
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

namespace strata::crypto {
namespace {

class WipeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    key = SecureRandom::Bytes<kKeyBytes>();
    blocks = 0;
    found = 0;
    watching = true;
  }
  void TearDown() override { watching = false; }

  // Since the beginning of the test, or of the last call.
  int Found() {
    EXPECT_GT(blocks.exchange(0), 0) << "nothing was freed";
    return found.exchange(0);
  }
};

TEST_F(WipeTest, TheSearchFindsAKeyThatIsNotWiped) {
  { std::string copy(reinterpret_cast<const char*>(key.data()), key.size()); }
  EXPECT_EQ(Found(), 1);
  OPENSSL_free(OPENSSL_memdup(key.data(), key.size()));
  EXPECT_EQ(Found(), 1);
}

TEST_F(WipeTest, SecretBytes) {
  {
    SecretBytes secret = SecretBytes::Copy(key);
    SecretBytes clone = secret.Clone();
    secret = std::move(clone);
    secret.Truncate(20);
  }
  EXPECT_EQ(Found(), 0);
}

TEST_F(WipeTest, Aead) {
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305}) {
    {
      absl::StatusOr<Aead> aead = Aead::Create(algorithm, key);
      const std::string sealed = aead->Seal("text").value();
      EXPECT_TRUE(aead->Open(sealed).ok());
      EXPECT_FALSE(aead->Open(sealed, "other").ok());
      std::thread([&] { EXPECT_TRUE(aead->Seal("text").ok()); }).join();
    }
    EXPECT_EQ(Found(), 0);
  }
}

TEST_F(WipeTest, AeadWithAKeyOfTheWrongSize) {
  EXPECT_FALSE(Aead::Create(AeadAlgorithm::kAes128Gcm, key).ok());
  EXPECT_EQ(Found(), 0);
}

TEST_F(WipeTest, AesCtr) {
  {
    absl::StatusOr<hazmat::AesCtr> stream = hazmat::AesCtr::Create(key, {});
    std::array<std::uint8_t, 100> bytes = {};
    EXPECT_TRUE(stream->Transform(bytes, bytes).ok());
  }
  EXPECT_EQ(Found(), 0);
}

TEST_F(WipeTest, Hmac) {
  {
    absl::StatusOr<Hmac> hmac = Hmac::Create(HashAlgorithm::kSha256, key);
    HmacStream stream = hmac->Begin();
    stream.Update("message");
    EXPECT_TRUE(stream.Verify(hmac->Compute("message").bytes()));
  }
  EXPECT_EQ(Found(), 0);
}

// The key is also the plaintext, of which nothing may be left either.
TEST_F(WipeTest, SealedFile) {
  {
    const SealedFileKey secret = SealedFileKey::FromKey(key);
    std::array<std::uint8_t, 1000> sealed;
    std::size_t size = 0;
    const auto append = [&](std::span<const std::uint8_t> bytes) {
      std::copy(bytes.begin(), bytes.end(), sealed.begin() + size);
      size += bytes.size();
      return absl::OkStatus();
    };
    const auto ignore = [](std::span<const std::uint8_t>) { return absl::OkStatus(); };
    SealedFileWriter writer = SealedFileWriter::Create(secret).value();
    EXPECT_TRUE(writer.Update(key, append).ok());
    EXPECT_TRUE(writer.Finish(append).ok());
    SealedFileReader reader = SealedFileReader::Create(secret).value();
    EXPECT_TRUE(reader.Update(std::span(sealed).first(size), ignore).ok());
    EXPECT_TRUE(reader.Finish(ignore).ok());
    SealedFileWriter unfinished = SealedFileWriter::Create(secret).value();
    EXPECT_TRUE(unfinished.Update(key, append).ok());
  }
  EXPECT_EQ(Found(), 0);
}

TEST_F(WipeTest, WhatIsDerivedFrom) {
  const std::string password(reinterpret_cast<const char*>(key.data()), key.size());
  EXPECT_TRUE(Hkdf(HashAlgorithm::kSha256, key, {}, "info", 32).ok());
  EXPECT_TRUE(Pbkdf2(HashAlgorithm::kSha256, password, {}, 1, 32).ok());
  EXPECT_TRUE(Scrypt(password, {}, {.log2_n = 4, .r = 1, .p = 1}, 32).ok());
  EXPECT_EQ(Found(), 0);
}

// The seed or the number of a key, as raw bytes, in DER, PEM and JSON, and while it signs.
TEST_F(WipeTest, PrivateKeys) {
  for (const KeyType type : {KeyType::kEd25519, KeyType::kX25519, KeyType::kP256}) {
    SCOPED_TRACE(KeyTypeName(type));
    {
      const PrivateKey made = PrivateKey::FromRaw(type, key).value();
      const SecretBytes raw = made.ToRaw().value();
      const PrivateKey from_der = PrivateKey::FromDer(made.ToDer().bytes()).value();
      const PrivateKey from_pem = PrivateKey::FromPem(made.ToPem().text()).value();
      const PrivateKey from_jwk = PrivateKeyFromJwk(ToJwk(made).text()).value();
      const std::string encrypted = made.ToEncryptedPem("secret", {.iterations = 100'000}).value();
      EXPECT_TRUE(PrivateKey::FromEncryptedPem(encrypted, "secret").ok());
      if (type == KeyType::kX25519) {
        EXPECT_TRUE(AgreeOnKey(made, from_der.public_key(), "test", 32).ok());
      }
    }
    EXPECT_EQ(Found(), 0);
  }
}

TEST_F(WipeTest, Signers) {
  {
    PrivateKey made = PrivateKey::FromRaw(KeyType::kEd25519, key).value();
    const Signer signer = Signer::Create(SignatureAlgorithm::kEd25519, std::move(made)).value();
    EXPECT_TRUE(signer.Sign("message").ok());
    EXPECT_TRUE(JwtSigner::CreateHs256(key)->SignPayload("message").ok());
  }
  EXPECT_EQ(Found(), 0);
}

}  // namespace
}  // namespace strata::crypto

int main(int argc, char** argv) {
  // Before OpenSSL has allocated anything.
  if (CRYPTO_set_mem_functions(OpenSslMalloc, OpenSslRealloc, OpenSslFree) != 1) return 1;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
