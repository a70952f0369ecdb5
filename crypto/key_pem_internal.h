// PEM (RFC 7468), its strict form, but for two liberties that files in the field take: text between
// blocks, which is skipped, and lines of any length. No headers inside a block: legacy encryption
// by "Proc-Type" derives its key by one round of MD5.

#ifndef STRATA_CRYPTO_KEY_PEM_INTERNAL_H_
#define STRATA_CRYPTO_KEY_PEM_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

// The most that is read of a text, in bytes, and the most blocks of it.
inline constexpr std::size_t kMaxPemBytes = 4 << 20;
inline constexpr std::size_t kMaxPemBlocks = 1024;

struct PemBlock {
  std::string label;  // "PRIVATE KEY"
  SecretBytes der;
};

// All blocks of `text`, at least one. InvalidArgument, with the number of the line, if one of them
// is malformed.
absl::StatusOr<std::vector<PemBlock>> ReadPem(std::string_view text);

// One block, lines of 64 characters.
SecretBytes WritePem(std::string_view label, std::span<const std::uint8_t> der);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_KEY_PEM_INTERNAL_H_
