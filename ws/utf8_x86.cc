// Skipping valid UTF-8 by SSSE3 and AVX2: the same code (utf8_kernel_internal.h) for both widths.

#include <immintrin.h>

#include <array>
#include <cstdint>

#include "strata/ws/utf8_internal.h"

namespace strata::ws {
namespace {

// Which bytes may not follow each other. Each rule names a set of pairs by the high half and the
// low half of the first byte and the high half of the second; a set of halves has bit n for n.
struct Utf8Rule {
  std::uint16_t first_high;
  std::uint16_t first_low;
  std::uint16_t second_high;
};

// The halves from `from` to `to`.
constexpr std::uint16_t Halves(int from, int to) {
  return static_cast<std::uint16_t>((2 << to) - (1 << from));
}
constexpr std::uint16_t Half(int half) { return Halves(half, half); }
constexpr std::uint16_t kAnyHalf = Halves(0x0, 0xf);
constexpr std::uint16_t kAsciiHalves = Halves(0x0, 0x7);
constexpr std::uint16_t kContinuationHalves = Halves(0x8, 0xb);
constexpr std::uint16_t kLeadHalves = Halves(0xc, 0xf);

// Bit n of a table's entry is for the rule n. The last one is none by itself: see BrokenRules().
constexpr std::uint8_t kTwoContinuations = 0x80;
constexpr std::array<Utf8Rule, 8> kUtf8Rules = {{
    // A character that is cut off: its first byte and then none of a continuation.
    {kLeadHalves, kAnyHalf, static_cast<std::uint16_t>(kAsciiHalves | kLeadHalves)},
    // A continuation of nothing.
    {kAsciiHalves, kAnyHalf, kContinuationHalves},
    // Less than U+0080 in two bytes: c0 and c1.
    {Half(0xc), Halves(0x0, 0x1), kContinuationHalves},
    // Less than U+0800 in three: e0 80 to e0 9f.
    {Half(0xe), Half(0x0), Halves(0x8, 0x9)},
    // U+D800 to U+DFFF, the surrogates: ed a0 to ed bf.
    {Half(0xe), Half(0xd), Halves(0xa, 0xb)},
    // More than U+10FFFF, but for the next rule: f4 90 to f4 bf, and f5 to ff.
    {Half(0xf), Halves(0x4, 0xf), Halves(0x9, 0xb)},
    // Less than U+10000 in four, f0 80 to f0 8f; and f5 to ff before 80 to 8f.
    {Half(0xf), static_cast<std::uint16_t>(Half(0x0) | Halves(0x5, 0xf)), Half(0x8)},
    {kContinuationHalves, kAnyHalf, kContinuationHalves},
}};

struct Utf8Tables {
  alignas(16) std::array<std::uint8_t, 16> first_high;
  alignas(16) std::array<std::uint8_t, 16> first_low;
  alignas(16) std::array<std::uint8_t, 16> second_high;
};

constexpr Utf8Tables MakeUtf8Tables() {
  Utf8Tables tables = {};
  for (std::size_t rule = 0; rule < kUtf8Rules.size(); ++rule) {
    for (std::size_t half = 0; half < 16; ++half) {
      const auto bit = static_cast<std::uint8_t>(1 << rule);
      if ((kUtf8Rules[rule].first_high >> half & 1) != 0) tables.first_high[half] |= bit;
      if ((kUtf8Rules[rule].first_low >> half & 1) != 0) tables.first_low[half] |= bit;
      if ((kUtf8Rules[rule].second_high >> half & 1) != 0) tables.second_high[half] |= bit;
    }
  }
  return tables;
}

constexpr Utf8Tables kUtf8Tables = MakeUtf8Tables();

// The greatest number of bytes up to `at`, three or more, that end with a whole character, of a
// text that is valid up to there but for a character that `at` may cut.
std::size_t WholeCharacters(const char* text, std::size_t at) {
  const auto byte = [=](std::size_t back) { return static_cast<std::uint8_t>(text[at - back]); };
  if (byte(1) >= 0xc0) return at - 1;
  if (byte(2) >= 0xe0) return at - 2;
  if (byte(3) >= 0xf0) return at - 3;
  return at;
}

namespace ssse3 {

#define STRATA_WS_UTF8_TARGET [[gnu::target("ssse3")]]
#define STRATA_WS_UTF8_INLINE [[gnu::target("ssse3"), gnu::always_inline]] inline

using Vector = __m128i;
constexpr std::size_t kLanes = sizeof(Vector);

STRATA_WS_UTF8_INLINE Vector Load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
STRATA_WS_UTF8_INLINE Vector Filled(std::uint8_t byte) {
  return _mm_set1_epi8(static_cast<char>(byte));
}
STRATA_WS_UTF8_INLINE Vector And(Vector a, Vector b) { return _mm_and_si128(a, b); }
STRATA_WS_UTF8_INLINE Vector Or(Vector a, Vector b) { return _mm_or_si128(a, b); }
STRATA_WS_UTF8_INLINE Vector Xor(Vector a, Vector b) { return _mm_xor_si128(a, b); }
STRATA_WS_UTF8_INLINE Vector SubtractSaturated(Vector a, std::uint8_t b) {
  return _mm_subs_epu8(a, Filled(b));
}
STRATA_WS_UTF8_INLINE Vector LowHalves(Vector a) { return And(a, Filled(0x0f)); }
STRATA_WS_UTF8_INLINE Vector HighHalves(Vector a) {
  return And(_mm_srli_epi16(a, 4), Filled(0x0f));
}
STRATA_WS_UTF8_INLINE Vector LookUp(const std::array<std::uint8_t, 16>& table, Vector halves) {
  return _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(table.data())), halves);
}
// By kBytes towards the end, after zeros.
template <int kBytes>
STRATA_WS_UTF8_INLINE Vector MovedUp(Vector a) {
  return _mm_slli_si128(a, kBytes);
}
STRATA_WS_UTF8_INLINE bool IsAscii(Vector a) { return _mm_movemask_epi8(a) == 0; }
STRATA_WS_UTF8_INLINE bool IsZero(Vector a) {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128())) == 0xffff;
}

#include "strata/ws/utf8_kernel_internal.h"

#undef STRATA_WS_UTF8_TARGET
#undef STRATA_WS_UTF8_INLINE

}  // namespace ssse3

namespace avx2 {

#define STRATA_WS_UTF8_TARGET [[gnu::target("avx2")]]
#define STRATA_WS_UTF8_INLINE [[gnu::target("avx2"), gnu::always_inline]] inline

using Vector = __m256i;
constexpr std::size_t kLanes = sizeof(Vector);

STRATA_WS_UTF8_INLINE Vector Load(const char* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
STRATA_WS_UTF8_INLINE Vector Filled(std::uint8_t byte) {
  return _mm256_set1_epi8(static_cast<char>(byte));
}
STRATA_WS_UTF8_INLINE Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
STRATA_WS_UTF8_INLINE Vector Or(Vector a, Vector b) { return _mm256_or_si256(a, b); }
STRATA_WS_UTF8_INLINE Vector Xor(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
STRATA_WS_UTF8_INLINE Vector SubtractSaturated(Vector a, std::uint8_t b) {
  return _mm256_subs_epu8(a, Filled(b));
}
STRATA_WS_UTF8_INLINE Vector LowHalves(Vector a) { return And(a, Filled(0x0f)); }
STRATA_WS_UTF8_INLINE Vector HighHalves(Vector a) {
  return And(_mm256_srli_epi16(a, 4), Filled(0x0f));
}
STRATA_WS_UTF8_INLINE Vector LookUp(const std::array<std::uint8_t, 16>& table, Vector halves) {
  const __m128i half = _mm_load_si128(reinterpret_cast<const __m128i*>(table.data()));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), halves);
}
// By kBytes towards the end, after zeros.
template <int kBytes>
STRATA_WS_UTF8_INLINE Vector MovedUp(Vector a) {
  const Vector low_above_zeros = _mm256_permute2x128_si256(a, a, 0x08);
  return _mm256_alignr_epi8(a, low_above_zeros, 16 - kBytes);
}
STRATA_WS_UTF8_INLINE bool IsAscii(Vector a) { return _mm256_movemask_epi8(a) == 0; }
STRATA_WS_UTF8_INLINE bool IsZero(Vector a) { return _mm256_testz_si256(a, a) != 0; }

#include "strata/ws/utf8_kernel_internal.h"

#undef STRATA_WS_UTF8_TARGET
#undef STRATA_WS_UTF8_INLINE

}  // namespace avx2
}  // namespace

bool Utf8Ssse3IsAvailable() { return __builtin_cpu_supports("ssse3"); }
bool Utf8Avx2IsAvailable() { return __builtin_cpu_supports("avx2"); }

std::size_t SkipValidUtf8Ssse3(const char* text, std::size_t size) {
  return ssse3::Skip(text, size);
}

// Texts too short for one vector go by the smaller ones.
std::size_t SkipValidUtf8Avx2(const char* text, std::size_t size) {
  return size < avx2::kLanes ? ssse3::Skip(text, size) : avx2::Skip(text, size);
}

}  // namespace strata::ws
