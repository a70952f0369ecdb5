// UTF-8 (RFC 3629 section 4).

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

bool IsTail(unsigned char c) { return (c & 0xc0) == 0x80; }

}  // namespace

bool IsUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at < end) {
    const unsigned char lead = *at;
    if (lead < 0x80) {
      // What is ASCII goes by eight bytes at once; at the end, by the last eight of the text.
      const std::ptrdiff_t left = end - at;
      if (left < 8 && text.size() < 8) {
        ++at;
        continue;
      }
      std::uint64_t high;
      std::memcpy(&high, left < 8 ? end - 8 : at, sizeof(high));
      if (left < 8) high >>= 8 * (8 - left);
      high &= 0x8080808080808080;
      at += high != 0 ? __builtin_ctzll(high) / 8 : left < 8 ? left : 8;
      continue;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
      if (end - at < 2 || !IsTail(at[1])) return false;
      at += 2;
      continue;
    }
    // The second byte's range excludes longer forms, surrogates and what is above U+10FFFF.
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    std::ptrdiff_t size;
    if ((lead & 0xf0) == 0xe0) {
      size = 3;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      size = 4;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - at < size || at[1] < low || at[1] > high) return false;
    for (std::ptrdiff_t i = 2; i < size; ++i) {
      if (!IsTail(at[i])) return false;
    }
    at += size;
  }
  return true;
}

std::size_t Utf8Length(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) length += IsTail(static_cast<unsigned char>(c)) ? 0 : 1;
  return length;
}

}  // namespace strata::orm::internal
