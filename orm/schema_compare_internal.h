// What has to be done to a file so that a table in it is as described.

#ifndef STRATA_ORM_SCHEMA_COMPARE_INTERNAL_H_
#define STRATA_ORM_SCHEMA_COMPARE_INTERNAL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/schema.h"
#include "strata/orm/sqlite_internal.h"

namespace strata::orm::internal {

// Nothing of it may be run as long as anything is refused.
struct SchemaPlan {
  struct Retyped {
    const TableInfo* table;
    const Column* column;
  };

  std::vector<std::string> sql;
  std::vector<SchemaReport::Refusal> refused;
  std::vector<std::string> rebuilt;  // Tables: their references are to be checked afterwards.
  std::vector<Retyped> retyped;      // Columns that have to be readable afterwards.
};

// Adds to the plan what the table needs. It reads only; rows too, where a change depends on them.
absl::Status CompareTable(Connection& connection, const TableInfo& table,
                          const MigrateOptions& options, SchemaPlan* plan);

// FailedPrecondition that names all of them, or OK if there are none.
absl::Status RefusedError(const std::vector<SchemaReport::Refusal>& refused);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_COMPARE_INTERNAL_H_
