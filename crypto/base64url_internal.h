// Base64 and base64url (RFC 4648), read strictly: each sequence of bytes has one text, and only
// that one is accepted. No white space, no other alphabet's characters, no bits left over.

#ifndef STRATA_CRYPTO_BASE64URL_INTERNAL_H_
#define STRATA_CRYPTO_BASE64URL_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "strata/crypto/secret.h"

namespace strata::crypto {

enum class Base64Alphabet {
  kStandard,  // Section 4: '+', '/', padded by '='. As in PEM.
  kUrl,       // Section 5: '-', '_', never padded. As in JOSE (RFC 7515, section 2).
};

// The text of `bytes`, in a buffer that is wiped, for what may be secret.
SecretBytes EncodeBase64(Base64Alphabet alphabet, std::span<const std::uint8_t> bytes);

// The bytes of `text`; none if it is not what EncodeBase64() writes.
std::optional<SecretBytes> DecodeBase64(Base64Alphabet alphabet, std::string_view text);

// The same for what is public.
std::string EncodeBase64Url(std::span<const std::uint8_t> bytes);
std::string EncodeBase64Url(std::string_view bytes);
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_BASE64URL_INTERNAL_H_
