// Backup, checks and checkpoints on a connection.

#ifndef STRATA_ORM_SQLITE_MAINTENANCE_INTERNAL_H_
#define STRATA_ORM_SQLITE_MAINTENANCE_INTERNAL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/maintenance.h"
#include "strata/orm/sqlite_internal.h"

namespace strata::orm::internal {

// Copies a database, some pages at a time, into a file that gets its name when it is whole.
class BackupTask {
 public:
  // `options` are those of the source.
  static absl::StatusOr<std::unique_ptr<BackupTask>> Start(Connection& source,
                                                           const std::string& path,
                                                           const DatabaseOptions& options);
  BackupTask(const BackupTask&) = delete;
  BackupTask& operator=(const BackupTask&) = delete;
  ~BackupTask();

  // True if it was the last one. Between two steps the source may be used.
  absl::StatusOr<bool> Step(std::int32_t pages, BackupProgress* progress);

  // After the last step.
  absl::Status Finish();

 private:
  struct End {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
  };

  explicit BackupTask(const std::string& path) : path_(path), partial_(path + ".partial") {}

  const std::string path_;
  const std::string partial_;
  std::unique_ptr<Connection> target_;
  std::unique_ptr<sqlite3_backup, End> backup_;  // Dies before the target.
  std::int64_t last_left_ = -1;
  int restarts_ = 0;
};

absl::Status CheckIntegrity(Connection& connection);
absl::StatusOr<CheckpointResult> Checkpoint(Connection& connection, CheckpointMode mode);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_MAINTENANCE_INTERNAL_H_
