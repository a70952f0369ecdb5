// Queries and changes by conditions.

#include "absl/strings/str_cat.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/sqlite_sql_writer_internal.h"
#include "strata/orm/sqlite_values_internal.h"

namespace strata::orm::internal {
namespace {

absl::Status BindAll(sqlite3_stmt* statement, int parameter, const SqlWriter& writer) {
  for (const Argument& argument : writer.arguments()) {
    absl::Status status = BindArgument(statement, ++parameter, argument);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SqliteSession::Select(const SelectOperation& operation,
                                   std::span<const ResultField> fields, RowSink& sink) {
  SqlWriter writer;
  if (absl::Status status = writer.Select(operation); !status.ok()) return status;
  const absl::StatusOr<CachedStatement> statement = connection_->Cached(writer.sql());
  if (!statement.ok()) return statement.status();
  if (absl::Status status = BindAll(statement->get(), 0, writer); !status.ok()) return status;
  return ReadRows(statement->get(), {nullptr, fields}, sink);
}

absl::StatusOr<std::int64_t> SqliteSession::Change(const ChangeOperation& operation) {
  const Plan& plan = PlanOf(*operation.table);
  const TableInfo& table = plan.table;
  FilteredRow filtered;
  std::vector<const Column*> columns;
  std::string sql = absl::StrCat("DELETE FROM ", plan.name);
  if (operation.row != nullptr) {
    if (operation.offsets.empty()) return absl::InvalidArgumentError("no fields to update");
    auto named = NamedColumns(plan, operation.offsets);
    if (!named.ok()) return named.status();
    columns = *std::move(named);
    if (absl::Status status = filtered.Apply(table, operation.row); !status.ok()) return status;
    sql = UpdateAllSql(plan, columns);
    // Each row's own version counts on.
    std::erase_if(columns, [](const Column* column) { return column->has(Column::kVersion); });
  }
  SqlWriter where;
  if (absl::Status status = where.Where(table, *operation.where); !status.ok()) return status;
  const absl::StatusOr<CachedStatement> statement =
      connection_->Cached(absl::StrCat(sql, where.sql()));
  if (!statement.ok()) return statement.status();
  const Stamps stamps = StampsNow(table);
  absl::Status status = BindColumns(statement->get(), table, columns, stamps, filtered.row());
  if (status.ok()) status = BindAll(statement->get(), static_cast<int>(columns.size()), where);
  if (!status.ok()) return status;
  if (sqlite3_step(statement->get()) != SQLITE_DONE) return WriteError(table, nullptr, {});
  return sqlite3_changes64(connection_->get());
}

}  // namespace strata::orm::internal
