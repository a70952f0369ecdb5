// The rollback journal: a log of what SQLite writes into it.
//
// SQLite writes a journal in pieces of a few bytes to a page, at any place. They are gathered, and
// go to the disk as extents: sealed messages with an offset, one behind the other, each bound to
// the journal's identity and its number. An extent is never written again, so a write that a crash
// tears takes nothing away that was there before. What SQLite writes twice is in two extents, of
// which the later one counts.
//
//   journal := identity (16)  generation (4)  extent*
//   extent  := size of the data (4)  nonce (12)  sealed [ offset (8)  data ]  tag (16)
//
// The first extent that does not open ends the log, as the end of the file does. Whether that may
// be is told by the marker (encrypted_main_file_internal.h).

#ifndef STRATA_ORM_ENCRYPTED_JOURNAL_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_JOURNAL_INTERNAL_H_

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "strata/orm/encrypted_file_internal.h"
#include "strata/orm/encrypted_main_file_internal.h"

namespace strata::orm::internal {

class JournalFile : public VfsFile {
 public:
  JournalFile(sqlite3_vfs* vfs, MainFile& main) : VfsFile(vfs), main_(main) {}

  // Becomes the journal that is marked in the database before pages are written.
  void Attach() { main_.set_journal(this); }

  int Close() override;
  int Read(std::span<std::uint8_t> to, std::int64_t offset) override;
  int Write(std::span<const std::uint8_t> from, std::int64_t offset) override;
  int Truncate(std::int64_t size) override;
  int Sync(int flags) override;
  int FileSize(std::int64_t* size) override;

  // Writes what has been gathered.
  int Flush();

  const std::array<std::uint8_t, 16>& identity() const { return identity_; }
  // How many extents are on the disk, as far as SQLite has asked for that.
  std::uint64_t durable_extents() const { return unsynced_ ? extents_.size() : synced_extents_; }

 private:
  struct Extent {
    std::uint64_t place;  // In the file below.
    std::uint64_t offset;
    std::uint32_t size;
  };
  // What counts from a key of `pieces_` on, up to `end`.
  struct Piece {
    std::uint64_t end;
    std::size_t extent;
  };

  int Load();
  int Reset();
  bool ReadExtentAt(std::uint64_t place, std::uint64_t size_below, Extent* extent);
  int OpenExtent(std::size_t extent);
  void Add(const Extent& extent);
  std::uint64_t End() const;

  MainFile& main_;
  bool started_ = false;   // Loaded, or begun by a write.
  bool unsynced_ = false;  // SQLite does not ask for syncs (synchronous=OFF).
  std::array<std::uint8_t, 16> identity_ = {};
  std::uint32_t generation_ = 0;

  std::vector<Extent> extents_;
  std::map<std::uint64_t, Piece> pieces_;
  std::uint64_t place_ = 0;  // Of the next extent.
  std::uint64_t synced_extents_ = 0;

  std::uint64_t gathered_at_ = 0;  // What has been gathered, and is on no disk yet.
  std::vector<std::uint8_t> gathered_;

  std::size_t opened_ = SIZE_MAX;  // The extent that is in `text_`.
  std::vector<std::uint8_t> text_;
  std::vector<std::uint8_t> sealed_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_JOURNAL_INTERNAL_H_
