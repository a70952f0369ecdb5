// What the other sources of this library need of a key: OpenSSL's object, and a way back from it.

#ifndef STRATA_CRYPTO_KEY_INTERNAL_H_
#define STRATA_CRYPTO_KEY_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/crypto/key.h"
#include "strata/crypto/openssl_internal.h"

namespace strata::crypto {

class KeyAccess {
 public:
  static EVP_PKEY* Get(const PublicKey& key) { return key.key_.get(); }
  static EVP_PKEY* Get(const PrivateKey& key) { return key.key_.get(); }

  // Takes an object over that is already known to be a good key of `type`.
  static PublicKey Adopt(KeyType type, OpenSslPtr<EVP_PKEY> key);
  static PrivateKey Adopt(OpenSslPtr<EVP_PKEY> key, PublicKey public_key);
};

// The size in bytes of the raw private key, and of a coordinate, of a type other than RSA.
std::size_t RawKeyBytes(KeyType type);

// The numbers of an RSA key, big-endian, in the order of PKCS#1 (RFC 8017, appendix A.1.2): n, e,
// d, p, q, dP, dQ, qInv. A public key has the first two.
inline constexpr std::size_t kRsaPublicNumbers = 2;
inline constexpr std::size_t kRsaPrivateNumbers = 8;
using RsaNumbers = std::span<const std::span<const std::uint8_t>, kRsaPrivateNumbers>;

absl::StatusOr<PublicKey> RsaPublicKey(std::span<const std::uint8_t> n,
                                       std::span<const std::uint8_t> e);

// Checks that the numbers belong together.
absl::StatusOr<PrivateKey> RsaPrivateKey(RsaNumbers numbers);

// The first `count` numbers of an RSA key, without leading zeros.
std::vector<SecretBytes> RsaNumbersOf(EVP_PKEY* key, std::size_t count);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_KEY_INTERNAL_H_
