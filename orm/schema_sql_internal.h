// The SQL that makes a described table in SQLite.

#ifndef STRATA_ORM_SCHEMA_SQL_INTERNAL_H_
#define STRATA_ORM_SCHEMA_SQL_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "strata/orm/table.h"

namespace strata::orm::internal {

// An identifier; names in descriptions have no quotes (IsName), others have theirs doubled.
std::string Quoted(std::string_view name);

// A text as a constant.
std::string QuotedText(std::string_view text);

// Of the table's and the columns' names, if it has none.
std::string IndexName(const TableInfo& table, const IndexInfo& index);

// INTEGER, REAL, TEXT or BLOB.
std::string_view StorageName(Storage storage);

// A constant or, in parentheses, an expression; NULL if there is no default.
std::string DefaultSql(const DefaultValue& value);

// What has to be true for each row, as SQL.
std::vector<std::string> ChecksOf(const TableInfo& table);

// CREATE TABLE, of that name. STRICT, so that no other program puts a text into a number; WITHOUT
// ROWID where the key is not a single integer, so that a row is found by one search and not two.
// Each CHECK and reference is a constraint with the name "table.column", as SQLite's message of a
// failed one has only that.
std::string CreateTableSql(const TableInfo& table, std::string_view name);

// ALTER TABLE ADD COLUMN. A Unique() is not in it, as SQLite has no such change: it is an index of
// its own then.
std::string AddColumnSql(const TableInfo& table, const Column& column);

// CREATE INDEX for each index that is no part of the above.
std::vector<std::string> CreateIndexSql(const TableInfo& table);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_SQL_INTERNAL_H_
