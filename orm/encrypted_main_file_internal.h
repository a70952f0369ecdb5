// The database itself: a head (encrypted_format_internal.h), then its pages, each sealed in its
// place.

#ifndef STRATA_ORM_ENCRYPTED_MAIN_FILE_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_MAIN_FILE_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/encrypted_cipher_internal.h"
#include "strata/orm/encrypted_file_internal.h"
#include "strata/orm/encrypted_key_source_internal.h"

namespace strata::orm::internal {

class JournalFile;

// Whether the pages are those of an unfinished transaction, whose journal has to be rolled back
// first. It is sealed in the head.
//
// It tells a journal that somebody has changed from one whose last bytes were lost in a crash:
// before the first page of a transaction is written, the marker says which journal, and how much of
// it was on the disk by then. That much has to open, or rolling back would mix two states. The
// marker is cleared when all the pages are written, before they are synced, and so before SQLite
// ends the journal.
struct Marker {
  enum class State : std::uint8_t { kClear, kSet, kDamaged };
  State state = State::kClear;
  std::array<std::uint8_t, 16> journal = {};
  std::uint64_t extents = 0;  // So many of the journal's first ones are needed.

  friend bool operator==(const Marker&, const Marker&) = default;
};

class MainFile : public VfsFile {
 public:
  MainFile(sqlite3_vfs* vfs, std::shared_ptr<KeySource> keys);
  ~MainFile() override;

  // Reads the head of the file that was opened, or writes one into an empty file if `flags` of
  // SQLite allow it. The reason of a failure is in LastFailure().
  int Start(const char* name, int flags);

  int Close() override;
  int Read(std::span<std::uint8_t> to, std::int64_t offset) override;
  int Write(std::span<const std::uint8_t> from, std::int64_t offset) override;
  int Truncate(std::int64_t size) override;
  int FileSize(std::int64_t* size) override;
  int Lock(int level) override;
  int Unlock(int level) override;
  int FileControl(int operation, void* argument) override;

  // For the logs.
  FileCipher& cipher() { return *cipher_; }
  void set_journal(JournalFile* journal) { journal_ = journal; }
  // The one on the disk.
  Marker ReadMarker();

  // DataLoss if the head or a page does not open. To be called while SQLite holds the lock of a
  // reader.
  absl::Status CheckAll();

  // The two steps of rekeying, while SQLite holds the lock of the only connection: from the first
  // one on, what is written is sealed by a new key; the second one, when all pages are, drops the
  // old key, and the head is that of `keys`.
  absl::Status BeginRekey();
  absl::Status EndRekey(std::shared_ptr<KeySource> keys);

 private:
  std::size_t page_bytes() const { return cipher_->page_bytes(); }
  std::uint64_t PlaceOf(std::uint64_t page) const { return kHeadBytes + (page - 1) * page_bytes(); }

  bool IsUnmade(std::uint64_t size) const;
  absl::Status ReadHead();
  absl::Status WriteHead(const Header& header, FileKeys keys, KeySource& source);
  int CreateHead(const char* name);
  void RepairSlots();
  absl::Status CheckHead();
  absl::Status CheckJournalIsThere(const char* name);
  int RefreshHead();

  // `page` begins with 1.
  int ReadPage(std::uint64_t page, std::span<std::uint8_t> to);
  int WritePage(std::uint64_t page, std::span<const std::uint8_t> from);
  int FillGapBefore(std::uint64_t page);
  int PageCount(std::uint64_t* pages);

  int MarkJournal();
  int WriteMarker(const Marker& marker);

  sqlite3_vfs* vfs_;
  std::shared_ptr<KeySource> keys_;
  std::unique_ptr<FileCipher> cipher_;
  FileKeys file_keys_;
  Slot first_slot_ = {};  // As it was read: another one means that the file was rekeyed.

  std::vector<std::uint8_t> sealed_;  // A page on its way.
  std::vector<std::uint8_t> page_;
  int lock_ = SQLITE_LOCK_NONE;
  std::uint64_t known_pages_ = 0;  // So many are in the file, or more.
  JournalFile* journal_ = nullptr;
  Marker marker_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_MAIN_FILE_INTERNAL_H_
