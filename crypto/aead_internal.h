// An AEAD with the nonce in the caller's hands, for what builds on it inside this library. Whoever
// uses it answers for it that no nonce comes twice under one key.

#ifndef STRATA_CRYPTO_AEAD_INTERNAL_H_
#define STRATA_CRYPTO_AEAD_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/provider_internal.h"

namespace strata::crypto {

// One algorithm, one key, one direction. One thread at a time.
class AeadContext {
 public:
  enum class Direction { kSeal, kOpen };

  // InvalidArgument if the key is not of the algorithm's size, Unimplemented if this OpenSSL does
  // not have the algorithm.
  static absl::StatusOr<AeadContext> Create(AeadAlgorithm algorithm, Direction direction,
                                            std::span<const std::uint8_t> key);

  // Encrypts `in` to `out`, of the same size: the same bytes, or apart from them. False if OpenSSL
  // failed, which it does for messages that are too long alone.
  bool Seal(std::span<const std::uint8_t, kAeadNonceBytes> nonce,
            std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> in,
            std::uint8_t* out, std::span<std::uint8_t, kAeadTagBytes> tag);

  // The reverse. False if the tag is not that of the message: `out` is then all zero.
  bool Open(std::span<const std::uint8_t, kAeadNonceBytes> nonce,
            std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> in,
            std::uint8_t* out, std::span<const std::uint8_t, kAeadTagBytes> tag);

 private:
  explicit AeadContext(CipherContext context) : context_(std::move(context)) {}

  bool Transform(std::span<const std::uint8_t> associated_data, std::span<const std::uint8_t> in,
                 std::uint8_t* out);

  CipherContext context_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_AEAD_INTERNAL_H_
