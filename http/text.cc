// The classes of text.

#include "strata/http/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool IsWhitespace(char c) { return c == ' ' || c == '\t'; }

// Whether one of 8 bytes is below 0x20, or DEL. The borrow of a subtraction shows in the high bit
// of a byte, and may reach into the next one: so this can be true for bytes that are good.
bool MayHaveControlByte(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  const std::uint64_t del = word ^ (kOnes * 0x7f);
  return (((word - kOnes * 0x20) & ~word) | ((del - kOnes) & ~del)) & (kOnes * 0x80);
}

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsOf(kTokenByte, c); });
}

bool IsFieldValue(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto is_good = [](const char* word) {
    return !MayHaveControlByte(word) || FindEndOf(kValueByte, word, word + 8) == word + 8;
  };
  if (text.size() < 8) return FindEndOf(kValueByte, at, end) == end;
  for (; end - at > 8; at += 8) {
    if (!is_good(at)) return false;
  }
  return is_good(end - 8);  // Some of it was seen before.
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string_view TrimWhitespace(std::string_view text) {
  while (!text.empty() && IsWhitespace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsWhitespace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace strata::http
