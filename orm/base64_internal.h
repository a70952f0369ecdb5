// Base64 as RFC 4648 section 4 says, with its padding, and nothing else.

#ifndef STRATA_ORM_BASE64_INTERNAL_H_
#define STRATA_ORM_BASE64_INTERNAL_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "strata/orm/type_info.h"

namespace strata::orm::internal {

inline constexpr std::size_t Base64Size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes Base64Size() characters, and returns their end.
char* EncodeBase64(std::span<const std::byte> bytes, char* out);

// False if it is none: other characters, no or wrong padding, bits that are not 0 behind the last
// byte (section 3.5).
bool DecodeBase64(std::string_view text, Blob* bytes);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_BASE64_INTERNAL_H_
