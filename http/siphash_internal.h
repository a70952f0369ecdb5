// SipHash-2-4 (Aumasson, Bernstein: SipHash: a fast short-input PRF, INDOCRYPT 2012): a hash under
// a secret key, whose values nobody can foresee or make collide who does not know the key. So
// tables of what comes from outside cannot be flooded.

#ifndef STRATA_HTTP_SIPHASH_INTERNAL_H_
#define STRATA_HTTP_SIPHASH_INTERNAL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strata::http {

struct SipKey {
  std::uint64_t k0;
  std::uint64_t k1;

  // From the system's random numbers.
  static SipKey Random();
};

namespace internal {

struct SipState {
  explicit SipState(const SipKey& key)
      : v0(key.k0 ^ 0x736f6d6570736575),
        v1(key.k1 ^ 0x646f72616e646f6d),
        v2(key.k0 ^ 0x6c7967656e657261),
        v3(key.k1 ^ 0x7465646279746573) {}

  void Round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void Add(std::uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }

  std::uint64_t Finish() {
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }

  std::uint64_t v0, v1, v2, v3;
};

}  // namespace internal

std::uint64_t SipHash(const SipKey& key, std::string_view bytes);

// The same of a message of 8 bytes, little-endian, and one byte more; without a loop.
inline std::uint64_t SipHash(const SipKey& key, std::uint64_t word, std::uint8_t byte) {
  internal::SipState state(key);
  state.Add(word);
  state.Add(std::uint64_t{9} << 56 | byte);
  return state.Finish();
}

}  // namespace strata::http

#endif  // STRATA_HTTP_SIPHASH_INTERNAL_H_
