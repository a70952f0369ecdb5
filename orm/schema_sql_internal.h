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

// INTEGER, REAL, TEXT or BLOB.
std::string_view StorageName(Storage storage);

// CREATE TABLE IF NOT EXISTS. STRICT, so that no other program puts a text into a number; WITHOUT
// ROWID where the key is not a single integer, so that a row is found by one search and not two.
// Each CHECK and reference is a constraint with the name "table.column", as SQLite's message of a
// failed one has only that.
std::string CreateTableSql(const TableInfo& table);

// CREATE INDEX IF NOT EXISTS for each index that is no part of the above.
std::vector<std::string> CreateIndexSql(const TableInfo& table);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_SQL_INTERNAL_H_
