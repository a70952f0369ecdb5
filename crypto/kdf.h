// File: kdf.h
//
// Keys from other secrets.
//
//   // From a secret with enough entropy of its own: a key, the result of a key agreement.
//   absl::StatusOr<strata::crypto::SecretBytes> key = strata::crypto::Hkdf(
//       strata::crypto::HashAlgorithm::kSha256, secret.bytes(), salt, "orders/encrypt/v1", 32);
//
//   // From a password, which somebody might guess: slow on purpose.
//   absl::StatusOr<strata::crypto::SecretBytes> slow = strata::crypto::Scrypt(
//       "correct horse", salt, strata::crypto::ScryptCost(), 32);
//
// To store a proof of a password there is password.h, which chooses salt and cost itself.
//
// A salt is not secret; a random one of 16 bytes for each secret keeps equal secrets from giving
// equal keys. Where a function takes costs that may come from outside (a file's header), they are
// checked against bounds before any work, so that a forged header costs neither time nor memory.
//
// Functions are thread-safe. InvalidArgument says which parameter is out of bounds; Unimplemented
// that this OpenSSL does not have the function.

#ifndef STRATA_CRYPTO_KDF_H_
#define STRATA_CRYPTO_KDF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

// HKDF (RFC 5869), extract and expand: `size` bytes, from 1 to 255 times HashBytes(hash). `salt`
// may be empty. `info` says what the key is for: another purpose, another key; up to 1 KB.
absl::StatusOr<SecretBytes> Hkdf(HashAlgorithm hash, std::span<const std::uint8_t> secret,
                                 std::span<const std::uint8_t> salt, std::string_view info,
                                 std::size_t size);

// The second half of HKDF alone, for a `key` that is already uniformly random, as TLS 1.3 does it.
absl::StatusOr<SecretBytes> HkdfExpand(HashAlgorithm hash, std::span<const std::uint8_t> key,
                                       std::string_view info, std::size_t size);

// PBKDF2 with HMAC (RFC 8018, section 5.2), `iterations` from 1 to kMaxPbkdf2Iterations, `size`
// bytes from 1 to kMaxKdfBytes. Attackers with graphics cards do it thousands of times faster than
// a server: for formats that ask for it, and else Scrypt. With SHA-256, OWASP asks for 600,000 in
// 2023.
inline constexpr std::uint32_t kMaxPbkdf2Iterations = 20'000'000;
absl::StatusOr<SecretBytes> Pbkdf2(HashAlgorithm hash, std::string_view password,
                                   std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                   std::size_t size);

// The cost of scrypt: memory of 128 * r * 2^log2_n bytes, and time in proportion to that times p.
// The default takes 32 MiB three times, which OWASP (2023) holds for as good as 128 MiB once.
struct ScryptCost {
  std::uint32_t log2_n = 15;  // From 1 to 24.
  std::uint32_t r = 8;        // Block size, from 1 to 64.
  std::uint32_t p = 3;        // From 1 to 64.

  friend bool operator==(const ScryptCost&, const ScryptCost&) = default;
};

// scrypt (RFC 7914): `size` bytes from 1 to kMaxKdfBytes. Costs are bounded by what ScryptCost says
// by kMaxScryptBytes of memory, which is allocated for the time of the call, and by
// kMaxScryptWorkBytes for memory times p, some ten seconds.
inline constexpr std::uint64_t kMaxScryptBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kMaxScryptWorkBytes = std::uint64_t{1} << 32;
absl::StatusOr<SecretBytes> Scrypt(std::string_view password, std::span<const std::uint8_t> salt,
                                   const ScryptCost& cost, std::size_t size);

// The cost of Argon2id: memory in KiB, passes over it, and lanes, which are computed one after the
// other here. The default is OWASP's (2023).
struct Argon2Cost {
  std::uint32_t memory_kib = 19456;  // From 8 * lanes to 1 GiB.
  std::uint32_t passes = 2;          // From 1 to 64.
  std::uint32_t lanes = 1;           // From 1 to 64.

  friend bool operator==(const Argon2Cost&, const Argon2Cost&) = default;
};

// Argon2id, version 0x13 (RFC 9106): `size` bytes from 4 to kMaxKdfBytes, `salt` of 8 bytes or
// more. OpenSSL has it from 3.2: until then Unimplemented.
absl::StatusOr<SecretBytes> Argon2id(std::string_view password, std::span<const std::uint8_t> salt,
                                     const Argon2Cost& cost, std::size_t size);

// The most that Pbkdf2, Scrypt and Argon2id derive at once, in bytes; many keys come from one by
// Hkdf.
inline constexpr std::size_t kMaxKdfBytes = 1024;

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_KDF_H_
