// Values of fields to SQLite's and back, by their TypeInfo.

#ifndef STRATA_ORM_SQLITE_VALUES_INTERNAL_H_
#define STRATA_ORM_SQLITE_VALUES_INTERNAL_H_

#include "absl/status/status.h"
#include "sqlite3.h"
#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// Binds a value, which is not null. SQLite refers to texts and blobs: they have to stay as they are
// until the statement is reset. InvalidArgument for what SQLite does not keep as it is: a NaN (it
// would be NULL), a text that is no UTF-8; OutOfRange for what does not fit there.
absl::Status BindValue(sqlite3_stmt* statement, int parameter, const TypeInfo& type, bool as_text,
                       const void* value);

// The same as the result of a column of a virtual table.
absl::Status ResultValue(sqlite3_context* context, const TypeInfo& type, bool as_text,
                         const void* value);

// NULL for an argument without a value, or with an empty optional.
absl::Status BindArgument(sqlite3_stmt* statement, int parameter, const Argument& argument);

// The field of a row; a null is bound as NULL.
absl::Status BindColumn(sqlite3_stmt* statement, int parameter, const Column& column,
                        const void* row);

// A result column into a field of a type. DataLoss if the value is of another class than the field
// (a NULL in what is no optional), or says nothing to it; OutOfRange if it does not fit. The
// connection has no mutex of its own, so that its values may be looked at without.
absl::Status ReadField(sqlite3_stmt* statement, int position, const TypeInfo& type, void* field);

// The same, into the field of a row.
inline absl::Status ReadColumn(sqlite3_stmt* statement, int position, const Column& column,
                               void* row) {
  return ReadField(statement, position, *column.type, static_cast<char*>(row) + column.offset);
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_VALUES_INTERNAL_H_
