// CRC-32C by the processor's instruction for it, three streams at once.
//
// The instruction takes 8 bytes and can begin each cycle, but it waits 3 cycles for the one before,
// whose result it goes on from. So a block is cut into three parts, which are computed side by
// side, and then joined: a CRC moves over n bits of zeros when it is multiplied by x^n, and that is
// one carry-less multiplication and one more turn of the instruction, which reduces the product.
// ("Fast, Parallelized CRC Computation Using the Nehalem CRC32 Instruction", Guilford and others,
// Intel, 2011.) Folding all by multiplication was tried, and was half as fast: DESIGN.md.

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#include "strata/crypto/crc32c_internal.h"

namespace strata::crypto {
namespace {

// All CRCs in here are without their final complement.

std::uint64_t Load(const std::uint8_t* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// One stream.
[[gnu::target("sse4.2")]] std::uint32_t AddPlain(std::uint32_t crc,
                                                 std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  std::uint64_t wide = crc;
  for (; end - at >= 8; at += 8) wide = _mm_crc32_u64(wide, Load(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; at != end; ++at) crc = _mm_crc32_u8(crc, *at);
  return crc;
}

// A CRC, moved over kBytes bytes of zeros. The product of two numbers of 32 bits, the highest of
// which is x^0, stands one place too low, and the instruction multiplies by x^32: hence the 33.
template <std::size_t kBytes>
[[gnu::target("sse4.2,pclmul")]] std::uint64_t MoveOver(std::uint64_t crc) {
  constexpr std::uint32_t kFactor = Crc32cPowerOfX(8 * kBytes - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                               _mm_cvtsi64_si128(kFactor), 0x00);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

// Adds as many blocks of three parts of kPart bytes as there are, and takes them off `bytes`.
template <std::size_t kPart>
[[gnu::target("sse4.2,pclmul")]] std::uint32_t AddBlocks(std::uint32_t crc,
                                                         std::span<const std::uint8_t>& bytes) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t first = crc;
  for (; left >= 3 * kPart; left -= 3 * kPart, at += 2 * kPart) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const std::uint8_t* const end = at + kPart; at != end; at += 8) {
      first = _mm_crc32_u64(first, Load(at));
      second = _mm_crc32_u64(second, Load(at + kPart));
      third = _mm_crc32_u64(third, Load(at + 2 * kPart));
    }
    first = MoveOver<2 * kPart>(first) ^ MoveOver<kPart>(second) ^ third;
  }
  bytes = bytes.last(left);
  return static_cast<std::uint32_t>(first);
}

}  // namespace

bool Crc32cHardwareIsAvailable() {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

std::uint32_t ExtendCrc32cHardware(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  crc = ~crc;
  // Joining costs about as much as 100 bytes, so parts are long where there is much to do.
  if (bytes.size() >= 3 * 128) {
    crc = AddBlocks<2048>(crc, bytes);
    crc = AddBlocks<512>(crc, bytes);
    crc = AddBlocks<128>(crc, bytes);
  }
  return ~AddPlain(crc, bytes);
}

}  // namespace strata::crypto
