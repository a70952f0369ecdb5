// Rows of results in types of the caller: structs, tuples and single values.

#ifndef STRATA_ORM_ROWS_INTERNAL_H_
#define STRATA_ORM_ROWS_INTERNAL_H_

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

template <typename V>
inline constexpr bool kIsDescribedStruct = false;
template <typename V>
requires std::is_class_v<V> && Described<V>
inline constexpr bool kIsDescribedStruct<V> = true;

// The fields of a described struct, in the order of its columns.
template <typename T>
inline constexpr auto kFieldsOf = [] {
  std::array<ResultField, Tables<T>::kColumns.size()> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i] = {Tables<T>::kColumns[i].type, Tables<T>::kColumns[i].offset};
  }
  return fields;
}();

// The shape of a Row. It has to live as long as what get() gives.
template <typename Row>
class RowShapeOf {
 public:
  static_assert(kIsDescribedStruct<Row> || kTypeInfo<Row>.kind != Kind::kNone,
                "a row is a described struct, a std::tuple, or a type that a column can have");

  RowShape get() const {
    if constexpr (kIsDescribedStruct<Row>) {
      return {&TableOf<Row>(), {}};
    } else {
      static constexpr ResultField kField{&kTypeInfo<Row>, 0};
      return {nullptr, {&kField, 1}};
    }
  }
};

template <typename... Values>
class RowShapeOf<std::tuple<Values...>> {
 public:
  static_assert(((kTypeInfo<Values>.kind != Kind::kNone) && ...),
                "each element of a std::tuple has a type that a column can have");

  RowShapeOf() {
    // Where a tuple has its elements, none but a tuple tells.
    std::tuple<Values...> row{};
    const char* begin = reinterpret_cast<const char*>(&row);
    std::size_t next = 0;
    std::apply(
        [&](const auto&... element) {
          ((fields_[next++].offset =
                static_cast<std::size_t>(reinterpret_cast<const char*>(&element) - begin)),
           ...);
        },
        row);
  }

  RowShape get() const { return {nullptr, fields_}; }

 private:
  std::array<ResultField, sizeof...(Values)> fields_{ResultField{&kTypeInfo<Values>, 0}...};
};

template <typename Row>
class VectorSink : public RowSink {
 public:
  explicit VectorSink(std::vector<Row>* rows) : rows_(rows) {}

  void* Next() override { return &rows_->emplace_back(); }
  absl::Status Take(bool*) override { return absl::OkStatus(); }

 private:
  std::vector<Row>* rows_;
};

// The first row alone.
template <typename Row>
class FirstSink : public RowSink {
 public:
  explicit FirstSink(Row* row) : row_(row) {}

  void* Next() override { return row_; }
  absl::Status Take(bool* more) override {
    found_ = true;
    *more = false;
    return absl::OkStatus();
  }

  bool found() const { return found_; }

 private:
  Row* row_;
  bool found_ = false;
};

template <typename Row, typename Each>
class EachSink : public RowSink {
 public:
  explicit EachSink(Each& each) : each_(each) {}

  void* Next() override {
    row_ = Row();
    return &row_;
  }
  absl::Status Take(bool* more) override {
    using Result = std::invoke_result_t<Each&, Row&>;
    if constexpr (std::is_void_v<Result>) {
      each_(row_);
      return absl::OkStatus();
    } else if constexpr (std::is_same_v<Result, bool>) {
      *more = each_(row_);
      return absl::OkStatus();
    } else {
      static_assert(std::is_same_v<Result, absl::Status>, "returns void, bool or absl::Status");
      return each_(row_);
    }
  }

 private:
  Each& each_;
  Row row_{};
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ROWS_INTERNAL_H_
