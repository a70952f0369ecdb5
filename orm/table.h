// File: table.h
//
// Describes a struct once, for SQL, JSON and REST:
//
//   struct Person {
//     std::int64_t id = 0;
//     std::string name;
//     std::optional<std::string> email;
//     strata::orm::Currency balance;
//   };
//   STRATA_TABLE(Person, id, name, (email, Unique()), balance)
//
// STRATA_TABLE stands beside the struct, in its namespace, where every user of the struct sees it.
// Fields that it does not name are left alone. A field in parentheses has options (options.h), and
// so has the struct itself: STRATA_TABLE((Person, Named("people")), ...). The key is the column
// `id`, or what has PrimaryKey(). An integer key of 0 is none yet: an insert gives one.
//
// STRATA_STRUCT is the same without a key, for structs inside of others, and for rows of queries.
// STRATA_ENUM names the values of an enum:
//
//   enum class Color { kRed, kGreen };
//   STRATA_ENUM(Color, (kRed, "red"), (kGreen, "green"))
//
// What comes of it is TableOf<Person>(): constants, of one type for every table.

#ifndef STRATA_ORM_TABLE_H_
#define STRATA_ORM_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "strata/orm/options.h"
#include "strata/orm/type_info.h"

namespace strata::orm {

inline constexpr std::size_t kMaxColumns = 250;
inline constexpr std::size_t kMaxKeyColumns = 4;

// How a value is kept: SQLite's classes (https://sqlite.org/datatype3.html).
enum class Storage : std::uint8_t { kInteger, kReal, kText, kBlob };

struct Column {
  enum Flag : std::uint32_t {
    kPrimaryKey = 1 << 0,
    kAutoincrement = 1 << 1,
    kUnique = 1 << 2,
    kIndexed = 1 << 3,
    kNotNull = 1 << 4,
    kStored = 1 << 5,
    kCreatedAt = 1 << 6,
    kModifiedAt = 1 << 7,
    kVersion = 1 << 8,
    kAsText = 1 << 9,
    kReferences = 1 << 10,
    kValidated = 1 << 11,
    kFiltered = 1 << 12,
  };

  // What the field is where a write puts it into the column as it is, without a rule to look at,
  // for the kinds that most columns have; all others go by their type.
  enum class Shape : std::uint8_t { kOther, kInt64, kDouble, kString };

  std::string_view name = {};
  const TypeInfo* type = nullptr;   // Of the field.
  const TypeInfo* value = nullptr;  // The same, or what the optional holds.
  std::uint32_t offset = 0;         // Of the field in the struct, in bytes.
  std::uint32_t flags = 0;
  Storage storage = Storage::kInteger;
  ForeignKeyAction on_delete = ForeignKeyAction::kNoAction;
  ForeignKeyAction on_update = ForeignKeyAction::kNoAction;
  Shape shape = Shape::kOther;
  std::uint32_t max_length = 0;  // 0: no bound.
  std::string_view collation = {};
  std::string_view check = {};
  std::string_view generated = {};
  DefaultValue default_value = {};
  Validator validator = {};
  Filter filter = {};
  const TableInfo& (*references)() = nullptr;

  constexpr bool has(Flag flag) const { return (flags & flag) != 0; }
  constexpr bool nullable() const { return type->kind == Kind::kOptional; }

  // The value in a row, or null for an empty optional.
  const void* Value(const void* row) const {
    const void* field = static_cast<const char*>(row) + offset;
    return nullable() ? type->optional->get(field) : field;
  }

  // Where to put a value that is to replace the one in a row.
  void* Emplace(void* row) const {
    void* field = static_cast<char*>(row) + offset;
    return nullable() ? type->optional->emplace(field) : field;
  }

  // Empties an optional; false for another field, which has no NULL.
  bool SetNull(void* row) const {
    if (!nullable()) return false;
    type->optional->reset(static_cast<char*>(row) + offset);
    return true;
  }
};

// How to make and move rows of a type that is not known. Null where the type has no such thing.
struct RowOps {
  void (*construct)(void* row);
  void (*destroy)(void* row);
  void (*copy)(void* row, const void* from);    // Into memory without a row.
  void (*move)(void* row, void* from);          // The same.
  void (*assign)(void* row, const void* from);  // Over a row.
};

struct TableInfo {
  std::string_view name = {};
  std::span<const Column> columns = {};
  std::span<const IndexInfo> indexes = {};  // Besides those of the columns' own options.
  std::span<const std::string_view> checks = {};
  ChangeLogInfo log = {};
  IndexInfo full_text = {};  // Of columns, where there is one; and `boxes`.
  IndexInfo boxes = {};
  std::string_view tokenizer = {};
  std::array<std::uint16_t, kMaxKeyColumns> key = {};  // Positions in `columns`.
  std::uint16_t key_count = 0;                         // 0 for a STRATA_STRUCT.
  std::int16_t created_at = -1;                        // Positions, or -1.
  std::int16_t modified_at = -1;
  std::int16_t version = -1;
  bool has_rules = false;  // A column has a length, a validator, or a NotNull() on an optional.
  bool has_filters = false;
  std::uint32_t row_size = 0;  // In bytes.
  std::uint32_t row_align = 0;
  RowOps ops = {};

  // One column of integers: SQLite's rowid itself, that an insert can give.
  constexpr bool has_rowid_key() const {
    if (key_count != 1) return false;
    const Column& column = columns[key[0]];
    return column.storage == Storage::kInteger && column.value->kind >= Kind::kInt8 &&
           column.value->kind <= Kind::kUint64;
  }

  // Whether a write sets fields by itself.
  constexpr bool has_stamps() const { return created_at >= 0 || modified_at >= 0 || version >= 0; }

  constexpr const Column& key_column() const { return columns[key[0]]; }

  // Null if there is no column of that name.
  constexpr const Column* Find(std::string_view column) const {
    for (const Column& each : columns) {
      if (each.name == column) return &each;
    }
    return nullptr;
  }
};

namespace internal {

// What STRATA_TABLE refuses, with the field's name, at compile time. The checks compare no pointer
// with null: for GCC's sanitizer of undefined behaviour that is no constant.
enum class Problem : std::uint8_t {
  kNone,
  kLengthOfNumber,
  kCollationOfNumber,
  kTimeOfOther,
  kVersionOfOther,
  kTextOfOther,
  kAutoincrementOfOther,
  kKeyOfOptional,
  kKeyOfOther,
  kValidatorOfOther,
  kFilterOfOther,
  kActionWithoutReference,
  kSetNullOfValue,
  kNotForColumns,
  kStoredAlone,
  kBadName,
};

// Of a table or a column, in bytes.
inline constexpr std::size_t kMaxName = 64;

constexpr bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
      return false;
    }
  }
  return true;
}

constexpr Storage StorageOf(const TypeInfo& type, bool as_text) {
  switch (type.kind) {
    case Kind::kFloat:
    case Kind::kDouble:
      return Storage::kReal;
    case Kind::kString:
    case Kind::kJson:
    case Kind::kList:
    case Kind::kStruct:
      return Storage::kText;
    case Kind::kBlob:
      return Storage::kBlob;
    case Kind::kUuid:
      return as_text ? Storage::kText : Storage::kBlob;
    default:
      return as_text ? Storage::kText : Storage::kInteger;
  }
}

constexpr void Apply(const Option& option, Column& column) {
  using What = Option::What;
  switch (option.what) {
    case What::kNamed:
      column.name = option.text;
      break;
    case What::kPrimaryKey:
      column.flags |= Column::kPrimaryKey;
      break;
    case What::kAutoincrement:
      column.flags |= Column::kAutoincrement;
      break;
    case What::kUnique:
      column.flags |= Column::kUnique;
      break;
    case What::kIndexed:
      column.flags |= Column::kIndexed;
      break;
    case What::kNotNull:
      column.flags |= Column::kNotNull;
      break;
    case What::kDefault:
      column.default_value = option.default_value;
      break;
    case What::kCheck:
      column.check = option.text;
      break;
    case What::kCollate:
      column.collation = option.text;
      break;
    case What::kMaxLength:
      column.max_length = option.number;
      break;
    case What::kReferences:
      column.references = option.references;
      column.flags |= Column::kReferences;
      break;
    case What::kOnDelete:
      column.on_delete = option.action;
      break;
    case What::kOnUpdate:
      column.on_update = option.action;
      break;
    case What::kGenerated:
      column.generated = option.text;
      break;
    case What::kStored:
      column.flags |= Column::kStored;
      break;
    case What::kCreatedAt:
      column.flags |= Column::kCreatedAt;
      break;
    case What::kModifiedAt:
      column.flags |= Column::kModifiedAt;
      break;
    case What::kVersion:
      column.flags |= Column::kVersion;
      break;
    case What::kAsText:
      column.flags |= Column::kAsText;
      break;
    case What::kValidate:
      column.validator = option.validator;
      column.flags |= Column::kValidated;
      break;
    case What::kFilter:
      column.filter = option.filter;
      column.flags |= Column::kFiltered;
      break;
    case What::kIndex:
    case What::kLogChanges:
    case What::kFullText:
    case What::kBoxes:
      break;
  }
}

constexpr bool HasRules(const Column& column) {
  return column.has(Column::kValidated) || column.max_length != 0 ||
         (column.nullable() && column.has(Column::kNotNull));
}

constexpr Column::Shape ShapeOf(const Column& column) {
  constexpr std::uint32_t kSetByWrites =
      Column::kCreatedAt | Column::kModifiedAt | Column::kVersion;
  if ((column.flags & (kSetByWrites | Column::kAsText)) != 0 || HasRules(column)) {
    return Column::Shape::kOther;
  }
  switch (column.type->kind) {
    case Kind::kInt64:
    case Kind::kCurrency:
      return Column::Shape::kInt64;
    case Kind::kTime:
    case Kind::kDuration:
      return column.type->size == 8 ? Column::Shape::kInt64 : Column::Shape::kOther;
    case Kind::kDouble:
      return Column::Shape::kDouble;
    case Kind::kString:
      return Column::Shape::kString;
    default:
      return Column::Shape::kOther;
  }
}

template <typename Field>
constexpr Column MakeColumn(std::string_view name, std::size_t offset,
                            std::initializer_list<Option> options) {
  Column column;
  column.name = name;
  column.type = &kTypeInfo<Field>;
  column.value = column.type->kind == Kind::kOptional ? column.type->element : column.type;
  column.offset = static_cast<std::uint32_t>(offset);
  for (const Option& option : options) Apply(option, column);
  if (!column.nullable()) column.flags |= Column::kNotNull;
  column.storage = StorageOf(*column.value, column.has(Column::kAsText));
  column.shape = ShapeOf(column);
  return column;
}

constexpr bool IsIntegerKind(Kind kind) { return kind >= Kind::kInt8 && kind <= Kind::kUint64; }

constexpr bool CanBeKey(const Column& column) {
  const Kind kind = column.value->kind;
  return (IsIntegerKind(kind) || kind == Kind::kString || kind == Kind::kUuid ||
          kind == Kind::kBlob || kind == Kind::kTime || kind == Kind::kCurrency) &&
         column.generated.empty() && !column.nullable();
}

constexpr Problem KeyProblem(const Column& column) {
  if (!column.has(Column::kPrimaryKey)) return Problem::kNone;
  if (column.nullable()) return Problem::kKeyOfOptional;
  return CanBeKey(column) ? Problem::kNone : Problem::kKeyOfOther;
}

constexpr Problem ProblemOf(const Column& column, std::initializer_list<Option> options) {
  for (const Option& option : options) {
    if (option.what >= Option::What::kIndex) return Problem::kNotForColumns;
  }
  const Kind kind = column.value->kind;
  const bool is_text = kind == Kind::kString;
  if (!IsName(column.name)) return Problem::kBadName;
  if (column.max_length != 0 && !is_text && kind != Kind::kBlob) return Problem::kLengthOfNumber;
  if (!column.collation.empty() && column.storage != Storage::kText) {
    return Problem::kCollationOfNumber;
  }
  if ((column.has(Column::kCreatedAt) || column.has(Column::kModifiedAt)) && kind != Kind::kTime) {
    return Problem::kTimeOfOther;
  }
  if (column.has(Column::kVersion) && (!IsIntegerKind(kind) || column.nullable())) {
    return Problem::kVersionOfOther;
  }
  if (column.has(Column::kAsText) && kind != Kind::kTime && kind != Kind::kUuid &&
      column.value->names.empty()) {
    return Problem::kTextOfOther;
  }
  if (column.has(Column::kAutoincrement) && !IsIntegerKind(kind)) {
    return Problem::kAutoincrementOfOther;
  }
  if (column.has(Column::kValidated) && column.validator.type != column.value) {
    return Problem::kValidatorOfOther;
  }
  if (column.has(Column::kFiltered) && column.filter.type != column.value) {
    return Problem::kFilterOfOther;
  }
  const auto has_action = [&](ForeignKeyAction action) {
    return column.on_delete == action || column.on_update == action;
  };
  if (!column.has(Column::kReferences) && (column.on_delete != ForeignKeyAction::kNoAction ||
                                           column.on_update != ForeignKeyAction::kNoAction)) {
    return Problem::kActionWithoutReference;
  }
  if (has_action(ForeignKeyAction::kSetNull) && column.has(Column::kNotNull)) {
    return Problem::kSetNullOfValue;
  }
  if (column.has(Column::kStored) && column.generated.empty()) return Problem::kStoredAlone;
  return KeyProblem(column);
}

constexpr bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

enum class TableProblem : std::uint8_t {
  kNone,
  kNoKey,
  kKeyTooLong,
  kSameNames,
  kIndexOfNoColumn,
  kTooManyColumns,
  kNotForTables,
  kBadName,
  kTwoOfOne,
  kIdIsNoKey,
  kAutoincrementOfOther,
  kEmptyLog,
  kTextOfOther,
  kBoxesOfOther,
};

// Everything but the columns' array, for which it finds the key.
constexpr TableProblem FindKey(std::span<const Column> columns, TableInfo& table) {
  bool marked = false;
  for (const Column& column : columns) marked = marked || column.has(Column::kPrimaryKey);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (marked ? !columns[i].has(Column::kPrimaryKey) : columns[i].name != "id") continue;
    if (table.key_count == kMaxKeyColumns) return TableProblem::kKeyTooLong;
    if (!CanBeKey(columns[i])) return TableProblem::kIdIsNoKey;
    table.key[table.key_count++] = static_cast<std::uint16_t>(i);
  }
  if (table.key_count == 0) return TableProblem::kNoKey;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].has(Column::kAutoincrement) && (table.key[0] != i || table.key_count != 1)) {
      return TableProblem::kAutoincrementOfOther;
    }
  }
  return TableProblem::kNone;
}

constexpr TableProblem CheckNames(std::span<const Column> columns,
                                  std::span<const Option> options) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (SameName(columns[i].name, columns[j].name)) return TableProblem::kSameNames;
    }
  }
  for (const Option& option : options) {
    if (option.what == Option::What::kNamed) {
      if (!IsName(option.text)) return TableProblem::kBadName;
      continue;
    }
    if (option.what == Option::What::kCheck) continue;
    if (option.what == Option::What::kLogChanges) {
      if (option.log.max_entries == 0) return TableProblem::kEmptyLog;
      continue;
    }
    if (option.what < Option::What::kIndex) return TableProblem::kNotForTables;
    for (std::size_t i = 0; i < option.index.column_count; ++i) {
      bool found = false;
      for (const Column& column : columns) found = found || column.name == option.index.columns[i];
      if (!found) return TableProblem::kIndexOfNoColumn;
    }
  }
  return TableProblem::kNone;
}

constexpr TableProblem FindFlags(std::span<const Column> columns, TableInfo& table) {
  const struct {
    Column::Flag flag;
    std::int16_t& position;
  } wanted[] = {{Column::kCreatedAt, table.created_at},
                {Column::kModifiedAt, table.modified_at},
                {Column::kVersion, table.version}};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (const auto& [flag, position] : wanted) {
      if (!columns[i].has(flag)) continue;
      if (position >= 0) return TableProblem::kTwoOfOne;
      position = static_cast<std::int16_t>(i);
    }
    table.has_filters = table.has_filters || columns[i].has(Column::kFiltered);
    table.has_rules = table.has_rules || HasRules(columns[i]);
  }
  return TableProblem::kNone;
}

constexpr bool IsText(const Column& column) {
  return column.value->kind == Kind::kString && !SameName(column.name, "rank") &&
         !SameName(column.name, "rowid");
}

constexpr bool IsNumber(const Column& column) {
  return !column.value->is_enum &&
         (IsIntegerKind(column.value->kind) || column.value->kind == Kind::kFloat ||
          column.value->kind == Kind::kDouble);
}

// Searches give the key that SQLite has for each row, which is an integer.
constexpr bool CanBeSearched(std::span<const Column> columns, const TableInfo& table,
                             const Option& option, bool (*fits)(const Column& column)) {
  if (table.key_count != 1 || !IsIntegerKind(columns[table.key[0]].value->kind)) return false;
  for (std::size_t i = 0; i < option.index.column_count; ++i) {
    for (const Column& column : columns) {
      if (column.name == option.index.columns[i] && !fits(column)) return false;
    }
  }
  return true;
}

constexpr TableProblem CheckSearches(std::span<const Column> columns,
                                     std::span<const Option> options, const TableInfo& table) {
  for (const Option& option : options) {
    if (option.what == Option::What::kFullText && !CanBeSearched(columns, table, option, IsText)) {
      return TableProblem::kTextOfOther;
    }
    if (option.what == Option::What::kBoxes && !CanBeSearched(columns, table, option, IsNumber)) {
      return TableProblem::kBoxesOfOther;
    }
  }
  return TableProblem::kNone;
}

constexpr TableProblem CheckTable(std::span<const Column> columns, bool needs_key,
                                  std::span<const Option> options, TableInfo& table) {
  if (columns.size() > kMaxColumns) return TableProblem::kTooManyColumns;
  TableProblem problem = CheckNames(columns, options);
  if (problem == TableProblem::kNone && needs_key) problem = FindKey(columns, table);
  if (problem == TableProblem::kNone) problem = FindFlags(columns, table);
  if (problem == TableProblem::kNone) problem = CheckSearches(columns, options, table);
  return problem;
}

template <bool needs_key, std::size_t columns, std::size_t options>
constexpr TableProblem FoundProblem(const std::array<Column, columns>& of_columns,
                                    const std::array<Option, options>& of_table) {
  TableInfo table;
  return CheckTable(of_columns, needs_key, of_table, table);
}

template <typename E>
constexpr EnumName MakeEnumName(std::string_view identifier, E value, std::string_view name = {}) {
  return {name.empty() ? identifier : name, static_cast<std::int64_t>(value)};
}

template <typename T>
constexpr RowOps RowOpsOf() {
  RowOps ops{};
  if constexpr (std::is_default_constructible_v<T>)
    ops.construct = [](void* row) { new (row) T(); };
  ops.destroy = [](void* row) { static_cast<T*>(row)->~T(); };
  if constexpr (std::is_copy_constructible_v<T>) {
    ops.copy = [](void* row, const void* from) { new (row) T(*static_cast<const T*>(from)); };
  }
  if constexpr (std::is_move_constructible_v<T>) {
    ops.move = [](void* row, void* from) { new (row) T(std::move(*static_cast<T*>(from))); };
  }
  if constexpr (std::is_copy_assignable_v<T>) {
    ops.assign = [](void* row, const void* from) {
      *static_cast<T*>(row) = *static_cast<const T*>(from);
    };
  }
  return ops;
}

template <std::size_t n>
constexpr std::size_t Count(const std::array<Option, n>& options, Option::What what) {
  std::size_t count = 0;
  for (const Option& option : options) count += option.what == what ? 1 : 0;
  return count;
}

template <typename... Options>
constexpr std::array<Option, sizeof...(Options)> OptionArray(Options... options) {
  return {options...};
}

// The constants of a described struct.
template <typename T>
struct Tables {
  using Description = DescriptionOf<T>;

  static constexpr auto kColumns = Description::Columns();
  static constexpr auto kIndexes = [] {
    std::array<IndexInfo, Count(Description::Options(), Option::What::kIndex)> indexes{};
    std::size_t next = 0;
    for (const Option& option : Description::Options()) {
      if (option.what == Option::What::kIndex) indexes[next++] = option.index;
    }
    return indexes;
  }();
  static constexpr auto kChecks = [] {
    std::array<std::string_view, Count(Description::Options(), Option::What::kCheck)> checks{};
    std::size_t next = 0;
    for (const Option& option : Description::Options()) {
      if (option.what == Option::What::kCheck) checks[next++] = option.text;
    }
    return checks;
  }();
  static constexpr TableInfo kTable = [] {
    TableInfo table;
    table.name = Description::kName;
    for (const Option& option : Description::Options()) {
      if (option.what == Option::What::kNamed) table.name = option.text;
      if (option.what == Option::What::kLogChanges) table.log = option.log;
      if (option.what == Option::What::kBoxes) table.boxes = option.index;
      if (option.what != Option::What::kFullText) continue;
      table.full_text = option.index;
      table.tokenizer = option.text;
    }
    table.columns = kColumns;
    table.indexes = kIndexes;
    table.checks = kChecks;
    CheckTable(kColumns, Description::kNeedsKey, {}, table);
    table.row_size = sizeof(T);
    table.row_align = alignof(T);
    table.ops = RowOpsOf<T>();
    return table;
  }();
};

template <typename T>
const TableInfo& DescribedTable() {
  static_assert(Described<T>, "this struct has no STRATA_TABLE or STRATA_STRUCT in its namespace");
  return Tables<T>::kTable;
}

}  // namespace internal

// The description of T.
template <typename T>
constexpr const TableInfo& TableOf() {
  static_assert(internal::Described<T>,
                "this struct has no STRATA_TABLE or STRATA_STRUCT in its namespace");
  return internal::Tables<T>::kTable;
}

}  // namespace strata::orm

#include "strata/orm/table_macros.h"  // STRATA_TABLE, STRATA_STRUCT, STRATA_ENUM

#endif  // STRATA_ORM_TABLE_H_
