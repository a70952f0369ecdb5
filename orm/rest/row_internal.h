// Rows and values of tables that are known at run time alone.

#ifndef STRATA_ORM_REST_ROW_INTERNAL_H_
#define STRATA_ORM_REST_ROW_INTERNAL_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::rest::internal {

using orm::internal::RowStore;
using orm::internal::Term;

// A row as its struct makes it, in memory of its own.
class Row {
 public:
  explicit Row(const TableInfo& table);
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  ~Row();

  const TableInfo& table() const { return table_; }
  void* get() { return memory_; }
  const void* get() const { return memory_; }

  // As it was made.
  void Reset();

 private:
  const TableInfo& table_;
  void* memory_;
};

// Reads what a value has as text: as in JSON, but without quotes. InvalidArgument, or OutOfRange.
absl::Status ReadText(const TypeInfo& type, std::string_view text, void* value);

// The same the other way.
absl::Status AppendText(const TypeInfo& type, const void* value, std::string* out);

// A key as in a path: "7", or of several columns "7,Ada". InvalidArgument for what is none.
absl::Status ReadKey(std::string_view text, Row* row);
absl::Status AppendKey(const TableInfo& table, const void* row, std::string* out);

// Whether two rows have the same key.
bool SameKey(const Row& a, const Row& b);

// What only the database sets: CreatedAt(), ModifiedAt() and Version().
void CopyStamps(const Row& from, Row* to);

// A value of a type, kept by `owner`.
Term ValueTerm(const TypeInfo& type, const void* value, std::shared_ptr<const void> owner);

// The row of the key that `row` has, if all of `where` is true for it; into `row`. NotFound.
absl::Status Load(RowStore& store, std::span<const Term> where, Row* row);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_ROW_INTERNAL_H_
