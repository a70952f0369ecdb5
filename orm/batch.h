// File: batch.h
//
// Many changes of rows, of any kinds and tables, gathered and written some at a time:
//
//   Batch batch(db.get());
//   for (const Person& person : people) {
//     if (absl::Status status = batch.Insert(person); !status.ok()) return status;
//   }
//   status = batch.Delete<Person>(17);
//   status = batch.Flush();
//
// Whenever `rows` changes have been gathered they are written in their order and in one
// transaction; so memory stays the same for millions of rows. For all of them or none, use a Batch
// on a Transaction.
//
// Rows are copied, or moved: what a write sets (keys, times, versions) is not put into the
// caller's.

#ifndef STRATA_ORM_BATCH_H_
#define STRATA_ORM_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/database.h"

namespace strata::orm {

struct BatchOptions {
  std::size_t rows = 1000;  // Of one transaction; at least 1.
};

// Used by one thread at a time. The Records have to live longer.
class Batch {
 public:
  explicit Batch(Records* records, const BatchOptions& options = {})
      : store_(records->store_), options_(options) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // What has not been flushed is dropped.
  ~Batch() {
    Clear();
    Release(spare_);
  }

  // Each returns the error of the writing, if it is time for that, which is about any of the rows
  // gathered: "row 3 of the batch: people: UNIQUE constraint failed: people.email". Those gathered
  // with it are dropped then, and none of them has been written; `written()` tells how far it was.
  template <typename T>
  absl::Status Insert(T&& row) {
    return Add(internal::WriteOperation::What::kInsert, std::forward<T>(row));
  }
  template <typename T>
  absl::Status Update(T&& row) {
    return Add(internal::WriteOperation::What::kUpdate, std::forward<T>(row));
  }
  template <typename T>
  absl::Status Upsert(T&& row) {
    return Add(internal::WriteOperation::What::kUpsert, std::forward<T>(row));
  }
  template <typename T, typename... Key>
  absl::Status Delete(const Key&... key) {
    static_assert(internal::FitsKey<T, Key...>(), "the values are not of the table's key columns");
    const TableInfo& table = TableOf<T>();
    T row{};
    std::size_t next = 0;
    if (!(SetKey(table.columns[table.key[next++]], internal::MakeArgument(key), &row) && ...)) {
      return absl::OutOfRangeError("no row has such a key");
    }
    return Add(internal::WriteOperation::What::kDelete, std::move(row));
  }

  // Writes what has been gathered.
  absl::Status Flush();

  std::uint64_t written() const { return written_; }  // Changes, since the beginning.
  std::size_t pending() const { return pending_; }

 private:
  // Rows of one table, for one kind of operation, side by side.
  struct Run {
    internal::WriteOperation::What what;
    const TableInfo* table;
    char* rows = nullptr;
    std::size_t count = 0;
    std::size_t capacity = 0;
  };

  template <typename Row>
  absl::Status Add(internal::WriteOperation::What what, Row&& row) {
    using T = std::remove_cvref_t<Row>;
    static_assert(TableOf<T>().key_count > 0, "a STRATA_STRUCT has no table; use STRATA_TABLE");
    static_assert(std::is_move_constructible_v<T>, "a row of a batch has to be movable");
    new (Reserve(what, TableOf<T>())) T(std::forward<Row>(row));
    ++runs_.back().count;
    ++pending_;
    return pending_ < options_.rows ? absl::OkStatus() : Flush();
  }

  // False if the row's type does not hold the value.
  static bool SetKey(const Column& column, const internal::Argument& key, void* row);

  // Memory for one more row of the last run, which is a new one if it is of other rows.
  void* Reserve(internal::WriteOperation::What what, const TableInfo& table);
  static void Grow(Run& run);
  static void Release(Run& run);  // Its memory, in which there are no rows.
  static absl::Status WriteRun(internal::RowStore& store, const Run& run, std::size_t* failed);
  void Clear();

  internal::RowStore* store_;
  BatchOptions options_;
  std::vector<Run> runs_;
  Run spare_{};  // The memory of a run that has been written, for the next one of its table.
  std::size_t pending_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_BATCH_H_
