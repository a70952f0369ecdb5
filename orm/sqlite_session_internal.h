// Rows of described tables on one connection: what the statements of a table are, and how their
// parameters and results belong to fields.

#ifndef STRATA_ORM_SQLITE_SESSION_INTERNAL_H_
#define STRATA_ORM_SQLITE_SESSION_INTERNAL_H_

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "strata/orm/rules_internal.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/store_internal.h"

namespace strata::orm::internal {

// What a write sets by itself.
struct Stamps {
  std::int64_t created = 0;
  std::int64_t modified = 0;
  std::int64_t version = 0;
};

// Of an insert into the table.
Stamps StampsNow(const TableInfo& table);

inline constexpr std::uint32_t kStamped =
    Column::kCreatedAt | Column::kModifiedAt | Column::kVersion;

// The key, where that is the rowid, or null.
inline const Column* RowidColumn(const TableInfo& table) {
  return table.has_rowid_key() ? &table.key_column() : nullptr;
}

// Whether an insert makes a key for the row: that of the column, which is the rowid, is 0.
inline bool IsNewKey(const Column& column, const void* row) {
  if (column.shape == Column::Shape::kInt64) {
    return Load<std::int64_t>(static_cast<const char*>(row) + column.offset) == 0;
  }
  return LoadInteger(*column.value, column.Value(row)) == 0;
}

// The value that a write puts into a column, or null for NULL: the row's own, but for stamps, which
// go into `room`.
const void* ValueToWrite(const Column& column, const Stamps& stamps, const void* row,
                         std::uint64_t* room);

// Rows in memory that SQLite gets at: all of them by a virtual table, so that one statement inserts
// them, or the first one by functions, one for each column.
struct RowSource {
  const TableInfo* table = nullptr;
  std::span<const Column* const> columns = {};
  const char* rows = nullptr;
  std::size_t count = 0;
  Stamps stamps = {};
  const Column* rowid = nullptr;
  bool refused = false;  // By a function, that a column has such a value.
};

struct RowField {
  RowSource* source;
  const Column* column;
};

// Registers the virtual table `name`. The source has to live as long as statements that use it. A
// row that is against its rules is an error of the statement.
absl::Status RegisterRows(sqlite3* database, const std::string& name, RowSource* source);

// Registers `name`, a function without arguments that gives the field of the source's row; NULL
// while the source has none. The field has to live as long as the database.
absl::Status RegisterField(sqlite3* database, const std::string& name, RowField* field);

// Rows that one statement inserts: enough that its beginning and end do not count.
inline constexpr std::size_t kRowsPerStatement = 1000;

// Transactions are nested up to this depth.
inline constexpr int kMaxTransactionDepth = 64;

// Used by one thread at a time.
class SqliteSession {
 public:
  explicit SqliteSession(std::unique_ptr<Connection> connection);
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;

  Connection& connection() { return *connection_; }

  // Runs `body` in a transaction, or in a savepoint within one. A transaction takes the lock of
  // writers as it begins, as it could not wait for it later.
  template <typename Body>
  absl::Status Transact(Body&& body) {
    absl::Status status = Begin();
    if (!status.ok()) return status;
    return End(body());
  }

  // Lets the caller's SQL begin and end no transaction, as from the beginning on, after the
  // connection has had another authorizer.
  void GuardBoundaries();

  // OK if there still is the transaction that Transact() began: SQLite ends it by itself when the
  // disk is full, or cannot be written to. What followed would be made without it.
  absl::Status InTransaction() const {
    return sqlite3_get_autocommit(connection_->get()) == 0 ? absl::OkStatus() : RolledBack();
  }

  absl::Status Create(const TableInfo& table);
  absl::Status Write(const WriteOperation& operation) {
    const bool is_plain_insert =
        operation.what == WriteOperation::What::kInsert && !operation.table->has_filters;
    return is_plain_insert ? Insert(PlanOf(*operation.table), operation.row, operation.result)
                           : WriteOther(operation);
  }
  // Within a transaction. On an error `*failed` is the row that it is about.
  absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                         std::size_t* failed);
  absl::Status Get(const TableInfo& table, std::span<const Argument> key, void* row);
  absl::StatusOr<std::int64_t> Count(const TableInfo& table);

  absl::StatusOr<std::int64_t> Execute(const SqlOperation& operation);
  // A statement that changes something does so for all its rows, or not at all.
  absl::Status Query(const SqlOperation& operation, const RowShape& shape, RowSink& sink);

  // Whether any other connection would give the same result: the SQL reads the database, and
  // nothing of its connection. It is kept prepared then.
  bool IsPlainRead(std::string_view sql);

  // Whether SQL of the caller has made what other connections do not have: temporary tables,
  // attached files, settings. For any thread.
  bool has_own_state() const { return has_own_state_.load(std::memory_order_relaxed); }

  absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                      RowSink& sink);
  absl::StatusOr<std::int64_t> Change(const ChangeOperation& operation);

 private:
  // The statements of a table, prepared when first used, and the columns of each.
  struct Plan {
    explicit Plan(const TableInfo& of) : table(of) {}

    const TableInfo& table;
    std::string name;   // Quoted.
    std::string where;  // " WHERE key = ?, ...", with numbered parameters.
    const Column* rowid = nullptr;
    std::vector<const Column*> written;   // By an insert.
    std::vector<const Column*> new_rows;  // By an insert that makes the key; or none.
    std::vector<const Column*> updated;   // By an update of all fields.
    std::vector<const Column*> returned;  // By an upsert, as the database knows them.
    std::vector<ResultField> fields;      // By a read, of all columns.
    RowSource source;
    bool has_rows = false;            // The virtual table over `source`,
    std::vector<RowField> functions;  // and the functions over it, as `written`.
    Statement insert_row, insert_new_row, insert_all, insert_all_new;  // By these,
    Statement insert;                                                  // and by bound values.
    Statement update, upsert, remove, get, count;

    // Whether SQLite is to make the row's key. An INSERT that does not name the key does less than
    // one that gives NULL for it: it does not look whether there is one.
    bool IsNew(const void* row) const { return !new_rows.empty() && IsNewKey(*rowid, row); }
  };

  // Whose SQL is being prepared: the library's own, the caller's, or that which may be a plain
  // read.
  enum class Preparing : std::uint8_t { kOwnSql, kCallers, kPlainRead };

  // The statements of transactions. Savepoints may have one name: SQLite takes the latest.
  enum Boundary : std::uint8_t { kBegin, kCommit, kRollback, kSavepoint, kRelease, kRollbackTo };

  absl::Status Begin();
  absl::Status End(absl::Status status);
  absl::Status Run(Boundary boundary);

  // A statement of the caller's SQL, which may not begin or end transactions, with its values.
  absl::StatusOr<CachedStatement> CallersStatement(const SqlOperation& operation);
  static int Authorize(void* session, int action, const char* first, const char* second,
                       const char* schema, const char* trigger);
  absl::Status ReadRows(sqlite3_stmt* statement, const RowShape& shape, RowSink& sink);

  static absl::Status RolledBack();

  Plan& PlanOf(const TableInfo& table) {
    return last_plan_ != nullptr && &last_plan_->table == &table ? *last_plan_ : FindPlan(table);
  }
  Plan& FindPlan(const TableInfo& table);
  absl::Status Prepare(Statement& statement, std::string (*sql)(const Plan& plan),
                       const Plan& plan);
  absl::Status Prepared(Statement& statement, std::string (*sql)(const Plan& plan),
                        const Plan& plan) {
    return statement != nullptr ? absl::OkStatus() : Prepare(statement, sql, plan);
  }

  absl::Status WriteOther(const WriteOperation& operation);
  absl::Status WriteRow(Plan& plan, const WriteOperation& operation, const void* row, void* result);
  absl::Status Insert(Plan& plan, const void* row, void* result);
  absl::Status InsertRow(Plan& plan, const Stamps& stamps, const void* row);
  absl::Status InsertBound(Plan& plan, const Stamps& stamps, const void* row);
  absl::Status PrepareInsertRow(Plan& plan, bool is_new);
  absl::Status InsertChunk(Plan& plan, const char* rows, std::size_t count);
  absl::Status Upsert(Plan& plan, const void* row, void* result);
  absl::Status Update(Plan& plan, std::span<const std::uint32_t> offsets, const void* row,
                      void* result);
  absl::Status Delete(Plan& plan, const WriteOperation& operation);

  absl::Status StepUpdate(sqlite3_stmt* statement, const Plan& plan,
                          std::span<const Column* const> columns, const void* row, void* result);
  absl::StatusOr<std::vector<const Column*>> NamedColumns(const Plan& plan,
                                                          std::span<const std::uint32_t> offsets);
  absl::Status WhyNotUpdated(Plan& plan, const void* row);

  // Rules and values of `columns`, from parameter 1 on.
  absl::Status BindColumns(sqlite3_stmt* statement, const TableInfo& table,
                           std::span<const Column* const> columns, const Stamps& stamps,
                           const void* row);
  // The same of all columns of an insert, with NULL for a key that SQLite is to make.
  absl::Status BindWritten(sqlite3_stmt* statement, const Plan& plan, const Stamps& stamps,
                           const void* row);
  absl::Status BindOther(sqlite3_stmt* statement, int parameter, const TableInfo& table,
                         const Column& column, const Stamps& stamps, const void* row);
  absl::Status BindKey(sqlite3_stmt* statement, int parameter, const TableInfo& table,
                       std::span<const Argument> key);

  // What the failed step of a write says, with the reference that is the reason where that is one.
  absl::Status WriteError(const TableInfo& table, const void* row, std::span<const Argument> key);
  absl::Status MissingParent(const TableInfo& table, const void* row, const absl::Status& error);
  absl::Status RemainingChild(const TableInfo& table, std::span<const Argument> key,
                              const absl::Status& error);

  static std::string InsertSql(const Plan& plan);
  static std::string FieldName(const Plan& plan, std::size_t column);
  static std::string InsertRowSql(const Plan& plan);
  static std::string InsertNewRowSql(const Plan& plan);
  static std::string RowsName(const Plan& plan);
  static std::string InsertAllSql(const Plan& plan);
  static std::string InsertAllNewSql(const Plan& plan);
  static std::string UpsertSql(const Plan& plan);
  static std::string UpdateSql(const Plan& plan);
  static std::string UpdateColumnsSql(const Plan& plan, std::span<const Column* const> columns);
  static std::string UpdateAllSql(const Plan& plan, std::span<const Column* const> columns);
  static std::string DeleteSql(const Plan& plan);
  static std::string GetSql(const Plan& plan);
  static std::string CountSql(const Plan& plan);

  std::unique_ptr<Connection> connection_;  // Dies last.
  int depth_ = 0;                           // Of the transaction and the savepoints within it.
  Preparing preparing_ = Preparing::kOwnSql;
  std::atomic<bool> has_own_state_ = false;
  bool refused_ = false;  // The caller's SQL was to begin or end a transaction.
  std::array<Statement, kRollbackTo + 1> boundaries_;
  std::unordered_map<const TableInfo*, Plan> plans_;
  Plan* last_plan_ = nullptr;  // Mostly the next one too.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_SESSION_INTERNAL_H_
