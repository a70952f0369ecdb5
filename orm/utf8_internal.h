// Looking at texts: where they stop to be plain, and whether they are UTF-8.

#ifndef STRATA_ORM_UTF8_INTERNAL_H_
#define STRATA_ORM_UTF8_INTERNAL_H_

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace strata::orm::internal {

// Eight bytes, or four, at once.
template <typename Word>
inline bool IsAsciiWord(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return (word & static_cast<Word>(0x8080808080808080)) == 0;
}

inline bool IsAscii(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  if (text.size() >= 8) {
    for (; end - at > 8; at += 8) {
      if (!IsAsciiWord<std::uint64_t>(at)) return false;
    }
    return IsAsciiWord<std::uint64_t>(end - 8);
  }
  if (text.size() >= 4) {
    return IsAsciiWord<std::uint32_t>(at) && IsAsciiWord<std::uint32_t>(end - 4);
  }
  for (; at != end; ++at) {
    if (static_cast<signed char>(*at) < 0) return false;
  }
  return true;
}

// Whether the bytes are UTF-8: shortest forms, no surrogates, no more than U+10FFFF (RFC 3629).
bool IsUtf8(std::string_view text);

// How many code points it has, as UTF-8.
std::size_t Utf8Length(std::string_view text);

inline bool StopsString(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

// Looks at `size` bytes, 4, 8 or 16. True if one of them stops a string: `*at` is that one then, or
// else what follows. Sets `*ascii` to false if one before it is not ASCII.
template <std::size_t size>
bool FindStopWithin(const char** at, bool* ascii) {
  __m128i bytes = _mm_setzero_si128();
  std::memcpy(&bytes, *at, size);
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i stops =
      _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                   _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
  const unsigned stop_mask = static_cast<unsigned>(_mm_movemask_epi8(stops)) & ((1u << size) - 1);
  const unsigned high_mask = static_cast<unsigned>(_mm_movemask_epi8(bytes));
  if (stop_mask == 0) {
    if (high_mask != 0) *ascii = false;
    *at += size;
    return false;
  }
  const unsigned first = static_cast<unsigned>(__builtin_ctz(stop_mask));
  if ((high_mask & ((1u << first) - 1)) != 0) *ascii = false;
  *at += first;
  return true;
}

// The first byte from `at` on that JSON does not write as it is in a string: a quote, a backslash,
// a control character; or `end`. Sets `*ascii` to false if a byte before it is not ASCII.
inline const char* FindStringStop(const char* at, const char* end, bool* ascii) {
  while (end - at >= 16) {
    if (FindStopWithin<16>(&at, ascii)) return at;
  }
  if (end - at >= 8 && FindStopWithin<8>(&at, ascii)) return at;
  if (end - at >= 4 && FindStopWithin<4>(&at, ascii)) return at;
  for (; at < end && !StopsString(*at); ++at) {
    if (static_cast<signed char>(*at) < 0) *ascii = false;
  }
  return at;
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_UTF8_INTERNAL_H_
