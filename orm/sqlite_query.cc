// SQL of the caller, and the rows of results.

#include "absl/strings/str_cat.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/sqlite_values_internal.h"

namespace strata::orm::internal {
namespace {

// The fields of a result's columns, by their positions.
absl::StatusOr<std::vector<ResultField>> FieldsByName(sqlite3_stmt* statement,
                                                      const TableInfo& table) {
  std::vector<ResultField> fields(static_cast<std::size_t>(sqlite3_column_count(statement)));
  std::vector<bool> found(table.columns.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const char* name = sqlite3_column_name(statement, static_cast<int>(i));
    if (name == nullptr) return absl::ResourceExhaustedError("no memory for a name");
    std::size_t at = 0;
    while (at < found.size() && !SameName(table.columns[at].name, name)) ++at;
    if (at == found.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(table.name, " has no column for the result's \"", name, "\""));
    }
    if (found[at]) {
      return absl::InvalidArgumentError(absl::StrCat("the result has two columns \"", name, "\""));
    }
    found[at] = true;
    fields[i] = {table.columns[at].type, table.columns[at].offset};
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the result has no column \"", table.columns[i].name, "\", which ", table.name, " has"));
  }
  return fields;
}

// `fields` are those of the shape; with a table, they are made in `room`.
absl::Status MatchColumns(sqlite3_stmt* statement, const RowShape& shape,
                          std::vector<ResultField>* room, std::span<const ResultField>* fields) {
  const auto columns = static_cast<std::size_t>(sqlite3_column_count(statement));
  if (columns == 0) {
    return absl::InvalidArgumentError("the statement has no result: that is for Execute()");
  }
  if (shape.table != nullptr) {
    absl::StatusOr<std::vector<ResultField>> found = FieldsByName(statement, *shape.table);
    if (!found.ok()) return found.status();
    *room = *std::move(found);
    *fields = *room;
    return absl::OkStatus();
  }
  *fields = shape.fields;
  if (columns == shape.fields.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the number of the result's columns is ", columns,
                                                 ", not ", shape.fields.size()));
}

// Whether a part of a statement (https://sqlite.org/c3ref/c_alter_table.html) reads the database,
// and means the same to each connection.
bool IsOfTheDatabase(int action, const char* function) {
  if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE) return true;
  if (action != SQLITE_FUNCTION || function == nullptr) return false;
  for (const std::string_view other : {"changes", "total_changes", "last_insert_rowid"}) {
    if (SameName(function, other)) return false;
  }
  return true;
}

// Whether it makes what other connections do not have.
bool IsOfTheConnection(int action, const char* argument, const char* schema) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
      return true;
    case SQLITE_PRAGMA:
      return argument != nullptr;
    case SQLITE_CREATE_VTABLE:
      return schema != nullptr && SameName(schema, "temp");
    default:
      return false;
  }
}

}  // namespace

// Asked for each thing that a statement does, when it is prepared (https://sqlite.org/c3ref/
// set_authorizer.html).
int SqliteSession::Authorize(void* session, int action, const char*, const char* second,
                             const char* schema, const char*) {
  auto* self = static_cast<SqliteSession*>(session);
  if (self->preparing_ == Preparing::kOwnSql) return SQLITE_OK;
  if (self->preparing_ == Preparing::kPlainRead) {
    return IsOfTheDatabase(action, second) ? SQLITE_OK : SQLITE_DENY;
  }
  if (IsOfTheConnection(action, second, schema)) self->has_own_state_ = true;
  if (action != SQLITE_TRANSACTION && action != SQLITE_SAVEPOINT) return SQLITE_OK;
  self->refused_ = true;
  return SQLITE_DENY;
}

bool SqliteSession::IsPlainRead(std::string_view sql) {
  preparing_ = Preparing::kPlainRead;
  const absl::StatusOr<CachedStatement> statement = connection_->Cached(sql);
  preparing_ = Preparing::kOwnSql;
  return statement.ok() && sqlite3_stmt_readonly(statement->get()) != 0;
}

absl::StatusOr<CachedStatement> SqliteSession::CallersStatement(const SqlOperation& operation) {
  preparing_ = Preparing::kCallers;
  refused_ = false;
  absl::StatusOr<CachedStatement> statement = connection_->Cached(operation.sql);
  preparing_ = Preparing::kOwnSql;
  if (refused_) {
    return absl::InvalidArgumentError("transactions are begun and ended by Transact()");
  }
  if (!statement.ok()) return statement;
  const auto parameters = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement->get()));
  if (parameters != operation.arguments.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the number of parameters is ", parameters,
                                                   ", that of values ",
                                                   operation.arguments.size()));
  }
  int parameter = 0;
  for (const Argument& argument : operation.arguments) {
    absl::Status status = BindArgument(statement->get(), ++parameter, argument);
    if (status.ok()) continue;
    return absl::Status(status.code(),
                        absl::StrCat("parameter ", parameter, ": ", status.message()));
  }
  return statement;
}

absl::StatusOr<std::int64_t> SqliteSession::Execute(const SqlOperation& operation) {
  const absl::StatusOr<CachedStatement> statement = CallersStatement(operation);
  if (!statement.ok()) return statement.status();
  const sqlite3_int64 before = sqlite3_total_changes64(connection_->get());
  int result = SQLITE_ROW;
  while (result == SQLITE_ROW) result = sqlite3_step(statement->get());
  if (result != SQLITE_DONE) return connection_->Error();
  // A statement that is no change leaves the number of the last one that was.
  if (sqlite3_total_changes64(connection_->get()) == before) return 0;
  return sqlite3_changes64(connection_->get());
}

absl::Status SqliteSession::Query(const SqlOperation& operation, const RowShape& shape,
                                  RowSink& sink) {
  const absl::StatusOr<CachedStatement> statement = CallersStatement(operation);
  if (!statement.ok()) return statement.status();
  if (sqlite3_stmt_readonly(statement->get()) != 0) return ReadRows(statement->get(), shape, sink);
  return Transact([&] {
    absl::Status status = ReadRows(statement->get(), shape, sink);
    sqlite3_reset(statement->get());  // A change under way keeps its transaction from ending.
    return status;
  });
}

absl::Status SqliteSession::ReadRows(sqlite3_stmt* statement, const RowShape& shape,
                                     RowSink& sink) {
  // The first step may have to prepare the statement again, as the schema is another one now, and
  // so are the columns of `*`.
  int result = sqlite3_step(statement);
  if (result != SQLITE_ROW && result != SQLITE_DONE) return connection_->Error();
  std::vector<ResultField> room;
  std::span<const ResultField> fields;
  absl::Status status = MatchColumns(statement, shape, &room, &fields);
  if (!status.ok()) return status;
  for (bool more = true; result == SQLITE_ROW; result = sqlite3_step(statement)) {
    int position = 0;
    status = ReadFields(statement, fields, sink.Next(), &position);
    if (!status.ok()) {
      const char* name = sqlite3_column_name(statement, position);
      return absl::Status(status.code(),
                          absl::StrCat(name == nullptr ? "" : name, ": ", status.message()));
    }
    status = sink.Take(&more);
    if (!status.ok() || !more) return status;
  }
  return result == SQLITE_DONE ? absl::OkStatus() : connection_->Error();
}

}  // namespace strata::orm::internal
