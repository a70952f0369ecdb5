// The keys of one file at work: pages of the database, and messages of its logs.
//
// Each generation of keys has one key for each purpose, by HKDF, so that what was sealed for one
// does not open as another. All is bound to the identity of the file.

#ifndef STRATA_ORM_ENCRYPTED_CIPHER_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_CIPHER_INTERNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/hazmat/aes_ctr.h"
#include "strata/orm/encrypted_format_internal.h"

namespace strata::orm::internal {

// What SQLite leaves free at the end of each page for the nonce, the tag and the generation.
inline constexpr std::size_t kReservedBytes = 32;

// What a sealed message has besides its text: the nonce before, the tag behind.
inline constexpr std::size_t kMessageOverheadBytes = crypto::kAeadOverheadBytes;

enum class Purpose : std::uint8_t { kPages, kLog, kJournal, kMarker };
inline constexpr std::size_t kPurposes = 4;

// Used by one thread at a time.
class FileCipher {
 public:
  static absl::StatusOr<std::unique_ptr<FileCipher>> Create(const Header& header,
                                                            const FileKeys& keys);

  const Header& header() const { return header_; }
  std::size_t page_bytes() const { return header_.page_bytes; }

  // Of the keys that seal.
  std::uint32_t generation() const { return header_.generation; }

  // Of the keys that a page was sealed by, as it says.
  static std::uint32_t GenerationOf(std::span<const std::uint8_t> sealed) {
    return LoadNumber<std::uint32_t>(sealed, sealed.size() - sizeof(std::uint32_t));
  }

  // `page` and `sealed` have page_bytes() each, and lie apart. The reserved bytes of `page` are
  // zero, else InvalidArgument.
  absl::Status SealPage(std::uint32_t number, std::span<const std::uint8_t> page,
                        std::span<std::uint8_t> sealed);
  // DataLoss if it is not what SealPage() made for this number; then `page` is zero. Without
  // authentication that is noticed by chance only.
  absl::Status OpenPage(std::uint32_t number, std::span<const std::uint8_t> sealed,
                        std::span<std::uint8_t> page);

  // A message of a log: `position`, numbers that say where it belongs, is authenticated.
  // `sealed` has kMessageOverheadBytes more than `text`.
  using Position = std::array<std::uint64_t, 3>;
  absl::Status SealMessage(Purpose purpose, const Position& position,
                           std::span<const std::uint8_t> text, std::span<std::uint8_t> sealed);
  // False if it does not open, with the keys of that generation. Then `text` is zero.
  bool OpenMessage(Purpose purpose, std::uint32_t generation, const Position& position,
                   std::span<const std::uint8_t> sealed, std::span<std::uint8_t> text);

 private:
  struct Generation {
    std::vector<crypto::Aead> aeads;  // By purpose.
    std::optional<crypto::hazmat::AesCtr> stream;
  };

  explicit FileCipher(const Header& header) : header_(header) {}

  static absl::StatusOr<Generation> Derive(const crypto::SecretBytes& key, PageCipher cipher);
  Generation* Find(std::uint32_t generation);

  Header header_;
  std::vector<Generation> generations_;  // The newest is the first.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_CIPHER_INTERNAL_H_
