// The parts of a sealed file: its header, the keys that come from it, its chunks. SEALED_FILE.md
// says why they are as they are.

#ifndef STRATA_CRYPTO_SEALED_FILE_INTERNAL_H_
#define STRATA_CRYPTO_SEALED_FILE_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/aead_internal.h"
#include "strata/crypto/sealed_file.h"

namespace strata::crypto {

inline constexpr std::size_t kSealedFileSaltBytes = 32;
inline constexpr std::size_t kSealedFileHeadBytes = 48;
inline constexpr std::size_t kSealedFileCommitmentBytes = 32;
inline constexpr std::size_t kSealedFileHeaderBytes =
    kSealedFileHeadBytes + kSealedFileCommitmentBytes;
inline constexpr std::size_t kSealedFilePrefixBytes = 7;

// The one text for all that a wrong key or a change of the file leads to.
absl::Status SealedFileNotAuthentic();

// What the first kSealedFileHeadBytes of a file say.
struct SealedFileHead {
  AeadAlgorithm algorithm = AeadAlgorithm::kAes256Gcm;
  std::uint32_t chunk_log2 = 0;
  SealedFileKey::Source source = SealedFileKey::Source::kKey;
  ScryptCost cost = {0, 0, 0};
  std::array<std::uint8_t, kSealedFileSaltBytes> salt = {};

  std::size_t chunk_bytes() const { return std::size_t{1} << chunk_log2; }
};

using SealedFileHeadBytes = std::array<std::uint8_t, kSealedFileHeadBytes>;

// InvalidArgument for what no file may say.
absl::StatusOr<SealedFileHeadBytes> EncodeSealedFileHead(const SealedFileHead& head);

// Reads the beginning of a file: a whole header, or less of it, which is an error, but says which.
absl::StatusOr<SealedFileHead> DecodeSealedFileHead(std::span<const std::uint8_t> bytes);

// OK if a cost is within `limits`, else ResourceExhausted, which names the limit.
absl::Status CheckSealedFileCost(const ScryptCost& cost, const SealedFileLimits& limits);

// InvalidArgument if the key or the password has a size that it may not have.
absl::Status CheckSealedFileKey(const SealedFileKey& key);

// The secrets of one file, and the proof in its header that whoever made it had them.
class SealedFileSecrets {
 public:
  // `bytes` are those of `head`.
  static absl::StatusOr<SealedFileSecrets> Derive(const SealedFileKey& key,
                                                  const SealedFileHead& head,
                                                  std::span<const std::uint8_t> bytes);

  std::span<const std::uint8_t, SealedFileKey::kBytes> key() const {
    return bytes_.bytes().subspan<0, SealedFileKey::kBytes>();
  }
  std::span<const std::uint8_t, kSealedFileCommitmentBytes> commitment() const {
    return bytes_.bytes().subspan<SealedFileKey::kBytes, kSealedFileCommitmentBytes>();
  }
  std::span<const std::uint8_t, kSealedFilePrefixBytes> prefix() const {
    return bytes_.bytes().last<kSealedFilePrefixBytes>();
  }

 private:
  explicit SealedFileSecrets(SecretBytes bytes) : bytes_(std::move(bytes)) {}

  SecretBytes bytes_;
};

// Seals or opens the chunks of one file, in their order.
class SealedFileChunks {
 public:
  // `first` is the number of the first chunk.
  static absl::StatusOr<SealedFileChunks> Create(AeadAlgorithm algorithm,
                                                 AeadContext::Direction direction,
                                                 const SealedFileSecrets& secrets,
                                                 std::uint64_t first = 0);

  // The next chunk, where it is: plaintext or ciphertext, then the tag or room for it.
  absl::Status Seal(std::span<std::uint8_t> chunk, bool last);
  absl::Status Open(std::span<std::uint8_t> chunk, bool last);

  // The number of the next chunk.
  std::uint64_t next() const { return next_; }

 private:
  using Nonce = std::array<std::uint8_t, kAeadNonceBytes>;

  SealedFileChunks(AeadContext context, const SealedFileSecrets& secrets, std::uint64_t first);

  Nonce TakeNonce(bool last);

  AeadContext context_;
  Nonce nonce_ = {};
  std::uint64_t next_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_SEALED_FILE_INTERNAL_H_
