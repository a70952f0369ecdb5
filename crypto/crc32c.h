// File: crc32c.h
//
// CRC-32C (Castagnoli; RFC 3720, appendix B.4): the checksum of iSCSI, ext4, Snappy, leveldb. It
// finds accidents, not attacks: whoever changes data can change its CRC. For those, hmac.h.
//
//   std::uint32_t crc = strata::crypto::Crc32c("123456789");  // 0xe3069283
//   crc = strata::crypto::ExtendCrc32c(crc, "more");          // That of both, one after the other.
//
// With SSE4.2 and PCLMULQDQ the processor does most of it, without by tables; the result is the
// same. Functions are thread-safe and do not fail; empty bytes change nothing.

#ifndef STRATA_CRYPTO_CRC32C_H_
#define STRATA_CRYPTO_CRC32C_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace strata::crypto {

// The CRC of what came before, whose CRC is `crc` (0 if nothing came), followed by `bytes`.
std::uint32_t ExtendCrc32c(std::uint32_t crc, std::span<const std::uint8_t> bytes);
std::uint32_t ExtendCrc32c(std::uint32_t crc, std::string_view bytes);

// The CRC of `bytes`.
inline std::uint32_t Crc32c(std::span<const std::uint8_t> bytes) { return ExtendCrc32c(0, bytes); }
inline std::uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

// The CRC of two parts together, from the CRC of each and the size in bytes of the second: parts
// may be computed by several threads.
std::uint32_t CombineCrc32c(std::uint32_t first, std::uint32_t second, std::uint64_t second_size);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_CRC32C_H_
