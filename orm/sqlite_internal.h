// One connection of SQLite: statements, errors, and the cache of statements.

#ifndef STRATA_ORM_SQLITE_INTERNAL_H_
#define STRATA_ORM_SQLITE_INTERNAL_H_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sqlite3.h"
#include "strata/orm/database_options.h"

namespace strata::orm::internal {

// Of one statement, in bytes: far above what the library makes.
inline constexpr std::size_t kMaxSqlBytes = std::size_t{1} << 20;

// The status of an extended result code; database_options.h has the table.
absl::Status StatusOfCode(int code, std::string_view message);

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Resets a statement at the end of its use, so that it holds no lock and refers to no row. The
// texts that were bound are gone by then, but nobody reads them before others are.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { sqlite3_reset(statement_); }

  sqlite3_stmt* get() const { return statement_; }

 private:
  sqlite3_stmt* statement_;
};

// Ends the use of a statement of the cache, or of one that the cache does not have.
struct EndUse {
  bool* used = nullptr;
  void operator()(sqlite3_stmt* statement) const {
    if (used == nullptr) {
      sqlite3_finalize(statement);
    } else {
      sqlite3_reset(statement);
      *used = false;
    }
  }
};
using CachedStatement = std::unique_ptr<sqlite3_stmt, EndUse>;

// Used by one thread at a time.
class Connection {
 public:
  // Opens the file, and makes the settings of `options` true.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path,
                                                          const DatabaseOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* get() const { return database_.get(); }

  // What went wrong last.
  absl::Status Error() const;

  // From now on triggers of the file may write to any virtual table: of FTS5, SQLite 3.40 does not
  // say that this is harmless.
  void TrustTriggers() { sqlite3_db_config(get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr); }

  // One statement, to its end; the rows it may have are dropped.
  absl::Status Execute(std::string_view sql);

  // A single statement. InvalidArgument if it is none, or if something follows.
  absl::StatusOr<Statement> Prepare(std::string_view sql, bool keep);

  // The same, kept: among the `max_statements` that were used last. Where it is in use already, as
  // by a loop over its rows, there is another one of the same SQL.
  absl::StatusOr<CachedStatement> Cached(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  struct Entry {
    std::string sql;
    Statement statement;
    bool used = false;
  };

  explicit Connection(const DatabaseOptions& options)
      : storage_(options.storage), max_statements_(options.max_statements) {}

  absl::Status Configure(const DatabaseOptions& options, bool is_file);
  absl::Status SetJournal(const DatabaseOptions& options);
  void DropUnused();

  // These die last, in the opposite order.
  std::shared_ptr<FileStorage> storage_;
  std::unique_ptr<sqlite3, Close> database_;
  std::size_t max_statements_;
  std::list<Entry> entries_;  // The last used one is the first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_sql_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_INTERNAL_H_
