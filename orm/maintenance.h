// File: maintenance.h
//
// What a whole database file needs now and then, beside its rows:
//
//   status = db->Backup("people-monday.db", {.progress = [](const BackupProgress& progress) {
//     std::printf("%lld of %lld pages left\n", ...);
//     return true;
//   }});
//   status = db->CheckIntegrity();
//   status = db->Vacuum();
//   absl::StatusOr<CheckpointResult> done = db->Checkpoint(CheckpointMode::kTruncate);

#ifndef STRATA_ORM_MAINTENANCE_H_
#define STRATA_ORM_MAINTENANCE_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"

namespace strata::orm {

struct BackupProgress {
  std::int64_t pages = 0;       // Of the database; it may grow meanwhile.
  std::int64_t pages_left = 0;  // More than before, where another process has written.
};

struct BackupOptions {
  // Copied at a time, in which other calls wait. At least 1.
  std::int32_t pages_per_step = 256;

  // Called between steps, by the calling thread; the database may be used in it. False ends the
  // backup: Cancelled.
  absl::AnyInvocable<bool(const BackupProgress& progress)> progress = nullptr;
};

// How the pages of the write-ahead log get into the database file, which otherwise happens by
// itself (DatabaseOptions::checkpoint_pages); https://sqlite.org/c3ref/wal_checkpoint_v2.html has
// more. kPassive: those that no reader is in the way of. The others wait for readers and writers,
// for `busy_timeout` at most. kFull: all of them. kRestart: and the log begins anew. kTruncate: and
// its file is emptied.
enum class CheckpointMode : std::uint8_t { kPassive, kFull, kRestart, kTruncate };

struct CheckpointResult {
  std::int64_t log_pages = 0;     // In the log, after kTruncate none.
  std::int64_t copied_pages = 0;  // Of these, now in the file too.
};

}  // namespace strata::orm

#endif  // STRATA_ORM_MAINTENANCE_H_
