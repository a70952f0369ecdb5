// The log of a table's changes, as the schema of a file has it: a table and triggers.

#ifndef STRATA_ORM_SCHEMA_LOG_INTERNAL_H_
#define STRATA_ORM_SCHEMA_LOG_INTERNAL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// What becomes of a table itself, in the plan that its log is part of.
struct TableFate {
  bool is_new = false;
  bool is_rebuilt = false;  // Its triggers go with the old one.
};

// SQL to run before and after the table's own.
struct AroundSql {
  std::vector<std::string> before;
  std::vector<std::string> after;
};

// What the log in the file needs to be as described, which may be that there is none. It is emptied
// if it has not been kept all the time, or its entries do not fit the table any more.
absl::Status PlanLog(Connection& connection, const TableInfo& table, TableFate fate,
                     AroundSql* plan);

// Drops what follows the columns of tables, before SQL of the program's own may change these: the
// triggers of logs. PlanLog() finds out that they are missing.
absl::StatusOr<std::vector<std::string>> DropFollowersSql(Connection& connection);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_LOG_INTERNAL_H_
