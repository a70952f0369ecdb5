// Queries and conditions as engines get them: trees over the columns of tables, without a type of
// the caller in sight. expression.h and select.h make them.

#ifndef STRATA_ORM_QUERY_INTERNAL_H_
#define STRATA_ORM_QUERY_INTERNAL_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

enum class Op : std::uint8_t {
  kInvalid,  // Cannot be; `argument.text` says why.
  kColumn,
  kValue,
  kAnd,  // Of any number of operands: of none, true.
  kOr,   // Of none, false.
  kNot,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kLike,
  kIn,       // The first one in the others.
  kBetween,  // The first one not less than the second, and not greater than the third.
  kIsNull,
  kJsonValue,  // Of a column, at a path.
  kCount,      // Of rows, without an operand.
  kSum,
  kMin,
  kMax,
  kAvg,
  kMatch,      // Of `table`, to the query.
  kRank,       // Of `table`, that a kMatch is of.
  kSnippet,    // Of a column, with two texts around words, one for what is left out, and a number.
  kHighlight,  // Of a column, with two texts around words.
  kOverlaps,   // Of `table`: the box, a least and a greatest number for each dimension.
  kWithin,
};

// Terms within terms, at most: what walks through them recurses, and SQLite's parser has a stack of
// 100, of which a level takes up to 3.
inline constexpr int kMaxTermDepth = 24;

// Here and below, what is not inline is compiled once, and not with each condition.
struct Term {
  Term();
  Term(const Term& other);
  Term(Term&& other) noexcept;
  Term& operator=(const Term& other);
  Term& operator=(Term&& other) noexcept;
  ~Term();

  Op op = Op::kInvalid;
  std::uint8_t depth = 0;
  const TableInfo* table = nullptr;   // Of kColumn, and of searches.
  const Column* column = nullptr;     // The same.
  Argument argument = {};             // Of kValue.
  std::shared_ptr<const void> owner;  // Of what the argument refers to.
  std::vector<Term> operands;
};

Term InvalidTerm(std::string_view why);  // A literal.

Term ColumnTerm(const TableInfo& table, std::uint32_t offset);

// Of operands; a value that is compared with a column becomes of the column's kind.
Term MakeTerm(Op op, std::vector<Term> operands);
Term MakeTerm(Op op, Term operand);
Term MakeTerm(Op op, Term first, Term second);

// A Join: with a reference of one of the tables so far to `table`, or of that to one of these.
struct JoinedTable {
  const TableInfo* table = nullptr;
  bool is_left = false;       // Rows without a partner stay, and NULL is in its place.
  bool by_reference = false;  // There may be several, and it is this one:
  const Column* reference = nullptr;
};

struct OrderTerm {
  Term term;
  bool descending = false;
};

struct SelectOperation {
  SelectOperation();
  SelectOperation(const SelectOperation& other);
  SelectOperation(SelectOperation&& other) noexcept;
  SelectOperation& operator=(const SelectOperation& other);
  SelectOperation& operator=(SelectOperation&& other) noexcept;
  ~SelectOperation();

  enum class What : std::uint8_t { kRows, kCount, kExists };
  What what = What::kRows;
  bool distinct = false;  // Of rows that are equal in all results, one.
  const TableInfo* table = nullptr;
  std::vector<JoinedTable> joins;
  std::vector<Term> results;  // None: all columns of `table`.
  std::vector<Term> where;    // All of them have to be true.
  std::vector<Term> group;
  std::vector<Term> having;
  // Rows that are equal in these are in the order of the key, unless there are groups, or rows are
  // distinct.
  std::vector<OrderTerm> order;
  std::shared_ptr<const void> after;  // Only rows that come after this one, in that order.
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
};

// The order of a query, down to the key, so that no two rows are equal in it.
std::vector<OrderTerm> WholeOrder(const SelectOperation& operation);

// All rows of a table for which a condition is true.
struct ChangeOperation {
  const TableInfo* table = nullptr;
  const Term* where = nullptr;
  const void* row = nullptr;                    // The values of an update; null to delete.
  std::span<const std::uint32_t> offsets = {};  // Of the fields that are written.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_QUERY_INTERNAL_H_
