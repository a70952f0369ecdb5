// Values of fields of any type as what indexes of the engine in memory compare and hash.

#ifndef STRATA_ORM_MEMORY_VALUE_INTERNAL_H_
#define STRATA_ORM_MEMORY_VALUE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// How texts compare: SQLite's own collations (https://sqlite.org/datatype3.html section 7).
enum class Collation : std::uint8_t { kBinary, kNoCase, kRightTrim };

// False if the engine has no such collation.
bool FindCollation(std::string_view name, Collation* collation);

// A value of any scalar type. It refers to the field that it was made of. The order of the classes
// is that of SQLite; those of one column differ only by being NULL, or above 2^63 - 1.
struct Value {
  enum class Class : std::uint8_t { kNull, kInteger, kLargeInteger, kReal, kBytes };
  Class what = Class::kNull;
  std::int64_t integer = 0;  // Of kLargeInteger: the bits of a std::uint64_t.
  double real = 0;
  std::string_view bytes = {};  // Of texts, blobs, UUIDs, and enums with AsText().
};

// A column of an index.
struct IndexedColumn {
  const Column* column = nullptr;
  Collation collation = Collation::kBinary;
};

// Of a field that has a scalar type; a null pointer is NULL.
Value ValueOfColumn(const Column& column, const void* value);
inline Value ValueIn(const Column& column, const void* row) {
  return ValueOfColumn(column, column.Value(row));
}

// Of an argument that fits the column (FitsKey()), and of one that says itself what it is.
Value ValueOfArgument(const Column& column, const Argument& argument);
Value ValueOfArgument(const Argument& argument);

// Below 0, 0, or above.
int Compare(const Value& a, const Value& b, Collation collation);

// The same, of numbers of any class too.
int CompareAny(const Value& a, const Value& b, Collation collation);

// Whether a text is like a pattern, as SQLite has it (expression.h).
bool IsLike(std::string_view text, std::string_view pattern);

// Equal for values that compare as equal.
std::size_t HashOf(const Value& value, Collation collation, std::size_t seed);

// Keeps the order of values: that of a smaller value is not above that of a larger one.
std::uint64_t PrefixOf(const Value& value, Collation collation);

// Whether SQLite would take the value too: texts are UTF-8, reals are numbers, what AsText() writes
// has a text, and what is nested is valid as JSON. InvalidArgument or OutOfRange, naming the
// column.
absl::Status CheckValue(const TableInfo& table, const Column& column, const void* row);

// Whether CheckValue() has anything to look at.
bool NeedsCheck(const Column& column);

// Copies a value of the type over another one.
void CopyValue(const TypeInfo& type, void* to, const void* from);

// Copies the value of a field from one row to another of the same type.
void CopyField(const Column& column, void* to_row, const void* from_row);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_VALUE_INTERNAL_H_
