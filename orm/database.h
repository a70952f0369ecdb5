// File: database.h
//
// Described structs in SQLite:
//
//   absl::StatusOr<std::unique_ptr<Database>> db = Database::Open("people.db");
//   if (!db.ok()) return db.status();
//   absl::Status status = (*db)->Create<Person>();  // The table, if it is not there.
//
//   Person ada{.name = "Ada"};
//   status = (*db)->Insert(&ada);                   // Sets ada.id.
//   absl::StatusOr<Person> read = (*db)->Get<Person>(ada.id);
//   read->name = "Ada Lovelace";
//   status = (*db)->Update(&*read, {&Person::name});  // Without the list: all fields.
//   status = (*db)->Delete<Person>(ada.id);
//
// Keys are typed: an integer key takes integers, one of an enum takes that enum, a text any text,
// and a key of several columns takes as many values. Values are always bound, never part of SQL.
//
// Changes that belong together are made in a transaction:
//
//   status = (*db)->Transact([&](Transaction& transaction) -> absl::Status {
//     if (absl::Status status = transaction.Insert(&order); !status.ok()) return status;
//     return transaction.Update(&customer, {&Customer::balance});
//   });
//
// Other reading is by conditions (select.h), or by SQL of the program's own:
//
//   absl::StatusOr<std::vector<Person>> adults =
//       (*db)->Query<Person>("SELECT * FROM Person WHERE age >= ?", 18);
//   absl::StatusOr<std::int64_t> changed =
//       (*db)->Execute("UPDATE Person SET age = age + 1 WHERE name = ?", name);
//
// A write that returns OK is on the disk as options say (database_options.h, which also lists the
// errors), or will be with its transaction. One that does not has changed nothing: neither the
// table nor the struct.

#ifndef STRATA_ORM_DATABASE_H_
#define STRATA_ORM_DATABASE_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/database_options.h"
#include "strata/orm/maintenance.h"
#include "strata/orm/rows_internal.h"
#include "strata/orm/schema.h"
#include "strata/orm/store_internal.h"
#include "strata/orm/table.h"

namespace strata::orm {

class Records;

namespace internal {

RowStore& StoreOf(Records& records);  // For other headers of the library.

}  // namespace internal

// A field of T, for lists of them: &Person::name.
template <typename T>
class Field {
 public:
  template <typename M>
  Field(M T::*member) : offset_(internal::OffsetOf(member)) {}  // NOLINT: implicit by design.

  std::uint32_t offset() const { return offset_; }

 private:
  std::uint32_t offset_;
};

// A value for a parameter of SQL. It refers to what it was made of, so it is for arguments of calls
// alone. An empty optional, nullptr and std::nullopt are NULL.
class Parameter {
 public:
  template <typename V>
  Parameter(const V& value) : argument_(internal::MakeArgument(value)) {}  // NOLINT: implicit.

  const internal::Argument& argument() const { return argument_; }

 private:
  template <typename V>
  friend Parameter AsText(const V& value);

  internal::Argument argument_;
};

// A time, Uuid or enum for comparison with a column that has AsText().
template <typename V>
Parameter AsText(const V& value) {
  static_assert(internal::StorageOf(kTypeInfo<V>, true) == Storage::kText,
                "AsText() is for times, Uuid and enums with STRATA_ENUM");
  Parameter parameter(value);
  parameter.argument_.as_text = true;
  return parameter;
}

class Transaction;

// The calls on rows of described tables.
class Records {
 public:
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  // Runs `body`, and then makes all the changes in it if it returns OK, or none; its error is that
  // of this call. Within a transaction, that is for the part alone (a savepoint), 64 deep at most.
  //
  // Other threads' calls wait meanwhile; `body` has to use the Transaction, as the database itself
  // would wait for its end: that is FailedPrecondition. Where another process has the lock of
  // writers, the beginning is tried again for `busy_timeout`, in intervals that grow; from then on
  // there is nothing to wait for. Structs keep what the writes of a transaction put into them, also
  // when it is rolled back.
  absl::Status Transact(absl::AnyInvocable<absl::Status(Transaction& transaction)> body);

  // Makes the table, or what one in the file lacks, as schema.h says. FailedPrecondition if that
  // would lose anything, or take a rebuild.
  template <typename T>
  absl::Status Create() {
    return store_->Create(CheckedTable<T>());
  }

  // Adds a row. An integer key of 0 gets a new one. Into `row` go the key, and what the row's
  // CreatedAt(), ModifiedAt(), Version() and Filter() have set.
  template <typename T>
  absl::Status Insert(T* row) {
    return Write(internal::WriteOperation::What::kInsert, row, {});
  }

  // Adds all the rows, or none: the fastest way to. What the database sets (keys, times, versions)
  // is not put into them. An error begins with the position of its row: "row 17: ".
  template <typename T>
  absl::Status InsertAll(std::span<const T> rows) {
    return InsertAllRows(CheckedTable<T>(), rows.data(), rows.size());
  }
  template <typename T>
  absl::Status InsertAll(const std::vector<T>& rows) {
    return InsertAll(std::span<const T>(rows));
  }

  // Writes all fields to the row of the same key, but for the key and CreatedAt(). NotFound if
  // there is none; with a Version(), Aborted if another one has been written since `row` was read.
  template <typename T>
  absl::Status Update(T* row) {
    return Write(internal::WriteOperation::What::kUpdate, row, {});
  }

  // Writes these fields alone, besides ModifiedAt() and Version(). Filters run on the whole row.
  template <typename T>
  absl::Status Update(T* row, std::initializer_list<Field<std::type_identity_t<T>>> fields) {
    std::vector<std::uint32_t> offsets;
    offsets.reserve(fields.size());
    for (const Field<T>& field : fields) offsets.push_back(field.offset());
    if (offsets.empty()) return absl::InvalidArgumentError("no fields to update");
    return Write(internal::WriteOperation::What::kUpdate, row, offsets);
  }

  // Inserts the row, or updates the one of the same key, whatever its version.
  template <typename T>
  absl::Status Upsert(T* row) {
    return Write(internal::WriteOperation::What::kUpsert, row, {});
  }

  // NotFound if there is no such row.
  template <typename T, typename... Key>
  absl::Status Delete(const Key&... key) {
    static_assert(internal::FitsKey<T, Key...>(), "the values are not of the table's key columns");
    const std::array<internal::Argument, sizeof...(Key)> arguments{internal::MakeArgument(key)...};
    internal::WriteOperation operation;
    operation.what = internal::WriteOperation::What::kDelete;
    operation.table = &TableOf<T>();
    operation.key = arguments;
    return store_->Write(operation);
  }

  // NotFound if there is no such row.
  template <typename T, typename... Key>
  absl::StatusOr<T> Get(const Key&... key) {
    static_assert(internal::FitsKey<T, Key...>(), "the values are not of the table's key columns");
    const std::array<internal::Argument, sizeof...(Key)> arguments{internal::MakeArgument(key)...};
    absl::StatusOr<T> row(std::in_place);
    if (absl::Status status = store_->Get(TableOf<T>(), arguments, &*row); !status.ok()) {
      return status;
    }
    return row;
  }

  // How many rows there are. SQLite has to count them.
  template <typename T>
  absl::StatusOr<std::int64_t> Count() {
    return store_->Count(CheckedTable<T>());
  }

  // SQL of the program's own. It is one statement, and begins or ends no transaction; each
  // parameter (`?`, `?1`, `:name`, in the order of their numbers) has a value. Never put a value
  // into the text: besides what it lets in, the statement would be prepared each time, where one
  // with the same text is kept.

  // How many rows an INSERT, UPDATE or DELETE has changed, or else 0. Rows of a result are dropped.
  template <typename... Values>
  absl::StatusOr<std::int64_t> Execute(std::string_view sql, const Values&... values) {
    const std::array<internal::Argument, sizeof...(Values)> arguments{
        Parameter(values).argument()...};
    return store_->Execute({sql, arguments});
  }

  // The rows of the result. A SELECT (or WITH) that reads the database alone does not wait for
  // writes, and finds what has been committed when it begins (DatabaseOptions::readers). All else
  // takes its turn with the writes: what tells of its connection, as changes() and PRAGMAs do, and
  // any SQL once the program's has made temporary tables, attached files, or set a PRAGMA. A Row is
  //   a described struct, STRATA_STRUCT or STRATA_TABLE: each of its columns is a column of the
  //     result, by name and in any order, and there are no others;
  //   a std::tuple of values, or a single value, of any type that a field can have: by position.
  // InvalidArgument if the columns do not fit. If a statement that changes something (RETURNING)
  // fails, or one of its values does not fit the Row, nothing is changed.
  template <typename Row, typename... Values>
  absl::StatusOr<std::vector<Row>> Query(std::string_view sql, const Values&... values) {
    const std::array<internal::Argument, sizeof...(Values)> arguments{
        Parameter(values).argument()...};
    absl::StatusOr<std::vector<Row>> rows(std::in_place);
    internal::VectorSink<Row> sink(&*rows);
    const internal::RowShapeOf<Row> shape;
    if (absl::Status status = store_->Query({sql, arguments}, shape.get(), sink); !status.ok()) {
      return status;
    }
    return rows;
  }

  // The same, without keeping the rows: `each` gets them one by one, as a Row&, and returns
  // nothing, or a bool that is false to end there, or an absl::Status whose error ends it and is
  // that of this call.
  //
  //   db->ForEach<Person>("SELECT * FROM Person WHERE age >= ?", {18}, [&](Person& person) {
  //     return Print(person);
  //   });
  //
  // Other threads' calls wait until the end if this has its turn with the writes. `each` may use a
  // Transaction, if this is its call, but not the Database; whether a row that it adds or changes
  // comes (again) is not told.
  template <typename Row, typename Each>
  absl::Status ForEach(std::string_view sql, std::initializer_list<Parameter> values, Each&& each) {
    std::vector<internal::Argument> arguments;
    arguments.reserve(values.size());
    for (const Parameter& value : values) arguments.push_back(value.argument());
    internal::EachSink<Row, std::remove_reference_t<Each>> sink(each);
    const internal::RowShapeOf<Row> shape;
    return store_->Query({sql, arguments}, shape.get(), sink);
  }

 protected:
  explicit Records(internal::RowStore* store) : store_(store) {}
  ~Records() = default;

 private:
  template <typename T>
  static const TableInfo& CheckedTable() {
    static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
    return TableOf<T>();
  }

  template <typename T>
  absl::Status Write(internal::WriteOperation::What what, T* row,
                     std::span<const std::uint32_t> offsets) {
    internal::WriteOperation operation;
    operation.what = what;
    operation.table = &CheckedTable<T>();
    operation.row = row;
    operation.result = row;
    operation.offsets = offsets;
    return store_->Write(operation);
  }

  friend class Batch;
  friend internal::RowStore& internal::StoreOf(Records& records);

  absl::Status InsertAllRows(const TableInfo& table, const void* rows, std::size_t count);

  internal::RowStore* store_;
};

namespace internal {

inline RowStore& StoreOf(Records& records) { return *records.store_; }

}  // namespace internal

// What Transact() gives, to be used while its `body` runs, by one thread at a time. Aborted, for
// each call, after SQLite has ended the transaction itself (a full disk).
class Transaction : public Records {
 private:
  friend class Records;
  explicit Transaction(internal::RowStore* store) : Records(store) {}
};

// Thread-safe. Writes of several threads that wait are committed together, each of them failing for
// itself; validators may then be called by another of these threads. Reads do not wait for writes,
// and find what has been committed when they begin (DatabaseOptions::readers).
class Database : public Records {
 public:
  // ":memory:" is a database of its own, gone with the object. Other paths are those of files.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const DatabaseOptions& options = {});

  // The same, with Migrate(); of a file opened for reading the schema is only checked.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const Schema& schema,
                                                        const DatabaseOptions& options = {},
                                                        const MigrateOptions& migrate = {});
  ~Database();

  // Changes the tables of the file to what is described (schema.h). FailedPrecondition if something
  // is refused, with all that is.
  absl::StatusOr<SchemaReport> Migrate(const Schema& schema, const MigrateOptions& options = {});

  // Copies the database into a new file, while it is used: what this process writes meanwhile gets
  // into the copy too. The file has its name when it is whole and on the disk; until then it is
  // "<path>.partial". AlreadyExists if there is one of that name, or a log or journal of one.
  absl::Status Backup(const std::string& path, BackupOptions options = {});

  // Reads the whole database. DataLoss with what is damaged; FailedPrecondition with the references
  // to rows that are not there, which a program that does not enforce them has left.
  absl::Status CheckIntegrity();

  // Writes the database anew, without the space that deleted rows have left. It takes as much space
  // again meanwhile.
  absl::Status Vacuum();

  // FailedPrecondition without a write-ahead log, Unavailable if others have not let go in time.
  absl::StatusOr<CheckpointResult> Checkpoint(CheckpointMode mode = CheckpointMode::kPassive);

 private:
  explicit Database(std::unique_ptr<internal::DatabaseStore> store);

  std::unique_ptr<internal::DatabaseStore> owned_;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_DATABASE_H_
