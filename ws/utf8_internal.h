// The ways to go through valid UTF-8, for the function that chooses and for the tests of all of
// them.

#ifndef STRATA_WS_UTF8_INTERNAL_H_
#define STRATA_WS_UTF8_INTERNAL_H_

#include <cstddef>
#include <string_view>

#include "strata/ws/utf8.h"

namespace strata::ws {

// Each looks at the `size` bytes at `text`, which begin with a character, and returns how many of
// them at its beginning are whole valid characters, but not all of these: what is left begins with
// a character, and is shorter than kUtf8MaxRest or has a bad byte among its first kUtf8MaxRest.
using SkipValidUtf8Function = std::size_t (*)(const char* text, std::size_t size);

inline constexpr std::size_t kUtf8MaxRest = 80;

// Skips ASCII only, by words; so what is left may be all that follows it.
std::size_t SkipAsciiPortable(const char* text, std::size_t size);

// By 16 bytes, only where Utf8Ssse3IsAvailable(), and by 32, only where Utf8Avx2IsAvailable().
std::size_t SkipValidUtf8Ssse3(const char* text, std::size_t size);
std::size_t SkipValidUtf8Avx2(const char* text, std::size_t size);
bool Utf8Ssse3IsAvailable();
bool Utf8Avx2IsAvailable();

// Utf8Validator::Add() by one of them.
struct Utf8Ways {
  static std::size_t Add(Utf8Validator& validator, std::string_view piece,
                         SkipValidUtf8Function skip);
};

}  // namespace strata::ws

#endif  // STRATA_WS_UTF8_INTERNAL_H_
