// What stands where in a slot, and which keys seal it.

#include <algorithm>
#include <bit>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/kdf.h"
#include "strata/orm/encrypted_format_internal.h"

namespace strata::orm::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kMagic("Strata database\0", 16);
constexpr std::uint32_t kVersion = 1;

// Where the fields of a slot are, in bytes.
constexpr std::size_t kVersionAt = 16;
constexpr std::size_t kPageBytesAt = 20;
constexpr std::size_t kCipherAt = 24;
constexpr std::size_t kSourceAt = 25;
constexpr std::size_t kCostAt = 28;
constexpr std::size_t kSaltAt = 40;
constexpr std::size_t kFileIdAt = 56;
constexpr std::size_t kSequenceAt = 72;
constexpr std::size_t kGenerationAt = 80;
constexpr std::size_t kKeysAt = 84;
constexpr std::size_t kCommitmentAt = 88;
constexpr std::size_t kSealedAt = 120;  // All before is associated data.
constexpr std::size_t kCrcAt = 212;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeysBytes = kMaxKeys * kKeyBytes;
static_assert(kSealedAt + kKeysBytes + crypto::kAeadOverheadBytes == kCrcAt);
static_assert(kCrcAt + sizeof(std::uint32_t) == kSlotBytes);

constexpr std::uint8_t kFromKey = 0;
constexpr std::uint8_t kFromScrypt = 1;
constexpr std::uint8_t kFromPbkdf2 = 2;

constexpr std::uint32_t kMinPageBytes = 512;  // As SQLite's.
constexpr std::uint32_t kMaxPageBytes = 65536;

absl::Status Damaged() {
  return absl::DataLossError("the header of the encrypted database is damaged");
}

absl::StatusOr<KeyCost> ParseCost(Bytes slot) {
  std::uint32_t numbers[3];
  for (std::size_t i = 0; i < 3; ++i) numbers[i] = LoadNumber<std::uint32_t>(slot, kCostAt + 4 * i);
  switch (slot[kSourceAt]) {
    case kFromKey:
      return KeyCost();
    case kFromScrypt:
      return KeyCost(crypto::ScryptCost{numbers[0], numbers[1], numbers[2]});
    case kFromPbkdf2:
      return KeyCost(crypto::Pbkdf2Cost{numbers[0]});
    default:
      return Damaged();
  }
}

void StoreCost(const KeyCost& cost, std::span<std::uint8_t> slot) {
  slot[kSourceAt] = static_cast<std::uint8_t>(cost.index());
  static_assert(std::variant_size_v<KeyCost> == kFromPbkdf2 + 1);
  if (const auto* scrypt = std::get_if<crypto::ScryptCost>(&cost)) {
    StoreNumber(scrypt->log2_n, slot, kCostAt);
    StoreNumber(scrypt->r, slot, kCostAt + 4);
    StoreNumber(scrypt->p, slot, kCostAt + 8);
  } else if (const auto* pbkdf2 = std::get_if<crypto::Pbkdf2Cost>(&cost)) {
    StoreNumber(pbkdf2->iterations, slot, kCostAt);
  }
}

absl::Status CheckScrypt(const crypto::ScryptCost& cost, const crypto::SealedFileLimits& limits) {
  // The bounds of kdf.h, which also keep the product below from overflowing.
  const bool sane = cost.log2_n >= 1 && cost.log2_n <= 24 && cost.r >= 1 && cost.r <= 64 &&
                    cost.p >= 1 && cost.p <= 64;
  const std::uint64_t memory = sane ? (std::uint64_t{128} * cost.r) << cost.log2_n : 0;
  if (sane && memory <= limits.max_scrypt_bytes &&
      memory * cost.p <= limits.max_scrypt_work_bytes) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat("the header asks for scrypt with 2^",
                                                   cost.log2_n, ", ", cost.r, ", ", cost.p,
                                                   ", which is above the limits"));
}

// A key for the slot's content, and a proof that it is the right one: GCM alone would not tell,
// as a message can be made that opens with several keys.
struct SlotSecrets {
  crypto::SecretBytes bytes;

  Bytes key() const { return bytes.bytes().first<kKeyBytes>(); }
  Bytes commitment() const { return bytes.bytes().subspan<kKeyBytes>(); }
};

absl::StatusOr<SlotSecrets> DeriveSlotSecrets(const Header& header,
                                              const crypto::SecretBytes& root) {
  absl::StatusOr<crypto::SecretBytes> bytes =
      crypto::Hkdf(crypto::HashAlgorithm::kSha256, root.bytes(), header.salt,
                   "strata orm header v1", kSealedAt - kCommitmentAt + kKeyBytes);
  if (!bytes.ok()) return bytes.status();
  return SlotSecrets{*std::move(bytes)};
}

}  // namespace

absl::StatusOr<Header> ParseSlot(Bytes slot) {
  if (slot.size() < kSlotBytes) return absl::DataLossError("the file is truncated in its header");
  const bool ours = std::equal(kMagic.begin(), kMagic.end(), slot.begin());
  if (!ours) return absl::DataLossError("the file is no encrypted database");
  const auto version = LoadNumber<std::uint32_t>(slot, kVersionAt);
  if (LoadNumber<std::uint32_t>(slot, kCrcAt) != crypto::Crc32c(slot.first(kCrcAt))) {
    // A newer header may be of another size; but one of this version may also be damaged there.
    return version > kVersion ? absl::UnimplementedError(absl::StrCat(
                                    "an encrypted database of version ", version,
                                    ", or a damaged one; this program knows ", kVersion))
                              : Damaged();
  }
  if (version != kVersion) {
    return absl::UnimplementedError(absl::StrCat("an encrypted database of version ", version,
                                                 "; this program knows ", kVersion));
  }
  Header header;
  absl::StatusOr<KeyCost> cost = ParseCost(slot);
  if (!cost.ok()) return cost.status();
  header.cost = *cost;
  header.page_bytes = LoadNumber<std::uint32_t>(slot, kPageBytesAt);
  header.cipher = static_cast<PageCipher>(slot[kCipherAt]);
  std::copy_n(slot.begin() + kSaltAt, kSaltBytes, header.salt.begin());
  std::copy_n(slot.begin() + kFileIdAt, kFileIdBytes, header.file_id.begin());
  header.sequence = LoadNumber<std::uint64_t>(slot, kSequenceAt);
  header.generation = LoadNumber<std::uint32_t>(slot, kGenerationAt);
  header.keys = LoadNumber<std::uint32_t>(slot, kKeysAt);
  const bool sane = std::has_single_bit(header.page_bytes) && header.page_bytes >= kMinPageBytes &&
                    header.page_bytes <= kMaxPageBytes &&
                    (header.cipher == PageCipher::kAes256Gcm ||
                     header.cipher == PageCipher::kAes256CtrUnauthenticated) &&
                    header.keys >= 1 && header.keys <= kMaxKeys && header.generation >= header.keys;
  if (!sane) return Damaged();
  return header;
}

absl::Status CheckKey(const EncryptionKey& key) {
  const std::size_t size = key.secret().size();
  if (key.source() == EncryptionKey::Source::kKey) {
    if (size == EncryptionKey::kBytes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("a key has ", EncryptionKey::kBytes, " bytes, this one has ", size));
  }
  if (size >= 1 && size <= crypto::kMaxPasswordBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a password has 1 to ", crypto::kMaxPasswordBytes, " bytes, not ", size));
}

absl::StatusOr<crypto::SecretBytes> DeriveRoot(const EncryptionKey& key, const Header& header,
                                               const EncryptionOptions& options) {
  const bool is_key = key.source() == EncryptionKey::Source::kKey;
  if (is_key != std::holds_alternative<std::monostate>(header.cost)) {
    return absl::UnauthenticatedError(
        is_key ? "the database is opened by a password, not by a key"
               : "the database is opened by a key of 32 bytes, not by a password");
  }
  if (const auto* scrypt = std::get_if<crypto::ScryptCost>(&header.cost)) {
    if (absl::Status status = CheckScrypt(*scrypt, options.scrypt_limits); !status.ok()) {
      return status;
    }
    return crypto::Scrypt(key.secret().text(), header.salt, *scrypt, kKeyBytes);
  }
  if (const auto* pbkdf2 = std::get_if<crypto::Pbkdf2Cost>(&header.cost)) {
    if (pbkdf2->iterations < 1 || pbkdf2->iterations > options.max_pbkdf2_iterations) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the header asks for ", pbkdf2->iterations,
                       " iterations of PBKDF2, which is above the limit"));
    }
    return crypto::Pbkdf2(crypto::HashAlgorithm::kSha256, key.secret().text(), header.salt,
                          pbkdf2->iterations, kKeyBytes);
  }
  return key.secret().Clone();
}

absl::StatusOr<FileKeys> OpenSlot(Bytes slot, const Header& header,
                                  const crypto::SecretBytes& root) {
  const absl::StatusOr<SlotSecrets> secrets = DeriveSlotSecrets(header, root);
  if (!secrets.ok()) return secrets.status();
  if (!crypto::ConstantTimeEquals(slot.subspan(kCommitmentAt, kSealedAt - kCommitmentAt),
                                  secrets->commitment())) {
    return absl::UnauthenticatedError("the key or password is not that of the database");
  }
  const absl::StatusOr<crypto::Aead> aead =
      crypto::Aead::Create(crypto::AeadAlgorithm::kAes256Gcm, secrets->key());
  if (!aead.ok()) return aead.status();
  crypto::SecretBytes opened(kKeysBytes);
  absl::Status status = aead->OpenTo(slot.subspan(kSealedAt, kCrcAt - kSealedAt),
                                     slot.first(kSealedAt), opened.mutable_bytes());
  if (!status.ok()) return Damaged();
  FileKeys keys;
  for (std::size_t i = 0; i < header.keys; ++i) {
    keys.push_back(crypto::SecretBytes::Copy(opened.bytes().subspan(i * kKeyBytes, kKeyBytes)));
  }
  return keys;
}

absl::StatusOr<Slot> SealSlot(const Header& header, const FileKeys& keys,
                              const crypto::SecretBytes& root) {
  const absl::StatusOr<SlotSecrets> secrets = DeriveSlotSecrets(header, root);
  if (!secrets.ok()) return secrets.status();
  const absl::StatusOr<crypto::Aead> aead =
      crypto::Aead::Create(crypto::AeadAlgorithm::kAes256Gcm, secrets->key());
  if (!aead.ok()) return aead.status();

  Slot slot = {};
  std::copy(kMagic.begin(), kMagic.end(), slot.begin());
  StoreNumber(kVersion, slot, kVersionAt);
  StoreNumber(header.page_bytes, slot, kPageBytesAt);
  slot[kCipherAt] = static_cast<std::uint8_t>(header.cipher);
  StoreCost(header.cost, slot);
  std::copy(header.salt.begin(), header.salt.end(), slot.begin() + kSaltAt);
  std::copy(header.file_id.begin(), header.file_id.end(), slot.begin() + kFileIdAt);
  StoreNumber(header.sequence, slot, kSequenceAt);
  StoreNumber(header.generation, slot, kGenerationAt);
  StoreNumber(header.keys, slot, kKeysAt);
  std::copy(secrets->commitment().begin(), secrets->commitment().end(),
            slot.begin() + kCommitmentAt);

  crypto::SecretBytes plain(kKeysBytes);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Bytes key = keys[i].bytes();
    std::copy(key.begin(), key.end(), plain.mutable_bytes().subspan(i * kKeyBytes).begin());
  }
  const std::span<std::uint8_t> bytes(slot);
  absl::Status status = aead->SealTo(plain.bytes(), bytes.first(kSealedAt),
                                     bytes.subspan(kSealedAt, kCrcAt - kSealedAt));
  if (!status.ok()) return status;
  StoreNumber(crypto::Crc32c(bytes.first(kCrcAt)), slot, kCrcAt);
  return slot;
}

}  // namespace strata::orm::internal
