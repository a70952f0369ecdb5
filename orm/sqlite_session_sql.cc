// The SQL of the statements of a table.

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_session_internal.h"

namespace strata::orm::internal {
namespace {

// The names, with a text before and one after each, and commas between.
std::string Names(std::span<const Column* const> columns) {
  return absl::StrJoin(columns, ", ", [](std::string* out, const Column* column) {
    absl::StrAppend(out, Quoted(column->name));
  });
}

bool IsKey(const TableInfo& table, const Column& column) {
  for (std::size_t i = 0; i < table.key_count; ++i) {
    if (&table.columns[table.key[i]] == &column) return true;
  }
  return false;
}

// The number that follows a row's version. Where the field's type holds none, it is NULL, which the
// column refuses: the row could not be read any more.
std::string NextVersionSql(std::string_view table, const Column& column) {
  const int bits = static_cast<int>(column.value->size) * 8;
  const bool is_signed = column.value->kind <= Kind::kInt64;
  const std::int64_t last =
      bits == 64 ? INT64_MAX : (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
  const std::string name = absl::StrCat(table, ".", Quoted(column.name));
  return absl::StrCat("CASE WHEN ", name, " < ", last, " THEN ", name, " + 1 END");
}

}  // namespace

SqliteSession::Plan& SqliteSession::FindPlan(const TableInfo& table) {
  const auto [found, is_new] = plans_.try_emplace(&table, table);
  Plan& plan = found->second;
  last_plan_ = &plan;
  if (!is_new) return plan;
  if (table.full_text.column_count != 0) connection_->TrustTriggers();
  plan.name = Quoted(table.name);
  for (std::size_t i = 0; i < table.key_count; ++i) {
    absl::StrAppend(&plan.where, i == 0 ? " WHERE " : " AND ",
                    Quoted(table.columns[table.key[i]].name), " = ?");
  }
  plan.rowid = RowidColumn(table);
  if (plan.rowid != nullptr) plan.returned.push_back(plan.rowid);
  for (const Column& column : table.columns) {
    plan.fields.push_back({column.type, column.offset});
    if (!column.generated.empty()) continue;
    plan.written.push_back(&column);
    if (column.has(Column::kCreatedAt) || column.has(Column::kVersion)) {
      plan.returned.push_back(&column);
    }
    // A column that is both is a time of the insert, which an update keeps.
    if (!column.has(Column::kCreatedAt) && !IsKey(table, column)) plan.updated.push_back(&column);
  }
  // What is asked of the key has to be asked of 0 too.
  if (plan.rowid != nullptr && !plan.rowid->has(Column::kValidated)) {
    plan.new_rows = plan.written;
    std::erase(plan.new_rows, plan.rowid);
  }
  plan.source.table = &table;
  plan.source.columns = plan.written;
  plan.source.rowid = plan.rowid;
  return plan;
}

std::string SqliteSession::InsertSql(const Plan& plan) {
  std::string sql =
      absl::StrCat("INSERT INTO ", plan.name, " (", Names(plan.written), ") VALUES (");
  for (std::size_t i = 0; i < plan.written.size(); ++i) absl::StrAppend(&sql, i == 0 ? "?" : ", ?");
  return absl::StrCat(sql, ")");
}

std::string SqliteSession::FieldName(const Plan& plan, std::size_t column) {
  return absl::StrCat("strata_field_", plan.table.name, "_", column);
}

std::string SqliteSession::InsertRowSql(const Plan& plan) {
  std::string sql =
      absl::StrCat("INSERT INTO ", plan.name, " (", Names(plan.written), ") VALUES (");
  for (std::size_t i = 0; i < plan.written.size(); ++i) {
    absl::StrAppend(&sql, i == 0 ? "" : ", ", Quoted(FieldName(plan, i)), "()");
  }
  return absl::StrCat(sql, ")");
}

std::string SqliteSession::InsertNewRowSql(const Plan& plan) {
  std::string sql =
      absl::StrCat("INSERT INTO ", plan.name, " (", Names(plan.new_rows), ") VALUES (");
  for (std::size_t i = 0, more = 0; i < plan.written.size(); ++i) {
    if (plan.written[i] == plan.rowid) continue;
    absl::StrAppend(&sql, more++ == 0 ? "" : ", ", Quoted(FieldName(plan, i)), "()");
  }
  return absl::StrCat(sql, ")");
}

std::string SqliteSession::RowsName(const Plan& plan) {
  return absl::StrCat("strata_rows_", plan.table.name);
}

std::string SqliteSession::InsertAllSql(const Plan& plan) {
  return absl::StrCat("INSERT INTO ", plan.name, " (", Names(plan.written), ") SELECT * FROM ",
                      Quoted(RowsName(plan)));
}

std::string SqliteSession::InsertAllNewSql(const Plan& plan) {
  std::string sql =
      absl::StrCat("INSERT INTO ", plan.name, " (", Names(plan.new_rows), ") SELECT ");
  for (std::size_t i = 0, more = 0; i < plan.written.size(); ++i) {
    if (plan.written[i] != plan.rowid) absl::StrAppend(&sql, more++ == 0 ? "c" : ", c", i);
  }
  return absl::StrCat(sql, " FROM ", Quoted(RowsName(plan)));
}

std::string SqliteSession::UpsertSql(const Plan& plan) {
  std::string sql = absl::StrCat(InsertSql(plan), " ON CONFLICT (");
  for (std::size_t i = 0; i < plan.table.key_count; ++i) {
    absl::StrAppend(&sql, i == 0 ? "" : ", ", Quoted(plan.table.columns[plan.table.key[i]].name));
  }
  // A table of a key alone has nothing to set, but RETURNING wants a row.
  absl::StrAppend(&sql, ") DO UPDATE SET ");
  if (plan.updated.empty()) {
    const std::string key = Quoted(plan.table.key_column().name);
    absl::StrAppend(&sql, key, " = excluded.", key);
  }
  for (const Column* column : plan.updated) {
    const std::string name = Quoted(column->name);
    absl::StrAppend(&sql, column == plan.updated.front() ? "" : ", ", name, " = ");
    if (column->has(Column::kVersion)) {
      absl::StrAppend(&sql, NextVersionSql(plan.name, *column));
    } else {
      absl::StrAppend(&sql, "excluded.", name);
    }
  }
  if (!plan.returned.empty()) absl::StrAppend(&sql, " RETURNING ", Names(plan.returned));
  return sql;
}

std::string SqliteSession::UpdateColumnsSql(const Plan& plan,
                                            std::span<const Column* const> columns) {
  std::string sql = absl::StrCat("UPDATE ", plan.name, " SET ");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    absl::StrAppend(&sql, i == 0 ? "" : ", ", Quoted(columns[i]->name), " = ?");
  }
  absl::StrAppend(&sql, plan.where);
  if (plan.table.version >= 0) {
    const Column& version = plan.table.columns[static_cast<std::size_t>(plan.table.version)];
    absl::StrAppend(&sql, " AND ", Quoted(version.name), " = ?");
  }
  return sql;
}

std::string SqliteSession::UpdateAllSql(const Plan& plan, std::span<const Column* const> columns) {
  std::string sql = absl::StrCat("UPDATE ", plan.name, " SET ");
  for (const Column* column : columns) {
    absl::StrAppend(&sql, column == columns.front() ? "" : ", ", Quoted(column->name), " = ");
    absl::StrAppend(&sql, column->has(Column::kVersion) ? NextVersionSql(plan.name, *column) : "?");
  }
  return sql;
}

std::string SqliteSession::UpdateSql(const Plan& plan) {
  return UpdateColumnsSql(plan, plan.updated);
}

std::string SqliteSession::DeleteSql(const Plan& plan) {
  return absl::StrCat("DELETE FROM ", plan.name, plan.where);
}

std::string SqliteSession::GetSql(const Plan& plan) {
  std::string sql = "SELECT ";
  for (const Column& column : plan.table.columns) {
    absl::StrAppend(&sql, &column == plan.table.columns.data() ? "" : ", ", Quoted(column.name));
  }
  return absl::StrCat(sql, " FROM ", plan.name, plan.where);
}

std::string SqliteSession::CountSql(const Plan& plan) {
  return absl::StrCat("SELECT count(*) FROM ", plan.name);
}

absl::StatusOr<std::vector<const Column*>> SqliteSession::NamedColumns(
    const Plan& plan, std::span<const std::uint32_t> offsets) {
  std::vector<const Column*> columns;
  std::vector<bool> named(plan.table.columns.size());
  for (const std::uint32_t offset : offsets) {
    const Column* found = nullptr;
    for (const Column& column : plan.table.columns) {
      if (column.offset == offset) found = &column;
    }
    if (found == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(plan.table.name, ": a field is no column"));
    }
    if (IsKey(plan.table, *found) || found->has(Column::kVersion) ||
        found->has(Column::kCreatedAt) || !found->generated.empty()) {
      return ColumnError(absl::StatusCode::kInvalidArgument, plan.table, *found,
                         "an update does not set it");
    }
    named[static_cast<std::size_t>(found - plan.table.columns.data())] = true;
  }
  // In the order of the table, so that the same fields have one statement.
  for (const Column* column : plan.updated) {
    if (named[static_cast<std::size_t>(column - plan.table.columns.data())] ||
        column->has(Column::kModifiedAt) || column->has(Column::kVersion)) {
      columns.push_back(column);
    }
  }
  return columns;
}

}  // namespace strata::orm::internal
