#include "strata/orm/relation.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm::internal {
namespace {

// Of one query: statements for fewer are the same up to the next power of 2.
constexpr std::size_t kValuesPerQuery = 500;

std::string BytesOf(const void* bytes, std::size_t size) {
  return {static_cast<const char*>(bytes), size};
}

// SQLite's own collations; those that a program registers compare here as bytes.
std::string Collated(std::string_view collation, std::string text) {
  if (SameName(collation, "NOCASE")) absl::AsciiStrToLower(&text);
  if (SameName(collation, "RTRIM")) text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

// References and keys are of the same type, or both integers.
std::string ValueIndex::KeyOf(const TypeInfo& type, const void* value) const {
  switch (type.kind) {
    case Kind::kString:
      return Collated(column_.collation, *static_cast<const std::string*>(value));
    case Kind::kBlob: {
      const Blob& blob = *static_cast<const Blob*>(value);
      return BytesOf(blob.data(), blob.size());
    }
    case Kind::kUuid:
      return BytesOf(value, type.size);
    default: {
      const std::int64_t number = LoadInteger(type, value);
      return BytesOf(&number, sizeof(number));
    }
  }
}

void ValueIndex::Add(const TypeInfo& type, const void* value, std::size_t row) {
  if (value == nullptr) return;
  std::vector<std::size_t>& rows = rows_[KeyOf(type, value)];
  if (rows.empty()) values_.push_back({&type, value, {}});
  rows.push_back(row);
}

std::span<const std::size_t> ValueIndex::Rows(const TypeInfo& type, const void* value) const {
  const void* plain = type.kind == Kind::kOptional ? type.optional->get(value) : value;
  if (plain == nullptr) return {};
  const auto found = rows_.find(KeyOf(type.kind == Kind::kOptional ? *type.element : type, plain));
  return found == rows_.end() ? std::span<const std::size_t>() : found->second;
}

absl::Status SelectRelated(RowStore& store, const SelectOperation& query, const Term& column,
                           const ValueIndex& index, std::span<const ResultField> fields,
                           RowSink& sink) {
  if (query.limit || query.offset != 0 || query.after != nullptr || !query.group.empty() ||
      !query.having.empty() || !query.results.empty()) {
    return absl::InvalidArgumentError(
        "a query of related rows has conditions, joins and an order alone");
  }
  SelectOperation operation = query;
  operation.results.push_back(column);
  for (const Column& each : query.table->columns) {
    operation.results.push_back(ColumnTerm(*query.table, each.offset));
  }
  operation.where.emplace_back();
  for (std::span<const Argument> rest = index.values(); !rest.empty();) {
    const std::size_t count = std::min(rest.size(), kValuesPerQuery);
    std::vector<Term> operands = {column};
    for (const Argument& value : rest.first(count)) {
      Term term;
      term.op = Op::kValue;
      term.argument = value;
      operands.push_back(std::move(term));
    }
    operation.where.back() = MakeTerm(Op::kIn, std::move(operands));
    if (absl::Status status = store.Select(operation, fields, sink); !status.ok()) return status;
    rest = rest.subspan(count);
  }
  return absl::OkStatus();
}

absl::Status CheckReference(const Term& column, const TableInfo& table) {
  if (column.op != Op::kColumn) return absl::InvalidArgumentError(column.argument.text);
  if (column.column->references != nullptr && &column.column->references() == &table) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(column.table->name, ".", column.column->name,
                                                 ": has no References<>() to ", table.name));
}

}  // namespace strata::orm::internal
