// UTF-8 (RFC 3629 section 4).

#include <cstddef>

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
      ++at;
      continue;
    }
    // The second byte's range excludes longer forms, surrogates and what is above U+10FFFF.
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    std::ptrdiff_t size;
    if (lead >= 0xc2 && lead <= 0xdf) {
      size = 2;
    } else if ((lead & 0xf0) == 0xe0) {
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
