#include <algorithm>
#include <utility>

#include "strata/orm/expression.h"
#include "strata/orm/query_internal.h"

namespace strata::orm {
namespace internal {
namespace {

// The column that a term has values of, or null.
const Column* ColumnOfValues(const Term& term) {
  if (term.op == Op::kMin || term.op == Op::kMax) return ColumnOfValues(term.operands.front());
  return term.op == Op::kColumn ? term.column : nullptr;
}

bool IsComparison(Op op) {
  return (op >= Op::kEqual && op <= Op::kGreaterOrEqual) || op == Op::kIn || op == Op::kBetween;
}

}  // namespace

Term::Term() = default;
Term::Term(const Term& other) = default;
Term::Term(Term&& other) noexcept = default;
Term& Term::operator=(const Term& other) = default;
Term& Term::operator=(Term&& other) noexcept = default;
Term::~Term() = default;

SelectOperation::SelectOperation() = default;
SelectOperation::SelectOperation(const SelectOperation& other) = default;
SelectOperation::SelectOperation(SelectOperation&& other) noexcept = default;
SelectOperation& SelectOperation::operator=(const SelectOperation& other) = default;
SelectOperation& SelectOperation::operator=(SelectOperation&& other) noexcept = default;
SelectOperation::~SelectOperation() = default;

Term InvalidTerm(std::string_view why) {
  Term term;
  term.argument.text = why;
  return term;
}

Term MakeTerm(Op op, Term operand) {
  std::vector<Term> operands;
  operands.push_back(std::move(operand));
  return MakeTerm(op, std::move(operands));
}

Term MakeTerm(Op op, Term first, Term second) {
  std::vector<Term> operands;
  operands.push_back(std::move(first));
  operands.push_back(std::move(second));
  return MakeTerm(op, std::move(operands));
}

Term ColumnTerm(const TableInfo& table, std::uint32_t offset) {
  for (const Column& column : table.columns) {
    if (column.offset != offset) continue;
    Term term;
    term.op = Op::kColumn;
    term.table = &table;
    term.column = &column;
    return term;
  }
  return InvalidTerm("a field is no column");
}

Term MakeTerm(Op op, std::vector<Term> operands) {
  Term term;
  term.op = op;
  for (const Term& operand : operands) term.depth = std::max(term.depth, operand.depth);
  if (++term.depth > kMaxTermDepth) return InvalidTerm("conditions are nested too deeply");
  if (IsComparison(op)) {
    const Column* column = ColumnOfValues(operands.front());
    const bool as_text = column != nullptr && column->has(Column::kAsText);
    for (Term& operand : std::span(operands).subspan(1)) {
      const Column* other = ColumnOfValues(operand);
      if (operand.op == Op::kValue) operand.argument.as_text = as_text;
      if (other != nullptr && other->has(Column::kAsText) != as_text) {
        return InvalidTerm("a column with AsText() is compared with one without");
      }
    }
  }
  term.operands = std::move(operands);
  return term;
}

std::vector<OrderTerm> WholeOrder(const SelectOperation& operation) {
  std::vector<OrderTerm> order = operation.order;
  const bool descending = !order.empty() && order.back().descending;
  for (std::size_t i = 0; i < operation.table->key_count; ++i) {
    const Column& column = operation.table->columns[operation.table->key[i]];
    const bool is_there = std::any_of(order.begin(), order.end(), [&](const OrderTerm& each) {
      return each.term.column == &column;
    });
    if (!is_there) order.push_back({ColumnTerm(*operation.table, column.offset), descending});
  }
  return order;
}

}  // namespace internal

std::string EscapeLike(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace strata::orm
