// The head of an encrypted database: its first kHeadBytes, before page 1. DESIGN.md has it byte for
// byte.
//
// It has two slots with the same content, so that one is whole at any moment while they are
// rewritten, and the marker, which tells whether the pages are those of an unfinished transaction
// (encrypted_journal_internal.h).

#ifndef STRATA_ORM_ENCRYPTED_FORMAT_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_FORMAT_INTERNAL_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/secret.h"
#include "strata/orm/encrypted.h"

namespace strata::orm::internal {

inline constexpr std::size_t kHeadBytes = 8192;
inline constexpr std::size_t kSlotBytes = 216;
inline constexpr std::size_t kSlotAt[] = {0, 2048};
inline constexpr std::size_t kMarkerAt = 4096;

inline constexpr std::size_t kFileIdBytes = 16;
inline constexpr std::size_t kSaltBytes = 16;
inline constexpr std::size_t kMaxKeys = 2;

using FileId = std::array<std::uint8_t, kFileIdBytes>;
using Slot = std::array<std::uint8_t, kSlotBytes>;

// std::monostate: the key has 32 bytes, and is no password.
using KeyCost = std::variant<std::monostate, crypto::ScryptCost, crypto::Pbkdf2Cost>;

// What a slot says openly.
struct Header {
  std::uint32_t page_bytes = 4096;
  PageCipher cipher = PageCipher::kAes256Gcm;
  KeyCost cost;
  std::array<std::uint8_t, kSaltBytes> salt = {};
  FileId file_id = {};
  std::uint64_t sequence = 0;    // Of two slots that differ, the higher one is valid.
  std::uint32_t generation = 1;  // Of the first key.
  std::uint32_t keys = 1;        // While a file is rekeyed, two.
};

// What it seals: the keys of the generations `generation` and, if there are two, `generation` - 1.
using FileKeys = std::vector<crypto::SecretBytes>;

// Reads one slot. DataLoss for what is none or damaged, Unimplemented for a newer version. Asks for
// no key, and so cannot tell whether somebody has changed it on purpose.
absl::StatusOr<Header> ParseSlot(std::span<const std::uint8_t> slot);

// InvalidArgument if the key or the password has a size that it may not have.
absl::Status CheckKey(const EncryptionKey& key);

// The slow part: what stands behind the key or password with this salt. ResourceExhausted if the
// header asks for more than the limits, Unauthenticated if it wants the other kind of key.
absl::StatusOr<crypto::SecretBytes> DeriveRoot(const EncryptionKey& key, const Header& header,
                                               const EncryptionOptions& options);

// The keys of `slot`, of which `header` was read. Unauthenticated for another root, DataLoss if the
// slot was changed.
absl::StatusOr<FileKeys> OpenSlot(std::span<const std::uint8_t> slot, const Header& header,
                                  const crypto::SecretBytes& root);

// A slot with these fields and keys; `header.keys` is the number of them.
absl::StatusOr<Slot> SealSlot(const Header& header, const FileKeys& keys,
                              const crypto::SecretBytes& root);

// Numbers are little-endian, as the processor's.
static_assert(std::endian::native == std::endian::little);

template <typename T>
T LoadNumber(std::span<const std::uint8_t> bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.subspan(at, sizeof(T)).data(), sizeof(T));
  return number;
}

template <typename T>
void StoreNumber(T number, std::span<std::uint8_t> bytes, std::size_t at) {
  std::memcpy(bytes.subspan(at, sizeof(T)).data(), &number, sizeof(T));
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_FORMAT_INTERNAL_H_
