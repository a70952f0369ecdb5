// File: sign.h
//
// Signatures: that a message comes from the holder of a private key and was not changed, for
// anybody to see who has the public one.
//
//   absl::StatusOr<strata::crypto::Signer> signer = strata::crypto::Signer::Create(
//       strata::crypto::SignatureAlgorithm::kEd25519, *std::move(key));
//   if (!signer.ok()) return signer.status();
//   absl::StatusOr<std::string> signature = signer->Sign("message");
//   if (!signature.ok()) return signature.status();
//   absl::StatusOr<strata::crypto::Verifier> verifier = strata::crypto::Verifier::Create(
//       strata::crypto::SignatureAlgorithm::kEd25519, signer->public_key());
//   if (!verifier.ok()) return verifier.status();
//   absl::Status status = verifier->Verify("message", *signature);
//
// A key signs by one algorithm, chosen with it and never by what is verified. A signature that is
// not good is Unauthenticated, with one text whatever was wrong: another key, another message, a
// signature of the wrong size, or one that is not in its only form. That form is: for Ed25519, S
// below the order of the group (RFC 8032, section 5.1.7); for ECDSA, DER without anything left over
// (RFC 3279, section 2.2.3), or r and s of fixed size. Still ECDSA has two signatures for each one
// (s and its negative): a signature is no name for a message.
//
// Thread-safe. Messages are whole, in memory: for a long one, sign its digest (hash.h).

#ifndef STRATA_CRYPTO_SIGN_H_
#define STRATA_CRYPTO_SIGN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/key.h"

namespace strata::crypto {

enum class SignatureAlgorithm {
  kEd25519,          // RFC 8032, PureEdDSA; 64 bytes.
  kEcdsaP256Sha256,  // FIPS 186-4; DER, 8 to 72 bytes.
  kEcdsaP384Sha384,  // DER, 8 to 104 bytes.
  // The same as r and s, big-endian, one after the other, as IEEE P1363 and JOSE have it.
  kEcdsaP256Sha256Fixed,  // 64 bytes.
  kEcdsaP384Sha384Fixed,  // 96 bytes.
  // RSASSA-PSS (RFC 8017, section 8.1), MGF1 with the same hash, salt as long as the hash. A
  // signature of RSA is as long as the modulus.
  kRsaPssSha256,
  kRsaPssSha384,
  kRsaPssSha512,
  // RSASSA-PKCS1-v1_5 (section 8.2), for formats that ask for it. New ones take PSS.
  kRsaPkcs1Sha256,
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
};

// The type of the keys of `algorithm`.
KeyType KeyTypeOf(SignatureAlgorithm algorithm);

class Signer {
 public:
  // InvalidArgument if the key is of another type.
  static absl::StatusOr<Signer> Create(SignatureAlgorithm algorithm, PrivateKey key);

  // Internal if OpenSSL fails, for want of memory.
  absl::StatusOr<std::string> Sign(std::string_view message) const;

  SignatureAlgorithm algorithm() const { return algorithm_; }
  const PublicKey& public_key() const { return key_.public_key(); }

 private:
  Signer(SignatureAlgorithm algorithm, PrivateKey key)
      : algorithm_(algorithm), key_(std::move(key)) {}

  SignatureAlgorithm algorithm_;
  PrivateKey key_;
};

class Verifier {
 public:
  // InvalidArgument if the key is of another type.
  static absl::StatusOr<Verifier> Create(SignatureAlgorithm algorithm, PublicKey key);

  // Unauthenticated if `signature` is not one of `message`.
  absl::Status Verify(std::string_view message, std::string_view signature) const;

  SignatureAlgorithm algorithm() const { return algorithm_; }
  const PublicKey& public_key() const { return key_; }

 private:
  Verifier(SignatureAlgorithm algorithm, PublicKey key)
      : algorithm_(algorithm), key_(std::move(key)) {}

  SignatureAlgorithm algorithm_;
  PublicKey key_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_SIGN_H_
