// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#ifndef STRATA_HTTP_UTF8_INTERNAL_H_
#define STRATA_HTTP_UTF8_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace strata::http {

// U+FFFD, which stands for what is no UTF-8.
inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The character that `text` begins with; it has at least a byte. `size` is how many bytes it takes,
// 0 if it is none.
struct Utf8Char {
  char32_t code;
  std::size_t size;
};

inline Utf8Char FirstUtf8Char(std::string_view text) {
  const auto byte = [text](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
  };
  const auto more = [byte](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xc2) return {0, 0};
  if (first < 0xe0) {
    if (!more(1)) return {0, 0};
    return {(first & 0x1f) << 6 | (byte(1) & 0x3f), 2};
  }
  if (first < 0xf0) {
    if (!more(1) || !more(2)) return {0, 0};
    const char32_t code = (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) return {0, 0};
    return {code, 3};
  }
  if (first >= 0xf5 || !more(1) || !more(2) || !more(3)) return {0, 0};
  const char32_t code =
      (first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  if (code < 0x10000 || code > 0x10ffff) return {0, 0};
  return {code, 4};
}

inline bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    // Most text is ASCII: eight bytes at once.
    std::uint64_t word = ~std::uint64_t{0};
    if (text.size() >= sizeof(word)) std::memcpy(&word, text.data(), sizeof(word));
    const std::size_t size =
        (word & 0x8080808080808080) == 0 ? sizeof(word) : FirstUtf8Char(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace strata::http

#endif  // STRATA_HTTP_UTF8_INTERNAL_H_
