// A folder of migrations: NUMBER-NAME.up.sql, and NUMBER-NAME.down.sql if there is a way back.

#ifndef STRATA_TOOLS_ORM_MIGRATIONS_H_
#define STRATA_TOOLS_ORM_MIGRATIONS_H_

#include <list>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/orm/schema.h"

namespace strata::orm_tool {

struct Migrations {
  std::list<std::string> texts;  // What `list` refers to.
  std::vector<orm::Migration> list;
};

// InvalidArgument for a file *.sql that is called otherwise, two of one number, a way back alone.
absl::StatusOr<Migrations> ReadMigrations(const std::string& folder);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_MIGRATIONS_H_
