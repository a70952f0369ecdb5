// File: expression.h
//
// Conditions on fields of described structs, and what queries compute of them (select.h):
//
//   Col(&Person::age) >= 18
//   And(Col(&Person::name).Like(EscapeLike(input) + "%"), Not(Col(&Person::email).IsNull()))
//   Or(Col(&Person::city).In({"Rome", "Oslo"}), Col(&Person::age).Between(30, 40))
//
// They are values, which own the values within them, to be kept and combined. Those are bound, and
// never part of SQL. The column stands on the left. What is compared has the same type, checked by
// the compiler: integers of any size with each other, and numbers with reals; texts with any kind
// of text. A condition that
// cannot be (a field that is no column, nesting deeper than 24) is an InvalidArgument of the query.
//
// As in SQL, a comparison with NULL is neither true nor false, nor is Not() of it; that is what
// IsNull() is for. Texts are compared as the column's Collate() says.

#ifndef STRATA_ORM_EXPRESSION_H_
#define STRATA_ORM_EXPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "strata/orm/query_internal.h"
#include "strata/orm/table.h"

namespace strata::orm {

template <typename V>
class Expression;

// Values of one In(), at most.
inline constexpr std::size_t kMaxInValues = 1000;

namespace internal {

template <typename V>
struct WithoutOptional {
  using Type = V;
};
template <typename V>
struct WithoutOptional<std::optional<V>> {
  using Type = V;
};

template <typename V>
inline constexpr bool kIsExpression = false;
template <typename V>
inline constexpr bool kIsExpression<Expression<V>> = true;

// A value that owns what it is.
template <typename V>
Term ValueTerm(const V& value) {
  using Kept = std::conditional_t<std::convertible_to<const V&, std::string_view>, std::string, V>;
  auto kept = std::make_shared<const Kept>(value);
  Term term;
  term.op = Op::kValue;
  term.argument = MakeArgument(*kept);
  term.owner = std::move(kept);
  return term;
}

template <typename V, typename Operand>
Term OperandTerm(const Operand& operand) {
  if constexpr (kIsExpression<Operand>) {
    using Other = typename WithoutOptional<typename Operand::Value>::Type;
    static_assert(FitsType<Other>(kTypeInfo<V>), "the two have different types");
    return operand.term();
  } else {
    static_assert(FitsType<Operand>(kTypeInfo<V>), "the value is not of the column's type");
    return ValueTerm(operand);
  }
}

constexpr bool IsNested(Kind kind) {
  return kind == Kind::kJson || kind == Kind::kList || kind == Kind::kStruct;
}

}  // namespace internal

// Of And(), Or(), Not() and comparisons.
class Condition {
 public:
  explicit Condition(internal::Term term) : term_(std::move(term)) {}

  const internal::Term& term() const { return term_; }

 private:
  internal::Term term_;
};

// Something that a query can compute, whose values are of the type V: an optional, if it may be
// NULL.
template <typename V>
class Expression {
 public:
  using Value = V;

  explicit Expression(internal::Term term) : term_(std::move(term)) {}

  const internal::Term& term() const { return term_; }

  template <typename Operand>
  Condition operator==(const Operand& operand) const {
    return Compare(internal::Op::kEqual, operand);
  }
  template <typename Operand>
  Condition operator!=(const Operand& operand) const {
    return Compare(internal::Op::kNotEqual, operand);
  }
  template <typename Operand>
  Condition operator<(const Operand& operand) const {
    return Compare(internal::Op::kLess, operand);
  }
  template <typename Operand>
  Condition operator<=(const Operand& operand) const {
    return Compare(internal::Op::kLessOrEqual, operand);
  }
  template <typename Operand>
  Condition operator>(const Operand& operand) const {
    return Compare(internal::Op::kGreater, operand);
  }
  template <typename Operand>
  Condition operator>=(const Operand& operand) const {
    return Compare(internal::Op::kGreaterOrEqual, operand);
  }

  // Not less than `low`, and not greater than `high`.
  template <typename Low, typename High>
  Condition Between(const Low& low, const High& high) const {
    std::vector<internal::Term> operands;
    operands.push_back(term_);
    operands.push_back(internal::OperandTerm<Plain>(low));
    operands.push_back(internal::OperandTerm<Plain>(high));
    return Condition(internal::MakeTerm(internal::Op::kBetween, std::move(operands)));
  }

  // One of at most kMaxInValues values; never true without any.
  template <typename Operand>
  Condition In(std::span<const Operand> values) const {
    static_assert(kIsComparable, "lists and structs are not compared");
    if (values.size() > kMaxInValues) {
      return Condition(internal::InvalidTerm("more than 1000 values for In()"));
    }
    std::vector<internal::Term> operands;
    operands.push_back(term_);
    for (const Operand& value : values) operands.push_back(internal::OperandTerm<Plain>(value));
    return Condition(internal::MakeTerm(internal::Op::kIn, std::move(operands)));
  }
  template <typename Operand>
  Condition In(const std::vector<Operand>& values) const {
    return In(std::span<const Operand>(values));
  }
  template <typename Operand>
  Condition In(std::initializer_list<Operand> values) const {
    return In(std::span<const Operand>(values.begin(), values.size()));
  }

  // Whether a text is like the pattern, in which % stands for any characters, _ for one, and
  // \ makes the next one stand for itself (EscapeLike). Letters of ASCII are equal to those of
  // other case.
  Condition Like(std::string_view pattern) const {
    static_assert(internal::FitsType<std::string>(kTypeInfo<Plain>), "Like() is for texts");
    return Condition(internal::MakeTerm(internal::Op::kLike, term_, internal::ValueTerm(pattern)));
  }

  Condition IsNull() const { return Condition(internal::MakeTerm(internal::Op::kIsNull, term_)); }

 private:
  using Plain = typename internal::WithoutOptional<V>::Type;
  static constexpr bool kIsComparable = !internal::IsNested(kTypeInfo<Plain>.kind);

  template <typename Operand>
  Condition Compare(internal::Op op, const Operand& operand) const {
    static_assert(kIsComparable, "lists and structs are not compared");
    return Condition(internal::MakeTerm(op, term_, internal::OperandTerm<Plain>(operand)));
  }

  internal::Term term_;
};

// All of them; true without any.
template <typename... Conditions>
Condition And(const Conditions&... conditions) {
  return Condition(
      internal::MakeTerm(internal::Op::kAnd, std::vector<internal::Term>{conditions.term()...}));
}

// At least one of them; false without any.
template <typename... Conditions>
Condition Or(const Conditions&... conditions) {
  return Condition(
      internal::MakeTerm(internal::Op::kOr, std::vector<internal::Term>{conditions.term()...}));
}

inline Condition Not(const Condition& condition) {
  return Condition(internal::MakeTerm(internal::Op::kNot, condition.term()));
}

// A text that stands for itself within a pattern of Like().
std::string EscapeLike(std::string_view text);

// A column: Col(&Person::age). The functions below, and those of a query, take the bare field too.
template <typename T, typename M>
Expression<M> Col(M T::*field) {
  return Expression<M>(internal::ColumnTerm(TableOf<T>(), internal::OffsetOf(field)));
}
template <typename V>
Expression<V> Col(const Expression<V>& expression) {
  return expression;
}

namespace internal {

template <typename Source>
using ValueOf = typename decltype(Col(std::declval<const Source&>()))::Value;
template <typename Source>
using PlainValueOf = typename WithoutOptional<ValueOf<Source>>::Type;

template <typename V>
constexpr auto SumType() {
  constexpr TypeInfo kInfo = kTypeInfo<V>;
  static_assert(!kInfo.is_enum && (IsNumberKind(kInfo.kind) || kInfo.kind == Kind::kCurrency ||
                                   kInfo.kind == Kind::kDuration),
                "Sum() is for numbers, Currency and durations");
  if constexpr (IsIntegerKind(kInfo.kind)) {
    return std::type_identity<std::int64_t>();
  } else if constexpr (IsNumberKind(kInfo.kind)) {
    return std::type_identity<double>();
  } else {
    return std::type_identity<V>();
  }
}

template <typename V, typename Source>
Expression<V> Computed(Op op, const Source& source) {
  return Expression<V>(MakeTerm(op, Col(source).term()));
}

}  // namespace internal

// Of all rows, or of those of each group (Select::GroupBy). Count() counts rows, Count(field)
// values; NULL counts for none of the others, and is what they are without a value. A sum of
// integers that overflows is an error.
inline Expression<std::int64_t> Count() {
  return Expression<std::int64_t>(
      internal::MakeTerm(internal::Op::kCount, std::vector<internal::Term>()));
}
template <typename Source>
Expression<std::int64_t> Count(const Source& source) {
  return internal::Computed<std::int64_t>(internal::Op::kCount, source);
}
template <typename Source>
auto Sum(const Source& source) {
  using Type = typename decltype(internal::SumType<internal::PlainValueOf<Source>>())::type;
  return internal::Computed<std::optional<Type>>(internal::Op::kSum, source);
}
template <typename Source>
auto Min(const Source& source) {
  using Type = internal::PlainValueOf<Source>;
  static_assert(!internal::IsNested(kTypeInfo<Type>.kind), "lists and structs are not compared");
  return internal::Computed<std::optional<Type>>(internal::Op::kMin, source);
}
template <typename Source>
auto Max(const Source& source) {
  using Type = internal::PlainValueOf<Source>;
  static_assert(!internal::IsNested(kTypeInfo<Type>.kind), "lists and structs are not compared");
  return internal::Computed<std::optional<Type>>(internal::Op::kMax, source);
}
template <typename Source>
Expression<std::optional<double>> Avg(const Source& source) {
  constexpr TypeInfo kInfo = kTypeInfo<internal::PlainValueOf<Source>>;
  static_assert(!kInfo.is_enum && internal::IsNumberKind(kInfo.kind), "Avg() is for numbers");
  return internal::Computed<std::optional<double>>(internal::Op::kAvg, source);
}

// The value at a path (https://sqlite.org/json1.html section 3) of what is stored as JSON: lists,
// structs, Json. NULL where the path leads to nothing; what is no V is an error of reading it.
//
//   JsonValue<std::string>(&Order::lines, "$[0].article") == "tea"
template <typename V, typename Source>
Expression<std::optional<V>> JsonValue(const Source& source, std::string_view path) {
  static_assert(internal::IsNested(kTypeInfo<internal::PlainValueOf<Source>>.kind),
                "JsonValue() is for lists, structs and Json");
  static_assert(kTypeInfo<V>.kind == Kind::kBool || kTypeInfo<V>.kind == Kind::kString ||
                    internal::IsNumberKind(kTypeInfo<V>.kind),
                "a value in JSON is a bool, a number or a std::string");
  return Expression<std::optional<V>>(
      internal::MakeTerm(internal::Op::kJsonValue, Col(source).term(), internal::ValueTerm(path)));
}

// The same, where a LeftJoin() may have put NULL.
template <typename Source>
auto Optional(const Source& source) {
  return Expression<std::optional<internal::PlainValueOf<Source>>>(Col(source).term());
}

}  // namespace strata::orm

#endif  // STRATA_ORM_EXPRESSION_H_
