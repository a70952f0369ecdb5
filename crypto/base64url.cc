// Base64 by a table and six bits at a time: speed is not what tokens and keys wait for.

#include "strata/crypto/base64url_internal.h"

namespace strata::crypto {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The value of a character, or -1.
int ValueOf(Base64Alphabet alphabet, char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  const std::string_view last = (alphabet == Base64Alphabet::kUrl ? kUrl : kStandard).substr(62);
  if (c == last[0]) return 62;
  if (c == last[1]) return 63;
  return -1;
}

// Takes the padding off; false if it is not as it must be.
bool TakePadding(std::string_view& text) {
  if (text.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return true;
}

}  // namespace

SecretBytes EncodeBase64(Base64Alphabet alphabet, std::span<const std::uint8_t> bytes) {
  const bool url = alphabet == Base64Alphabet::kUrl;
  const std::string_view characters = url ? kUrl : kStandard;
  const std::size_t size = (bytes.size() * 8 + 5) / 6;
  SecretBytes text(url ? size : (bytes.size() + 2) / 3 * 4);
  const std::span<std::uint8_t> out = text.mutable_bytes();
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      out[at++] = static_cast<std::uint8_t>(characters[bits >> count & 63]);
    }
  }
  if (count > 0) out[at++] = static_cast<std::uint8_t>(characters[bits << (6 - count) & 63]);
  while (at < out.size()) out[at++] = '=';
  return text;
}

std::optional<SecretBytes> DecodeBase64(Base64Alphabet alphabet, std::string_view text) {
  if (alphabet == Base64Alphabet::kStandard && !TakePadding(text)) return std::nullopt;
  if (text.size() % 4 == 1) return std::nullopt;
  SecretBytes bytes(text.size() * 6 / 8);
  const std::span<std::uint8_t> out = bytes.mutable_bytes();
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const int value = ValueOf(alphabet, c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[at++] = static_cast<std::uint8_t>(bits >> count);
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string EncodeBase64Url(std::span<const std::uint8_t> bytes) {
  return std::string(EncodeBase64(Base64Alphabet::kUrl, bytes).text());
}

std::string EncodeBase64Url(std::string_view bytes) {
  return EncodeBase64Url(
      std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  const std::optional<SecretBytes> bytes = DecodeBase64(Base64Alphabet::kUrl, text);
  if (!bytes.has_value()) return std::nullopt;
  return std::string(bytes->text());
}

}  // namespace strata::crypto
