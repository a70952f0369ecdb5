// File: database_options.h
//
// How a database is opened, and what its errors are.
//
//   InvalidArgument     a value against the rules of its column: Validate(), MaxLength(), NOT NULL,
//                       CHECK, another type; SQL that is wrong
//   AlreadyExists       a key, or a value of Unique() or a UniqueIndex(), that another row has
//   FailedPrecondition  a reference to a row that is not there, or from one that is; a table that
//                       is not as described
//   NotFound            no such row, or no such file
//   Aborted             another version of the row has been written meanwhile (Version())
//   OutOfRange          a number that the column, or the field, does not hold
//   Unavailable         another process kept the database locked for longer than `busy_timeout`
//   PermissionDenied    opened for reading, or the system does not allow it
//   ResourceExhausted   the disk is full, or there is no memory
//   DataLoss            no database, a damaged one, or values that are not of the column's type
//   Internal            the system could not read or write
//
// Those of a row begin with "table.column: " where one column is the reason.

#ifndef STRATA_ORM_DATABASE_OPTIONS_H_
#define STRATA_ORM_DATABASE_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"

namespace strata::orm {

namespace internal {
class Connection;
}

// How a database lies in its files, where that is not SQLite's own way: encrypted.h has one.
// Thread-safe; the databases that use it keep it alive.
class FileStorage {
 public:
  FileStorage() = default;
  FileStorage(const FileStorage&) = delete;
  FileStorage& operator=(const FileStorage&) = delete;
  virtual ~FileStorage() = default;

 private:
  friend class internal::Connection;

  // The SQLite VFS that opens the files, registered while this object lives.
  virtual const char* vfs_name() const = 0;
  // What it needs for itself at the end of each page.
  virtual int reserved_bytes() const = 0;
  // Why this thread could last not open a file, or read one (SQLITE_IOERR_DATA). OK if the storage
  // has no better reason than SQLite.
  virtual absl::Status failure() const = 0;
};

struct DatabaseOptions {
  // What is on the disk when a write returns: kFull, all of it. kNormal: with kWal, the last writes
  // may be lost when the power fails, and the file is whole. kOff: the file may be damaged by that.
  enum class Synchronous : std::uint8_t { kFull, kNormal, kOff };

  // kWal: readers go on while another writes (https://sqlite.org/wal.html), not over a network.
  // kDelete: a rollback journal, and a single file at rest. kMemory: the journal is in memory; a
  // process that ends in a transaction leaves a damaged file.
  enum class Journal : std::uint8_t { kWal, kDelete, kMemory };

  Synchronous synchronous = Synchronous::kFull;
  Journal journal = Journal::kWal;

  bool create = true;      // The file, if there is none.
  bool read_only = false;  // `create` and `journal` do not count then.
  bool exclusive = false;  // No other process opens it meanwhile, which saves locking.

  // Null for SQLite's own. Not for ":memory:".
  std::shared_ptr<FileStorage> storage = nullptr;

  // How long to try again while another process has a lock.
  std::chrono::milliseconds busy_timeout{5000};

  // The write-ahead log goes into the file when a write leaves so many pages in it; 0: only by
  // Checkpoint(), and at the end (maintenance.h).
  std::int32_t checkpoint_pages = 1000;

  // Connections for reading while another thread writes, at most; with kWal, or `read_only`, and
  // not `exclusive`. 0: reads wait for writes.
  std::size_t readers = 4;

  std::size_t cache_bytes = std::size_t{8} << 20;  // Of pages, for each connection.
  std::size_t max_statements = 128;                // Kept prepared, besides those of the tables.
};

}  // namespace strata::orm

#endif  // STRATA_ORM_DATABASE_OPTIONS_H_
