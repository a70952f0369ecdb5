#include <cerrno>

#include "absl/strings/str_cat.h"
#include "strata/orm/sqlite_internal.h"

namespace strata::orm::internal {
namespace {

absl::StatusCode CodeOfConstraint(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

absl::StatusCode StatusCodeOf(int code) {
  // What a storage says of a damaged page.
  if (code == SQLITE_IOERR_DATA) return absl::StatusCode::kDataLoss;
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return CodeOfConstraint(code);
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return absl::StatusCode::kInvalidArgument;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_TOOBIG:
      return absl::StatusCode::kOutOfRange;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return absl::StatusCode::kDataLoss;
    case SQLITE_ABORT:  // A read, by the end of its transaction.
      return absl::StatusCode::kAborted;
    case SQLITE_INTERRUPT:
      return absl::StatusCode::kCancelled;
    case SQLITE_SCHEMA:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status OpenError(int code, sqlite3* database, const std::string& path) {
  if (database == nullptr) return StatusOfCode(code, sqlite3_errstr(code));
  const std::string message = absl::StrCat(path, ": ", sqlite3_errmsg(database));
  if (code == SQLITE_CANTOPEN) {
    const int system_error = sqlite3_system_errno(database);
    if (system_error == ENOENT) return absl::NotFoundError(message);
    if (system_error == EACCES) return absl::PermissionDeniedError(message);
  }
  return StatusOfCode(code, message);
}

std::string_view SynchronousName(DatabaseOptions::Synchronous synchronous) {
  switch (synchronous) {
    case DatabaseOptions::Synchronous::kFull:
      return "FULL";
    case DatabaseOptions::Synchronous::kNormal:
      return "NORMAL";
    case DatabaseOptions::Synchronous::kOff:
      return "OFF";
  }
  return "FULL";
}

}  // namespace

absl::Status StatusOfCode(int code, std::string_view message) {
  return absl::Status(StatusCodeOf(code), message);
}

absl::Status Connection::Error() const {
  if (storage_ != nullptr && sqlite3_extended_errcode(get()) == SQLITE_IOERR_DATA) {
    if (absl::Status status = storage_->failure(); !status.ok()) return status;
  }
  return StatusOfCode(sqlite3_extended_errcode(get()), sqlite3_errmsg(get()));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path,
                                                             const DatabaseOptions& options) {
  // A path like "file:x?mode=memory" is a file of that name: no path begins so. That URIs are known
  // is for the files that a storage attaches.
  if (path.empty()) return absl::InvalidArgumentError("a database needs a path, or \":memory:\"");
  const bool is_file = path != ":memory:";
  const std::string name = is_file && path[0] != '/' ? absl::StrCat("./", path) : path;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create && !options.read_only) flags |= SQLITE_OPEN_CREATE;
  std::unique_ptr<Connection> connection(new Connection(options));
  sqlite3* database = nullptr;
  FileStorage* storage = options.storage.get();
  if (storage != nullptr && !is_file) {
    return absl::InvalidArgumentError("a database in memory has no storage");
  }
  const int result = sqlite3_open_v2(name.c_str(), &database, flags,
                                     storage == nullptr ? nullptr : storage->vfs_name());
  connection->database_.reset(database);  // There may be one on an error too.
  if (result != SQLITE_OK) {
    const absl::Status status = storage == nullptr ? absl::OkStatus() : storage->failure();
    if (status.ok()) return OpenError(result & 0xff, database, path);
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  if (absl::Status status = connection->Configure(options, is_file); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  return connection;
}

absl::Status Connection::Configure(const DatabaseOptions& options, bool is_file) {
  sqlite3_busy_timeout(get(), static_cast<int>(options.busy_timeout.count()));
  sqlite3_wal_autocheckpoint(get(), options.checkpoint_pages);
  // What lies in a file does not get to run code, a text in "" is no value, and no SQL writes past
  // the rules of the library.
  const struct {
    int option;
    int value;
  } settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                  {SQLITE_DBCONFIG_DQS_DML, 0},     {SQLITE_DBCONFIG_DQS_DDL, 0},
                  {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};
  for (const auto& [option, value] : settings) {
    if (sqlite3_db_config(get(), option, value, nullptr) != SQLITE_OK) return Error();
  }
  if (storage_ != nullptr) {
    int reserved = storage_->reserved_bytes();
    if (sqlite3_file_control(get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK) {
      return Error();
    }
  }
  if (is_file && options.exclusive) {
    absl::Status status = Execute("PRAGMA locking_mode = EXCLUSIVE");
    if (!status.ok()) return status;
  }
  for (const std::string& pragma :
       {absl::StrCat("PRAGMA cache_size = -", options.cache_bytes / 1024 + 1),
        absl::StrCat("PRAGMA synchronous = ", SynchronousName(options.synchronous)),
        std::string("PRAGMA temp_store = MEMORY"), std::string("PRAGMA cell_size_check = ON"),
        // Or no trigger would see the rows that INSERT OR REPLACE removes.
        std::string("PRAGMA recursive_triggers = ON")}) {
    if (absl::Status status = Execute(pragma); !status.ok()) return status;
  }
  if (is_file && !options.read_only) return SetJournal(options);
  // Reads the header: what is no database is found now, and not by the first query.
  return Execute("SELECT count(*) FROM sqlite_schema");
}

absl::Status Connection::SetJournal(const DatabaseOptions& options) {
  const std::string_view mode = options.journal == DatabaseOptions::Journal::kWal      ? "wal"
                                : options.journal == DatabaseOptions::Journal::kDelete ? "delete"
                                                                                       : "memory";
  absl::StatusOr<Statement> statement =
      Prepare(absl::StrCat("PRAGMA journal_mode = ", mode), false);
  if (!statement.ok()) return statement.status();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return Error();
  const auto* got = reinterpret_cast<const char*>(sqlite3_column_text(statement->get(), 0));
  if (got == mode) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the journal is ", got == nullptr ? "" : got, ", and cannot be ", mode));
}

absl::Status Connection::Execute(std::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql, false);
  if (!statement.ok()) return statement.status();
  int result = SQLITE_ROW;
  while (result == SQLITE_ROW) result = sqlite3_step(statement->get());
  return result == SQLITE_DONE ? absl::OkStatus() : Error();
}

absl::StatusOr<Statement> Connection::Prepare(std::string_view sql, bool keep) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sql.size() > kMaxSqlBytes) return absl::InvalidArgumentError("the SQL is too long");
  const int result = sqlite3_prepare_v3(get(), sql.data(), static_cast<int>(sql.size()),
                                        keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, &rest);
  Statement owned(statement);
  if (result != SQLITE_OK) return Error();
  if (statement == nullptr) return absl::InvalidArgumentError("no SQL");
  // What follows is blank, or a comment.
  for (const char* end = sql.data() + sql.size(); rest != end;) {
    const char* at = rest;
    sqlite3_stmt* second = nullptr;
    const bool prepared =
        sqlite3_prepare_v3(get(), at, static_cast<int>(end - at), 0, &second, &rest) == SQLITE_OK;
    const bool is_blank = prepared && second == nullptr && rest != at;
    sqlite3_finalize(second);
    if (!is_blank) return absl::InvalidArgumentError("more than one statement");
  }
  return owned;
}

absl::StatusOr<CachedStatement> Connection::Cached(std::string_view sql) {
  const auto found = by_sql_.find(sql);
  if (found != by_sql_.end() && !found->second->used) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    absl::StatusOr<Statement> statement = Prepare(sql, found == by_sql_.end());
    if (!statement.ok()) return statement.status();
    if (found != by_sql_.end()) return CachedStatement(statement->release());
    entries_.push_front({std::string(sql), *std::move(statement)});
    by_sql_.emplace(entries_.front().sql, entries_.begin());
  }
  Entry& entry = entries_.front();
  entry.used = true;
  DropUnused();
  return CachedStatement(entry.statement.get(), EndUse{&entry.used});
}

void Connection::DropUnused() {
  for (auto entry = entries_.end(); entries_.size() > max_statements_;) {
    if (entry == entries_.begin()) return;
    --entry;
    if (entry->used) continue;
    by_sql_.erase(entry->sql);
    entry = entries_.erase(entry);
  }
}

}  // namespace strata::orm::internal
