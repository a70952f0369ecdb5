// Runs migrations, and what the comparison of a file with the described tables asks for.

#ifndef STRATA_ORM_SCHEMA_MIGRATE_INTERNAL_H_
#define STRATA_ORM_SCHEMA_MIGRATE_INTERNAL_H_

#include "absl/status/status.h"
#include "strata/orm/schema.h"
#include "strata/orm/sqlite_session_internal.h"

namespace strata::orm::internal {

// Outside of a transaction. `report` gets what has been, or would be, run, also on an error.
absl::Status MigrateSchema(SqliteSession& session, const Schema& schema,
                           const MigrateOptions& options, SchemaReport* report);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SCHEMA_MIGRATE_INTERNAL_H_
