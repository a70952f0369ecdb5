// The characters of URIs (RFC 3986 section 2 and appendix A).

#ifndef STRATA_HTTP_URI_INTERNAL_H_
#define STRATA_HTTP_URI_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strata::http::internal {

// Sets of characters, as bits.
inline constexpr std::uint8_t kUnreserved = 1;
inline constexpr std::uint8_t kSegmentChar = 2;  // pchar without "%".
inline constexpr std::uint8_t kPathChar = 4;     // And "/".
inline constexpr std::uint8_t kQueryChar = 8;    // And "?".
inline constexpr std::uint8_t kFormChar = 16;
inline constexpr std::uint8_t kUserInfoChar = 32;
inline constexpr std::uint8_t kSchemeChar = 64;
inline constexpr std::uint8_t kHostChar = 128;  // Of names in the DNS and of IPv4.

inline constexpr std::array<std::uint8_t, 256> kCharSets = [] {
  std::array<std::uint8_t, 256> sets{};
  const auto add = [&sets](std::string_view characters, unsigned bits) {
    for (const char c : characters) sets[static_cast<unsigned char>(c)] |= bits;
  };
  constexpr unsigned kInPath = kSegmentChar | kPathChar | kQueryChar;
  for (unsigned c = 0; c < 128; ++c) {
    const unsigned lower = c | 0x20;
    if ((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z')) sets[c] = 0xff;
  }
  add("-._~", kUnreserved | kInPath | kUserInfoChar);
  add("!$&'()*+,;=", kInPath | kUserInfoChar);
  add(":", kInPath | kUserInfoChar);
  add("@", kInPath);
  add("/", kPathChar | kQueryChar);
  add("?", kQueryChar);
  add("*-._", kFormChar);
  add("+-.", kSchemeChar);
  add("-._", kHostChar);
  return sets;
}();

inline bool IsIn(char c, unsigned sets) {
  return (kCharSets[static_cast<unsigned char>(c)] & sets) != 0;
}

// 0 to 15, or -1.
inline constexpr std::array<std::int8_t, 256> kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  for (unsigned c = 0; c < 256; ++c) {
    const unsigned lower = c | 0x20;
    values[c] = static_cast<std::int8_t>(c >= '0' && c <= '9'           ? c - '0'
                                         : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                                        : -1);
  }
  return values;
}();

inline int HexValue(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

// The byte of the "%XX" that begins at `at`, or -1 if none does.
inline int EscapeAt(std::string_view text, std::size_t at) {
  if (text.size() - at < 3 || text[at] != '%') return -1;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  return (high | low) < 0 ? -1 : high * 16 + low;
}

inline constexpr char kUpperHex[] = "0123456789ABCDEF";

inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace strata::http::internal

#endif  // STRATA_HTTP_URI_INTERNAL_H_
