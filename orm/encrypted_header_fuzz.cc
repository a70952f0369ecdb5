// Headers of encrypted databases from anybody: what opens is what was sealed with the key or the
// password, and within the limits. The corpus is made by testdata/encrypted_header.py.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <span>
#include <vector>

#include "strata/crypto/crc32c.h"
#include "strata/orm/encrypted_cipher_internal.h"
#include "strata/orm/encrypted_format_internal.h"

namespace {

using namespace strata::orm;            // NOLINT: a program of one file.
using namespace strata::orm::internal;  // NOLINT

const EncryptionKey& KeyFor(const Header& header) {
  static const EncryptionKey& key = *[] {
    std::vector<std::uint8_t> bytes(EncryptionKey::kBytes);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    return new EncryptionKey(EncryptionKey::FromKey(bytes));
  }();
  static const EncryptionKey& password =
      *new EncryptionKey(EncryptionKey::FromPassword("correct horse"));
  return std::holds_alternative<std::monostate>(header.cost) ? key : password;
}

void Check(bool holds) {
  if (!holds) std::abort();
}

void TryToOpen(std::span<const std::uint8_t> slot) {
  const absl::StatusOr<Header> header = ParseSlot(slot);
  if (!header.ok()) return;
  Check(header->page_bytes >= 512 && header->page_bytes <= 65536);
  Check(header->keys >= 1 && header->keys <= kMaxKeys);
  // So that many inputs pass in a second.
  EncryptionOptions options;
  options.scrypt_limits = {.max_scrypt_bytes = 1 << 16, .max_scrypt_work_bytes = 1 << 17};
  options.max_pbkdf2_iterations = 100;
  const auto root = DeriveRoot(KeyFor(*header), *header, options);
  if (!root.ok()) return;
  const absl::StatusOr<FileKeys> keys = OpenSlot(slot, *header, *root);
  if (!keys.ok()) return;
  Check(keys->size() == header->keys);
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const auto bytes = (*keys)[i].bytes();
    Check(std::all_of(bytes.begin(), bytes.end(), [i](std::uint8_t b) { return b == i + 1; }));
  }
  Check(FileCipher::Create(*header, *keys).ok());
  const absl::StatusOr<Slot> again = SealSlot(*header, *keys, *root);
  Check(again.ok() && ParseSlot(*again).ok() && OpenSlot(*again, *header, *root).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TryToOpen({data, size});
  // With a CRC that fits, so that changes get past it.
  std::vector<std::uint8_t> fixed(data, data + size);
  if (size >= kSlotBytes) {
    const std::span<std::uint8_t> bytes(fixed);
    StoreNumber(strata::crypto::Crc32c(bytes.first(kSlotBytes - 4)), bytes, kSlotBytes - 4);
    TryToOpen(fixed);
  }
  return 0;
}
