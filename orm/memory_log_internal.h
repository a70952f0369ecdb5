// Snapshots and the log of the engine in memory.
//
// A store at `path` has these files:
//
//   path           the last snapshot: a header with its generation, rows, and an end with counts
//   path-log       a header with the generation of the snapshot that it goes on from, and changes
//   path-lock      empty; the process that has the store open holds its lock
//   path-new, path-log-new    while a snapshot is made
//
// A log of an older generation than the snapshot is in it already, and is replaced. So a snapshot
// is made in this order: both new files are written and synced; the snapshot takes its place, which
// is the moment that counts; then the log does.

#ifndef STRATA_ORM_MEMORY_LOG_INTERNAL_H_
#define STRATA_ORM_MEMORY_LOG_INTERNAL_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/memory_file_internal.h"
#include "strata/orm/memory_options.h"
#include "strata/orm/memory_session_internal.h"

namespace strata::orm::internal {

inline constexpr std::string_view kSnapshotMagic = "StrataMS";
inline constexpr std::string_view kLogMagic = "StrataML";

// What a file says of itself.
struct FileHeader {
  std::uint64_t format = 0;
  std::uint64_t generation = 0;
  WireSchema schema;
};

absl::Status WriteSnapshot(const MemorySession& session, std::uint64_t generation,
                           FrameWriter& writer);

// Into tables that are empty and BeginLoading(). DataLoss if anything is not as it was written.
absl::Status ReadSnapshot(const Source& source, MemorySession& session, bool drop_undescribed,
                          FileHeader* header);

absl::Status WriteLogHeader(const MemorySession& session, std::uint64_t generation,
                            FrameWriter& writer);

struct LogEnd {
  std::uint64_t offset = 0;  // Where the last whole transaction ends.
  std::string head;          // Of the file.
};

// Only what the log says of itself.
absl::Status ReadLogHeader(const Source& source, FileHeader* header);

// Makes the changes of the log's transactions, each in one of the session. Ends before a
// transaction that is not whole, as a process or system that ended while writing leaves it;
// DataLoss if that one had been synced once.
absl::Status ReadLog(const Source& source, MemorySession& session, bool drop_undescribed,
                     LogEnd* end);

// Append() and Checkpoint() are called by one thread at a time, Sync() by any, also meanwhile.
class MemoryLog final : public ChangeLog {
 public:
  // Reads what is there into the session's tables, which are empty, and goes on with the log.
  static absl::StatusOr<std::unique_ptr<MemoryLog>> Open(const std::string& path,
                                                         const MemoryOptions& options,
                                                         MemorySession& session);
  ~MemoryLog();

  absl::Status Append(std::string_view changes) override;

  // What has been appended so far, as a position for Sync().
  std::uint64_t position() const { return position_; }

  // Waits until all up to `position` is on the disk. After an error nothing can be appended.
  absl::Status Sync(std::uint64_t position);

  // Writes a snapshot and begins a new log.
  absl::Status Checkpoint();

  // Whether it is time for one, by options.
  bool WantsCheckpoint() const;

 private:
  MemoryLog(std::string path, const MemoryOptions& options, MemorySession* session)
      : path_(std::move(path)), options_(options), session_(session) {}

  absl::Status Recover();
  absl::Status ReadFiles(bool* wants_checkpoint);
  absl::StatusOr<FrameWriter> MakeLog(const std::string& path, std::uint64_t generation);
  // The files of the next generation, on the disk; the new log.
  absl::StatusOr<FrameWriter> MakeNewFiles(std::uint64_t* snapshot_bytes);
  absl::Status AppendFrames(std::string_view changes);
  absl::Status Broken(const absl::Status& why);

  const std::string path_;
  const MemoryOptions options_;
  MemorySession* const session_;
  File lock_;
  std::uint64_t generation_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
  std::uint64_t next_checkpoint_ = 0;  // Size of the log, in bytes, before which none is tried.
  bool changed_since_close_ = false;   // Of the last process that closed the log.
  std::optional<FrameWriter> log_;     // Replaced under the mutex, while nobody syncs.

  // Positions count on over all logs. `base_` is that of the beginning of this one.
  std::uint64_t base_ = 0;
  std::uint64_t position_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t appended_ = 0;  // position_, for those that sync.
  std::uint64_t synced_ = 0;
  bool syncing_ = false;
  absl::Status broken_;  // Not OK: the disk may lack what memory has.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_LOG_INTERNAL_H_
