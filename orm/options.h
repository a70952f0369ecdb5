// File: options.h
//
// What STRATA_TABLE (table.h) can say of a column, or of the table. The names below need no
// qualification there:
//
//   STRATA_TABLE((Order, Named("orders"), Index("customer", "placed")),
//                id,
//                (customer, References<Customer>(), OnDelete(kCascade)),
//                (code, Unique(), MaxLength(12)),
//                (placed, CreatedAt()),
//                (state, Default(0)))
//
// Texts of SQL here are the program's own: they go into the schema as they are.

#ifndef STRATA_ORM_OPTIONS_H_
#define STRATA_ORM_OPTIONS_H_

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "strata/orm/type_info.h"

namespace strata::orm {

// What becomes of a row when the one that it refers to is deleted, or gets another key
// (https://sqlite.org/foreignkeys.html section 4.3).
enum class ForeignKeyAction : std::uint8_t {
  kNoAction,
  kRestrict,
  kSetNull,
  kSetDefault,
  kCascade
};

// An index over several columns has at most so many.
inline constexpr std::size_t kMaxIndexColumns = 8;

struct IndexInfo {
  std::string_view name = {};  // Empty: made of the table's and the columns' names.
  std::array<std::string_view, kMaxIndexColumns> columns = {};
  std::size_t column_count = 0;
  bool unique = false;
  std::string_view where = {};  // SQL: only rows for which it is true are in the index.
};

// What a table keeps of its changes (change_log.h).
struct ChangeLogInfo {
  std::uint32_t max_entries = 0;      // 0: there is no log.
  std::uint32_t max_age_seconds = 0;  // 0: of any age.
};

// A check of a field's value before it is written. `type` is what it takes.
struct Validator {
  bool (*valid)(const void* value) = nullptr;
  std::string_view reason = {};
  const TypeInfo* type = nullptr;
};

// A change of a field's value before it is checked and written.
struct Filter {
  void (*apply)(void* value) = nullptr;
  const TypeInfo* type = nullptr;
};

struct DefaultValue {
  enum class Type : std::uint8_t { kNone, kNull, kInteger, kReal, kText, kSql };
  Type type = Type::kNone;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text = {};
};

namespace internal {

// One option, of any kind.
struct Option {
  enum class What : std::uint8_t {
    kNamed,
    kPrimaryKey,
    kAutoincrement,
    kUnique,
    kIndexed,
    kNotNull,
    kDefault,
    kCheck,
    kCollate,
    kMaxLength,
    kReferences,
    kOnDelete,
    kOnUpdate,
    kGenerated,
    kStored,
    kCreatedAt,
    kModifiedAt,
    kVersion,
    kAsText,
    kValidate,
    kFilter,
    // Of tables alone:
    kIndex,
    kLogChanges,
    kFullText,
    kBoxes,
  };

  What what;
  std::string_view text = {};
  std::uint32_t number = 0;
  ForeignKeyAction action = ForeignKeyAction::kNoAction;
  const TableInfo& (*references)() = nullptr;
  DefaultValue default_value = {};
  Validator validator = {};
  Filter filter = {};
  IndexInfo index = {};
  ChangeLogInfo log = {};

  // Of Index() and UniqueIndex(): only rows for which the SQL is true.
  constexpr Option Where(std::string_view sql) const {
    Option copy = *this;
    copy.index.where = sql;
    return copy;
  }

  // Of FullText(): what makes words of a text (https://sqlite.org/fts5.html section 4.3), such as
  // "porter unicode61".
  constexpr Option Tokenizer(std::string_view tokenizer) const {
    Option copy = *this;
    copy.text = tokenizer;
    return copy;
  }

  // Of Index() and UniqueIndex(): its name in the schema.
  constexpr Option As(std::string_view name) const {
    Option copy = *this;
    copy.index.name = name;
    return copy;
  }
};

template <typename F>
struct ArgumentOf;
template <typename F, typename R, typename A>
struct ArgumentOf<R (F::*)(A) const> {
  using Type = std::remove_cvref_t<A>;
};

template <typename F>
struct LambdaArgument {
  static_assert(std::is_class_v<F> && std::is_default_constructible_v<F>,
                "Validate() and Filter() take a lambda without captures");
  using Type = typename ArgumentOf<decltype(&F::operator())>::Type;
};
template <typename F>
using ArgumentOfLambda = typename LambdaArgument<F>::Type;

template <std::same_as<std::string_view>... Names>
constexpr Option MakeIndex(Option::What what, bool unique, Names... names) {
  static_assert(sizeof...(Names) >= 1 && sizeof...(Names) <= kMaxIndexColumns,
                "an index takes 1 to 8 columns");
  Option option{.what = what};
  option.index.columns = {names...};
  option.index.column_count = sizeof...(Names);
  option.index.unique = unique;
  return option;
}

}  // namespace internal

namespace options {

using Option = internal::Option;
using enum ForeignKeyAction;

// Of a table or a column: its name in the schema, and a column's in JSON, if it is not that of the
// struct or field.
constexpr Option Named(std::string_view name) {
  return {.what = Option::What::kNamed, .text = name};
}

// The key of the table, or a part of it, in the order of the columns. Without it, that is the
// column `id`.
constexpr Option PrimaryKey() { return {.what = Option::What::kPrimaryKey}; }

// An integer key that is never given out twice, not even after a delete. It costs a write to
// another table with each insert (https://sqlite.org/autoinc.html).
constexpr Option Autoincrement() { return {.what = Option::What::kAutoincrement}; }

constexpr Option Unique() { return {.what = Option::What::kUnique}; }
constexpr Option Indexed() { return {.what = Option::What::kIndexed}; }

// Of an optional field: it may be empty in memory, but not in the database.
constexpr Option NotNull() { return {.what = Option::What::kNotNull}; }

// What a column added to a table with rows gets there, and what a row read from JSON without the
// key does not get: that one has the default of the struct.
constexpr Option Default(std::nullptr_t) {
  return {.what = Option::What::kDefault, .default_value = {DefaultValue::Type::kNull}};
}
constexpr Option Default(std::integral auto value) {
  return {.what = Option::What::kDefault,
          .default_value = {DefaultValue::Type::kInteger, static_cast<std::int64_t>(value)}};
}
constexpr Option Default(double value) {
  return {.what = Option::What::kDefault, .default_value = {DefaultValue::Type::kReal, 0, value}};
}
constexpr Option Default(const char* value) {
  return {.what = Option::What::kDefault,
          .default_value = {DefaultValue::Type::kText, 0, 0, value}};
}
constexpr Option DefaultSql(std::string_view sql) {
  return {.what = Option::What::kDefault, .default_value = {DefaultValue::Type::kSql, 0, 0, sql}};
}

// SQL that is true for every row, of a column or the table.
constexpr Option Check(std::string_view sql) { return {.what = Option::What::kCheck, .text = sql}; }

// How texts compare: "NOCASE" (for ASCII), "RTRIM", or one that the program registers.
constexpr Option Collate(std::string_view collation) {
  return {.what = Option::What::kCollate, .text = collation};
}

// In characters (code points) of a text, in bytes of a blob.
constexpr Option MaxLength(std::uint32_t length) {
  return {.what = Option::What::kMaxLength, .number = length};
}

// The value is the key of a row of T.
template <typename T>
constexpr Option References() {
  return {.what = Option::What::kReferences, .references = &internal::DescribedTable<T>};
}
constexpr Option OnDelete(ForeignKeyAction action) {
  return {.what = Option::What::kOnDelete, .action = action};
}
constexpr Option OnUpdate(ForeignKeyAction action) {
  return {.what = Option::What::kOnUpdate, .action = action};
}

// Computed by the database from the row's other columns: read, never written. Stored() keeps the
// result in the file.
constexpr Option Generated(std::string_view sql) {
  return {.what = Option::What::kGenerated, .text = sql};
}
constexpr Option Stored() { return {.what = Option::What::kStored}; }

// A time that an insert sets, or that each write sets.
constexpr Option CreatedAt() { return {.what = Option::What::kCreatedAt}; }
constexpr Option ModifiedAt() { return {.what = Option::What::kModifiedAt}; }

// An integer that is 1 after the insert, and that each update counts on. An update of a row that
// has another version by then is Aborted.
constexpr Option Version() { return {.what = Option::What::kVersion}; }

// Times, UUIDs and enums (with STRATA_ENUM) as texts, not as integers and blobs.
constexpr Option AsText() { return {.what = Option::What::kAsText}; }

// `check` is a lambda without captures: Validate([](const std::string& text) { ... }, "is wrong").
// Called for values that are not NULL, before each write of the field.
template <typename Check>
constexpr Option Validate(Check, std::string_view reason) {
  using Value = internal::ArgumentOfLambda<Check>;
  return {.what = Option::What::kValidate,
          .validator = {
              [](const void* value) -> bool { return Check{}(*static_cast<const Value*>(value)); },
              reason, &kTypeInfo<Value>}};
}

// `change` is a lambda without captures: Filter([](std::string& text) { ... }). Called for values
// that are not NULL, before Validate().
template <typename Change>
constexpr Option Filter(Change) {
  using Value = internal::ArgumentOfLambda<Change>;
  return {
      .what = Option::What::kFilter,
      .filter = {[](void* value) { Change{}(*static_cast<Value*>(value)); }, &kTypeInfo<Value>}};
}

// Of the table: each change of a row is written down in the same transaction (change_log.h). About
// so many changes are kept, and none that is older, where an age is given.
constexpr Option LogChanges(std::uint32_t max_entries = 100'000,
                            std::chrono::seconds max_age = std::chrono::seconds(0)) {
  return {.what = Option::What::kLogChanges,
          .log = {max_entries, static_cast<std::uint32_t>(max_age.count())}};
}

// Of the table: an index over columns, by their names in the schema.
template <typename... Names>
constexpr Option Index(Names... names) {
  return internal::MakeIndex(Option::What::kIndex, false, std::string_view(names)...);
}
template <typename... Names>
constexpr Option UniqueIndex(Names... names) {
  return internal::MakeIndex(Option::What::kIndex, true, std::string_view(names)...);
}

// Of the table: what finds rows by the words of these columns, and by the boxes that these columns
// are, the least and the greatest number of each dimension: Boxes("west", "east", "south", "north")
// (search.h). The key is one integer.
template <typename... Names>
constexpr Option FullText(Names... names) {
  return internal::MakeIndex(Option::What::kFullText, false, std::string_view(names)...);
}
template <typename... Names>
constexpr Option Boxes(Names... names) {
  static_assert(sizeof...(Names) % 2 == 0, "Boxes() takes two columns for each dimension");
  return internal::MakeIndex(Option::What::kBoxes, false, std::string_view(names)...);
}

}  // namespace options
}  // namespace strata::orm

#endif  // STRATA_ORM_OPTIONS_H_
