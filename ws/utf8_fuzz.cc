// Any bytes, in any pieces: all ways to validate give the same first bad byte as the one that goes
// byte by byte.
//
// The first byte is the number of cuts, then comes that many times the size of a piece, then the
// text.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/ws/utf8.h"
#include "strata/ws/utf8_internal.h"

namespace strata::ws {
namespace {

struct Verdict {
  std::size_t valid;
  bool complete;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

std::size_t SkipNothing(const char*, std::size_t) { return 0; }

Verdict Whole(std::string_view text, SkipValidUtf8Function skip) {
  Utf8Validator validator;
  const std::size_t valid = Utf8Ways::Add(validator, text, skip);
  return {valid, valid == text.size() && validator.IsComplete()};
}

Verdict InPieces(std::string_view text, std::string_view sizes) {
  Utf8Validator validator;
  std::size_t at = 0;
  for (std::size_t i = 0; i <= sizes.size(); ++i) {
    const std::size_t size = i < sizes.size() ? static_cast<std::uint8_t>(sizes[i]) : text.size();
    const std::string_view piece = text.substr(at, size);
    const std::size_t valid = validator.Add(piece);
    at += valid;
    if (valid != piece.size()) return {at, false};
  }
  return {at, validator.IsComplete()};
}

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace
}  // namespace strata::ws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata::ws;
  if (size == 0) return 0;
  const std::size_t cuts = std::min<std::size_t>(data[0], size - 1);
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view text = all.substr(cuts);
  const Verdict verdict = Whole(text, SkipNothing);
  Check(Whole(text, SkipAsciiPortable) == verdict);
#if defined(__x86_64__)
  if (Utf8Ssse3IsAvailable()) Check(Whole(text, SkipValidUtf8Ssse3) == verdict);
  if (Utf8Avx2IsAvailable()) Check(Whole(text, SkipValidUtf8Avx2) == verdict);
#endif
  Check(InPieces(text, all.substr(0, cuts)) == verdict);
  Check(IsValidUtf8(text) == verdict.complete);
  return 0;
}
