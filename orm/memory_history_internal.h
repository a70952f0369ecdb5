// The changes of a table in memory that are kept for those who follow them (change_log.h).

#ifndef STRATA_ORM_MEMORY_HISTORY_INTERNAL_H_
#define STRATA_ORM_MEMORY_HISTORY_INTERNAL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/change_log.h"
#include "strata/orm/memory_table_internal.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/store_internal.h"

namespace strata::orm::internal {

// Of sequences and times of files: so far from the ends that numbers do not overflow.
inline constexpr std::int64_t kMaxHistoryNumber = std::int64_t{1} << 60;

// Sequences count on from 1 without a hole, but for the two that a new beginning leaves out. The
// last entry always stays.
class MemoryHistory {
 public:
  struct Entry {
    std::int64_t sequence;
    ChangeKind kind;
    std::int64_t time;  // In milliseconds since 1970.
    char* row;          // In memory of the table's Allocate(); null of a kRestart.
  };

  // The table outlives it.
  explicit MemoryHistory(MemoryTable* table) : table_(*table) {}
  ~MemoryHistory();
  MemoryHistory(const MemoryHistory&) = delete;
  MemoryHistory& operator=(const MemoryHistory&) = delete;

  // The name of the table of a Database that has such entries, "orders#log".
  std::string Name() const;

  // Whether there are entries, or only a number that goes on in case that there are again.
  bool is_kept() const { return table_.info().log.max_entries != 0; }
  const MemoryTable& table() const { return table_; }
  std::int64_t last() const { return last_; }
  // At least so much.
  void CountTo(std::int64_t last) { last_ = std::max(last_, last); }
  const std::deque<Entry>& entries() const { return entries_; }

  // The next change, which `row` is a copy of; and none of it.
  void Append(ChangeKind kind, std::int64_t time, const char* row);
  void RemoveLast();

  // As a file has it. False if the sequence is not one that may follow.
  bool Load(const Entry& entry);

  // What was before is not known.
  void Restart(std::int64_t time);
  bool is_to_restart = false;  // At the end of loading.

  // Drops entries up to this one, but for the last.
  void Prune(std::int64_t sequence);
  // Drops those that LogChanges() does not ask for, as often as the log of a Database does.
  void PruneByRule();

  // The queries of change_log.h, by the description of its Change<T>. Unimplemented for an order
  // but by sequence.
  absl::Status Select(const SelectOperation& operation, std::span<const ResultField> fields,
                      RowSink& sink) const;

  // Up to which sequence a DeleteWhere() drops entries, and how many these are.
  struct Pruned {
    std::int64_t sequence = 0;
    std::int64_t count = 0;
  };
  absl::StatusOr<Pruned> WhatToPrune(const ChangeOperation& operation) const;

 private:
  void DropFirst();
  // The position of the first entry that the conditions let be one of the query's.
  std::size_t FirstOf(const SelectOperation& operation) const;

  MemoryTable& table_;
  std::deque<Entry> entries_;
  std::int64_t last_ = 0;
  std::int64_t looked_at_ = 0;  // The last sequence at the last PruneByRule().
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_HISTORY_INTERNAL_H_
