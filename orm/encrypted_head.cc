// The head of a database: made, read, checked, and given other keys.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/random.h"
#include "strata/orm/encrypted_main_file_internal.h"

namespace strata::orm::internal {
namespace {

constexpr std::size_t kKeyBytes = 32;

// How long to wait for another process that is making the same file.
constexpr int kCreateTries = 500;
constexpr int kCreateWaitUs = 10'000;

// How long to wait for another process that is writing a page: many times what that takes.
constexpr int kTornPageWaitUs = 100;

absl::Status SystemFailure(std::string_view what, int code) {
  return absl::InternalError(absl::StrCat(what, ": ", sqlite3_errstr(code)));
}

}  // namespace

int MainFile::Start(const char* name, int flags) {
  std::uint64_t size = 0;
  int result = SizeBelow(&size);
  if (result != SQLITE_OK) return result;
  if (IsUnmade(size)) {
    if ((flags & SQLITE_OPEN_CREATE) == 0 || (flags & SQLITE_OPEN_READWRITE) == 0) {
      return Fail(SQLITE_NOTADB, absl::DataLossError("the file is empty, and no database"));
    }
    result = CreateHead(name);
    if (result != SQLITE_OK) return result;
  }
  if (absl::Status status = ReadHead(); !status.ok()) return Fail(SQLITE_NOTADB, status);
  if (absl::Status status = CheckJournalIsThere(name); !status.ok()) {
    return Fail(SQLITE_NOTADB, status);
  }
  if ((flags & SQLITE_OPEN_READWRITE) != 0) RepairSlots();
  return SQLITE_OK;
}

// After a crash between the two, or where a byte has gone bad, the good slot goes over the other
// one. If somebody else has a lock, it can wait.
void MainFile::RepairSlots() {
  Slot slots[2];
  const auto differ = [&] {
    return ReadBelow(slots[0], kSlotAt[0]) == SQLITE_OK &&
           ReadBelow(slots[1], kSlotAt[1]) == SQLITE_OK && slots[0] != slots[1];
  };
  if (!differ()) return;
  bool locked = true;
  for (const int level : {SQLITE_LOCK_SHARED, SQLITE_LOCK_RESERVED, SQLITE_LOCK_EXCLUSIVE}) {
    locked = locked && VfsFile::Lock(level) == SQLITE_OK;
  }
  // The second one is good only if the first is not, as that is written first.
  if (locked && differ()) {
    const std::size_t good = ParseSlot(slots[0]).ok() ? 0 : 1;
    if (WriteBelow(slots[good], kSlotAt[1 - good]) == SQLITE_OK) Sync(SQLITE_SYNC_NORMAL);
    first_slot_ = slots[good];
  }
  VfsFile::Unlock(SQLITE_LOCK_NONE);
}

// Whether the file is empty, or as a crash leaves one that is just being made: the first slot, by
// which it becomes a database, is written last.
bool MainFile::IsUnmade(std::uint64_t size) const {
  if (size > kHeadBytes) return false;
  Slot slot = {};
  const int result = ReadBelow(slot, kSlotAt[0]);
  return (result == SQLITE_OK || result == SQLITE_IOERR_SHORT_READ) && slot == Slot();
}

// Only one process makes the head; the others wait, and read it.
int MainFile::CreateHead(const char* name) {
  std::uint64_t size = 0;
  int result = SQLITE_BUSY;
  for (int i = 0; i < kCreateTries && result == SQLITE_BUSY; ++i) {
    if (i > 0) vfs_->xSleep(vfs_, kCreateWaitUs);
    result = VfsFile::Lock(SQLITE_LOCK_SHARED);
    if (result == SQLITE_OK) result = VfsFile::Lock(SQLITE_LOCK_RESERVED);
    if (result == SQLITE_OK) result = VfsFile::Lock(SQLITE_LOCK_EXCLUSIVE);
    if (result == SQLITE_BUSY) VfsFile::Unlock(SQLITE_LOCK_NONE);
  }
  if (result == SQLITE_OK) result = SizeBelow(&size);
  if (result == SQLITE_OK && IsUnmade(size)) {
    const auto page_bytes =
        static_cast<std::uint32_t>(sqlite3_uri_int64(name, "strata_page_bytes", 4096));
    FileKeys keys;
    keys.push_back(crypto::SecureRandom::Secret(kKeyBytes));
    if (absl::Status status = WriteHead(keys_->NewHeader(page_bytes), std::move(keys), *keys_);
        !status.ok()) {
      result = Fail(SQLITE_IOERR_WRITE, std::move(status));
    }
  }
  VfsFile::Unlock(SQLITE_LOCK_NONE);
  return result;
}

absl::Status MainFile::ReadHead() {
  std::vector<std::uint8_t> head(kHeadBytes);
  const int result = ReadBelow(head, 0);
  if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) {
    return SystemFailure("reading the header", result);
  }
  const std::span<const std::uint8_t> bytes(head);
  absl::StatusOr<Header> chosen = absl::DataLossError("");
  std::span<const std::uint8_t> chosen_slot;
  absl::Status first_status;
  for (const std::size_t at : kSlotAt) {
    const auto slot = bytes.subspan(at, kSlotBytes);
    absl::StatusOr<Header> header = ParseSlot(slot);
    if (at == kSlotAt[0]) first_status = header.status();
    if (!header.ok() || (chosen.ok() && chosen->sequence >= header->sequence)) continue;
    chosen = *header;
    chosen_slot = slot;
  }
  if (!chosen.ok()) return first_status;
  std::uint64_t size = 0;
  if (SizeBelow(&size) != SQLITE_OK || size <= kMarkerAt) {
    return absl::DataLossError("the file is truncated in its header");
  }
  const absl::StatusOr<crypto::SecretBytes> root = keys_->Root(*chosen);
  if (!root.ok()) return root.status();
  absl::StatusOr<FileKeys> keys = OpenSlot(chosen_slot, *chosen, *root);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<std::unique_ptr<FileCipher>> cipher = FileCipher::Create(*chosen, *keys);
  if (!cipher.ok()) return cipher.status();
  cipher_ = *std::move(cipher);
  file_keys_ = *std::move(keys);
  std::copy_n(bytes.begin() + kSlotAt[0], kSlotBytes, first_slot_.begin());
  sealed_.resize(page_bytes());
  page_.resize(page_bytes());
  return absl::OkStatus();
}

// One slot after the other, so that a crash leaves one of them whole, and the first is never the
// older one.
absl::Status MainFile::WriteHead(const Header& header, FileKeys keys, KeySource& source) {
  Header written = header;
  written.keys = static_cast<std::uint32_t>(keys.size());
  ++written.sequence;
  const absl::StatusOr<crypto::SecretBytes> root = source.Root(written);
  if (!root.ok()) return root.status();
  const absl::StatusOr<Slot> slot = SealSlot(written, keys, *root);
  if (!slot.ok()) return slot.status();
  absl::StatusOr<std::unique_ptr<FileCipher>> cipher = FileCipher::Create(written, keys);
  if (!cipher.ok()) return cipher.status();

  const bool is_new = cipher_ == nullptr;
  cipher_ = *std::move(cipher);
  file_keys_ = std::move(keys);
  first_slot_ = *slot;
  int result = is_new ? WriteMarker(Marker()) : SQLITE_OK;
  for (const std::size_t at : kSlotAt) {
    if (result == SQLITE_OK) result = Sync(SQLITE_SYNC_NORMAL);
    if (result == SQLITE_OK) result = WriteBelow(*slot, at);
  }
  if (result == SQLITE_OK) result = Sync(SQLITE_SYNC_NORMAL);
  return result == SQLITE_OK ? absl::OkStatus() : SystemFailure("writing the header", result);
}

int MainFile::RefreshHead() {
  Slot slot = {};
  const int result = ReadBelow(slot, kSlotAt[0]);
  if (result != SQLITE_OK) return result;
  if (slot == first_slot_) return SQLITE_OK;
  if (absl::Status status = ReadHead(); !status.ok()) return Fail(SQLITE_IOERR_DATA, status);
  return SQLITE_OK;
}

// A marker that is set, and no journal: somebody took it away, and with it half of a transaction.
absl::Status MainFile::CheckJournalIsThere(const char* name) {
  std::uint64_t pages = 0;
  if (PageCount(&pages) != SQLITE_OK || pages == 0) return absl::OkStatus();
  const Marker marker = ReadMarker();
  if (marker.state == Marker::State::kClear) return absl::OkStatus();
  int exists = 0;
  const std::string journal = absl::StrCat(name, "-journal");
  const int result = vfs_->xAccess(vfs_, journal.c_str(), SQLITE_ACCESS_EXISTS, &exists);
  // If it is no longer the same marker, a writer was at work, and has now removed the journal.
  if (result != SQLITE_OK || exists != 0 || ReadMarker() != marker) return absl::OkStatus();
  return absl::DataLossError(marker.state == Marker::State::kSet
                                 ? "the journal of an unfinished transaction is not there"
                                 : "the marker of the header is damaged");
}

absl::Status MainFile::CheckHead() {
  Slot slots[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const int result = ReadBelow(slots[i], kSlotAt[i]);
    if (result != SQLITE_OK) return SystemFailure("reading the header", result);
    const absl::StatusOr<Header> header = ParseSlot(slots[i]);
    if (!header.ok()) return header.status();
    const absl::StatusOr<crypto::SecretBytes> root = keys_->Root(*header);
    if (!root.ok()) return root.status();
    const absl::StatusOr<FileKeys> keys = OpenSlot(slots[i], *header, *root);
    if (!keys.ok()) return keys.status();
  }
  if (slots[0] != slots[1]) return absl::DataLossError("the two slots of the header differ");
  if (ReadMarker().state == Marker::State::kDamaged) {
    return absl::DataLossError("the marker of the header is damaged");
  }
  return absl::OkStatus();
}

absl::Status MainFile::CheckAll() {
  if (absl::Status status = CheckHead(); !status.ok()) return status;
  std::uint64_t pages = 0;
  int result = PageCount(&pages);
  for (std::uint64_t page = 1; page <= pages && result == SQLITE_OK; ++page) {
    // A page that a checkpoint is just writing is whole a moment later.
    constexpr int kTries = 3;
    result = ReadPage(page, page_);
    for (int i = 1; i < kTries && result == SQLITE_IOERR_DATA; ++i) {
      vfs_->xSleep(vfs_, kTornPageWaitUs);
      result = ReadPage(page, page_);
    }
  }
  if (result == SQLITE_IOERR_DATA) return LastFailure();
  return result == SQLITE_OK ? absl::OkStatus() : SystemFailure("reading the pages", result);
}

absl::Status MainFile::BeginRekey() {
  // There are two where an earlier rekeying did not come to its end: it is done again.
  if (file_keys_.size() == kMaxKeys) return absl::OkStatus();
  FileKeys keys;
  keys.push_back(crypto::SecureRandom::Secret(kKeyBytes));
  keys.push_back(file_keys_.front().Clone());
  Header header = cipher_->header();
  ++header.generation;
  return WriteHead(header, std::move(keys), *keys_);
}

absl::Status MainFile::EndRekey(std::shared_ptr<KeySource> source) {
  std::uint64_t pages = 0;
  int result = PageCount(&pages);
  // The page with the bytes that SQLite locks is none of its own, and so is still as it was.
  const std::uint64_t lock_page = std::uint64_t{0x40000000} / page_bytes() + 1;
  if (result == SQLITE_OK && lock_page <= pages) {
    std::fill(page_.begin(), page_.end(), std::uint8_t{0});
    result = WritePage(lock_page, page_);
  }
  for (std::uint64_t page = 1; page <= pages && result == SQLITE_OK; ++page) {
    result = ReadPage(page, page_);
    if (result == SQLITE_OK && FileCipher::GenerationOf(sealed_) != cipher_->generation()) {
      return absl::InternalError(absl::StrCat("page ", page, " has the old key"));
    }
  }
  if (result == SQLITE_OK) result = WriteMarker(Marker());
  if (result == SQLITE_OK) result = Sync(SQLITE_SYNC_NORMAL);
  if (result == SQLITE_IOERR_DATA) return LastFailure();
  if (result != SQLITE_OK) return SystemFailure("rekeying", result);
  FileKeys keys;
  keys.push_back(file_keys_.front().Clone());
  Header header = cipher_->header();
  source->Renew(header);
  absl::Status status = WriteHead(header, std::move(keys), *source);
  if (status.ok()) keys_ = std::move(source);
  return status;
}

}  // namespace strata::orm::internal
