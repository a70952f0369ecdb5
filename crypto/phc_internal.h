// The PHC string format (github.com/P-H-C/phc-string-format), as far as password.h writes it.

#ifndef STRATA_CRYPTO_PHC_INTERNAL_H_
#define STRATA_CRYPTO_PHC_INTERNAL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/password.h"

namespace strata::crypto {

// Sizes in bytes that a salt and a hash may have when they are read.
inline constexpr std::size_t kMinSaltBytes = 8;
inline constexpr std::size_t kMaxSaltBytes = 64;
inline constexpr std::size_t kMinPasswordHashBytes = 16;
inline constexpr std::size_t kMaxPasswordHashBytes = 64;

struct Phc {
  PasswordCost cost;
  std::string salt;
  std::string hash;
};

std::string FormatPhc(const Phc& phc);

// The reverse: accepts what FormatPhc() writes and nothing else, so that no two strings mean the
// same. Costs are numbers of at most 32 bits; whether they are sensible is not looked at here.
absl::StatusOr<Phc> ParsePhc(std::string_view text);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_PHC_INTERNAL_H_
