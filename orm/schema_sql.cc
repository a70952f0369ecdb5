#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "strata/orm/schema_sql_internal.h"

namespace strata::orm::internal {
namespace {

std::string RealText(double value) {
  if (std::isinf(value)) return value > 0 ? "9e999" : "-9e999";
  char text[32];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

std::string_view ActionName(ForeignKeyAction action) {
  switch (action) {
    case ForeignKeyAction::kNoAction:
      return "NO ACTION";
    case ForeignKeyAction::kRestrict:
      return "RESTRICT";
    case ForeignKeyAction::kSetNull:
      return "SET NULL";
    case ForeignKeyAction::kSetDefault:
      return "SET DEFAULT";
    case ForeignKeyAction::kCascade:
      return "CASCADE";
  }
  return "";
}

// SQLite counts a rowid on to 2^63 - 1; a field of fewer bits gets none that it does not hold.
std::string KeyRange(const TypeInfo& type, std::string_view name) {
  const int bits = static_cast<int>(type.size) * 8;
  if (bits == 64) return "";
  const bool is_signed = type.kind <= Kind::kInt64;
  const std::int64_t max = (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
  return absl::StrCat(name, " BETWEEN ", is_signed ? -max - 1 : 0, " AND ", max);
}

void AppendColumn(const TableInfo& table, const Column& column, bool with_unique,
                  std::string* sql) {
  const std::string name = Quoted(column.name);
  const std::string constraint =
      absl::StrCat(" CONSTRAINT ", Quoted(absl::StrCat(table.name, ".", column.name)));
  const bool is_rowid = table.has_rowid_key() && &column == &table.key_column();
  absl::StrAppend(sql, name, " ", StorageName(column.storage));
  if (is_rowid) {
    const std::string range = KeyRange(*column.value, name);
    absl::StrAppend(sql, " PRIMARY KEY", column.has(Column::kAutoincrement) ? " AUTOINCREMENT" : "",
                    range.empty() ? "" : absl::StrCat(constraint, " CHECK (", range, ")"));
  } else if (column.has(Column::kNotNull)) {
    absl::StrAppend(sql, " NOT NULL");
  }
  if (with_unique && column.has(Column::kUnique)) absl::StrAppend(sql, " UNIQUE");
  if (!column.collation.empty()) absl::StrAppend(sql, " COLLATE ", Quoted(column.collation));
  if (column.default_value.type != DefaultValue::Type::kNone) {
    absl::StrAppend(sql, " DEFAULT ", DefaultSql(column.default_value));
  }
  if (!column.generated.empty()) {
    absl::StrAppend(sql, " GENERATED ALWAYS AS (", column.generated, ") ",
                    column.has(Column::kStored) ? "STORED" : "VIRTUAL");
  }
  if (!column.check.empty()) absl::StrAppend(sql, constraint, " CHECK (", column.check, ")");
  if (column.references != nullptr) {
    const TableInfo& parent = column.references();
    absl::StrAppend(sql, constraint, " REFERENCES ", Quoted(parent.name), "(",
                    Quoted(parent.key_column().name), ") ON DELETE ", ActionName(column.on_delete),
                    " ON UPDATE ", ActionName(column.on_update));
  }
}

std::string IndexSql(const TableInfo& table, const IndexInfo& index) {
  std::string columns;
  for (std::size_t i = 0; i < index.column_count; ++i) {
    absl::StrAppend(&columns, i == 0 ? "" : ", ", Quoted(index.columns[i]));
  }
  return absl::StrCat("CREATE ", index.unique ? "UNIQUE " : "", "INDEX ",
                      Quoted(IndexName(table, index)), " ON ", Quoted(table.name), " (", columns,
                      ")", index.where.empty() ? "" : " WHERE ", index.where);
}

}  // namespace

std::string Quoted(std::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

std::string QuotedText(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

std::string IndexName(const TableInfo& table, const IndexInfo& index) {
  if (!index.name.empty()) return std::string(index.name);
  std::string name(table.name);
  for (std::size_t i = 0; i < index.column_count; ++i)
    absl::StrAppend(&name, "_", index.columns[i]);
  return name;
}

std::string_view StorageName(Storage storage) {
  switch (storage) {
    case Storage::kInteger:
      return "INTEGER";
    case Storage::kReal:
      return "REAL";
    case Storage::kText:
      return "TEXT";
    case Storage::kBlob:
      return "BLOB";
  }
  return "";
}

std::string DefaultSql(const DefaultValue& value) {
  switch (value.type) {
    case DefaultValue::Type::kNone:
    case DefaultValue::Type::kNull:
      break;
    case DefaultValue::Type::kInteger:
      return absl::StrCat(value.integer);
    case DefaultValue::Type::kReal:
      return RealText(value.real);
    case DefaultValue::Type::kText:
      return QuotedText(value.text);
    case DefaultValue::Type::kSql:
      return absl::StrCat("(", value.text, ")");
  }
  return "NULL";
}

std::vector<std::string> ChecksOf(const TableInfo& table) {
  std::vector<std::string> checks;
  for (const Column& column : table.columns) {
    if (!column.check.empty()) checks.emplace_back(column.check);
  }
  if (table.has_rowid_key()) {
    const Column& key = table.key_column();
    std::string range = KeyRange(*key.value, Quoted(key.name));
    if (!range.empty()) checks.push_back(std::move(range));
  }
  checks.insert(checks.end(), table.checks.begin(), table.checks.end());
  return checks;
}

std::string CreateTableSql(const TableInfo& table, std::string_view name) {
  std::string sql = absl::StrCat("CREATE TABLE ", Quoted(name), " (");
  for (const Column& column : table.columns) {
    if (&column != table.columns.data()) absl::StrAppend(&sql, ", ");
    AppendColumn(table, column, true, &sql);
  }
  if (!table.has_rowid_key()) {
    absl::StrAppend(&sql, ", PRIMARY KEY (");
    for (std::size_t i = 0; i < table.key_count; ++i) {
      absl::StrAppend(&sql, i == 0 ? "" : ", ", Quoted(table.columns[table.key[i]].name));
    }
    absl::StrAppend(&sql, ")");
  }
  for (const std::string_view check : table.checks) {
    absl::StrAppend(&sql, ", CONSTRAINT ", Quoted(table.name), " CHECK (", check, ")");
  }
  absl::StrAppend(&sql, table.has_rowid_key() ? ") STRICT" : ") STRICT, WITHOUT ROWID");
  return sql;
}

std::string AddColumnSql(const TableInfo& table, const Column& column) {
  std::string sql = absl::StrCat("ALTER TABLE ", Quoted(table.name), " ADD COLUMN ");
  AppendColumn(table, column, false, &sql);
  return sql;
}

std::vector<std::string> CreateIndexSql(const TableInfo& table) {
  std::vector<std::string> statements;
  for (const Column& column : table.columns) {
    if (!column.has(Column::kIndexed)) continue;
    IndexInfo index;
    index.columns[0] = column.name;
    index.column_count = 1;
    statements.push_back(IndexSql(table, index));
  }
  for (const IndexInfo& index : table.indexes) statements.push_back(IndexSql(table, index));
  return statements;
}

}  // namespace strata::orm::internal
