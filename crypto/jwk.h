// File: jwk.h
//
// Keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).
//
//   std::string json = strata::crypto::ToJwk(key.public_key());
//   absl::StatusOr<strata::crypto::PublicKey> again = strata::crypto::PublicKeyFromJwk(json);
//   std::string id = strata::crypto::JwkThumbprint(key.public_key());
//
// The types are those of key.h: "OKP" with Ed25519 or X25519, "EC" with P-256 or P-384, "RSA" with
// two primes. Numbers are base64url in their only form: coordinates in full length, RSA's without
// leading zeros. Members that a key does not need ("kid", "use", and so on) are passed over here;
// sets of keys, and what these members say, are jwt.h's.
//
// Thread-safe. Errors: InvalidArgument for what is no JWK, too large (256 KB), or no good key.

#ifndef STRATA_CRYPTO_JWK_H_
#define STRATA_CRYPTO_JWK_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/key.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

// The public key of a JWK. One that has a private part ("d") is refused: it is not where it should
// be, and should not be passed on as if it were.
absl::StatusOr<PublicKey> PublicKeyFromJwk(std::string_view json);

// The private key of a JWK, whose public part must belong to it. RSA keys need all of p, q, dp, dq
// and qi.
absl::StatusOr<PrivateKey> PrivateKeyFromJwk(std::string_view json);

// The JWK: "kty", "crv" and the numbers, without white space, names in the order of the alphabet,
// as RFC 7638 hashes it.
std::string ToJwk(const PublicKey& key);

// With the private numbers, in the clear.
SecretBytes ToJwk(const PrivateKey& key);

// The thumbprint (RFC 7638): SHA-256 of ToJwk(key), base64url, 43 characters. A good "kid".
std::string JwkThumbprint(const PublicKey& key);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_JWK_H_
