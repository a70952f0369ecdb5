// The compact form of a JWS (RFC 7515, section 7.1), taken apart, nothing of it believed.

#ifndef STRATA_CRYPTO_JWT_INTERNAL_H_
#define STRATA_CRYPTO_JWT_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::crypto {

struct ParsedJws {
  std::string_view signed_part;  // Of the token: header, dot, payload.
  std::string algorithm;
  std::optional<std::string> key_id;
  std::optional<std::string> type;
  std::string payload;
  std::string signature;
};

absl::StatusOr<ParsedJws> ParseJws(std::string_view token);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_JWT_INTERNAL_H_
