// File: aead.h
//
// Authenticated encryption with associated data (RFC 5116): what is sealed can neither be read nor
// changed without the key.
//
//   absl::StatusOr<strata::crypto::Aead> aead = strata::crypto::Aead::Create(
//       strata::crypto::AeadAlgorithm::kAes256Gcm, key.bytes());
//   if (!aead.ok()) return aead.status();
//   absl::StatusOr<std::string> sealed = aead->Seal("text", "row 7");
//   if (!sealed.ok()) return sealed.status();
//   absl::StatusOr<std::string> text = aead->Open(*sealed, "row 7");
//
// Nonces are chosen here, never by the caller: one nonce used twice under a key gives away both
// messages, and with GCM the means to forge others. By default each is 96 random bits, and a key
// then serves 2^32 messages (NIST SP 800-38D, section 8.3), which is enforced. A key that one
// sender alone uses, and which keeps count, may take its nonces from a counter (AeadOptions).
//
// Associated data is authenticated and not encrypted, and is not part of what is sealed: both sides
// must know it. Put into it what the message belongs to (a user, a row, a file and an offset), so
// that a sealed message cannot be moved elsewhere.
//
// Three forms, the same algorithm:
//   - Seal and Open: strings; nonce, ciphertext and tag in one (kAeadOverheadBytes longer).
//   - SealTo and OpenTo: the same format, in buffers of the caller's; nothing is allocated.
//   - SealInPlace and OpenInPlace: the data changes where it is, nonce and tag are stored apart.
//
// A message that does not open gives no plaintext at all: Unauthenticated, with one text whatever
// was wrong. A peer that may try without end should be slowed down by whoever counts its failures.
//
// Thread-safe: all functions may be called from several threads at once, which do not wait for each
// other. An Aead holds a few contexts with its key set, each less than 1 KB, and wipes them in its
// destructor.

#ifndef STRATA_CRYPTO_AEAD_H_
#define STRATA_CRYPTO_AEAD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace strata::crypto {

enum class AeadAlgorithm {
  kAes128Gcm,         // NIST SP 800-38D; 16-byte keys.
  kAes256Gcm,         // NIST SP 800-38D; 32-byte keys. The fastest with AES in hardware.
  kChaCha20Poly1305,  // RFC 8439; 32-byte keys. The fastest without.
  kAes256GcmSiv,      // RFC 8452; 32-byte keys. OpenSSL has it from 3.2: until then Unimplemented.
};

// Sizes in bytes, the same for all algorithms but for the key.
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;
inline constexpr std::size_t kAeadOverheadBytes = kAeadNonceBytes + kAeadTagBytes;

// The size of a key of `algorithm`, in bytes.
std::size_t AeadKeyBytes(AeadAlgorithm algorithm);

// The longest message, in bytes: 64 GiB less 32 bytes for GCM and GCM-SIV, 256 GiB less 64 bytes
// for ChaCha20-Poly1305. Longer data is what sealed_file.h is for, which also does not hold it in
// memory.
std::uint64_t AeadMaxMessageBytes(AeadAlgorithm algorithm);

// Nonces by counting (NIST SP 800-38D, section 8.2.1): 32 bits that tell senders with the same key
// apart, then a 64-bit counter, both big-endian. In a child of fork() the object that counts does
// not seal (FailedPrecondition), for its parent uses the same numbers; it still opens.
struct AeadCounter {
  // Different for each sender that uses this key.
  std::uint32_t sender = 0;

  // The first number to use. A program that seals under the same key again after a restart begins
  // above what Aead::next_counter() has ever been.
  std::uint64_t first = 0;
};

struct AeadOptions {
  // How many messages this object seals before it answers ResourceExhausted. With random nonces
  // at most 2^32. With a counter at most 2^48, and no more than what is left of it.
  std::uint64_t max_messages = std::uint64_t{1} << 32;

  // Nonces from this counter and not from SecureRandom.
  std::optional<AeadCounter> counter;
};

// What a message sealed in place needs beside its data in order to be opened. Not secret.
struct AeadSeal {
  std::array<std::uint8_t, kAeadNonceBytes> nonce;
  std::array<std::uint8_t, kAeadTagBytes> tag;
};

class Aead {
 public:
  // Copies the key into contexts of OpenSSL's. InvalidArgument if it has not AeadKeyBytes(), or if
  // the options are out of bounds; Unimplemented if this OpenSSL does not have the algorithm.
  static absl::StatusOr<Aead> Create(AeadAlgorithm algorithm, std::span<const std::uint8_t> key,
                                     const AeadOptions& options = {});

  // Of an Aead that was moved from, nothing may be called but the destructor and assignment.
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // Returns nonce, ciphertext and tag: kAeadOverheadBytes more than `plaintext`. Either argument
  // may be empty. ResourceExhausted after max_messages; InvalidArgument above
  // AeadMaxMessageBytes().
  absl::StatusOr<std::string> Seal(std::string_view plaintext,
                                   std::string_view associated_data = {}) const;

  // Returns the plaintext, or Unauthenticated if `sealed` is not what Seal() made of it with this
  // key and `associated_data`.
  absl::StatusOr<std::string> Open(std::string_view sealed,
                                   std::string_view associated_data = {}) const;

  // Seal() into a buffer of kAeadOverheadBytes more than `plaintext`, else InvalidArgument. Buffers
  // may not overlap, but that `plaintext` may stand where its ciphertext goes: at
  // sealed.subspan(kAeadNonceBytes).
  absl::Status SealTo(std::span<const std::uint8_t> plaintext,
                      std::span<const std::uint8_t> associated_data,
                      std::span<std::uint8_t> sealed) const;

  // Open() into a buffer of kAeadOverheadBytes less than `sealed`, else InvalidArgument. The two
  // may not overlap, but that `plaintext` may be the ciphertext's own place. On Unauthenticated,
  // `plaintext` is all zero.
  absl::Status OpenTo(std::span<const std::uint8_t> sealed,
                      std::span<const std::uint8_t> associated_data,
                      std::span<std::uint8_t> plaintext) const;

  // Encrypts `data` where it is; the result is to be stored with it.
  absl::StatusOr<AeadSeal> SealInPlace(std::span<std::uint8_t> data,
                                       std::span<const std::uint8_t> associated_data) const;

  // Decrypts `data` where it is. On Unauthenticated, `data` is all zero.
  absl::Status OpenInPlace(std::span<std::uint8_t> data,
                           std::span<const std::uint8_t> associated_data,
                           const AeadSeal& seal) const;

  // With a counter, a number above all those that were used, to begin with another time. Without,
  // 0. Threads take their numbers in small batches, so a few may be passed over.
  std::uint64_t next_counter() const;

  AeadAlgorithm algorithm() const;

 private:
  struct State;
  struct Sealer;

  explicit Aead(std::unique_ptr<State> state);

  absl::Status TakeSealer(std::unique_ptr<Sealer>& sealer) const;
  absl::Status SealParts(std::span<const std::uint8_t> in,
                         std::span<const std::uint8_t> associated_data, std::uint8_t* out,
                         std::span<std::uint8_t, kAeadNonceBytes> nonce,
                         std::span<std::uint8_t, kAeadTagBytes> tag) const;
  absl::Status OpenParts(std::span<const std::uint8_t> in,
                         std::span<const std::uint8_t> associated_data, std::uint8_t* out,
                         std::span<const std::uint8_t, kAeadNonceBytes> nonce,
                         std::span<const std::uint8_t, kAeadTagBytes> tag) const;

  std::unique_ptr<State> state_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_AEAD_H_
