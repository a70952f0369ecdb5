// Claims as JSON, and whether they are as a policy says.

#ifndef STRATA_CRYPTO_JWT_CLAIMS_INTERNAL_H_
#define STRATA_CRYPTO_JWT_CLAIMS_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/jwt.h"

namespace strata::crypto {

absl::StatusOr<JwtClaims> ReadClaims(std::string_view json);
absl::StatusOr<std::string> WriteClaims(const JwtClaims& claims);

// `type` is the header's "typ".
absl::Status CheckClaims(const JwtClaims& claims, const std::optional<std::string>& type,
                         const JwtPolicy& policy);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_JWT_CLAIMS_INTERNAL_H_
