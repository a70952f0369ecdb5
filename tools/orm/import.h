// Rows of CSV or JSON into a table.

#ifndef STRATA_TOOLS_ORM_IMPORT_H_
#define STRATA_TOOLS_ORM_IMPORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "strata/orm/sqlite_internal.h"
#include "tools/orm/row_reader.h"

namespace strata::orm_tool {

// Adds all rows, or none; returns how many. A column that a row does not name gets its default. An
// error begins with where it is: "people.csv:17: ".
absl::StatusOr<std::uint64_t> ImportRows(orm::internal::Connection& connection,
                                         const std::string& table, RowReader& reader,
                                         const std::string& input_name, Progress& progress);

// The same, into a table that it makes, which must not be there. Its columns are those that the
// rows name. One is INTEGER, or REAL, if that is what all its values are and they come back as they
// were written; of CSV all else is TEXT, as in `007` or `1.50`, and of JSON what has values of
// several kinds is ANY. It has no key.
absl::StatusOr<std::uint64_t> ImportNewTable(orm::internal::Connection& connection,
                                             const std::string& table, RowReader& reader,
                                             const std::string& input_name, Progress& progress);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_IMPORT_H_
