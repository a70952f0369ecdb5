// File: aes_ctr.h
//
// The raw key stream of AES in counter mode (NIST SP 800-38A, section 6.5). For storage formats
// that authenticate by other means, and nothing else:
//
//   - Whoever changes a bit of the ciphertext changes that bit of the plaintext, unseen.
//   - Two messages under the same key and counter give away their difference. A page of a file that
//     is written again needs another counter, not the number of the page.
//
// In every other case take aead.h. That is why this is in a namespace and a folder of its own.
//
//   absl::StatusOr<strata::crypto::hazmat::AesCtr> stream =
//       strata::crypto::hazmat::AesCtr::Create(key.bytes(), first_counter);
//   if (!stream.ok()) return stream.status();
//   stream->Transform(data, data);            // Bytes 0 and on.
//   stream->Seek(4096);
//   stream->Transform(more, more);            // Bytes 4096 and on.
//
// Encryption and decryption are the same. The counter is 128 bits, big-endian, one more for each
// block of 16 bytes, and after 2^128 - 1 comes 0.
//
// Not thread-safe: a stream has a position. The key is wiped on destruction.

#ifndef STRATA_CRYPTO_HAZMAT_AES_CTR_H_
#define STRATA_CRYPTO_HAZMAT_AES_CTR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace strata::crypto::hazmat {

// A position in the key stream: the number of a block, big-endian.
using CounterBlock = std::array<std::uint8_t, 16>;

// The block `blocks` after `counter`, modulo 2^128.
CounterBlock Advance(const CounterBlock& counter, std::uint64_t blocks);

class AesCtr {
 public:
  // Copies the key, of 16 bytes (AES-128) or 32 (AES-256), else InvalidArgument. The stream begins
  // at the first byte of `counter`.
  static absl::StatusOr<AesCtr> Create(std::span<const std::uint8_t> key,
                                       const CounterBlock& counter);

  ~AesCtr();
  AesCtr(AesCtr&&) noexcept;
  AesCtr& operator=(AesCtr&&) noexcept;

  // Combines `in` with the key stream from the present position, and moves on by as many bytes.
  // `out` has the size of `in`, and is the same bytes or lies apart from it, else InvalidArgument.
  absl::Status Transform(std::span<const std::uint8_t> in, std::span<std::uint8_t> out);

  // Goes to the byte `offset` after the first byte of the counter that Create() or Restart() named.
  absl::Status Seek(std::uint64_t offset);

  // Begins a stream of its own at the first byte of `counter`, under the same key: the next page.
  absl::Status Restart(const CounterBlock& counter);

 private:
  struct State;
  explicit AesCtr(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace strata::crypto::hazmat

#endif  // STRATA_CRYPTO_HAZMAT_AES_CTR_H_
