// File: utf8.h
//
// Whether bytes are UTF-8 as RFC 3629 defines it (no overlong forms, no surrogates, nothing above
// U+10FFFF), told at the first byte that cannot belong to such a text.
//
//   Utf8Validator text;
//   for (std::string_view piece : pieces) {
//     if (text.Add(piece) != piece.size()) return false;  // The first bad byte's offset.
//   }
//   return text.IsComplete();
//
// A text comes in pieces of any size, which may cut a character anywhere. A text message must not
// be delivered before all of it is known to be valid, and it may be refused as soon as it cannot
// become valid (RFC 6455 sections 5.6 and 8.1).

#ifndef STRATA_WS_UTF8_H_
#define STRATA_WS_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strata::ws {

// A value of 3 bytes: what may follow the characters and the part of one that came.
class Utf8Validator {
 public:
  // Takes the text's next piece. Returns its size if what came so far is valid, but for a last
  // character that may not be whole; else the offset in it of the first byte that makes the text
  // invalid whatever follows. The validator is of no use then, until Reset().
  std::size_t Add(std::string_view piece);

  // Whether the text does not end within a character.
  bool IsComplete() const { return missing_ == 0; }

  // For the next text.
  void Reset() { *this = Utf8Validator(); }

 private:
  friend struct Utf8Ways;

  std::size_t AddByBytes(std::string_view piece);

  // How many bytes of a begun character are still to come, and which values the next one may have.
  std::uint8_t missing_ = 0;
  std::uint8_t low_ = 0;
  std::uint8_t high_ = 0;
};

// Whether a whole text is valid.
bool IsValidUtf8(std::string_view text);

}  // namespace strata::ws

#endif  // STRATA_WS_UTF8_H_
