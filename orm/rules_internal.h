// What a description asks of a row before an engine writes it: filters, then lengths, validators
// and NotNull().

#ifndef STRATA_ORM_RULES_INTERNAL_H_
#define STRATA_ORM_RULES_INTERNAL_H_

#include <string_view>

#include "absl/status/status.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

// A row that filters may change: a copy, if the table has any, so that a write that fails leaves
// the user's as it was.
class FilteredRow {
 public:
  FilteredRow() = default;
  FilteredRow(const FilteredRow&) = delete;
  FilteredRow& operator=(const FilteredRow&) = delete;
  ~FilteredRow();

  // Runs the filters. `row` has to live as long as this.
  absl::Status Apply(const TableInfo& table, const void* row);

  const void* row() const { return row_; }
  void* copy() const { return copy_; }  // Null if there is none.

  // Puts the copy, if there is one, over `row`.
  void Return(void* row) const;

 private:
  const TableInfo* table_ = nullptr;
  const void* row_ = nullptr;
  void* copy_ = nullptr;
};

// InvalidArgument, naming table and column, if the value is against the column's rules.
absl::Status CheckRules(const TableInfo& table, const Column& column, const void* row);

// "people.email: why".
absl::Status ColumnError(absl::StatusCode code, const TableInfo& table, const Column& column,
                         std::string_view why);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_RULES_INTERNAL_H_
