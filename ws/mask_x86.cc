// Masking by SSE2 and AVX2.
//
// The first and the last vector lie anywhere, and overlap what is between them, which is aligned
// for the stores. Both are read and masked before anything is written, as the bytes may be masked
// in their place, and are written last.

#include <immintrin.h>

#include "strata/ws/mask.h"
#include "strata/ws/mask_internal.h"

namespace strata::ws {
namespace {

// The key for what comes `bytes` later.
std::uint32_t After(std::uint32_t key, std::size_t bytes) {
  return MaskKey::FromNumber(key).After(bytes).word();
}

// How far it is from `at` to the next multiple of `alignment`: 1 to `alignment`.
std::size_t ToNextMultiple(const char* at, std::size_t alignment) {
  return alignment - reinterpret_cast<std::uintptr_t>(at) % alignment;
}

__m128i Load16(const char* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

void Store16(char* to, __m128i vector) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), vector); }

// What a function for another processor than the baseline calls has to be inlined in it.
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i Load32(const char* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

[[gnu::target("avx2"), gnu::always_inline]] inline void Store32(char* to, __m256i vector) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), vector);
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i MaskOf32(std::uint32_t key) {
  return _mm256_set1_epi32(static_cast<int>(key));
}

__m128i MaskOf16(std::uint32_t key) { return _mm_set1_epi32(static_cast<int>(key)); }

}  // namespace

bool MaskAvx2IsAvailable() { return __builtin_cpu_supports("avx2"); }

void CopyMaskedSse2(char* to, const char* from, std::size_t size, std::uint32_t key) {
  if (size < 16) return CopyMaskedPortable(to, from, size, key);
  const std::size_t last = size - 16;
  const __m128i first_vector = _mm_xor_si128(Load16(from), MaskOf16(key));
  const __m128i last_vector = _mm_xor_si128(Load16(from + last), MaskOf16(After(key, last)));
  std::size_t at = ToNextMultiple(to, 16);
  const __m128i mask = MaskOf16(After(key, at));
  for (; at + 64 <= last; at += 64) {
    const __m128i a = Load16(from + at);
    const __m128i b = Load16(from + at + 16);
    const __m128i c = Load16(from + at + 32);
    const __m128i d = Load16(from + at + 48);
    Store16(to + at, _mm_xor_si128(a, mask));
    Store16(to + at + 16, _mm_xor_si128(b, mask));
    Store16(to + at + 32, _mm_xor_si128(c, mask));
    Store16(to + at + 48, _mm_xor_si128(d, mask));
  }
  for (; at < last; at += 16) Store16(to + at, _mm_xor_si128(Load16(from + at), mask));
  Store16(to, first_vector);
  Store16(to + last, last_vector);
}

[[gnu::target("avx2")]] void CopyMaskedAvx2(char* to, const char* from, std::size_t size,
                                            std::uint32_t key) {
  if (size < 32) return CopyMaskedSse2(to, from, size, key);
  const std::size_t last = size - 32;
  const __m256i first_vector = _mm256_xor_si256(Load32(from), MaskOf32(key));
  const __m256i last_vector = _mm256_xor_si256(Load32(from + last), MaskOf32(After(key, last)));
  std::size_t at = ToNextMultiple(to, 32);
  const __m256i mask = MaskOf32(After(key, at));
  for (; at + 128 <= last; at += 128) {
    const __m256i a = Load32(from + at);
    const __m256i b = Load32(from + at + 32);
    const __m256i c = Load32(from + at + 64);
    const __m256i d = Load32(from + at + 96);
    Store32(to + at, _mm256_xor_si256(a, mask));
    Store32(to + at + 32, _mm256_xor_si256(b, mask));
    Store32(to + at + 64, _mm256_xor_si256(c, mask));
    Store32(to + at + 96, _mm256_xor_si256(d, mask));
  }
  for (; at < last; at += 32) Store32(to + at, _mm256_xor_si256(Load32(from + at), mask));
  Store32(to, first_vector);
  Store32(to + last, last_vector);
}

}  // namespace strata::ws
