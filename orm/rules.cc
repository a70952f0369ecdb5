#include <new>

#include "absl/strings/str_cat.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

// Texts count in code points; one has at least as many bytes.
bool IsTooLong(const Column& column, const void* value) {
  if (column.value->kind == Kind::kBlob) {
    return static_cast<const Blob*>(value)->size() > column.max_length;
  }
  const auto& text = *static_cast<const std::string*>(value);
  return text.size() > column.max_length && Utf8Length(text) > column.max_length;
}

}  // namespace

absl::Status ColumnError(absl::StatusCode code, const TableInfo& table, const Column& column,
                         std::string_view why) {
  return absl::Status(code, absl::StrCat(table.name, ".", column.name, ": ", why));
}

FilteredRow::~FilteredRow() {
  if (copy_ == nullptr) return;
  table_->ops.destroy(copy_);
  ::operator delete (copy_, std::align_val_t{table_->row_align});
}

absl::Status FilteredRow::Apply(const TableInfo& table, const void* row) {
  row_ = row;
  if (!table.has_filters) return absl::OkStatus();
  if (table.ops.copy == nullptr || table.ops.assign == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(table.name, ": a struct with Filter() has to be copyable"));
  }
  table_ = &table;
  void* memory = ::operator new (table.row_size, std::align_val_t{table.row_align});
  table.ops.copy(memory, row);
  copy_ = memory;
  row_ = memory;
  for (const Column& column : table.columns) {
    if (!column.has(Column::kFiltered)) continue;
    // The value belongs to the copy, and Value() finds it without an empty one being made.
    if (const void* value = column.Value(copy_); value != nullptr) {
      column.filter.apply(const_cast<void*>(value));
    }
  }
  return absl::OkStatus();
}

void FilteredRow::Return(void* row) const {
  if (copy_ != nullptr) table_->ops.assign(row, copy_);
}

absl::Status CheckRules(const TableInfo& table, const Column& column, const void* row) {
  const void* value = column.Value(row);
  if (value == nullptr) {
    if (!column.has(Column::kNotNull)) return absl::OkStatus();
    return ColumnError(absl::StatusCode::kInvalidArgument, table, column, "NOT NULL: is empty");
  }
  if (column.max_length != 0 && IsTooLong(column, value)) {
    return ColumnError(absl::StatusCode::kInvalidArgument, table, column,
                       absl::StrCat("longer than ", column.max_length));
  }
  if (column.has(Column::kValidated) && !column.validator.valid(value)) {
    return ColumnError(absl::StatusCode::kInvalidArgument, table, column, column.validator.reason);
  }
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
