// Operations on tables in memory, and transactions over them. Nothing here locks.

#ifndef STRATA_ORM_MEMORY_SESSION_INTERNAL_H_
#define STRATA_ORM_MEMORY_SESSION_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/memory_history_internal.h"
#include "strata/orm/memory_table_internal.h"
#include "strata/orm/store_internal.h"

namespace strata::orm::internal {

// Where the changes of a transaction go before it is committed.
class ChangeLog {
 public:
  // `changes` as memory_codec_internal.h writes them. After an error nothing of them is kept.
  virtual absl::Status Append(std::string_view changes) = 0;

 protected:
  ~ChangeLog() = default;
};

// A row of the table's memory, until Release().
class NewRow {
 public:
  NewRow(MemoryTable& table, const void* from) : table_(table), row_(table.Allocate()) {
    table.info().ops.copy(row_, from);
  }
  ~NewRow() {
    if (row_ == nullptr) return;
    table_.info().ops.destroy(row_);
    table_.Free(row_);
  }
  NewRow(const NewRow&) = delete;
  NewRow& operator=(const NewRow&) = delete;

  char* get() const { return row_; }
  char* Release() { return std::exchange(row_, nullptr); }

 private:
  MemoryTable& table_;
  char* row_;
};

class MemorySession {
 public:
  MemorySession() = default;
  MemorySession(const MemorySession&) = delete;
  MemorySession& operator=(const MemorySession&) = delete;

  // From now on, transactions are committed by this.
  void set_log(ChangeLog* log) { log_ = log; }

  // Tables, in the order in which they were made.
  std::span<const std::unique_ptr<MemoryTable>> tables() const { return tables_; }
  MemoryTable* Find(const TableInfo& info) const;  // Null if it has not been made.
  absl::StatusOr<MemoryTable*> Need(const TableInfo& info) const;

  absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                      RowSink& sink) const;

  // FailedPrecondition if another struct has a table of this name.
  absl::Status Create(const TableInfo& info);

  // Runs `body` as a transaction, or as a part of the one that is under way.
  template <typename Body>
  absl::Status Transact(Body&& body) {
    if (depth_ == kMaxDepth) {
      return absl::ResourceExhaustedError("transactions are nested too deeply");
    }
    const Mark mark = Here();
    ++depth_;
    return End(body(), mark);
  }

  // The rest is for the body of a Transact().

  // One that fails has changed nothing.
  absl::Status Write(const WriteOperation& operation);
  absl::Status InsertAll(const TableInfo& info, const void* rows, std::size_t count,
                         std::size_t* failed);
  // How many rows it has changed.
  absl::StatusOr<std::int64_t> Change(const ChangeOperation& operation);

  // A row of a table that refers to others may have been inserted before the one that it refers to:
  // these are looked for at the end of a statement, among whose inserts `*failed` is the position
  // of the one that the error is about.
  using Statement = std::size_t;
  Statement BeginStatement() const { return undo_.size(); }
  absl::Status CheckReferences(Statement statement, std::size_t* failed = nullptr);

  // The same for all rows that there are.
  absl::Status CheckAllReferences();

  // Inserts a row that lies in memory of the table's Allocate(), as it is but for filters and a key
  // of 0. On an error the row is still there, and not of the table.
  absl::Status InsertInPlace(MemoryTable& table, char* row);

  // What a log or a snapshot has: without rules, as they have been looked at. The row, which lies
  // in memory of Allocate(), is the table's afterwards, or is gone.
  absl::Status Put(MemoryTable& table, char* row);
  absl::Status Remove(MemoryTable& table, const void* with_key);

  // Histories, in the order of the tables.
  std::span<const std::unique_ptr<MemoryHistory>> histories() const { return histories_; }

  // What a log says of them: the time of the changes that follow, none for that of the clock; and
  // up to where entries were dropped, which they are at the end of the transaction.
  void SetTime(std::optional<std::int64_t> time) { time_ = time; }
  void PruneHistory(MemoryHistory& history, std::int64_t sequence);

  // A file is read in which changes of the table were counted, or were not; it has been read.
  void BeginHistory(MemoryTable& table, bool is_counted);
  void FinishHistories();

  // The histories that have got entries since the last call, and some that have not.
  std::vector<const MemoryHistory*> TakeWritten() { return std::exchange(written_, {}); }

 private:
  static constexpr int kMaxDepth = 64;

  struct Undo {
    enum class What : std::uint8_t { kInserted, kUpdated, kDeleted };
    What what;
    MemoryTable* table;
    char* row;
    union {
      std::int64_t last_key;  // Of kInserted: the table's, before.
      char* before;           // Of kUpdated: a copy, in memory of the table's Allocate().
    };
  };
  struct Mark {
    std::size_t undo;
    std::size_t changes;
    std::size_t prunes;
  };
  struct PendingPrune {
    MemoryHistory* history;
    std::int64_t sequence;
  };

  Mark Here() const { return {undo_.size(), changes_.size(), prunes_.size()}; }

  absl::Status End(absl::Status status, const Mark& mark);
  void RollBack(const Mark& mark);
  void Forget();

  // `*stored` is the table's row afterwards.
  absl::Status Insert(MemoryTable& table, const void* row, char** stored);
  absl::Status Update(MemoryTable& table, std::span<const std::uint32_t> offsets, const void* row,
                      char** stored);
  absl::Status Upsert(MemoryTable& table, const void* row, char** stored);
  absl::Status Delete(MemoryTable& table, const WriteOperation& operation);
  absl::Status UpdateRow(MemoryTable& table, std::span<const Column* const> columns,
                         const void* values, char* row);

  void ConnectReferences(MemoryTable& table);
  absl::Status GiveKey(MemoryTable& table, char* row);
  absl::Status LinkNew(MemoryTable& table, char* row);
  // Before the change that it is of is written to `changes_`.
  void Note(MemoryTable& table, ChangeKind kind, const char* row);
  MemoryHistory* FindHistory(const TableInfo& info) const;  // Of a Change<T>; null if none.
  absl::StatusOr<std::int64_t> ChangeHistory(MemoryHistory& history,
                                             const ChangeOperation& operation);
  // Makes the linked row equal to `image`, or not.
  absl::Status Replace(MemoryTable& table, char* row, const void* image);
  void DeleteRow(MemoryTable& table, char* row);

  // Deletes the row, and does with those that refer to it as they say.
  absl::Status DeleteWithReferrers(MemoryTable& table, char* row);
  absl::Status ActOnReferrers(const MemoryTable& parent, const char* gone);
  absl::Status SetReference(const Referrer& referrer, char* row);

  std::vector<std::unique_ptr<MemoryTable>> tables_;
  std::vector<std::unique_ptr<MemoryHistory>> histories_;  // Their rows are the tables'.
  absl::flat_hash_map<const TableInfo*, MemoryTable*> by_info_;
  bool has_references_ = false;
  ChangeLog* log_ = nullptr;
  int depth_ = 0;
  std::vector<Undo> undo_;
  std::string changes_;
  std::vector<PendingPrune> prunes_;
  std::optional<std::int64_t> time_;
  std::optional<std::int64_t> noted_time_;  // The last one that `changes_` has.
  std::vector<const MemoryHistory*> written_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_SESSION_INTERNAL_H_
