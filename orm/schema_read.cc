#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sql_tokens_internal.h"

namespace strata::orm::internal {
namespace {

std::string TextAt(sqlite3_stmt* statement, int position) {
  const unsigned char* text = sqlite3_column_text(statement, position);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

// Calls `each` for each row of a statement whose parameters are all `parameter`.
template <typename Each>
absl::Status ForRows(Connection& connection, std::string_view sql, std::string_view parameter,
                     Each each) {
  absl::StatusOr<Statement> statement = connection.Prepare(sql, false);
  if (!statement.ok()) return statement.status();
  sqlite3_stmt* const rows = statement->get();
  for (int i = 1; i <= sqlite3_bind_parameter_count(rows); ++i) {
    sqlite3_bind_text(rows, i, parameter.data(), static_cast<int>(parameter.size()), SQLITE_STATIC);
  }
  int result = sqlite3_step(rows);
  for (; result == SQLITE_ROW; result = sqlite3_step(rows)) each(rows);
  return result == SQLITE_DONE ? absl::OkStatus() : connection.Error();
}

absl::Status ReadColumns(Connection& connection, TableSchema* table) {
  enum Hidden { kHidden = 1, kVirtual = 2, kStored = 3 };
  absl::Status status = ForRows(
      connection,
      "SELECT name, upper(type), \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)",
      table->name, [&](sqlite3_stmt* row) {
        ColumnSchema column;
        column.name = TextAt(row, 0);
        column.type = TextAt(row, 1);
        column.not_null = sqlite3_column_int(row, 2) != 0;
        column.default_value = NormalSql(TextAt(row, 3));
        if (column.default_value == "null") column.default_value.clear();
        column.key = sqlite3_column_int(row, 4);
        column.is_stored = sqlite3_column_int(row, 5) == kStored;
        table->columns.push_back(std::move(column));
      });
  if (!status.ok()) return status;
  for (ColumnSchema& column : table->columns) {
    const char* collation = nullptr;
    int is_autoincrement = 0;
    if (sqlite3_table_column_metadata(connection.get(), "main", table->name.c_str(),
                                      column.name.c_str(), nullptr, &collation, nullptr, nullptr,
                                      &is_autoincrement) != SQLITE_OK) {
      return connection.Error();
    }
    column.collation = absl::AsciiStrToUpper(collation == nullptr ? "BINARY" : collation);
    if (is_autoincrement != 0) table->is_autoincrement = true;
  }
  return absl::OkStatus();
}

absl::Status ReadIndexes(Connection& connection, TableSchema* table) {
  absl::Status status =
      ForRows(connection,
              "SELECT l.name, l.\"unique\", l.origin, l.partial, s.sql FROM pragma_index_list(?) l "
              "LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name",
              table->name, [&](sqlite3_stmt* row) {
                IndexSchema index;
                index.name = TextAt(row, 0);
                index.is_unique = sqlite3_column_int(row, 1) != 0;
                index.is_key = TextAt(row, 2) == "pk";
                index.is_partial = sqlite3_column_int(row, 3) != 0;
                index.sql = TextAt(row, 4);
                table->indexes.push_back(std::move(index));
              });
  for (IndexSchema& index : table->indexes) {
    if (!status.ok()) return status;
    status = ForRows(connection,
                     "SELECT lower(name), lower(coll) FROM pragma_index_xinfo(?) "
                     "WHERE key = 1 ORDER BY seqno",
                     index.name, [&](sqlite3_stmt* row) {
                       index.parts.push_back({TextAt(row, 0), TextAt(row, 1)});
                     });
  }
  return status;
}

absl::Status ReadReferences(Connection& connection, TableSchema* table) {
  int last = -1;
  absl::Status status =
      ForRows(connection,
              "SELECT id, lower(\"from\"), lower(\"table\"), lower(\"to\"), on_delete, on_update "
              "FROM pragma_foreign_key_list(?) ORDER BY id, seq",
              table->name, [&](sqlite3_stmt* row) {
                const std::string column = absl::StrCat(TextAt(row, 1), " to ", TextAt(row, 3));
                if (sqlite3_column_int(row, 0) == last) {
                  absl::StrAppend(&table->references.back().text, ", ", column);
                  return;
                }
                last = sqlite3_column_int(row, 0);
                table->references.push_back(
                    {TextAt(row, 1), absl::StrCat(TextAt(row, 2), " on delete ", TextAt(row, 4),
                                                  " on update ", TextAt(row, 5), " ", column)});
              });
  return status;
}

void ReadTexts(std::string_view sql, TableSchema* table) {
  CreateTableTexts texts = ReadCreateTable(sql);
  table->checks = std::move(texts.checks);
  for (const CreateTableTexts::Generated& generated : texts.generated) {
    for (ColumnSchema& column : table->columns) {
      if (absl::AsciiStrToLower(column.name) == generated.column) {
        column.generated = generated.expression;
      }
    }
  }
}

}  // namespace

const ColumnSchema* TableSchema::Find(std::string_view column) const {
  for (const ColumnSchema& each : columns) {
    if (SameName(each.name, column)) return &each;
  }
  return nullptr;
}

absl::StatusOr<std::optional<TableSchema>> ReadTable(Connection& connection,
                                                     std::string_view name) {
  std::optional<TableSchema> table;
  absl::Status status = ForRows(connection,
                                "SELECT name, type, wr, strict FROM pragma_table_list(?) "
                                "WHERE schema = 'main'",
                                name, [&](sqlite3_stmt* row) {
                                  table.emplace();
                                  table->name = TextAt(row, 0);
                                  table->type = TextAt(row, 1);
                                  table->is_without_rowid = sqlite3_column_int(row, 2) != 0;
                                  table->is_strict = sqlite3_column_int(row, 3) != 0;
                                });
  if (!status.ok()) return status;
  if (!table.has_value() || table->type != "table") return table;
  if (status = ReadColumns(connection, &*table); !status.ok()) return status;
  if (status = ReadIndexes(connection, &*table); !status.ok()) return status;
  if (status = ReadReferences(connection, &*table); !status.ok()) return status;
  const absl::StatusOr<std::vector<std::string>> sql = TextsOf(
      connection, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", table->name);
  if (!sql.ok()) return sql.status();
  if (!sql->empty()) ReadTexts(sql->front(), &*table);
  absl::StatusOr<std::vector<std::string>> triggers =
      TextsOf(connection,
              "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE "
              "NOCASE AND substr(name, 1, length(?1) + 1) <> ?1 || '#' COLLATE NOCASE "
              "ORDER BY rowid",
              table->name);
  if (!triggers.ok()) return triggers.status();
  table->triggers = *std::move(triggers);
  return table;
}

absl::StatusOr<TableSchema> DescribedSchema(const TableInfo& table) {
  const auto connection = Connection::Open(":memory:", {});
  if (!connection.ok()) return connection.status();
  std::vector<std::string> statements = CreateIndexSql(table);
  statements.insert(statements.begin(), CreateTableSql(table, table.name));
  for (const std::string& sql : statements) {
    if (absl::Status status = (*connection)->Execute(sql); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(table.name, ": ", status.message()));
    }
  }
  absl::StatusOr<std::optional<TableSchema>> schema = ReadTable(**connection, table.name);
  if (!schema.ok()) return schema.status();
  return **std::move(schema);
}

absl::StatusOr<std::int64_t> IntegerOf(Connection& connection, std::string_view sql) {
  std::optional<std::int64_t> first;
  absl::Status status = ForRows(connection, sql, "", [&](sqlite3_stmt* row) {
    if (!first.has_value()) first = sqlite3_column_int64(row, 0);
  });
  if (!status.ok()) return status;
  return first.value_or(0);
}

absl::StatusOr<std::vector<std::string>> TextsOf(Connection& connection, std::string_view sql,
                                                 std::string_view parameter) {
  std::vector<std::string> texts;
  absl::Status status = ForRows(connection, sql, parameter,
                                [&](sqlite3_stmt* row) { texts.push_back(TextAt(row, 0)); });
  if (!status.ok()) return status;
  return texts;
}

}  // namespace strata::orm::internal
