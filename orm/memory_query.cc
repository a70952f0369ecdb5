#include <algorithm>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_query_internal.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm::internal {
namespace {

using What = SelectOperation::What;

absl::Status NeedsSql(std::string_view what) {
  return absl::UnimplementedError(absl::StrCat("the engine in memory has no ", what));
}

// As in SQL, a condition on NULL may be neither.
using Truth = std::optional<bool>;

Collation CollationOf(const Term& term) {
  Collation collation = Collation::kBinary;
  if (term.op == Op::kColumn) FindCollation(term.column->collation, &collation);
  return collation;
}

Value ValueOfTerm(const Term& term, const void* row) {
  return term.op == Op::kColumn ? ValueIn(*term.column, row) : ValueOfArgument(term.argument);
}

// A number that is below, equal to or above 0 as the first one is to the second; nothing with NULL.
std::optional<int> Order(const Term& condition, std::size_t second, const void* row) {
  const Value a = ValueOfTerm(condition.operands[0], row);
  const Value b = ValueOfTerm(condition.operands[second], row);
  if (a.what == Value::Class::kNull || b.what == Value::Class::kNull) return std::nullopt;
  return CompareAny(a, b, CollationOf(condition.operands[0]));
}

Truth TruthOf(const Term& condition, const void* row);

// Of And() and Or(): `decides` is the value of an operand that is enough.
Truth Combined(const Term& condition, const void* row, bool decides) {
  Truth result = !decides;
  for (const Term& operand : condition.operands) {
    const Truth truth = TruthOf(operand, row);
    if (truth == decides) return decides;
    if (!truth.has_value()) result = std::nullopt;
  }
  return result;
}

Truth IsIn(const Term& condition, const void* row) {
  Truth result = false;
  for (std::size_t i = 1; i < condition.operands.size(); ++i) {
    const std::optional<int> order = Order(condition, i, row);
    if (order == 0) return true;
    if (!order.has_value()) result = std::nullopt;
  }
  return result;
}

Truth IsBetween(const Term& condition, const void* row) {
  const std::optional<int> low = Order(condition, 1, row);
  const std::optional<int> high = Order(condition, 2, row);
  if ((low.has_value() && *low < 0) || (high.has_value() && *high > 0)) return false;
  return low.has_value() && high.has_value() ? Truth(true) : std::nullopt;
}

Truth TruthOf(const Term& condition, const void* row) {
  switch (condition.op) {
    case Op::kAnd:
      return Combined(condition, row, false);
    case Op::kOr:
      return Combined(condition, row, true);
    case Op::kNot: {
      const Truth truth = TruthOf(condition.operands[0], row);
      return truth.has_value() ? Truth(!*truth) : truth;
    }
    case Op::kIn:
      return IsIn(condition, row);
    case Op::kBetween:
      return IsBetween(condition, row);
    case Op::kIsNull:
      // Of what is nested too, which has no value to compare.
      return condition.operands[0].column->Value(row) == nullptr;
    case Op::kLike: {
      const Value text = ValueOfTerm(condition.operands[0], row);
      if (text.what == Value::Class::kNull) return std::nullopt;
      return IsLike(text.bytes, ValueOfTerm(condition.operands[1], row).bytes);
    }
    default:
      break;
  }
  const std::optional<int> order = Order(condition, 1, row);
  if (!order.has_value()) return std::nullopt;
  switch (condition.op) {
    case Op::kEqual:
      return *order == 0;
    case Op::kNotEqual:
      return *order != 0;
    case Op::kLess:
      return *order < 0;
    case Op::kLessOrEqual:
      return *order <= 0;
    case Op::kGreater:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

absl::Status CheckOperand(const TableInfo& info, const Term& term) {
  if (term.op == Op::kInvalid) return absl::InvalidArgumentError(term.argument.text);
  if (term.op == Op::kValue) return absl::OkStatus();
  if (term.op != Op::kColumn) return NeedsSql("aggregates, paths into JSON and searches");
  if (term.table == &info) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(term.table->name, " is not in the query"));
}

// Rows that may be those of a condition, found by an index; false if there is none for it.
class IndexSearch {
 public:
  IndexSearch(const MemoryTable& table, std::vector<char*>* rows) : table_(table), rows_(*rows) {}

  // By one of all these, of which the one that finds the fewest rows is tried first.
  bool Find(std::span<const Term> conditions) {
    return Any(conditions, &IndexSearch::FindUnique) || Any(conditions, &IndexSearch::FindEqual) ||
           Any(conditions, &IndexSearch::FindRange);
  }

 private:
  bool Any(std::span<const Term> conditions, bool (IndexSearch::*find)(const Term&)) {
    for (const Term& condition : conditions) {
      if (condition.op == Op::kAnd ? Any(condition.operands, find) : (this->*find)(condition)) {
        return true;
      }
    }
    return false;
  }

  // Whether it compares a column with values that are in an index as they are: a real is not equal
  // to an integer there.
  static bool IsOfColumn(const Term& condition) {
    const Term& first = condition.operands[0];
    if (first.op != Op::kColumn) return false;
    return std::all_of(
        condition.operands.begin() + 1, condition.operands.end(), [&](const Term& term) {
          if (term.op != Op::kValue) return false;
          const Value value = ValueOfArgument(term.argument);
          return value.what != Value::Class::kNull &&
                 (value.what == Value::Class::kReal) == (first.column->storage == Storage::kReal);
        });
  }

  static bool IsEquality(const Term& condition) {
    return (condition.op == Op::kEqual || condition.op == Op::kIn) && IsOfColumn(condition);
  }

  // The same value, or key, may be there twice.
  void Unite() {
    std::sort(rows_.begin(), rows_.end());
    rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
  }

  bool FindUnique(const Term& condition) {
    if (!IsEquality(condition)) return false;
    const Column& column = *condition.operands[0].column;
    const TableInfo& info = table_.info();
    const bool is_key = info.key_count == 1 && &info.key_column() == &column;
    const HashIndex* index = is_key ? nullptr : table_.UniqueOf(column);
    if (!is_key && index == nullptr) return false;
    for (const Term& term : std::span(condition.operands).subspan(1)) {
      const Value value = ValueOfArgument(term.argument);
      char* row = is_key ? table_.FindReferred(value) : index->Find({&value, 1});
      if (row != nullptr) rows_.push_back(row);
    }
    Unite();
    return true;
  }

  void Scan(const OrderedIndex& index, const Value* low, const Value* high) {
    index.Scan(low, high, [&](const char* row) {
      rows_.push_back(const_cast<char*>(row));
      return true;
    });
  }

  bool FindEqual(const Term& condition) {
    if (!IsEquality(condition)) return false;
    const OrderedIndex* index = table_.OrderedOf(*condition.operands[0].column);
    if (index == nullptr) return false;
    for (const Term& term : std::span(condition.operands).subspan(1)) {
      const Value value = ValueOfArgument(term.argument);
      Scan(*index, &value, &value);
    }
    Unite();
    return true;
  }

  bool FindRange(const Term& condition) {
    const bool is_below = condition.op == Op::kLess || condition.op == Op::kLessOrEqual;
    const bool is_above = condition.op == Op::kGreater || condition.op == Op::kGreaterOrEqual;
    if ((!is_below && !is_above && condition.op != Op::kBetween) || !IsOfColumn(condition)) {
      return false;
    }
    const OrderedIndex* index = table_.OrderedOf(*condition.operands[0].column);
    if (index == nullptr) return false;
    const Value first = ValueOfArgument(condition.operands[1].argument);
    const Value last = ValueOfArgument(condition.operands.back().argument);
    Scan(*index, is_below ? nullptr : &first, is_above ? nullptr : &last);
    return true;
  }

  const MemoryTable& table_;
  std::vector<char*>& rows_;
};

// Whether one row comes before another.
class RowOrder {
 public:
  explicit RowOrder(const SelectOperation& operation) : terms_(WholeOrder(operation)) {}

  bool operator()(const void* a, const void* b) const {
    for (const OrderTerm& each : terms_) {
      const Column& column = *each.term.column;
      const int order = Compare(ValueIn(column, a), ValueIn(column, b), CollationOf(each.term));
      if (order != 0) return each.descending ? order > 0 : order < 0;
    }
    return false;
  }

 private:
  std::vector<OrderTerm> terms_;
};

bool IsOptionalOf(const TypeInfo& type, const TypeInfo& value) {
  return type.kind == Kind::kOptional && type.element == &value;
}

// `type` is null if rows are counted only.
absl::Status CheckResult(const TableInfo& info, const Term& term, const TypeInfo* type) {
  if (absl::Status status = CheckOperand(info, term); !status.ok()) return status;
  if (term.op != Op::kColumn) return NeedsSql("results that are no columns");
  if (type == nullptr || type == term.column->type || IsOptionalOf(*type, *term.column->value)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(info.name, ".", term.column->name, ": has another type than the result"));
}

}  // namespace

absl::Status CheckCondition(const TableInfo& info, const Term& condition) {
  switch (condition.op) {
    case Op::kInvalid:
      return absl::InvalidArgumentError(condition.argument.text);
    case Op::kAnd:
    case Op::kOr:
    case Op::kNot:
      for (const Term& operand : condition.operands) {
        if (absl::Status status = CheckCondition(info, operand); !status.ok()) return status;
      }
      return absl::OkStatus();
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kLike:
    case Op::kIn:
    case Op::kBetween:
    case Op::kIsNull:
      for (const Term& operand : condition.operands) {
        if (absl::Status status = CheckOperand(info, operand); !status.ok()) return status;
      }
      return absl::OkStatus();
    default:
      return NeedsSql("searches");
  }
}

bool Holds(const Term& condition, const void* row) { return TruthOf(condition, row) == true; }

absl::StatusOr<std::vector<char*>> FindRows(const MemoryTable& table,
                                            std::span<const Term> conditions) {
  for (const Term& condition : conditions) {
    absl::Status status = CheckCondition(table.info(), condition);
    if (!status.ok()) return status;
  }
  const auto holds = [&](const char* row) {
    return std::all_of(conditions.begin(), conditions.end(),
                       [&](const Term& condition) { return Holds(condition, row); });
  };
  std::vector<char*> rows;
  if (IndexSearch(table, &rows).Find(conditions)) {
    std::erase_if(rows, [&](const char* row) { return !holds(row); });
    return rows;
  }
  table.ForEach([&](const char* row) {
    if (holds(row)) rows.push_back(const_cast<char*>(row));
    return true;
  });
  return rows;
}

absl::Status CheckQuery(const SelectOperation& operation, std::span<const ResultField> fields) {
  const TableInfo& info = *operation.table;
  if (!operation.joins.empty() || !operation.group.empty() || !operation.having.empty() ||
      operation.distinct) {
    return NeedsSql("joins, groups and Distinct()");
  }
  if (operation.limit.value_or(0) < 0 || operation.offset < 0) {
    return absl::InvalidArgumentError("a limit below 0");
  }
  for (std::size_t i = 0; i < operation.results.size(); ++i) {
    const TypeInfo* type = operation.what == What::kRows ? fields[i].type : nullptr;
    absl::Status status = CheckResult(info, operation.results[i], type);
    if (!status.ok()) return status;
  }
  for (const OrderTerm& each : operation.order) {
    if (absl::Status status = CheckOperand(info, each.term); !status.ok()) return status;
    if (each.term.op != Op::kColumn) return NeedsSql("orders but by columns");
  }
  return absl::OkStatus();
}

RowRange RangeOf(const SelectOperation& operation) {
  constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
  return {static_cast<std::size_t>(operation.offset),
          static_cast<std::size_t>(operation.limit.value_or(kAll))};
}

absl::Status GiveRow(const SelectOperation& operation, const void* row,
                     std::span<const ResultField> fields, RowSink& sink, bool* more) {
  auto* to = static_cast<char*>(sink.Next());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Column& column =
        operation.results.empty() ? operation.table->columns[i] : *operation.results[i].column;
    void* field = to + fields[i].offset;
    const TypeInfo& type = *fields[i].type;
    if (&type == column.type) {
      CopyValue(type, field, static_cast<const char*>(row) + column.offset);
    } else if (const void* value = column.Value(row); value != nullptr) {
      CopyValue(*type.element, type.optional->emplace(field), value);
    } else {
      type.optional->reset(field);
    }
  }
  return sink.Take(more);
}

absl::Status GiveNumber(const SelectOperation& operation, std::size_t rows,
                        std::span<const ResultField> fields, RowSink& sink) {
  const RowRange range = RangeOf(operation);
  const std::size_t given = rows - std::min(rows, range.skipped);
  auto number = static_cast<std::int64_t>(std::min(given, range.count));
  if (operation.what == What::kExists) number = number != 0 ? 1 : 0;
  bool more = true;
  StoreInteger(*fields[0].type, static_cast<char*>(sink.Next()) + fields[0].offset, number);
  return sink.Take(&more);
}

absl::Status SelectRows(const MemoryTable& table, const SelectOperation& operation,
                        std::span<const ResultField> fields, RowSink& sink) {
  if (absl::Status status = CheckQuery(operation, fields); !status.ok()) return status;
  absl::StatusOr<std::vector<char*>> rows = FindRows(table, operation.where);
  if (!rows.ok()) return rows.status();
  const RowOrder before(operation);
  if (operation.after != nullptr) {
    std::erase_if(*rows, [&](const char* row) { return !before(operation.after.get(), row); });
  }
  if (operation.what != What::kRows) return GiveNumber(operation, rows->size(), fields, sink);
  const RowRange range = RangeOf(operation);
  const std::size_t first = std::min(range.skipped, rows->size());
  const std::size_t last = first + std::min(range.count, rows->size() - first);
  if (!operation.order.empty() || operation.after != nullptr) {
    std::partial_sort(rows->begin(), rows->begin() + static_cast<std::ptrdiff_t>(last), rows->end(),
                      before);
  }
  bool more = true;
  for (std::size_t i = first; i < last && more; ++i) {
    const char* row = (*rows)[i];
    // The one that gets the rows may have deleted it, in its transaction.
    if (!table.IsLinked(row)) continue;
    if (absl::Status status = GiveRow(operation, row, fields, sink, &more); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace strata::orm::internal
