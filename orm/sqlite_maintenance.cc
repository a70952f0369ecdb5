#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_maintenance_internal.h"

namespace strata::orm::internal {
namespace {

// Of what is wrong with a file, at most so much is told.
constexpr int kMaxProblems = 100;

// What another process writes makes SQLite begin anew. After so many steps that led no further the
// rest is one, in which nobody writes.
constexpr int kMaxRestarts = 8;

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

absl::Status SystemError(const std::string& path) {
  return absl::InternalError(absl::StrCat(path, ": ", std::strerror(errno)));
}

// Makes a new name in the folder last.
absl::Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError(folder);
  absl::Status status;
  if (fsync(descriptor) != 0) status = SystemError(folder);
  close(descriptor);
  return status;
}

// The tables that a module of SQLite's keeps.
absl::StatusOr<std::vector<std::string>> TablesOfModule(Connection& connection,
                                                        std::string_view module) {
  return TextsOf(connection,
                 "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                 "sql LIKE 'CREATE VIRTUAL TABLE % USING ' || ? || '%'",
                 module);
}

// What the indexes of searches have is compared with the rows that it is of.
absl::Status CheckSearches(Connection& connection) {
  const absl::StatusOr<std::vector<std::string>> trees = TablesOfModule(connection, "rtree");
  if (!trees.ok()) return trees.status();
  for (const std::string& tree : *trees) {
    const auto problems = TextsOf(connection, "SELECT rtreecheck(?)", tree);
    if (!problems.ok()) return problems.status();
    if (problems->size() == 1 && problems->front() == "ok") continue;
    return absl::DataLossError(absl::StrCat(tree, ": ", absl::StrJoin(*problems, "\n")));
  }
  // It is asked for by an INSERT, which writes nothing; but not of a file opened for reading.
  if (sqlite3_db_readonly(connection.get(), "main") == 1) return absl::OkStatus();
  const absl::StatusOr<std::vector<std::string>> texts = TablesOfModule(connection, "fts5");
  if (!texts.ok()) return texts.status();
  for (const std::string& text : *texts) {
    const std::string name = Quoted(text);
    absl::Status status = connection.Execute(
        absl::StrCat("INSERT INTO ", name, " (", name, ", rank) VALUES ('integrity-check', 1)"));
    if (status.ok()) continue;
    return absl::Status(status.code(), absl::StrCat(text, ": ", status.message()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupTask>> BackupTask::Start(Connection& source,
                                                              const std::string& path,
                                                              const DatabaseOptions& options) {
  if (path.empty() || path == ":memory:") {
    return absl::InvalidArgumentError("a backup needs the path of a file");
  }
  // A log or journal that lies there would be taken for one of the new file.
  for (const char* suffix : {"", "-wal", "-journal"}) {
    if (!Exists(path + suffix)) continue;
    return absl::AlreadyExistsError(absl::StrCat(path, suffix, ": there is such a file"));
  }
  std::unique_ptr<BackupTask> task(new BackupTask(path));
  // Left by a process that ended within a backup.
  unlink(task->partial_.c_str());
  DatabaseOptions target = options;
  target.create = true;
  target.read_only = false;
  target.exclusive = true;
  target.journal = DatabaseOptions::Journal::kDelete;
  target.synchronous = DatabaseOptions::Synchronous::kFull;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(task->partial_, target);
  if (!connection.ok()) return connection.status();
  task->target_ = *std::move(connection);
  task->backup_.reset(sqlite3_backup_init(task->target_->get(), "main", source.get(), "main"));
  if (task->backup_ == nullptr) return task->target_->Error();
  return task;
}

BackupTask::~BackupTask() {
  backup_.reset();
  target_.reset();
  unlink(partial_.c_str());  // Gone already, after Finish().
}

absl::StatusOr<bool> BackupTask::Step(std::int32_t pages, BackupProgress* progress) {
  const int result = sqlite3_backup_step(backup_.get(), restarts_ < kMaxRestarts ? pages : -1);
  progress->pages = sqlite3_backup_pagecount(backup_.get());
  progress->pages_left = sqlite3_backup_remaining(backup_.get());
  if (last_left_ >= 0 && progress->pages_left >= last_left_) ++restarts_;
  last_left_ = progress->pages_left;
  if (result == SQLITE_DONE) return true;
  if (result == SQLITE_OK) return false;
  return StatusOfCode(result, sqlite3_errstr(result));
}

absl::Status BackupTask::Finish() {
  const int result = sqlite3_backup_finish(backup_.release());
  if (result != SQLITE_OK) return StatusOfCode(result, sqlite3_errstr(result));
  target_.reset();
  if (renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EEXIST) return SystemError(path_);
    return absl::AlreadyExistsError(absl::StrCat(path_, ": there is such a file"));
  }
  return SyncFolderOf(path_);
}

absl::Status CheckIntegrity(Connection& connection) {
  const absl::StatusOr<std::vector<std::string>> problems =
      TextsOf(connection, absl::StrCat("PRAGMA integrity_check(", kMaxProblems, ")"), "");
  if (!problems.ok()) return problems.status();
  if (problems->size() != 1 || problems->front() != "ok") {
    return absl::DataLossError(absl::StrJoin(*problems, "\n"));
  }
  if (absl::Status status = CheckSearches(connection); !status.ok()) return status;
  const absl::StatusOr<std::vector<std::string>> references = TextsOf(
      connection,
      absl::StrCat("SELECT \"table\" || ': ' || count(*) || ' references to rows of ' || parent || "
                   "' that are not there' FROM pragma_foreign_key_check GROUP BY \"table\", parent "
                   "LIMIT ",
                   kMaxProblems),
      "");
  if (!references.ok()) return references.status();
  return references->empty() ? absl::OkStatus()
                             : absl::FailedPreconditionError(absl::StrJoin(*references, "\n"));
}

absl::StatusOr<CheckpointResult> Checkpoint(Connection& connection, CheckpointMode mode) {
  const int of_sqlite = mode == CheckpointMode::kPassive   ? SQLITE_CHECKPOINT_PASSIVE
                        : mode == CheckpointMode::kFull    ? SQLITE_CHECKPOINT_FULL
                        : mode == CheckpointMode::kRestart ? SQLITE_CHECKPOINT_RESTART
                                                           : SQLITE_CHECKPOINT_TRUNCATE;
  int log_pages = -1;
  int copied_pages = -1;
  const int result =
      sqlite3_wal_checkpoint_v2(connection.get(), "main", of_sqlite, &log_pages, &copied_pages);
  if (result != SQLITE_OK) return connection.Error();
  if (log_pages < 0) return absl::FailedPreconditionError("the database has no write-ahead log");
  return CheckpointResult{log_pages, copied_pages};
}

}  // namespace strata::orm::internal
