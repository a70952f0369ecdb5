// The SQL that puts the rows of a table into a new one, and that asks how they would be there.

#ifndef STRATA_ORM_SCHEMA_REBUILD_INTERNAL_H_
#define STRATA_ORM_SCHEMA_REBUILD_INTERNAL_H_

#include <string>
#include <vector>

#include "strata/orm/schema_read_internal.h"

namespace strata::orm::internal {

// A new table, the rows, and the name of the old one for it
// (https://sqlite.org/lang_altertable.html section 7). Indexes and triggers have to be created
// again.
std::vector<std::string> RebuildSql(const TableInfo& table, const TableSchema& existing);

// SELECT of the rows in the file, as they will be when the file is as described.
std::string ChangedRowsSql(const TableInfo& table, const TableSchema& existing);

// SELECT of the number of values that are not what they were after a cast to the type of
// `described` and back to what each had been.
std::string LossyCastsSql(const TableSchema& table, const ColumnSchema& existing,
                          const ColumnSchema& described);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_REBUILD_INTERNAL_H_
