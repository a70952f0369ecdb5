// Queries and conditions (query_internal.h) on the rows of one table in memory.

#ifndef STRATA_ORM_MEMORY_QUERY_INTERNAL_H_
#define STRATA_ORM_MEMORY_QUERY_INTERNAL_H_

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/memory_table_internal.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/store_internal.h"

namespace strata::orm::internal {

// OK for a condition on the table's columns that the engine can decide: InvalidArgument for one
// that cannot be, Unimplemented for what takes SQL.
absl::Status CheckCondition(const TableInfo& info, const Term& condition);

// Whether it is true for a row.
bool Holds(const Term& condition, const void* row);

// The rows for which all conditions are true; by an index, where one of them is on its first
// column.
absl::StatusOr<std::vector<char*>> FindRows(const MemoryTable& table,
                                            std::span<const Term> conditions);

absl::Status SelectRows(const MemoryTable& table, const SelectOperation& operation,
                        std::span<const ResultField> fields, RowSink& sink);

// The same parts of a query on rows that are not of a MemoryTable.

// OK if the engine has what the query takes.
absl::Status CheckQuery(const SelectOperation& operation, std::span<const ResultField> fields);

// How many rows a query of them may skip, and give.
struct RowRange {
  std::size_t skipped = 0;
  std::size_t count = 0;
};
RowRange RangeOf(const SelectOperation& operation);

// Gives one row to the sink.
absl::Status GiveRow(const SelectOperation& operation, const void* row,
                     std::span<const ResultField> fields, RowSink& sink, bool* more);

// Gives the result of a kCount or kExists.
absl::Status GiveNumber(const SelectOperation& operation, std::size_t rows,
                        std::span<const ResultField> fields, RowSink& sink);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_QUERY_INTERNAL_H_
