// Values of fields to SQLite's and back, by their TypeInfo.

#ifndef STRATA_ORM_SQLITE_VALUES_INTERNAL_H_
#define STRATA_ORM_SQLITE_VALUES_INTERNAL_H_

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "sqlite3.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"
#include "strata/orm/utf8_internal.h"

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

// A result column into the field of a row. DataLoss if the value is of another class than the field
// (a NULL in what is no optional), or says nothing to it; OutOfRange if it does not fit. The
// connection has no mutex of its own, so that its values may be looked at without.
absl::Status ReadColumn(sqlite3_stmt* statement, int position, const Column& column, void* row);

// The first result columns into the fields of a row. On an error `*position` is the column.
absl::Status ReadFields(sqlite3_stmt* statement, std::span<const ResultField> fields, void* row,
                        int* position);

// Of a text whose size SQLite takes as an int, in bytes: it does less for these.
inline constexpr std::size_t kMaxShortText = std::size_t{1} << 30;

// Where a value goes: a parameter of a statement.
class Parameter {
 public:
  Parameter(sqlite3_stmt* statement, int parameter)
      : statement_(statement), parameter_(parameter) {}

  int Null() { return sqlite3_bind_null(statement_, parameter_); }
  int Integer(std::int64_t value) { return sqlite3_bind_int64(statement_, parameter_, value); }
  int Real(double value) { return sqlite3_bind_double(statement_, parameter_, value); }
  int Text(const char* text, std::size_t size, sqlite3_destructor_type keep) {
    if (size > kMaxShortText) {
      return sqlite3_bind_text64(statement_, parameter_, text, size, keep, SQLITE_UTF8);
    }
    return sqlite3_bind_text(statement_, parameter_, text, static_cast<int>(size), keep);
  }
  int Bytes(const void* data, std::size_t size) {
    return sqlite3_bind_blob64(statement_, parameter_, data, size, SQLITE_STATIC);
  }

 private:
  sqlite3_stmt* statement_;
  int parameter_;
};

// Or the result of a column of a virtual table.
class Result {
 public:
  explicit Result(sqlite3_context* context) : context_(context) {}

  int Null() {
    sqlite3_result_null(context_);
    return SQLITE_OK;
  }
  int Integer(std::int64_t value) {
    sqlite3_result_int64(context_, value);
    return SQLITE_OK;
  }
  int Real(double value) {
    sqlite3_result_double(context_, value);
    return SQLITE_OK;
  }
  int Text(const char* text, std::size_t size, sqlite3_destructor_type keep) {
    if (size > kMaxShortText) {
      sqlite3_result_text64(context_, text, size, keep, SQLITE_UTF8);
    } else {
      sqlite3_result_text(context_, text, static_cast<int>(size), keep);
    }
    return SQLITE_OK;
  }
  int Bytes(const void* data, std::size_t size) {
    sqlite3_result_blob64(context_, data, size, SQLITE_STATIC);
    return SQLITE_OK;
  }

 private:
  sqlite3_context* context_;
};

// A column's field as it is, by its shape. False for all others, and for values that are errors:
// BindValue() and ResultValue() are for all.
template <typename Sink>
bool PutPlain(Sink sink, const Column& column, const void* row) {
  const void* field = static_cast<const char*>(row) + column.offset;
  switch (column.shape) {
    case Column::Shape::kInt64:
      return sink.Integer(Load<std::int64_t>(field)) == SQLITE_OK;
    case Column::Shape::kDouble: {
      const double value = Load<double>(field);
      return !std::isnan(value) && sink.Real(value) == SQLITE_OK;
    }
    case Column::Shape::kString: {
      const auto& text = *static_cast<const std::string*>(field);
      if (!IsAscii(text) && !IsUtf8(text)) return false;
      return sink.Text(text.data(), text.size(), SQLITE_STATIC) == SQLITE_OK;
    }
    default:
      return false;
  }
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_VALUES_INTERNAL_H_
