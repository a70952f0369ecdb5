#include "absl/strings/str_cat.h"
#include "strata/orm/schema_rebuild_internal.h"
#include "strata/orm/schema_sql_internal.h"

namespace strata::orm::internal {
namespace {

// A column of the file as a value of the described one.
std::string ChangedValue(const Column& column, const ColumnSchema& existing) {
  const std::string name = Quoted(existing.name);
  const std::string_view type = StorageName(column.storage);
  return existing.type == type ? name : absl::StrCat("CAST(", name, " AS ", type, ")");
}

}  // namespace

std::vector<std::string> RebuildSql(const TableInfo& table, const TableSchema& existing) {
  const std::string name = absl::StrCat("strata_new_", existing.name);
  std::string columns;
  std::string values;
  for (const Column& column : table.columns) {
    const ColumnSchema* found = existing.Find(column.name);
    if (found == nullptr || !column.generated.empty()) continue;
    absl::StrAppend(&columns, columns.empty() ? "" : ", ", Quoted(column.name));
    absl::StrAppend(&values, values.empty() ? "" : ", ", ChangedValue(column, *found));
  }
  std::vector<std::string> sql = {
      CreateTableSql(table, name),
      absl::StrCat("INSERT INTO ", Quoted(name), " (", columns, ") SELECT ", values, " FROM ",
                   Quoted(existing.name))};
  if (existing.is_autoincrement && table.key_column().has(Column::kAutoincrement)) {
    // The highest number that has ever been given, which may be of no row any more.
    sql.push_back(absl::StrCat("DELETE FROM sqlite_sequence WHERE name = ", QuotedText(name)));
    sql.push_back(
        absl::StrCat("INSERT INTO sqlite_sequence (name, seq) SELECT ", QuotedText(name),
                     ", seq FROM sqlite_sequence WHERE name = ", QuotedText(existing.name)));
  }
  sql.push_back(absl::StrCat("DROP TABLE ", Quoted(existing.name)));
  sql.push_back(absl::StrCat("ALTER TABLE ", Quoted(name), " RENAME TO ", Quoted(table.name)));
  return sql;
}

std::string ChangedRowsSql(const TableInfo& table, const TableSchema& existing) {
  std::string written;
  std::string generated;
  for (const Column& column : table.columns) {
    if (!column.generated.empty()) {
      absl::StrAppend(&generated, ", (", column.generated, ") AS ", Quoted(column.name));
      continue;
    }
    const ColumnSchema* found = existing.Find(column.name);
    absl::StrAppend(
        &written, written.empty() ? "" : ", ",
        found == nullptr ? DefaultSql(column.default_value) : ChangedValue(column, *found), " AS ",
        Quoted(column.name));
  }
  return absl::StrCat("SELECT *", generated, " FROM (SELECT ", written, " FROM ",
                      Quoted(existing.name), ")");
}

std::string LossyCastsSql(const TableSchema& table, const ColumnSchema& existing,
                          const ColumnSchema& described) {
  const std::string name = Quoted(existing.name);
  const std::string cast = absl::StrCat("CAST(", name, " AS ", described.type, ")");
  std::string back;
  for (const std::string_view type : {"integer", "real", "text", "blob"}) {
    absl::StrAppend(&back, " WHEN '", type, "' THEN CAST(", cast, " AS ", type, ")");
  }
  return absl::StrCat("SELECT count(*) FROM ", Quoted(table.name), " WHERE ", name,
                      " COLLATE BINARY IS NOT CASE typeof(", name, ")", back, " END");
}

}  // namespace strata::orm::internal
