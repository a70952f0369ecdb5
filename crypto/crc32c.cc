// The choice between the two ways, and the portable one.

#include "strata/crypto/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "strata/crypto/crc32c_internal.h"

namespace strata::crypto {
namespace {

static_assert(std::endian::native == std::endian::little);

// kTables[k][b] is the CRC's change by the byte b with k more bytes of zeros behind it, so that
// eight bytes are looked up at once ("slicing by 8", Kounavis and Berry, 2005).
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables = {};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = Crc32cTimesX(crc);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

}  // namespace

std::uint32_t ExtendCrc32cPortable(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  crc = ~crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof(word));
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (const std::uint8_t byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xff];
  return ~crc;
}

std::uint32_t ExtendCrc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  static const bool hardware = Crc32cHardwareIsAvailable();
  return hardware ? ExtendCrc32cHardware(crc, bytes) : ExtendCrc32cPortable(crc, bytes);
}

std::uint32_t ExtendCrc32c(std::uint32_t crc, std::string_view bytes) {
  return ExtendCrc32c(crc,
                      std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::uint32_t CombineCrc32c(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) {
  // Eight times the size may not fit into 64 bits, but a power's power does.
  std::uint32_t shift = Crc32cPowerOfX(second_size);
  for (int i = 0; i < 3; ++i) shift = Crc32cTimes(shift, shift);
  return Crc32cTimes(first, shift) ^ second;
}

}  // namespace strata::crypto
