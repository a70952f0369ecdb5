// What follows a table: tables of its own that triggers keep in step, for the log of its changes
// and for searches. Their names, and those of the triggers, begin with the table's and '#', which
// no name of a description has.

#ifndef STRATA_ORM_SCHEMA_FOLLOW_INTERNAL_H_
#define STRATA_ORM_SCHEMA_FOLLOW_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/sqlite_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// What becomes of a table itself, in the plan that its followers are part of.
struct TableFate {
  bool is_new = false;
  bool is_rebuilt = false;  // Its triggers go with the old one.
};

// SQL to run before and after the table's own.
struct AroundSql {
  std::vector<std::string> before;
  std::vector<std::string> after;
};

struct Trigger {
  std::string name;
  std::string sql;
  friend bool operator==(const Trigger&, const Trigger&) = default;
};

// Of a follower: "<follower>_<suffix>". `on` is "INSERT ON ..."; `when` may be empty.
Trigger MakeTrigger(std::string_view follower, std::string_view suffix, std::string_view on,
                    std::string_view when, std::string_view body);
std::string DropTriggerSql(std::string_view name);

// Those of a follower that the file has, by their names.
absl::StatusOr<std::vector<Trigger>> ReadTriggers(Connection& connection,
                                                  std::string_view follower);

// Whether an update leaves a column as it is, byte by byte.
std::string SameValueSql(const Column& column);

// What the log in the file needs to be as described, which may be that there is none. It is emptied
// if it has not been kept all the time, or its entries do not fit the table any more.
absl::Status PlanLog(Connection& connection, const TableInfo& table, TableFate fate,
                     AroundSql* plan);

// The same for what FullText() and Boxes() describe, which is made anew in such a case.
absl::Status PlanSearch(Connection& connection, const TableInfo& table, TableFate fate,
                        AroundSql* plan);

// Drops the triggers of all tables' followers, before SQL of the program's own may drop columns
// that these name. The plans find out that they are missing.
absl::StatusOr<std::vector<std::string>> DropFollowersSql(Connection& connection);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_FOLLOW_INTERNAL_H_
