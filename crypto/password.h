// File: password.h
//
// Passwords, as a server stores and checks them.
//
//   absl::StatusOr<std::string> stored = strata::crypto::HashPassword("correct horse");
//   ...
//   absl::Status status = strata::crypto::VerifyPassword("correct horse", *stored);
//   if (status.ok() && strata::crypto::PasswordNeedsRehash(*stored)) {
//     ... HashPassword() anew, and store that ...
//   }
//
// What is stored is a PHC string, which names the function, its cost, a random salt and the result:
//
//   $scrypt$ln=15,r=8,p=3$<salt>$<hash>
//   $pbkdf2-sha256$i=600000$<salt>$<hash>
//   $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
//
// Salt and hash are base64 without padding. So costs can rise without breaking what is stored.
//
// One call takes tens of milliseconds of processor time and tens of megabytes, on purpose: do not
// run it on an event loop, and bound how many run at once.
//
// Functions are thread-safe.

#ifndef STRATA_CRYPTO_PASSWORD_H_
#define STRATA_CRYPTO_PASSWORD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/kdf.h"

namespace strata::crypto {

// PBKDF2 with HMAC-SHA-256.
struct Pbkdf2Cost {
  std::uint32_t iterations = 600'000;

  friend bool operator==(const Pbkdf2Cost&, const Pbkdf2Cost&) = default;
};

// A function and its cost. The first is the default.
using PasswordCost = std::variant<ScryptCost, Pbkdf2Cost, Argon2Cost>;

// Longer passwords, in bytes, are InvalidArgument: a megabyte of text is no password.
inline constexpr std::size_t kMaxPasswordBytes = 4096;

// InvalidArgument for a cost so low that the password would be given away: below 2^14 * 8 * 1 for
// scrypt, 100,000 iterations, 7 MiB.
absl::Status CheckPasswordCost(const PasswordCost& cost);

// Returns the PHC string of `password` with a fresh salt of 16 bytes and a hash of 32.
// InvalidArgument for a cost out of the bounds of kdf.h, or too low for CheckPasswordCost().
// Unimplemented for Argon2id until OpenSSL has it (3.2).
absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordCost& cost = {});

// OK if `stored` is a PHC string of `password`; Unauthenticated if the password is another.
// InvalidArgument if `stored` is none of the three forms, or asks for more than the bounds of
// kdf.h, which is found before any work; Unimplemented as above. The hash is compared in constant
// time.
absl::Status VerifyPassword(std::string_view password, std::string_view stored);

// Whether `stored` was made with another function or cost than `cost`, or is malformed: a reason to
// hash the password anew when it is at hand.
bool PasswordNeedsRehash(std::string_view stored, const PasswordCost& cost = {});

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_PASSWORD_H_
