// SHA-1, FIPS 180-4 section 6.1, for the opening handshake alone: RFC 6455 wants it to tell that a
// server knows the protocol. It protects nothing, and is fit for nothing else.

#ifndef STRATA_WS_SHA1_INTERNAL_H_
#define STRATA_WS_SHA1_INTERNAL_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strata::ws {

using Sha1Digest = std::array<std::uint8_t, 20>;

class Sha1 {
 public:
  static constexpr Sha1Digest Of(std::string_view bytes) {
    Sha1 sha1;
    std::size_t at = 0;
    Block block;
    for (; bytes.size() - at >= block.size(); at += block.size()) {
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = Byte(bytes[at + i]);
      sha1.Add(block);
    }
    // The rest, a bit, zeros, and the number of bits in 8 bytes: one block or two.
    const std::size_t rest = bytes.size() - at;
    block = {};
    for (std::size_t i = 0; i < rest; ++i) block[i] = Byte(bytes[at + i]);
    block[rest] = 0x80;
    if (rest + 1 + 8 > block.size()) {
      sha1.Add(block);
      block = {};
    }
    const std::uint64_t bits = std::uint64_t{8} * bytes.size();
    for (std::size_t i = 0; i < 8; ++i) block[63 - i] = static_cast<std::uint8_t>(bits >> 8 * i);
    sha1.Add(block);

    Sha1Digest digest = {};
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::uint8_t>(sha1.state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
  }

 private:
  using Block = std::array<std::uint8_t, 64>;

  static constexpr std::uint8_t Byte(char c) { return static_cast<std::uint8_t>(c); }

  constexpr void Add(const Block& block) {
    std::array<std::uint32_t, 80> schedule = {};
    for (std::size_t t = 0; t < 16; ++t) {
      for (std::size_t i = 0; i < 4; ++i) schedule[t] = schedule[t] << 8 | block[4 * t + i];
    }
    for (std::size_t t = 16; t < schedule.size(); ++t) {
      schedule[t] =
          std::rotl(schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t t = 0; t < schedule.size(); ++t) {
      const std::uint32_t next =
          std::rotl(a, 5) + Mixed(t, b, c, d) + e + kRounds[t / 20] + schedule[t];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
    state_[4] += e;
  }

  static constexpr std::uint32_t Mixed(std::size_t t, std::uint32_t b, std::uint32_t c,
                                       std::uint32_t d) {
    if (t < 20) return (b & c) | (~b & d);
    if (t >= 40 && t < 60) return (b & c) | (b & d) | (c & d);
    return b ^ c ^ d;
  }

  static constexpr std::array<std::uint32_t, 4> kRounds = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                                           0xca62c1d6};
  std::array<std::uint32_t, 5> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                         0xc3d2e1f0};
};

}  // namespace strata::ws

#endif  // STRATA_WS_SHA1_INTERNAL_H_
