// What the tool does.

#ifndef STRATA_TOOLS_ORM_COMMANDS_H_
#define STRATA_TOOLS_ORM_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "tools/orm/arguments.h"
#include "tools/orm/session.h"

namespace strata::orm_tool {

absl::Status RunCommand(Session& session, const Arguments& arguments);

// All statements of a text, one after another, to the first error.
absl::Status RunSql(Session& session, const std::string& sql);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_COMMANDS_H_
