// File: select.h
//
// Queries of described tables, by conditions that the compiler checks (expression.h):
//
//   const auto adults = Select<Person>()
//                           .Where(Col(&Person::age) >= 18)
//                           .OrderBy(&Person::name, Desc(&Person::age))
//                           .Limit(20);
//   absl::StatusOr<std::vector<Person>> people = adults.All(*db);
//
//   // The next page: no row twice, and none left out, whatever has been written meanwhile.
//   people = Select<Person>(adults).After(people->back()).All(*db);
//
//   // Some columns alone: tuples, or single values.
//   absl::StatusOr<std::vector<std::tuple<std::string, std::int64_t>>> cities =
//       Select<Person>()
//           .Columns(&Person::city, Count())
//           .GroupBy(&Person::city)
//           .Having(Count() > 10)
//           .All(*db);
//
//   // By the reference of a field: Order has (customer, References<Customer>()).
//   absl::StatusOr<std::vector<Order>> orders =
//       Select<Order>().Join<Customer>().Where(Col(&Customer::name) == name).All(*db);
//
//   absl::StatusOr<std::int64_t> gone = DeleteWhere<Person>(*db, Col(&Person::age) < 18);
//
// A query is a value of its own, without a database: it can be kept, copied, and run on a Database
// or in a Transaction, by one thread at a time. The same query with other values has the same SQL,
// for which a statement is kept.

#ifndef STRATA_ORM_SELECT_H_
#define STRATA_ORM_SELECT_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/database.h"
#include "strata/orm/expression.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/rows_internal.h"
#include "strata/orm/table.h"

namespace strata::orm {

// What to order by: a field, or an Expression; the smallest first, and NULL before all.
class OrderKey {
 public:
  template <typename Source>
  OrderKey(const Source& source, bool descending = false)  // NOLINT: implicit by design.
      : term_{Col(source).term(), descending} {
    static_assert(!internal::IsNested(kTypeInfo<internal::PlainValueOf<Source>>.kind),
                  "lists and structs have no order");
  }

  const internal::OrderTerm& term() const { return term_; }

 private:
  internal::OrderTerm term_;
};

template <typename Source>
OrderKey Desc(const Source& source) {
  return OrderKey(source, true);
}

namespace internal {

template <typename... Sources>
struct ProjectedRow {
  using Type = std::tuple<ValueOf<Sources>...>;
};
template <typename Source>
struct ProjectedRow<Source> {
  using Type = ValueOf<Source>;
};

}  // namespace internal

// Rows of T's table, as a Row each.
template <typename T, typename Row = T>
class Select {
 public:
  Select() {
    static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
    operation_.table = &TableOf<T>();
  }

  // All conditions that are given have to be true.
  Select& Where(const Condition& condition) {
    operation_.where.push_back(condition.term());
    return *this;
  }

  // By the first key, then the second... Rows that are equal in all of them are in the order of the
  // table's key, in the last one's direction.
  template <typename... Keys>
  Select& OrderBy(const Keys&... keys) {
    (operation_.order.push_back(OrderKey(keys).term()), ...);
    return *this;
  }

  Select& Limit(std::int64_t rows) {
    operation_.limit = rows;
    return *this;
  }
  // Skips rows; they are read nevertheless, which After() spares.
  Select& Offset(std::int64_t rows) {
    operation_.offset = rows;
    return *this;
  }

  // Only rows that come after `row` by the order, or by the key if there is none. Its fields of the
  // order and the key count alone; it need not be there any more. Orders are by columns of T, joins
  // do not multiply its rows, and there is no Distinct(); else it is an InvalidArgument.
  Select& After(const T& row) {
    operation_.after = std::make_shared<const T>(row);
    return *this;
  }

  // Rows of both tables that belong together: by the field that is a reference to U, of T or of a
  // table joined before, or by one of U's to these. There may be several such fields: then it has
  // to be named. Conditions, orders and columns can then be of U.
  template <typename U>
  Select& Join() {
    return AddJoin<U>({.table = &TableOf<U>(), .is_left = false});
  }
  template <typename U, typename Owner, typename M>
  Select& Join(M Owner::*reference) {
    return AddJoin<U>({.table = &TableOf<U>(),
                       .is_left = false,
                       .by_reference = true,
                       .reference = Col(reference).term().column});
  }

  // The same, but rows without a partner stay; columns of U are NULL there, and need Optional().
  template <typename U>
  Select& LeftJoin() {
    return AddJoin<U>({.table = &TableOf<U>(), .is_left = true});
  }
  template <typename U, typename Owner, typename M>
  Select& LeftJoin(M Owner::*reference) {
    return AddJoin<U>({.table = &TableOf<U>(),
                       .is_left = true,
                       .by_reference = true,
                       .reference = Col(reference).term().column});
  }

  // Of rows that are equal in all their columns, one: as those of T that a Join() has multiplied,
  // or the values that there are of a column. An order is by some of these columns.
  Select& Distinct() {
    operation_.distinct = true;
    return *this;
  }

  // One row for all those that are equal in these; what is not among them is computed of the rows
  // (Count(), Sum()...).
  template <typename... Sources>
  Select& GroupBy(const Sources&... sources) {
    (operation_.group.push_back(Col(sources).term()), ...);
    return *this;
  }
  // A condition on groups.
  Select& Having(const Condition& condition) {
    operation_.having.push_back(condition.term());
    return *this;
  }

  // These fields alone are read; the others of the struct are as it makes them.
  Select& Fields(std::initializer_list<Field<std::type_identity_t<T>>> fields) {
    static_assert(std::is_same_v<Row, T>, "Fields() is for rows that are the struct");
    operation_.results.clear();
    fields_.clear();
    if (fields.size() == 0) operation_.results = {internal::InvalidTerm("no fields to read")};
    for (const Field<T>& field : fields) {
      operation_.results.push_back(internal::ColumnTerm(TableOf<T>(), field.offset()));
      const Column* column = operation_.results.back().column;
      if (column != nullptr) fields_.push_back({column->type, column->offset});
    }
    return *this;
  }

  // The same query, whose rows are tuples of these, or values if it is one.
  template <typename... Sources>
  auto Columns(const Sources&... sources) const {
    static_assert(sizeof...(Sources) > 0);
    Select<T, typename internal::ProjectedRow<Sources...>::Type> projected;
    projected.operation_ = operation_;
    projected.operation_.results = {Col(sources).term()...};
    return projected;
  }

  absl::StatusOr<std::vector<Row>> All(Records& records) const {
    absl::StatusOr<std::vector<Row>> rows(std::in_place);
    internal::VectorSink<Row> sink(&*rows);
    if (absl::Status status = Run(records, operation_, sink); !status.ok()) return status;
    return rows;
  }

  // NotFound if there is none.
  absl::StatusOr<Row> First(Records& records) const {
    absl::StatusOr<Row> row(std::in_place);
    internal::FirstSink<Row> sink(&*row);
    internal::SelectOperation operation = operation_;
    operation.limit = operation.limit ? std::min<std::int64_t>(*operation.limit, 1) : 1;
    if (absl::Status status = Run(records, operation, sink); !status.ok()) return status;
    if (!sink.found()) return absl::NotFoundError("no row is of the query");
    return row;
  }

  // Row by row, without keeping them: Records::ForEach() says how.
  template <typename Each>
  absl::Status ForEach(Records& records, Each&& each) const {
    internal::EachSink<Row, std::remove_reference_t<Each>> sink(each);
    return Run(records, operation_, sink);
  }

  // How many rows All() would give.
  absl::StatusOr<std::int64_t> Count(Records& records) const {
    return Number(records, internal::SelectOperation::What::kCount);
  }
  // Whether All() would give any.
  absl::StatusOr<bool> Exists(Records& records) const {
    const absl::StatusOr<std::int64_t> exists =
        Number(records, internal::SelectOperation::What::kExists);
    if (!exists.ok()) return exists.status();
    return *exists != 0;
  }

  const internal::SelectOperation& operation() const { return operation_; }

 private:
  template <typename, typename>
  friend class Select;

  template <typename U>
  Select& AddJoin(const internal::JoinedTable& join) {
    static_assert(TableOf<U>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
    operation_.joins.push_back(join);
    return *this;
  }

  absl::Status Run(Records& records, const internal::SelectOperation& operation,
                   internal::RowSink& sink) const {
    internal::RowStore& store = internal::StoreOf(records);
    if (!fields_.empty()) return store.Select(operation, fields_, sink);
    if constexpr (std::is_same_v<Row, T>) {
      return store.Select(operation, internal::kFieldsOf<T>, sink);
    } else {
      const internal::RowShapeOf<Row> shape;
      return store.Select(operation, shape.get().fields, sink);
    }
  }

  absl::StatusOr<std::int64_t> Number(Records& records,
                                      internal::SelectOperation::What what) const {
    constexpr internal::ResultField kField{&kTypeInfo<std::int64_t>, 0};
    internal::SelectOperation operation = operation_;
    operation.what = what;
    std::int64_t number = 0;
    internal::FirstSink<std::int64_t> sink(&number);
    absl::Status status = internal::StoreOf(records).Select(operation, {&kField, 1}, sink);
    if (!status.ok()) return status;
    return number;
  }

  internal::SelectOperation operation_;
  std::vector<internal::ResultField> fields_;  // Of Fields().
};

// Deletes the rows of T's table for which the condition is true, and returns how many: And() for
// all of them.
template <typename T>
absl::StatusOr<std::int64_t> DeleteWhere(Records& records, const Condition& condition) {
  static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
  internal::ChangeOperation operation;
  operation.table = &TableOf<T>();
  operation.where = &condition.term();
  return internal::StoreOf(records).Change(operation);
}

// Writes these fields of `values` to all the rows for which the condition is true, and returns how
// many these are. As by an update of each: filters and rules come first, ModifiedAt() is set, and
// each row's Version() counts on.
template <typename T>
absl::StatusOr<std::int64_t> UpdateWhere(
    Records& records, const T& values, std::initializer_list<Field<std::type_identity_t<T>>> fields,
    const Condition& condition) {
  static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
  std::vector<std::uint32_t> offsets;
  offsets.reserve(fields.size());
  for (const Field<T>& field : fields) offsets.push_back(field.offset());
  internal::ChangeOperation operation;
  operation.table = &TableOf<T>();
  operation.where = &condition.term();
  operation.row = &values;
  operation.offsets = offsets;
  return internal::StoreOf(records).Change(operation);
}

}  // namespace strata::orm

#endif  // STRATA_ORM_SELECT_H_
