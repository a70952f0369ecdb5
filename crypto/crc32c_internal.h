// The two ways to compute a CRC-32C, for the function that chooses and for the tests of both.

#ifndef STRATA_CRYPTO_CRC32C_INTERNAL_H_
#define STRATA_CRYPTO_CRC32C_INTERNAL_H_

#include <cstdint>
#include <span>

namespace strata::crypto {

// By tables.
std::uint32_t ExtendCrc32cPortable(std::uint32_t crc, std::span<const std::uint8_t> bytes);

// By the processor's instructions. Only where Crc32cHardwareIsAvailable().
std::uint32_t ExtendCrc32cHardware(std::uint32_t crc, std::span<const std::uint8_t> bytes);
bool Crc32cHardwareIsAvailable();

// Polynomials modulo the one of CRC-32C, with bits as the CRC has them: the highest bit is x^0.

inline constexpr std::uint32_t kCrc32cPolynomial = 0x82f63b78;

constexpr std::uint32_t Crc32cTimesX(std::uint32_t a) {
  return (a >> 1) ^ ((a & 1) != 0 ? kCrc32cPolynomial : 0);
}

constexpr std::uint32_t Crc32cTimes(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = Crc32cTimesX(b);
  }
  return product;
}

// x^n.
constexpr std::uint32_t Crc32cPowerOfX(std::uint64_t n) {
  std::uint32_t power = 0x80000000;
  std::uint32_t square = 0x40000000;
  for (; n != 0; n >>= 1) {
    if ((n & 1) != 0) power = Crc32cTimes(power, square);
    square = Crc32cTimes(square, square);
  }
  return power;
}

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_CRC32C_INTERNAL_H_
