// The scanners by vectors of 16 and 32 bytes.
//
// A class of ASCII bytes is looked up by nibbles: the low one gives the set of high ones that make
// a byte of the class with it, as bits, and the high one gives its bit; both by the shuffle of
// SSSE3 (after "Faster Base64 Encoding and Decoding Using AVX2 Instructions", Mula and Lemire,
// 2018).
//
// The last bytes of a target are looked at in a vector that ends with them and begins in what was
// seen before, so that nothing behind the end is read.

#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

struct alignas(16) Nibbles {
  std::array<std::uint8_t, 16> sets;
};

constexpr Nibbles MakeLowNibbles(ByteClass byte_class) {
  Nibbles low = {};
  for (int byte = 0; byte < 128; ++byte) {
    if (IsOf(byte_class, static_cast<char>(byte))) {
      low.sets[static_cast<std::size_t>(byte & 15)] |= static_cast<std::uint8_t>(1 << (byte >> 4));
    }
  }
  return low;
}

template <ByteClass kClass>
constexpr Nibbles kLowNibbles = MakeLowNibbles(kClass);

constexpr Nibbles kHighNibbles = {{1, 2, 4, 8, 16, 32, 64, 128}};

// Bit i is set if byte i is not of the class.
template <ByteClass kClass>
[[gnu::target("ssse3"), gnu::always_inline]] inline std::uint32_t NotOf16(__m128i bytes) {
  const __m128i low = _mm_load_si128(reinterpret_cast<const __m128i*>(&kLowNibbles<kClass>));
  const __m128i high = _mm_load_si128(reinterpret_cast<const __m128i*>(&kHighNibbles));
  const __m128i high_nibbles = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
  // For a byte from 0x80 on, the shuffle gives 0; else it looks at the low nibble alone.
  const __m128i found =
      _mm_and_si128(_mm_shuffle_epi8(low, bytes), _mm_shuffle_epi8(high, high_nibbles));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128())));
}

// Below 0x20 but for tab, or DEL.
template <>
[[gnu::target("ssse3"), gnu::always_inline]] inline std::uint32_t NotOf16<kValueByte>(
    __m128i bytes) {
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}

template <ByteClass kClass>
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint32_t NotOf32(__m256i bytes) {
  const __m256i low = _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(&kLowNibbles<kClass>)));
  const __m256i high =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(&kHighNibbles)));
  const __m256i high_nibbles = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  const __m256i found =
      _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, high_nibbles));
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())));
}

template <>
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint32_t NotOf32<kValueByte>(
    __m256i bytes) {
  const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
  const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
  const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_or_si256(_mm256_andnot_si256(tab, low), del)));
}

[[gnu::target("ssse3"), gnu::always_inline]] inline __m128i Load16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i Load32(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

// The first byte from `at` on that is not of the class, or `end`. May read from `begin` on.
template <ByteClass kClass>
[[gnu::target("ssse3"), gnu::always_inline]] inline const char* Find16(const char* begin,
                                                                       const char* at,
                                                                       const char* end) {
  for (; end - at >= 16; at += 16) {
    const std::uint32_t found = NotOf16<kClass>(Load16(at));
    if (found != 0) return at + std::countr_zero(found);
  }
  if (end - begin < 16) return FindEndOf(kClass, at, end);
  const char* const last = end - 16;
  const std::uint32_t found = (NotOf16<kClass>(Load16(last)) & 0xffff) >> (at - last);
  return found != 0 ? at + std::countr_zero(found) : end;
}

template <ByteClass kClass>
[[gnu::target("avx2"), gnu::always_inline]] inline const char* Find32(const char* begin,
                                                                      const char* at,
                                                                      const char* end) {
  for (; end - at >= 32; at += 32) {
    const std::uint32_t found = NotOf32<kClass>(Load32(at));
    if (found != 0) return at + std::countr_zero(found);
  }
  return Find16<kClass>(begin, at, end);
}

template <ByteClass kClass>
[[gnu::target("ssse3"), gnu::always_inline]] inline std::uint64_t NotOf64(
    const __m128i (&bytes)[4]) {
  std::uint64_t found = 0;
  for (int i = 0; i < 4; ++i) found |= std::uint64_t{NotOf16<kClass>(bytes[i])} << (16 * i);
  return found;
}

[[gnu::target("ssse3")]] BlockClasses Classify16(const char* block) {
  const __m128i bytes[] = {Load16(block), Load16(block + 16), Load16(block + 32),
                           Load16(block + 48)};
  return {NotOf64<kTokenByte>(bytes), NotOf64<kValueByte>(bytes)};
}

[[gnu::target("avx2")]] BlockClasses Classify32(const char* block) {
  const __m256i low = Load32(block);
  const __m256i high = Load32(block + 32);
  return {NotOf32<kTokenByte>(low) | std::uint64_t{NotOf32<kTokenByte>(high)} << 32,
          NotOf32<kValueByte>(low) | std::uint64_t{NotOf32<kValueByte>(high)} << 32};
}

[[gnu::target("ssse3")]] const char* FindTargetEnd16(const char* at, const char* end) {
  return Find16<kTargetByte>(at, at, end);
}

[[gnu::target("avx2")]] const char* FindTargetEnd32(const char* at, const char* end) {
  return Find32<kTargetByte>(at, at, end);
}

bool HasSsse3() { return __builtin_cpu_supports("ssse3"); }

bool HasAvx2() {
#ifdef _WIN32
  // GCC does not align a 32-byte vector that it keeps on the stack there (its bug 54412).
  return false;
#else
  return __builtin_cpu_supports("avx2");
#endif
}

}  // namespace

const Scanner kSsse3Scanner = {"ssse3", Classify16, FindTargetEnd16, HasSsse3};
const Scanner kAvx2Scanner = {"avx2", Classify32, FindTargetEnd32, HasAvx2};

}  // namespace strata::http

#endif
