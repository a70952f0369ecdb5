// The choice of a way, and the portable one.

#include "strata/ws/mask.h"

#include "strata/ws/mask_internal.h"

namespace strata::ws {
namespace {

template <typename Word>
Word Load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

template <typename Word>
void Store(char* to, Word word) {
  std::memcpy(to, &word, sizeof(word));
}

// Sizes from that of one word to that of two: two words, which may overlap. Both are read before
// either is written, as they may be in one place.
template <typename Word>
void CopyOneToTwoWords(char* to, const char* from, std::size_t size, Word mask, Word last_mask) {
  const std::size_t last = size - sizeof(Word);
  const Word first_word = Load<Word>(from) ^ mask;
  const Word last_word = Load<Word>(from + last) ^ last_mask;
  Store<Word>(to, first_word);
  Store<Word>(to + last, last_word);
}

constexpr std::uint64_t Twice(std::uint32_t key) { return std::uint64_t{key} << 32 | key; }

}  // namespace

void CopyMaskedPortable(char* to, const char* from, std::size_t size, std::uint32_t key) {
  if (size < 4) {
    for (std::size_t i = 0; i < size; ++i, key >>= 8) to[i] = static_cast<char>(from[i] ^ key);
    return;
  }
  const std::uint32_t last_key = MaskKey::FromNumber(key).After(size).word();
  if (size < 8) return CopyOneToTwoWords<std::uint32_t>(to, from, size, key, last_key);

  const std::uint64_t mask = Twice(key);
  for (; size > 16; size -= 8, from += 8, to += 8) {
    Store<std::uint64_t>(to, Load<std::uint64_t>(from) ^ mask);
  }
  CopyOneToTwoWords<std::uint64_t>(to, from, size, mask, Twice(last_key));
}

MaskKey CopyMasked(char* to, const char* from, std::size_t size, MaskKey key) {
#if defined(__x86_64__)
  if (size < 16) {
    CopyMaskedPortable(to, from, size, key.word());
  } else if (size >= 32 && MaskAvx2IsAvailable()) {
    CopyMaskedAvx2(to, from, size, key.word());
  } else {
    CopyMaskedSse2(to, from, size, key.word());
  }
#else
  CopyMaskedPortable(to, from, size, key.word());
#endif
  return key.After(size);
}

MaskKey ApplyMask(std::span<char> bytes, MaskKey key) {
  return CopyMasked(bytes.data(), bytes.data(), bytes.size(), key);
}

}  // namespace strata::ws
