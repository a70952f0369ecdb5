// File: mask.h
//
// Masking, RFC 6455 section 5.3: what a client sends is XORed with a key of 4 bytes, again and
// again, and so is what a server receives; both are the same operation.
//
//   MaskKey key = MaskKey::FromBytes(four_bytes);
//   key = ApplyMask(first_piece, key);   // In place.
//   key = ApplyMask(second_piece, key);  // Goes on where the first ended.
//
// A payload comes in pieces of any size. Instead of a position the caller keeps the key that is
// returned, turned so that its first byte is the next one's.

#ifndef STRATA_WS_MASK_H_
#define STRATA_WS_MASK_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace strata::ws {

static_assert(std::endian::native == std::endian::little);

// A value of 4 bytes. A key of zeros is a key like any other.
class MaskKey {
 public:
  // Of zeros.
  constexpr MaskKey() = default;

  // In the order of the wire.
  static MaskKey FromBytes(const char* four_bytes) {
    MaskKey key;
    std::memcpy(&key.word_, four_bytes, sizeof(key.word_));
    return key;
  }
  void ToBytes(char* four_bytes) const { std::memcpy(four_bytes, &word_, sizeof(word_)); }

  // From 32 random bits.
  static constexpr MaskKey FromNumber(std::uint32_t number) {
    MaskKey key;
    key.word_ = number;
    return key;
  }

  // The four bytes as they lie in memory.
  constexpr std::uint32_t word() const { return word_; }

  // The key for what comes `bytes` later.
  constexpr MaskKey After(std::size_t bytes) const {
    return FromNumber(std::rotr(word_, static_cast<int>(8 * (bytes % 4))));
  }

  friend constexpr bool operator==(MaskKey, MaskKey) = default;

 private:
  std::uint32_t word_ = 0;
};

// Masks or unmasks `bytes` where they are. Returns the key for the byte that follows them.
MaskKey ApplyMask(std::span<char> bytes, MaskKey key);

// Writes `size` bytes of `from`, masked or unmasked, to `to`. The two are the same place, or do not
// overlap. Returns the key for the byte that follows.
MaskKey CopyMasked(char* to, const char* from, std::size_t size, MaskKey key);

}  // namespace strata::ws

#endif  // STRATA_WS_MASK_H_
