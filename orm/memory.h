// File: memory.h
//
// Described structs in memory, with the calls of a Database (database.h), and on the disk as a
// snapshot and a log, so that nothing committed is lost:
//
//   absl::StatusOr<std::unique_ptr<MemoryDatabase>> db =
//       MemoryDatabase::Open<Person, Order>("people.mem");  // Or ":memory:", of memory alone.
//   if (!db.ok()) return db.status();
//
//   Person ada{.name = "Ada"};
//   absl::Status status = (*db)->Insert(&ada);
//   absl::StatusOr<Person> read = (*db)->Get<Person>(ada.id);
//
// Rows are read where they lie, without a copy, by a view:
//
//   const MemoryView view(db->get());
//   const Person* person = view.Find<Person>(17);  // Null if there is none.
//   view.Between(&Person::age, 18, 30, [](const Person& each) { ... });
//
// A row keeps its address from its insert to its delete. By key, and by a column that has Unique(),
// it is found by hash; Indexed() columns, and those of an Index(), are in order.
//
// Threads: any number read at the same time, or one writes. A write waits until the views that are
// there have ended, and holds off new ones; a transaction, from its beginning to its end. Waiting
// for the disk holds off no reader, so one may see a change that is committed and not yet on the
// disk. A snapshot holds off writers alone.
//
// What is different from a Database:
//   - An integer key is never given out twice, as if it had Autoincrement().
//   - Create() and Open() refuse what only SQL can do, by FailedPrecondition: Check(), Generated(),
//     Where() of an index, collations but BINARY, NOCASE and RTRIM, References() to a key of
//     another type, or set to a DefaultSql(); and FullText() and Boxes().
//   - kRestrict is looked at before any other action, where SQLite has an order of its own. Files
//     with a row that refers to none are refused when they are opened.
//   - Execute(), Query() and ForEach() are Unimplemented, as there is no SQL. So are, of select.h,
//     joins, groups, aggregates, Distinct(), and results or orders that are no columns; what
//     remains, conditions too, is as it is there. Rows are found by one index, if a condition that
//     has to be true compares its first column with values; all that are found are put in order.
//   - Every call on a table that has not been created is FailedPrecondition.
//   - A struct has to be copyable. Fields that the description does not name are kept in memory, as
//     an insert or a whole update has them, and are not on the disk.
//
// Errors are those of database_options.h. If the disk is full, a write is ResourceExhausted and has
// changed nothing. If a sync fails, what is on the disk is not known: that write and all that
// follow are Internal until the store is opened anew, whose rows are then those of the disk.

#ifndef STRATA_ORM_MEMORY_H_
#define STRATA_ORM_MEMORY_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/database.h"
#include "strata/orm/json.h"
#include "strata/orm/memory_options.h"
#include "strata/orm/table.h"

namespace strata::orm {

namespace internal {

class MemoryStore;
class MemoryTable;

// A function for each row, of any type; false ends.
struct RowVisitor {
  bool (*visit)(void* context, const void* row);
  void* context;
};

// Part of a MemoryView: the lock of readers, of which a thread has one at most for each store.
class ReadScope {
 public:
  explicit ReadScope(MemoryStore* store);
  ReadScope(const ReadScope&) = delete;
  ReadScope& operator=(const ReadScope&) = delete;
  ~ReadScope();

  MemoryStore* store() const { return store_; }

  // The table, or null if there is none. Most calls on a view are on the table of the last one.
  const MemoryTable* Table(const TableInfo& info) const {
    return &info == last_info_ ? last_table_ : FindTable(info);
  }

  static bool IsOpen(const MemoryStore* store);  // By this thread.

 private:
  const MemoryTable* FindTable(const TableInfo& info) const;

  MemoryStore* const store_;
  ReadScope* next_;
  bool locked_ = false;
  mutable const TableInfo* last_info_ = nullptr;
  mutable const MemoryTable* last_table_ = nullptr;
};

// Null for no table too.
const void* FindInteger(const MemoryTable* table, std::int64_t key);
const void* FindRow(const MemoryTable* table, std::span<const Argument> key);

absl::Status FindUnique(const ReadScope& scope, const TableInfo& info, std::uint32_t offset,
                        const void* field, const void** row);
absl::Status ScanRows(const ReadScope& scope, const TableInfo& info, RowVisitor visitor);
// Null pointers are no bounds.
absl::Status ScanOrdered(const ReadScope& scope, const TableInfo& info, std::uint32_t offset,
                         const void* low, const void* high, RowVisitor visitor);

}  // namespace internal

// Rows of described structs in memory. Thread-safe.
class MemoryDatabase : public Records {
 public:
  // ":memory:" is a store of its own, gone with the object. Another path is that of the snapshot;
  // beside it are files whose names begin with it (path-log, path-lock). One process at a time has
  // it open: Unavailable. DataLoss if a file is damaged: only a write that was under way when the
  // system ended may be missing, as that had not returned.
  //
  // T are all the tables of the file, which get Create(). Columns that have been added since it was
  // written get their Default(), or what the struct's initialiser has. What would drop values, or
  // change the type of one, is FailedPrecondition (MemoryOptions::drop_undescribed).
  template <typename... T>
  static absl::StatusOr<std::unique_ptr<MemoryDatabase>> Open(const std::string& path,
                                                              const MemoryOptions& options = {}) {
    static_assert(((TableOf<T>().key_count > 0) && ...),
                  "a STRATA_STRUCT has no table; use STRATA_TABLE");
    const std::array<const TableInfo*, sizeof...(T)> tables{&TableOf<T>()...};
    return OpenTables(path, options, tables);
  }

  // No view may be left.
  ~MemoryDatabase();

  // Writes a snapshot, and begins an empty log. OK, and nothing, in ":memory:".
  // FailedPrecondition for a thread that has a view, as writes are.
  absl::Status Checkpoint();

  // All rows of a table as a list, in no order that is told.
  template <typename T>
  absl::Status AppendJson(std::string* out) {
    return AppendRows(TableOf<T>(), kTypeInfo<T>, out);
  }

  // Adds the rows of a list, all or none; with their times and versions as the text has them. A key
  // of 0 gets a new one. Rows go from the text into the table, without a list between. An error of
  // a row that is against a rule begins with its position: "row 17: ".
  template <typename T>
  absl::Status InsertJson(std::string_view text, const JsonReadOptions& options = {}) {
    return InsertRows(TableOf<T>(), kTypeInfo<T>, text, options);
  }

  // The same to a file, which is replaced at once or stays as it was, and from one.
  template <typename T>
  absl::Status SaveJson(const std::string& path) {
    return SaveRows(TableOf<T>(), kTypeInfo<T>, path);
  }
  template <typename T>
  absl::Status LoadJson(const std::string& path, const JsonReadOptions& options = {}) {
    return LoadRows(TableOf<T>(), kTypeInfo<T>, path, options);
  }

 private:
  friend class MemoryView;

  explicit MemoryDatabase(std::unique_ptr<internal::MemoryStore> store);

  static absl::StatusOr<std::unique_ptr<MemoryDatabase>> OpenTables(
      const std::string& path, const MemoryOptions& options,
      std::span<const TableInfo* const> tables);
  absl::Status AppendRows(const TableInfo& info, const TypeInfo& type, std::string* out);
  absl::Status InsertRows(const TableInfo& info, const TypeInfo& type, std::string_view text,
                          const JsonReadOptions& options);
  absl::Status SaveRows(const TableInfo& info, const TypeInfo& type, const std::string& path);
  absl::Status LoadRows(const TableInfo& info, const TypeInfo& type, const std::string& path,
                        const JsonReadOptions& options);

  std::unique_ptr<internal::MemoryStore> store_;
};

// Rows to be read where they lie. Pointers to them stay valid, and what they point to the same, as
// long as the view lives: no thread writes meanwhile. So views are short, on the stack of the
// thread that uses them. Its own writes would wait for itself: they are FailedPrecondition.
//
// Within the body of a Transact() a view shows the rows as the transaction has them. It ends before
// the body does, and there a pointer is valid until its row is deleted or the transaction ends.
class MemoryView {
 public:
  explicit MemoryView(MemoryDatabase* database) : scope_(database->store_.get()) {}

  // The row with this key, or null.
  template <typename T, typename... Key>
  const T* Find(const Key&... key) const {
    static_assert(internal::FitsKey<T, Key...>(), "the values are not of the table's key columns");
    const internal::MemoryTable* table = scope_.Table(TableOf<T>());
    if constexpr (TableOf<T>().has_rowid_key() && (std::integral<Key> && ...)) {
      if (!(std::in_range<std::int64_t>(key) && ...)) return nullptr;
      return static_cast<const T*>(
          internal::FindInteger(table, static_cast<std::int64_t>((key, ...))));
    } else {
      const std::array<internal::Argument, sizeof...(Key)> arguments{
          internal::MakeArgument(key)...};
      return static_cast<const T*>(internal::FindRow(table, arguments));
    }
  }

  // The row with this value in a column that has Unique(), or null; none has an empty optional.
  // FailedPrecondition for another column.
  template <typename T, typename M>
  absl::StatusOr<const T*> FindBy(M T::*column, const std::type_identity_t<M>& value) const {
    const void* row = nullptr;
    absl::Status status =
        internal::FindUnique(scope_, TableOf<T>(), internal::OffsetOf(column), &value, &row);
    if (!status.ok()) return status;
    return static_cast<const T*>(row);
  }

  // Calls `each` with every row, in no order that is told. It returns nothing, or a bool that is
  // false to end there.
  template <typename T, typename Each>
  absl::Status ForEach(Each&& each) const {
    return internal::ScanRows(scope_, TableOf<T>(), VisitorOf<T>(each));
  }

  // The same, in the order of a column that is Indexed(), References(), or the first of an Index(),
  // and from
  // `low` to `high`, both included. Empty optionals come first; they are below all values.
  // FailedPrecondition for another column.
  template <typename T, typename M, typename Each>
  absl::Status InOrder(M T::*column, Each&& each) const {
    return internal::ScanOrdered(scope_, TableOf<T>(), internal::OffsetOf(column), nullptr, nullptr,
                                 VisitorOf<T>(each));
  }
  template <typename T, typename M, typename Each>
  absl::Status Between(M T::*column, const std::type_identity_t<M>& low,
                       const std::type_identity_t<M>& high, Each&& each) const {
    return internal::ScanOrdered(scope_, TableOf<T>(), internal::OffsetOf(column), &low, &high,
                                 VisitorOf<T>(each));
  }

 private:
  template <typename T, typename Each>
  static internal::RowVisitor VisitorOf(Each& each) {
    return {[](void* context, const void* row) {
              auto& call = *static_cast<std::remove_reference_t<Each>*>(context);
              if constexpr (std::is_void_v<decltype(call(*static_cast<const T*>(row)))>) {
                call(*static_cast<const T*>(row));
                return true;
              } else {
                return static_cast<bool>(call(*static_cast<const T*>(row)));
              }
            },
            const_cast<void*>(static_cast<const void*>(&each))};
  }

  internal::ReadScope scope_;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_MEMORY_H_
