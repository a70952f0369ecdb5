// The write-ahead log (https://sqlite.org/fileformat2.html, section 4), each frame a sealed
// message.
//
//   log   := sealed [ SQLite's header (32) ]  generation (4)  frame*
//   frame := sealed [ SQLite's header (24)  page  frames on the disk (8) ]
//
// A frame is bound to its number and to the salts by which SQLite tells one log from another. That
// it follows the frames before it is told by SQLite's running checksum over all of them, which is
// within what is sealed: so the frames are a chain that nobody else can make or change.
//
// When SQLite looks for the end of the log after a crash, a frame that does not open ends it, as
// one that a crash has torn. But each frame also says how many of the first ones had been synced
// when it was written. So if one that is further on says that the bad one was on the disk, it was
// no crash: that is an error. For the last transactions of a log nothing can tell, nor with less
// than synchronous=FULL. A header that does not open is an error too if frames follow: it is synced
// before them, and no disk tears so few bytes.

#ifndef STRATA_ORM_ENCRYPTED_LOG_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_LOG_INTERNAL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "strata/orm/encrypted_file_internal.h"
#include "strata/orm/encrypted_main_file_internal.h"

namespace strata::orm::internal {

class LogFile : public VfsFile {
 public:
  LogFile(sqlite3_vfs* vfs, MainFile& main);

  int Close() override;
  int Read(std::span<std::uint8_t> to, std::int64_t offset) override;
  int Write(std::span<const std::uint8_t> from, std::int64_t offset) override;
  int Truncate(std::int64_t size) override;
  int Sync(int flags) override;
  int FileSize(std::int64_t* size) override;

 private:
  static constexpr std::size_t kHeaderBytes = 32;
  static constexpr std::size_t kFrameHeaderBytes = 24;
  static constexpr std::size_t kSyncedBytes = 8;
  static constexpr std::size_t kHeadBytes =
      kHeaderBytes + kMessageOverheadBytes + sizeof(std::uint32_t);

  // A part of one frame, as SQLite sees it.
  struct Place {
    std::uint64_t frame;
    std::size_t within;
  };

  enum class Header : std::uint8_t { kMissing, kDamaged, kGood };

  // The sizes of a frame, as SQLite sees it, and in the file below.
  std::size_t frame_bytes() const { return kFrameHeaderBytes + main_.cipher().page_bytes(); }
  std::size_t sealed_frame_bytes() const {
    return frame_bytes() + kSyncedBytes + kMessageOverheadBytes;
  }
  std::uint64_t PlaceBelow(std::uint64_t frame) const {
    return kHeadBytes + frame * sealed_frame_bytes();
  }
  Place PlaceOf(std::uint64_t offset) const {
    return {(offset - kHeaderBytes) / frame_bytes(), (offset - kHeaderBytes) % frame_bytes()};
  }

  Header LoadHeader();
  int WriteHeader(std::span<const std::uint8_t> from);
  int ReadHeader(std::span<std::uint8_t> to, std::size_t within);

  // Opens a frame into `text_`. SQLITE_IOERR_DATA if it does not open, as one of an earlier log.
  int OpenFrame(std::uint64_t frame);
  // What tells this log from an earlier one in the same file.
  std::uint64_t Salts() const;
  FileCipher::Position PositionOf(std::uint64_t frame) const;
  // Whether a frame behind this one says that it was on the disk.
  bool WasOnDisk(std::uint64_t frame);
  int FrameCount(std::uint64_t* frames);

  int WriteFramePart(std::span<const std::uint8_t> from, Place place);
  int SealFrame(std::uint64_t frame);
  int PatchFrame(std::span<const std::uint8_t> from, Place place);
  int Flush();

  MainFile& main_;
  std::optional<std::array<std::uint8_t, kHeaderBytes>> header_;
  std::uint32_t generation_ = 0;
  std::uint64_t written_ = 0;  // Frames written by this connection since the log began.
  std::uint64_t synced_ = 0;   // Of these, on the disk.

  // A frame that SQLite has begun to write: its first `gathered_` bytes are in `text_`.
  std::uint64_t frame_ = 0;
  std::size_t gathered_ = 0;

  std::vector<std::uint8_t> text_;
  std::vector<std::uint8_t> sealed_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_LOG_INTERNAL_H_
