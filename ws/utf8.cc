// The validator: the beginning and the end of each piece, and where a text goes wrong, by bytes;
// all between by the fastest way there is.

#include "strata/ws/utf8.h"

#include <cstring>

#include "strata/ws/utf8_internal.h"

namespace strata::ws {
namespace {

SkipValidUtf8Function ChooseSkip() {
#if defined(__x86_64__)
  if (Utf8Avx2IsAvailable()) return SkipValidUtf8Avx2;
  if (Utf8Ssse3IsAvailable()) return SkipValidUtf8Ssse3;
#endif
  return SkipAsciiPortable;
}

template <typename Word>
bool WordIsAscii(const char* text) {
  Word word;
  std::memcpy(&word, text, sizeof(word));
  return (word & static_cast<Word>(0x8080808080808080)) == 0;
}

}  // namespace

std::size_t SkipAsciiPortable(const char* text, std::size_t size) {
  std::size_t at = 0;
  while (size - at >= 8 && WordIsAscii<std::uint64_t>(text + at)) at += 8;
  if (size - at >= 4 && WordIsAscii<std::uint32_t>(text + at)) at += 4;
  return at;
}

// RFC 3629 section 4, as it stands there: the first byte of a character tells how many follow, and
// within which bounds the second is.
std::size_t Utf8Validator::AddByBytes(std::string_view piece) {
  Utf8Validator state = *this;
  std::size_t at = 0;
  for (; at < piece.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(piece[at]);
    if (state.missing_ != 0) {
      if (byte < state.low_ || byte > state.high_) break;
      --state.missing_;
      state.low_ = 0x80;
      state.high_ = 0xbf;
      continue;
    }
    if (byte < 0x80) {
      at += SkipAsciiPortable(piece.data() + at + 1, piece.size() - at - 1);
      continue;
    }
    if (byte < 0xc2 || byte > 0xf4) break;
    state.missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    state.low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    state.high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  }
  *this = state;
  return at;
}

std::size_t Utf8Ways::Add(Utf8Validator& validator, std::string_view piece,
                          SkipValidUtf8Function skip) {
  std::size_t at = 0;
  for (; validator.missing_ != 0 && at < piece.size(); ++at) {
    if (validator.AddByBytes(piece.substr(at, 1)) == 0) return at;
  }
  at += skip(piece.data() + at, piece.size() - at);
  return at + validator.AddByBytes(piece.substr(at));
}

std::size_t Utf8Validator::Add(std::string_view piece) {
  static const SkipValidUtf8Function skip = ChooseSkip();
  return Utf8Ways::Add(*this, piece, skip);
}

bool IsValidUtf8(std::string_view text) {
  Utf8Validator validator;
  return validator.Add(text) == text.size() && validator.IsComplete();
}

}  // namespace strata::ws
