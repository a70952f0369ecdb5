// The result of a query as a table for people, as CSV, or as JSON.

#ifndef STRATA_TOOLS_ORM_ROW_WRITER_H_
#define STRATA_TOOLS_ORM_ROW_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "sqlite3.h"
#include "strata/orm/sqlite_internal.h"
#include "tools/orm/streams.h"

namespace strata::orm_tool {

enum class Format : std::uint8_t { kTable, kCsv, kJson };

struct WriteOptions {
  Format format = Format::kTable;
  // What has no place in the format, so that it would not come back the same, is an error: a BLOB
  // in a column of another type.
  bool exact = false;
};

// Steps the statement to its end, and writes each row.
absl::Status WriteRows(orm::internal::Connection& connection, sqlite3_stmt* statement,
                       const WriteOptions& options, Output& output, Progress& progress);

// Whether the type that a column is declared with, which may be null, has this word, in lower case.
// One with "blob" has values that are base64 in CSV and JSON.
bool TypeHas(const char* declared, std::string_view word);

// The shortest text that reads back the same, and that is seen to be no integer.
std::string RealText(double value);

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_ROW_WRITER_H_
