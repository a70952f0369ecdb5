// File: agree.h
//
// Key agreement (Diffie-Hellman): two parties, each with its private key and the other's public
// one, get the same secret, and nobody else does.
//
//   absl::StatusOr<strata::crypto::SecretBytes> shared =
//       strata::crypto::AgreeOnKey(mine, theirs, "chat/v1", 32);
//
// It does not say who the other one is: without a signature or a certificate over the public keys,
// somebody in the middle agrees with both. Use keys that were generated for the occasion, or that
// nothing but agreement uses.
//
// Thread-safe. Errors: InvalidArgument if the keys are of different types or of one that only
// signs, or if the peer's public key is a point that gives the secret away (RFC 7748, section 6.1).

#ifndef STRATA_CRYPTO_AGREE_H_
#define STRATA_CRYPTO_AGREE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/key.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

// A key of `size` bytes, from 1 to 8160, both sides of which name the same purpose in `info`, up to
// 1 KB: HKDF-SHA256 of the shared secret, with both public keys, as raw bytes and in their order,
// as its salt. So the key belongs to these two keys.
absl::StatusOr<SecretBytes> AgreeOnKey(const PrivateKey& mine, const PublicKey& theirs,
                                       std::string_view info, std::size_t size);

// The shared secret as it comes, for protocols that say how to derive keys from it: the function
// X25519 (RFC 7748, section 6.1), 32 bytes; the x coordinate for P-256 and P-384 (SP 800-56A,
// section 5.7.1.2), 32 and 48 bytes. It is not uniformly random: not a key.
absl::StatusOr<SecretBytes> RawSharedSecret(const PrivateKey& mine, const PublicKey& theirs);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_AGREE_H_
