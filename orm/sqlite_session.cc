#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/schema_compare_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/sqlite_values_internal.h"

namespace strata::orm::internal {
namespace {

absl::Status Named(const TableInfo& table, const Column& column, const absl::Status& status) {
  return ColumnError(status.code(), table, column, status.message());
}

absl::Status NoSuchRow(const TableInfo& table) {
  return absl::NotFoundError(absl::StrCat(table.name, ": no row has this key"));
}

const Column* ColumnAt(const TableInfo& table, int position) {
  return position < 0 ? nullptr : &table.columns[static_cast<std::size_t>(position)];
}

// Of a table with a Version(): the number that follows the row's.
absl::StatusOr<std::int64_t> NextVersion(const TableInfo& table, const void* row) {
  const Column& column = *ColumnAt(table, table.version);
  const std::int64_t version = LoadInteger(*column.value, column.Value(row));
  std::uint64_t room = 0;
  if (version == INT64_MAX || !StoreInteger(*column.value, &room, version + 1)) {
    return ColumnError(absl::StatusCode::kOutOfRange, table, column, "no version is left");
  }
  return version + 1;
}

void StoreAt(const TableInfo& table, int position, std::int64_t number, void* row) {
  const Column* column = ColumnAt(table, position);
  if (column != nullptr) StoreInteger(*column->value, column->Emplace(row), number);
}

std::int64_t NowAt(const TableInfo& table, int position) {
  const Column* column = ColumnAt(table, position);
  return column == nullptr ? 0 : NowTicks(column->value->unit);
}

}  // namespace

Stamps StampsNow(const TableInfo& table) {
  if (!table.has_stamps()) return {};
  return {NowAt(table, table.created_at), NowAt(table, table.modified_at), 1};
}

SqliteSession::SqliteSession(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {
  GuardBoundaries();
}

void SqliteSession::GuardBoundaries() {
  sqlite3_set_authorizer(connection_->get(), &Authorize, this);
}

absl::Status SqliteSession::Prepare(Statement& statement, std::string (*sql)(const Plan& plan),
                                    const Plan& plan) {
  absl::StatusOr<Statement> prepared = connection_->Prepare(sql(plan), true);
  if (!prepared.ok()) return prepared.status();
  statement = *std::move(prepared);
  return absl::OkStatus();
}

absl::Status SqliteSession::Begin() {
  if (depth_ == kMaxTransactionDepth) {
    return absl::ResourceExhaustedError("transactions are nested too deeply");
  }
  if (depth_ > 0) {
    if (absl::Status status = InTransaction(); !status.ok()) return status;
  }
  if (absl::Status status = Run(depth_ == 0 ? kBegin : kSavepoint); !status.ok()) return status;
  ++depth_;
  return absl::OkStatus();
}

absl::Status SqliteSession::End(absl::Status status) {
  --depth_;
  if (status.ok()) status = InTransaction();
  if (status.ok()) {
    status = Run(depth_ == 0 ? kCommit : kRelease);
    if (status.ok()) return status;
  }
  // That there is nothing to roll back any more is no other failure.
  if (depth_ == 0) {
    Run(kRollback).IgnoreError();
  } else {
    Run(kRollbackTo).IgnoreError();
    Run(kRelease).IgnoreError();
  }
  return status;
}

absl::Status SqliteSession::Run(Boundary boundary) {
  constexpr std::string_view kSql[] = {"BEGIN IMMEDIATE",  "COMMIT",         "ROLLBACK",
                                       "SAVEPOINT strata", "RELEASE strata", "ROLLBACK TO strata"};
  Statement& statement = boundaries_[boundary];
  if (statement == nullptr) {
    absl::StatusOr<Statement> prepared = connection_->Prepare(kSql[boundary], true);
    if (!prepared.ok()) return prepared.status();
    statement = *std::move(prepared);
  }
  const Use use(statement.get());
  return sqlite3_step(use.get()) == SQLITE_DONE ? absl::OkStatus() : connection_->Error();
}

absl::Status SqliteSession::RolledBack() {
  return absl::AbortedError("the transaction has been rolled back by an earlier error");
}

absl::Status SqliteSession::Create(const TableInfo& table) {
  SchemaPlan plan;
  absl::Status status = CompareTable(*connection_, table, {}, &plan);
  if (status.ok()) status = RefusedError(plan.refused);
  if (!status.ok()) return status;
  for (const std::string& sql : plan.sql) {
    if (status = connection_->Execute(sql); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(table.name, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

const void* ValueToWrite(const Column& column, const Stamps& stamps, const void* row,
                         std::uint64_t* room) {
  if ((column.flags & kStamped) != 0) {
    StoreInteger(*column.value, room,
                 column.has(Column::kCreatedAt)    ? stamps.created
                 : column.has(Column::kModifiedAt) ? stamps.modified
                                                   : stamps.version);
    return room;
  }
  return column.Value(row);
}

absl::Status SqliteSession::BindColumns(sqlite3_stmt* statement, const TableInfo& table,
                                        std::span<const Column* const> columns,
                                        const Stamps& stamps, const void* row) {
  int parameter = 0;
  for (const Column* column : columns) {
    ++parameter;
    if (PutPlain(Parameter(statement, parameter), *column, row)) continue;
    absl::Status status = BindOther(statement, parameter, table, *column, stamps, row);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteSession::BindWritten(sqlite3_stmt* statement, const Plan& plan,
                                        const Stamps& stamps, const void* row) {
  absl::Status status = BindColumns(statement, plan.table, plan.written, stamps, row);
  if (plan.rowid != nullptr && IsNewKey(*plan.rowid, row)) {
    const auto at = std::find(plan.written.begin(), plan.written.end(), plan.rowid);
    sqlite3_bind_null(statement, static_cast<int>(at - plan.written.begin()) + 1);
  }
  return status;
}

absl::Status SqliteSession::BindOther(sqlite3_stmt* statement, int parameter,
                                      const TableInfo& table, const Column& column,
                                      const Stamps& stamps, const void* row) {
  if (table.has_rules) {
    absl::Status status = CheckRules(table, column, row);
    if (!status.ok()) return status;
  }
  std::uint64_t room = 0;
  const void* value = ValueToWrite(column, stamps, row, &room);
  if (value == nullptr) {
    sqlite3_bind_null(statement, parameter);
    return absl::OkStatus();
  }
  // SQLite keeps numbers and short texts itself, so that `room` may go.
  absl::Status status =
      BindValue(statement, parameter, *column.value, column.has(Column::kAsText), value);
  return status.ok() ? status : Named(table, column, status);
}

absl::Status SqliteSession::BindKey(sqlite3_stmt* statement, int parameter, const TableInfo& table,
                                    std::span<const Argument> key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Column& column = table.columns[table.key[i]];
    Argument argument = key[i];
    argument.as_text = column.has(Column::kAsText);
    absl::Status status = BindArgument(statement, parameter + static_cast<int>(i), argument);
    if (!status.ok()) return Named(table, column, status);
  }
  return absl::OkStatus();
}

absl::Status SqliteSession::WriteOther(const WriteOperation& operation) {
  Plan& plan = PlanOf(*operation.table);
  if (operation.what == WriteOperation::What::kDelete) return Delete(plan, operation);
  if (!plan.table.has_filters) return WriteRow(plan, operation, operation.row, operation.result);
  FilteredRow filtered;
  if (absl::Status status = filtered.Apply(plan.table, operation.row); !status.ok()) return status;
  // The copy gets what the write sets, and goes over the user's row in one.
  absl::Status status = WriteRow(plan, operation, filtered.row(), filtered.copy());
  if (status.ok() && operation.result != nullptr) filtered.Return(operation.result);
  return status;
}

absl::Status SqliteSession::WriteRow(Plan& plan, const WriteOperation& operation, const void* row,
                                     void* result) {
  switch (operation.what) {
    case WriteOperation::What::kInsert:
      return Insert(plan, row, result);
    case WriteOperation::What::kUpsert:
      return Upsert(plan, row, result);
    default:
      return Update(plan, operation.offsets, row, result);
  }
}

absl::Status SqliteSession::Insert(Plan& plan, const void* row, void* result) {
  const TableInfo& table = plan.table;
  const Stamps stamps = table.has_stamps() ? StampsNow(table) : Stamps();
  // A validator is called once.
  absl::Status status =
      table.has_rules ? InsertBound(plan, stamps, row) : InsertRow(plan, stamps, row);
  if (!status.ok()) return status;
  if (result == nullptr) return absl::OkStatus();
  if (plan.rowid != nullptr) {
    const std::int64_t key = sqlite3_last_insert_rowid(connection_->get());
    void* field = static_cast<char*>(result) + plan.rowid->offset;  // No optional, as it is a key.
    if (plan.rowid->shape == Column::Shape::kInt64) {
      Store(field, key);
    } else {
      StoreInteger(*plan.rowid->value, field, key);
    }
  }
  if (!table.has_stamps()) return absl::OkStatus();
  StoreAt(table, table.created_at, stamps.created, result);
  StoreAt(table, table.modified_at, stamps.modified, result);
  StoreAt(table, table.version, stamps.version, result);
  return absl::OkStatus();
}

absl::Status SqliteSession::PrepareInsertRow(Plan& plan, bool is_new) {
  if (plan.functions.empty()) {
    for (const Column* column : plan.written) plan.functions.push_back({&plan.source, column});
    for (std::size_t i = 0; i < plan.functions.size(); ++i) {
      absl::Status status =
          RegisterField(connection_->get(), FieldName(plan, i), &plan.functions[i]);
      if (!status.ok()) return status;
    }
  }
  return is_new ? Prepare(plan.insert_new_row, &InsertNewRowSql, plan)
                : Prepare(plan.insert_row, &InsertRowSql, plan);
}

// SQLite asks functions for the values, which takes less than binding them.
absl::Status SqliteSession::InsertRow(Plan& plan, const Stamps& stamps, const void* row) {
  const bool is_new = plan.IsNew(row);
  Statement& statement = is_new ? plan.insert_new_row : plan.insert_row;
  if (statement == nullptr) {
    if (absl::Status status = PrepareInsertRow(plan, is_new); !status.ok()) return status;
  }
  plan.source.stamps = stamps;
  plan.source.rows = static_cast<const char*>(row);
  plan.source.refused = false;
  {
    const Use use(statement.get());
    const int result = sqlite3_step(use.get());
    plan.source.rows = nullptr;
    if (result == SQLITE_DONE) return absl::OkStatus();
    if (!plan.source.refused) return WriteError(plan.table, row, {});
  }
  // To find out what is wrong with the row. So far nothing has been written.
  return InsertBound(plan, stamps, row);
}

absl::Status SqliteSession::InsertBound(Plan& plan, const Stamps& stamps, const void* row) {
  if (absl::Status status = Prepared(plan.insert, &InsertSql, plan); !status.ok()) return status;
  const Use use(plan.insert.get());
  absl::Status status = BindWritten(use.get(), plan, stamps, row);
  if (!status.ok()) return status;
  if (sqlite3_step(use.get()) != SQLITE_DONE) return WriteError(plan.table, row, {});
  return absl::OkStatus();
}

absl::Status SqliteSession::InsertChunk(Plan& plan, const char* rows, std::size_t count) {
  const TableInfo& table = plan.table;
  if (!plan.has_rows) {
    absl::Status status = RegisterRows(connection_->get(), RowsName(plan), &plan.source);
    if (!status.ok()) return status;
    plan.has_rows = true;
  }
  bool all_new = true;
  for (std::size_t i = 0; i < count && all_new; ++i)
    all_new = plan.IsNew(rows + i * table.row_size);
  Statement& statement = all_new ? plan.insert_all_new : plan.insert_all;
  absl::Status status = Prepared(statement, all_new ? &InsertAllNewSql : &InsertAllSql, plan);
  if (!status.ok()) return status;
  plan.source.stamps = StampsNow(table);
  plan.source.rows = rows;
  plan.source.count = count;
  const Use use(statement.get());
  const int result = sqlite3_step(use.get());
  plan.source.rows = nullptr;
  plan.source.count = 0;
  return result == SQLITE_DONE ? absl::OkStatus() : connection_->Error();
}

absl::Status SqliteSession::InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                                      std::size_t* failed) {
  Plan& plan = PlanOf(table);
  for (std::size_t done = 0; done < count;) {
    const std::size_t now = count - done < kRowsPerStatement ? count - done : kRowsPerStatement;
    const char* at = static_cast<const char*>(rows) + done * table.row_size;
    // A statement that fails has inserted nothing. Row by row then, to find out which is the
    // reason; also where filters have to work on copies.
    const bool all = !table.has_filters && InsertChunk(plan, at, now).ok();
    for (std::size_t i = 0; i < now && !all; ++i, at += table.row_size) {
      absl::Status status = InTransaction();
      WriteOperation operation;
      operation.table = &table;
      operation.row = at;
      if (status.ok()) status = Write(operation);
      if (!status.ok()) {
        *failed = done + i;
        return status;
      }
    }
    done += now;
  }
  return absl::OkStatus();
}

absl::Status SqliteSession::Upsert(Plan& plan, const void* row, void* result) {
  const TableInfo& table = plan.table;
  if (absl::Status status = Prepared(plan.upsert, &UpsertSql, plan); !status.ok()) return status;
  const Use use(plan.upsert.get());
  const Stamps stamps = StampsNow(table);
  absl::Status status = BindWritten(use.get(), plan, stamps, row);
  if (!status.ok()) return status;
  int stepped = sqlite3_step(use.get());
  if (stepped == SQLITE_ROW) {
    // The change is made by then; the row is what it returns.
    for (std::size_t i = 0; i < plan.returned.size() && result != nullptr; ++i) {
      status = ReadColumn(use.get(), static_cast<int>(i), *plan.returned[i], result);
      if (!status.ok()) return Named(table, *plan.returned[i], status);
    }
    stepped = sqlite3_step(use.get());
  }
  if (stepped != SQLITE_DONE) return WriteError(table, row, {});
  if (result != nullptr) StoreAt(table, table.modified_at, stamps.modified, result);
  return absl::OkStatus();
}

absl::Status SqliteSession::Update(Plan& plan, std::span<const std::uint32_t> offsets,
                                   const void* row, void* result) {
  if (offsets.empty()) {
    if (plan.updated.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.table.name, ": has no column besides its key"));
    }
    if (absl::Status status = Prepared(plan.update, &UpdateSql, plan); !status.ok()) return status;
    return StepUpdate(plan.update.get(), plan, plan.updated, row, result);
  }
  const auto columns = NamedColumns(plan, offsets);
  if (!columns.ok()) return columns.status();
  const auto statement = connection_->Cached(UpdateColumnsSql(plan, *columns));
  if (!statement.ok()) return statement.status();
  return StepUpdate(statement->get(), plan, *columns, row, result);
}

absl::Status SqliteSession::StepUpdate(sqlite3_stmt* statement, const Plan& plan,
                                       std::span<const Column* const> columns, const void* row,
                                       void* result) {
  const TableInfo& table = plan.table;
  const Use use(statement);
  Stamps stamps{0, NowAt(table, table.modified_at), 0};
  if (table.version >= 0) {
    const absl::StatusOr<std::int64_t> next = NextVersion(table, row);
    if (!next.ok()) return next.status();
    stamps.version = *next;
  }
  absl::Status status = BindColumns(statement, table, columns, stamps, row);
  int parameter = static_cast<int>(columns.size());
  for (std::size_t i = 0; i < table.key_count && status.ok(); ++i) {
    status = BindColumn(statement, ++parameter, table.columns[table.key[i]], row);
  }
  if (table.version >= 0 && status.ok()) {
    status = BindColumn(statement, ++parameter, *ColumnAt(table, table.version), row);
  }
  if (!status.ok()) return status;
  if (sqlite3_step(statement) != SQLITE_DONE) return WriteError(table, row, {});
  if (sqlite3_changes(connection_->get()) == 0) return WhyNotUpdated(PlanOf(table), row);
  if (result == nullptr) return absl::OkStatus();
  StoreAt(table, table.modified_at, stamps.modified, result);
  StoreAt(table, table.version, stamps.version, result);
  return absl::OkStatus();
}

absl::Status SqliteSession::WhyNotUpdated(Plan& plan, const void* row) {
  if (plan.table.version < 0) return NoSuchRow(plan.table);
  const auto statement = connection_->Cached(absl::StrCat("SELECT 1 FROM ", plan.name, plan.where));
  if (!statement.ok()) return statement.status();
  for (std::size_t i = 0; i < plan.table.key_count; ++i) {
    absl::Status status = BindColumn(statement->get(), static_cast<int>(i) + 1,
                                     plan.table.columns[plan.table.key[i]], row);
    if (!status.ok()) return status;
  }
  const int result = sqlite3_step(statement->get());
  if (result == SQLITE_DONE) return NoSuchRow(plan.table);
  if (result != SQLITE_ROW) return connection_->Error();
  return ColumnError(absl::StatusCode::kAborted, plan.table,
                     *ColumnAt(plan.table, plan.table.version),
                     "another version of the row has been written meanwhile");
}

absl::Status SqliteSession::Delete(Plan& plan, const WriteOperation& operation) {
  if (absl::Status status = Prepared(plan.remove, &DeleteSql, plan); !status.ok()) return status;
  const Use use(plan.remove.get());
  // Of the row, as arguments, so that an error finds what refers to it.
  std::array<Argument, kMaxKeyColumns> of_row;
  std::span<const Argument> key = operation.key;
  if (key.empty()) {
    for (std::size_t i = 0; i < plan.table.key_count; ++i) {
      const Column& column = plan.table.columns[plan.table.key[i]];
      of_row[i] = {column.value, column.Value(operation.row), {}};
    }
    key = std::span(of_row).first(plan.table.key_count);
  }
  if (absl::Status status = BindKey(use.get(), 1, plan.table, key); !status.ok()) return status;
  if (sqlite3_step(use.get()) != SQLITE_DONE) return WriteError(plan.table, nullptr, key);
  if (sqlite3_changes(connection_->get()) == 0) return NoSuchRow(plan.table);
  return absl::OkStatus();
}

absl::Status SqliteSession::Get(const TableInfo& table, std::span<const Argument> key, void* row) {
  Plan& plan = PlanOf(table);
  if (absl::Status status = Prepared(plan.get, &GetSql, plan); !status.ok()) return status;
  const Use use(plan.get.get());
  if (absl::Status status = BindKey(use.get(), 1, table, key); !status.ok()) return status;
  const int result = sqlite3_step(use.get());
  if (result == SQLITE_DONE) return NoSuchRow(table);
  if (result != SQLITE_ROW) return connection_->Error();
  int position = 0;
  absl::Status status = ReadFields(use.get(), plan.fields, row, &position);
  if (status.ok()) return status;
  return Named(table, table.columns[static_cast<std::size_t>(position)], status);
}

absl::StatusOr<std::int64_t> SqliteSession::Count(const TableInfo& table) {
  Plan& plan = PlanOf(table);
  if (absl::Status status = Prepared(plan.count, &CountSql, plan); !status.ok()) return status;
  const Use use(plan.count.get());
  if (sqlite3_step(use.get()) != SQLITE_ROW) return connection_->Error();
  return sqlite3_column_int64(use.get(), 0);
}

absl::Status SqliteSession::WriteError(const TableInfo& table, const void* row,
                                       std::span<const Argument> key) {
  const int code = sqlite3_extended_errcode(connection_->get());
  const absl::Status error = connection_->Error();
  if (code == SQLITE_CONSTRAINT_FOREIGNKEY || code == SQLITE_CONSTRAINT_TRIGGER) {
    return row != nullptr ? MissingParent(table, row, error) : RemainingChild(table, key, error);
  }
  return absl::Status(error.code(), absl::StrCat(table.name, ": ", error.message()));
}

// SQLite says no more than that a reference is broken. So each one is looked up.
absl::Status SqliteSession::MissingParent(const TableInfo& table, const void* row,
                                          const absl::Status& error) {
  for (const Column& column : table.columns) {
    if (column.references == nullptr || column.Value(row) == nullptr) continue;
    const TableInfo& parent = column.references();
    const auto statement = connection_->Cached(
        absl::StrCat("SELECT 1 FROM ", Quoted(parent.name), PlanOf(parent).where));
    if (!statement.ok()) continue;  // No such table: SQLite's message says that.
    if (!BindColumn(statement->get(), 1, column, row).ok()) continue;
    if (sqlite3_step(statement->get()) != SQLITE_DONE) continue;
    return ColumnError(error.code(), table, column,
                       absl::StrCat(error.message(), ": no row of ", parent.name, " has this key"));
  }
  return absl::Status(error.code(), absl::StrCat(table.name, ": ", error.message()));
}

absl::Status SqliteSession::RemainingChild(const TableInfo& table, std::span<const Argument> key,
                                           const absl::Status& error) {
  const absl::Status plain(error.code(), absl::StrCat(table.name, ": ", error.message()));
  absl::StatusOr<Statement> references = connection_->Prepare(
      "SELECT s.name, f.\"from\" FROM sqlite_schema s, pragma_foreign_key_list(s.name) f "
      "WHERE s.type = 'table' AND f.\"table\" = ? COLLATE NOCASE",
      false);
  if (!references.ok() || key.size() != 1) return plain;
  if (!BindArgument(references->get(), 1, MakeArgument(table.name)).ok()) return plain;
  while (sqlite3_step(references->get()) == SQLITE_ROW) {
    const auto text = [&](int position) {
      const unsigned char* of = sqlite3_column_text(references->get(), position);
      return std::string(of == nullptr ? "" : reinterpret_cast<const char*>(of));
    };
    const std::string child = text(0);
    const std::string column = text(1);
    absl::StatusOr<Statement> statement = connection_->Prepare(
        absl::StrCat("SELECT 1 FROM ", Quoted(child), " WHERE ", Quoted(column), " = ?"), false);
    if (!statement.ok() || !BindKey(statement->get(), 1, table, key).ok()) continue;
    if (sqlite3_step(statement->get()) != SQLITE_ROW) continue;
    return absl::Status(error.code(), absl::StrCat(table.name, ": ", error.message(), ": ", child,
                                                   ".", column, " refers to the row"));
  }
  return plain;
}

}  // namespace strata::orm::internal
