// File: hmac.h
//
// HMAC (RFC 2104, FIPS 198-1): a short proof that a message comes from a holder of the key and was
// not changed.
//
//   absl::StatusOr<strata::crypto::Hmac> hmac = strata::crypto::Hmac::Create(
//       strata::crypto::HashAlgorithm::kSha256, key.bytes());
//   if (!hmac.ok()) return hmac.status();
//   strata::crypto::Digest mac = hmac->Compute("message");
//   bool genuine = hmac->Verify("message", mac.bytes());
//
// The message is not encrypted, and may be sent again by anybody who saw it: put a number or a time
// into it. Use a key for one purpose; keys for others come by kdf.h.
//
// An Hmac may be used by several threads at once, which do not wait for each other; an HmacStream
// by one at a time. Keys are wiped on destruction. After Create() nothing fails: should OpenSSL run
// out of memory, the process ends with a message.

#ifndef STRATA_CRYPTO_HMAC_H_
#define STRATA_CRYPTO_HMAC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/hash.h"

namespace strata::crypto {

class HmacStream;

class Hmac {
 public:
  // Copies the key, of 1 byte or more, else InvalidArgument. A good one is random and as long as
  // the digest (RFC 2104, section 3).
  static absl::StatusOr<Hmac> Create(HashAlgorithm algorithm, std::span<const std::uint8_t> key);

  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;

  // The MAC of `message`: HashBytes(algorithm) bytes.
  Digest Compute(std::span<const std::uint8_t> message) const;
  Digest Compute(std::string_view message) const;

  // Whether `mac` is the whole MAC of `message`, compared in constant time. One that was cut short
  // is not.
  bool Verify(std::span<const std::uint8_t> message, std::span<const std::uint8_t> mac) const;
  bool Verify(std::string_view message, std::span<const std::uint8_t> mac) const;

  // Begins the MAC of a message that comes in pieces. It may outlive this object.
  HmacStream Begin() const;

 private:
  friend class HmacStream;
  struct Key;
  struct Context;

  explicit Hmac(std::shared_ptr<Key> key);

  std::shared_ptr<Key> key_;
};

// The MAC of one message that comes in pieces.
class HmacStream {
 public:
  ~HmacStream();
  HmacStream(HmacStream&&) noexcept;
  HmacStream& operator=(HmacStream&&) noexcept;

  // Adds bytes, in any pieces: their borders do not matter.
  void Update(std::span<const std::uint8_t> bytes);
  void Update(std::string_view bytes);

  // The MAC of all bytes; or whether `mac` is it. Either ends the message and begins anew, with the
  // same key.
  Digest Finish();
  bool Verify(std::span<const std::uint8_t> mac);

 private:
  friend class Hmac;
  explicit HmacStream(std::shared_ptr<Hmac::Key> key);

  std::shared_ptr<Hmac::Key> key_;
  std::unique_ptr<Hmac::Context> context_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_HMAC_H_
