// File: key.h
//
// Key pairs: made, read, written.
//
//   absl::StatusOr<strata::crypto::PrivateKey> key =
//       strata::crypto::PrivateKey::Generate(strata::crypto::KeyType::kEd25519);
//   if (!key.ok()) return key.status();
//   absl::StatusOr<std::string> stored = key->ToEncryptedPem("correct horse");
//   if (!stored.ok()) return stored.status();
//   absl::StatusOr<strata::crypto::PrivateKey> again =
//       strata::crypto::PrivateKey::FromEncryptedPem(*stored, "correct horse");
//   std::string shown = key->public_key().ToPem();
//
// What is done with them: sign.h, agree.h, jwt.h, x509.h; as JSON, jwk.h.
//
// A key that was read is a good one: its point is on its curve and not at infinity, a private
// number is in its range and belongs to the public one beside it, an RSA modulus has 2048 to 8192
// bits and an odd exponent of 65537 to 2^32 - 1. Containers are read as DER, not BER, with nothing
// after them; curves by name, never by parameters; and no other algorithm, so that what is not a
// key of these types is refused before any arithmetic.
//
// A PrivateKey is move-only, is wiped when it ends, and has no operator<<. What holds a private key
// in the clear is a SecretBytes. A key may be used by several threads at once. Of one that was
// moved from, nothing may be called but the destructor and assignment.
//
// Errors: InvalidArgument for what is malformed, not a good key, or too large; Unauthenticated for
// a password that is another one; Unimplemented for an encryption that is not ours.

#ifndef STRATA_CRYPTO_KEY_H_
#define STRATA_CRYPTO_KEY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/secret.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY.

namespace strata::crypto {

enum class KeyType {
  kEd25519,  // RFC 8032: signatures.
  kX25519,   // RFC 7748: key agreement.
  kP256,     // FIPS 186-4, appendix D: ECDSA or key agreement; one key is for one of them.
  kP384,     // As above.
  kRsa,      // RFC 8017: signatures.
};

// "Ed25519", "P-256" and so on, for messages.
std::string_view KeyTypeName(KeyType type);

// The longest container of a key that is read, in bytes of DER.
inline constexpr std::size_t kMaxKeyDerBytes = 16 * 1024;

// RSA moduli, in bits.
inline constexpr int kMinRsaBits = 2048;
inline constexpr int kMaxRsaBits = 8192;

// The bounds of an encrypted key that is read: the iterations of PBKDF2, and the memory of scrypt,
// in bytes, with its p. Beyond them is InvalidArgument, without any work.
inline constexpr std::uint32_t kMaxKeyIterations = 5'000'000;
inline constexpr std::size_t kMaxKeyScryptBytes = 32 << 20;
inline constexpr std::uint32_t kMaxKeyScryptP = 16;

// A public key: a value, cheap to copy.
class PublicKey {
 public:
  // One block "PUBLIC KEY" (RFC 7468, section 13), and no other.
  static absl::StatusOr<PublicKey> FromPem(std::string_view pem);

  // A SubjectPublicKeyInfo (RFC 5280, section 4.1).
  static absl::StatusOr<PublicKey> FromDer(std::span<const std::uint8_t> der);

  // The bytes alone: 32 for Ed25519 and X25519; a point of SEC1 (section 2.3.3) for P-256 and
  // P-384, uncompressed (65, 97 bytes) or compressed (33, 49). Not for RSA. An Ed25519 key must be
  // canonical, and not of small order, for which signatures prove nothing.
  static absl::StatusOr<PublicKey> FromRaw(KeyType type, std::span<const std::uint8_t> bytes);

  std::string ToPem() const;
  std::vector<std::uint8_t> ToDer() const;

  // The reverse of FromRaw, uncompressed; InvalidArgument for RSA.
  absl::StatusOr<std::vector<std::uint8_t>> ToRaw() const;

  KeyType type() const { return type_; }

  // The size of an RSA modulus, and of the field of the others, in bits.
  int bits() const;

  friend bool operator==(const PublicKey& a, const PublicKey& b) { return a.ToDer() == b.ToDer(); }

 private:
  friend class KeyAccess;
  PublicKey(KeyType type, std::shared_ptr<evp_pkey_st> key);

  KeyType type_;
  std::shared_ptr<evp_pkey_st> key_;
};

// What ToEncryptedPem spends on a password: iterations of PBKDF2-HMAC-SHA256, at least 100,000. The
// default is OWASP's (2023), a quarter of a second.
struct KeyEncryption {
  std::uint32_t iterations = 600'000;
};

class PrivateKey {
 public:
  // A new key from OpenSSL's generator. `rsa_bits` is looked at for RSA alone: from 2048 to 8192, a
  // multiple of 256, where 2048 takes tenths of a second and 8192 may take a minute.
  static absl::StatusOr<PrivateKey> Generate(KeyType type, int rsa_bits = 3072);

  // One block "PRIVATE KEY" (PKCS#8), "EC PRIVATE KEY" (RFC 5915) or "RSA PRIVATE KEY" (PKCS#1),
  // and no other, but that a block "EC PARAMETERS", which openssl-ecparam(1) puts before, is passed
  // over.
  static absl::StatusOr<PrivateKey> FromPem(std::string_view pem);

  // One block "ENCRYPTED PRIVATE KEY": PKCS#8 by PBES2 (RFC 8018) with PBKDF2-HMAC-SHA-256, 384 or
  // 512, or scrypt (RFC 7914), and AES-CBC. The encryption has no authenticity of its own: the file
  // should come from where only its owner writes.
  static absl::StatusOr<PrivateKey> FromEncryptedPem(std::string_view pem,
                                                     std::string_view password);

  // A PrivateKeyInfo (PKCS#8, RFC 5208), without attributes; or encrypted, as above.
  static absl::StatusOr<PrivateKey> FromDer(std::span<const std::uint8_t> der);
  static absl::StatusOr<PrivateKey> FromEncryptedDer(std::span<const std::uint8_t> der,
                                                     std::string_view password);

  // The bytes alone: the seed of Ed25519 (32), the scalar of X25519 (32), P-256 (32, big-endian,
  // from 1 to the order of the curve less 1) or P-384 (48). Not for RSA.
  static absl::StatusOr<PrivateKey> FromRaw(KeyType type, std::span<const std::uint8_t> bytes);

  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey&&) noexcept = default;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  // PKCS#8, in the clear.
  SecretBytes ToPem() const;
  SecretBytes ToDer() const;

  // PKCS#8 by PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC, which other programs read as well. The
  // password has 1 to 1024 bytes.
  absl::StatusOr<std::string> ToEncryptedPem(std::string_view password,
                                             const KeyEncryption& encryption = {}) const;

  // The reverse of FromRaw; InvalidArgument for RSA.
  absl::StatusOr<SecretBytes> ToRaw() const;

  const PublicKey& public_key() const { return public_key_; }
  KeyType type() const { return public_key_.type(); }

 private:
  friend class KeyAccess;
  PrivateKey(std::shared_ptr<evp_pkey_st> key, PublicKey public_key);

  std::shared_ptr<evp_pkey_st> key_;
  PublicKey public_key_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_KEY_H_
