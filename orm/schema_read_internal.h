// What a table in a file is, read of the file itself.

#ifndef STRATA_ORM_SCHEMA_READ_INTERNAL_H_
#define STRATA_ORM_SCHEMA_READ_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// Texts are normal ones (sql_tokens_internal.h), but for names and `type`, which are as they stand.
struct ColumnSchema {
  std::string name;
  std::string type;           // In upper case.
  std::string default_value;  // Empty for none, and for NULL.
  std::string collation;      // In upper case.
  std::string generated;      // Empty for a column that is written.
  bool is_stored = false;     // Of a generated one.
  bool not_null = false;
  int key = 0;  // 1 for the first column of the key, 0 for none.
};

struct IndexSchema {
  struct Part {
    std::string column;  // Both in lower case. Empty for an expression.
    std::string collation;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::string name;
  std::string sql;  // As it was created; empty for one that is part of the table.
  std::vector<Part> parts;
  bool is_unique = false;
  bool is_partial = false;
  bool is_key = false;
};

// One that another program made may have several columns; `column` is the first.
struct ReferenceSchema {
  std::string column;
  std::string text;  // All of it.
  friend bool operator==(const ReferenceSchema&, const ReferenceSchema&) = default;
};

struct TableSchema {
  std::string name;
  std::string type;  // "table", or "view", "virtual", "shadow".
  bool is_strict = false;
  bool is_without_rowid = false;
  bool is_autoincrement = false;
  std::vector<ColumnSchema> columns;
  std::vector<IndexSchema> indexes;
  std::vector<ReferenceSchema> references;
  std::vector<std::string> checks;
  std::vector<std::string> triggers;  // The SQL of those that are not the library's own.

  // Null if there is none; names differ by more than the case of letters.
  const ColumnSchema* Find(std::string_view column) const;
};

// Nothing if there is no table, or view, of that name.
absl::StatusOr<std::optional<TableSchema>> ReadTable(Connection& connection, std::string_view name);

// What ReadTable() gives of a file where the description has just been created.
absl::StatusOr<TableSchema> DescribedSchema(const TableInfo& table);

// The first column of the first row; 0 for none and for NULL.
absl::StatusOr<std::int64_t> IntegerOf(Connection& connection, std::string_view sql);

// The first column of all rows.
absl::StatusOr<std::vector<std::string>> TextsOf(Connection& connection, std::string_view sql,
                                                 std::string_view parameter);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_READ_INTERNAL_H_
