// What an engine does for the typed calls of database.h: operations over a table that is known at
// run time alone.

#ifndef STRATA_ORM_STORE_INTERNAL_H_
#define STRATA_ORM_STORE_INTERNAL_H_

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/maintenance.h"
#include "strata/orm/table.h"

namespace strata::orm {

class Schema;
struct MigrateOptions;
struct SchemaReport;

}  // namespace strata::orm

namespace strata::orm::internal {

// A value for a statement: of a type, or a text that nothing owns, or NULL if it is neither. It
// refers to what it was made of.
struct Argument {
  const TypeInfo* type = nullptr;
  const void* value = nullptr;
  std::string_view text = {};
  bool as_text = false;  // As a column with AsText() has it.
};

template <typename V>
constexpr Argument MakeArgument(const V& value) {
  if constexpr (std::is_same_v<V, std::nullptr_t> || std::is_same_v<V, std::nullopt_t>) {
    return {};
  } else if constexpr (std::convertible_to<const V&, std::string_view> &&
                       !std::is_same_v<V, std::string>) {
    return {nullptr, nullptr, std::string_view(value)};
  } else {
    static_assert(kTypeInfo<V>.kind != Kind::kNone, "no column has values of this type");
    return {&kTypeInfo<V>, &value, {}};
  }
}

constexpr bool IsNumberKind(Kind kind) {
  return IsIntegerKind(kind) || kind == Kind::kFloat || kind == Kind::kDouble;
}

// Whether a V can be compared with values of the type, which is no optional, list or struct: the
// same type, but for integers any integer, for reals any number, and for texts any text.
template <typename V>
constexpr bool FitsType(const TypeInfo& type) {
  if constexpr (std::is_same_v<V, std::nullptr_t>) {
    return false;
  } else if constexpr (std::convertible_to<const V&, std::string_view>) {
    return type.kind == Kind::kString;
  } else {
    constexpr TypeInfo kInfo = kTypeInfo<V>;
    if (kInfo.is_enum || type.is_enum) return kInfo.enum_id == type.enum_id;
    if (IsIntegerKind(kInfo.kind)) return IsNumberKind(type.kind);
    if (IsNumberKind(kInfo.kind)) return IsNumberKind(type.kind) && !IsIntegerKind(type.kind);
    return kInfo.kind == type.kind && kInfo.unit == type.unit && kInfo.size == type.size;
  }
}

template <typename T, typename... Key>
constexpr bool FitsKey() {
  const TableInfo& table = TableOf<T>();
  if (table.key_count != sizeof...(Key)) return false;
  std::size_t next = 0;
  return (FitsType<Key>(*table.columns[table.key[next++]].value) && ...);
}

// One change of one row.
struct WriteOperation {
  enum class What : std::uint8_t { kInsert, kUpdate, kUpsert, kDelete };
  What what = What::kInsert;
  const TableInfo* table = nullptr;
  const void* row = nullptr;
  void* result = nullptr;  // The same row, if it is to get what the write has set; or null.
  std::span<const std::uint32_t> offsets = {};  // Of kUpdate: the fields; none for all of them.
  std::span<const Argument> key = {};           // Of kDelete; or else `row` has it.
};

// SQL that the caller wrote: one statement, and the values of its parameters in their order.
struct SqlOperation {
  std::string_view sql;
  std::span<const Argument> arguments;
};

// Where a column of a result goes: a field of a type, at an offset in the row, in bytes.
struct ResultField {
  const TypeInfo* type = nullptr;
  std::size_t offset = 0;
};

struct SelectOperation;  // query_internal.h
struct ChangeOperation;

// What the rows of a result are: structs, whose columns are found by their names, or, without a
// table, fields by the positions of the columns.
struct RowShape {
  const TableInfo* table = nullptr;
  std::span<const ResultField> fields = {};
};

// Gets the rows of a result, one at a time.
class RowSink {
 public:
  // A new row, whose fields are then read.
  virtual void* Next() = 0;
  // The row is whole. False in `*more` ends the reading, as an error does.
  virtual absl::Status Take(bool* more) = 0;

 protected:
  ~RowSink() = default;
};

// Who is called when a log of changes has been written to, by the name of its table.
struct LogListener {
  std::string_view log;
  absl::AnyInvocable<void()> wake;
};

// What tells of changes that are committed.
class ChangeSource {
 public:
  // The listener stays until it is removed; after that it is not called.
  virtual absl::Status AddListener(LogListener* listener) = 0;
  virtual void RemoveListener(LogListener* listener) = 0;

 protected:
  ~ChangeSource() = default;
};

// Functions may be called by several threads, but for those of the one that Transact() gives.
class RowStore {
 public:
  virtual ~RowStore() = default;

  virtual ChangeSource* change_source() { return nullptr; }  // Null of a transaction.

  // Runs `body` on a store whose changes are made together if it returns OK, or not at all.
  virtual absl::Status Transact(absl::AnyInvocable<absl::Status(RowStore& store)> body) = 0;

  virtual absl::Status Create(const TableInfo& table) = 0;
  virtual absl::Status Write(const WriteOperation& operation) = 0;
  // Inserts rows that lie side by side, all or none. On an error `*failed` is the row that it is
  // about.
  virtual absl::Status InsertAll(const TableInfo& table, const void* rows, std::size_t count,
                                 std::size_t* failed) = 0;
  // Into `row`, which keeps what it had if there is none.
  virtual absl::Status Get(const TableInfo& table, std::span<const Argument> key, void* row) = 0;
  virtual absl::StatusOr<std::int64_t> Count(const TableInfo& table) = 0;

  // How many rows it has changed.
  virtual absl::StatusOr<std::int64_t> Execute(const SqlOperation& operation) = 0;
  virtual absl::Status Query(const SqlOperation& operation, const RowShape& shape,
                             RowSink& sink) = 0;

  // Of as many fields as the query has results.
  virtual absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                              RowSink& sink) = 0;
  // How many rows it has changed.
  virtual absl::StatusOr<std::int64_t> Change(const ChangeOperation& operation) = 0;
};

// What a whole database does, and no transaction.
class DatabaseStore : public RowStore, public ChangeSource {
 public:
  ChangeSource* change_source() override { return this; }
  virtual absl::Status Migrate(const Schema& schema, const MigrateOptions& options,
                               SchemaReport* report) = 0;
  virtual absl::Status Backup(const std::string& path, BackupOptions& options) = 0;
  virtual absl::Status CheckIntegrity() = 0;
  virtual absl::Status Vacuum() = 0;
  virtual absl::StatusOr<CheckpointResult> Checkpoint(CheckpointMode mode) = 0;
};

// Where the field is in the struct, in bytes: that is what such a pointer is, in the ABI of GCC and
// Clang (Itanium C++ ABI section 2.3).
template <typename T, typename M>
std::uint32_t OffsetOf(M T::*member) {
  static_assert(sizeof(member) == sizeof(std::ptrdiff_t));
  return static_cast<std::uint32_t>(std::bit_cast<std::ptrdiff_t>(member));
}

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_STORE_INTERNAL_H_
