#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/memory_codec_internal.h"
#include "strata/orm/memory_history_internal.h"
#include "strata/orm/memory_query_internal.h"
#include "strata/orm/memory_session_internal.h"
#include "strata/orm/scalar_internal.h"
#include "strata/orm/time_text.h"

namespace strata::orm::internal {
namespace {

// How many changes the log grows by between two looks at what is too many.
constexpr std::int64_t kPruneInterval = 64;

constexpr std::string_view kSuffix = "#log";

// The columns of a Change<T> before those of T.
constexpr std::size_t kOwnColumns = 3;

// A Change<T> that an entry is copied into, to be looked at as any row.
class ChangeRow {
 public:
  explicit ChangeRow(const TableInfo& info)
      : info_(info), row_(::operator new (info.row_size, std::align_val_t{info.row_align})) {
    info_.ops.construct(row_);
  }
  ~ChangeRow() {
    info_.ops.destroy(row_);
    ::operator delete (row_, std::align_val_t{info_.row_align});
  }
  ChangeRow(const ChangeRow&) = delete;
  ChangeRow& operator=(const ChangeRow&) = delete;

  const void* Set(const TableInfo& table, const MemoryHistory::Entry& entry) {
    const std::int64_t own[kOwnColumns] = {entry.sequence, static_cast<std::int64_t>(entry.kind),
                                           entry.time};
    for (std::size_t i = 0; i < kOwnColumns; ++i) {
      const Column& column = info_.columns[i];
      StoreInteger(*column.value, column.Emplace(row_), own[i]);
    }
    for (std::size_t i = 0; i < table.columns.size() && entry.row != nullptr; ++i) {
      const Column& column = table.columns[i];
      CopyValue(*column.type, static_cast<char*>(row_) + info_.columns[kOwnColumns + i].offset,
                entry.row + column.offset);
    }
    return row_;
  }

 private:
  const TableInfo& info_;
  void* row_;
};

// Whether `info` describes the changes of the table's own struct.
absl::Status CheckDescription(const TableInfo& table, const TableInfo& info) {
  bool fits =
      info.columns.size() == table.columns.size() + kOwnColumns && info.ops.construct != nullptr;
  for (std::size_t i = 0; fits && i < table.columns.size(); ++i) {
    const Column& column = info.columns[kOwnColumns + i];
    fits = column.type == table.columns[i].type && column.name == table.columns[i].name;
  }
  if (fits) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(info.name, ": another struct has the table"));
}

}  // namespace

MemoryHistory::~MemoryHistory() {
  while (!entries_.empty()) DropFirst();
}

std::string MemoryHistory::Name() const { return absl::StrCat(table_.info().name, kSuffix); }

void MemoryHistory::Append(ChangeKind kind, std::int64_t time, const char* row) {
  ++last_;
  if (!is_kept()) return;
  char* copy = table_.Allocate();
  table_.info().ops.copy(copy, row);
  entries_.push_back({last_, kind, time, copy});
}

void MemoryHistory::RemoveLast() {
  --last_;
  if (!is_kept()) return;
  char* row = entries_.back().row;
  entries_.pop_back();
  table_.info().ops.destroy(row);
  table_.Free(row);
}

void MemoryHistory::DropFirst() {
  char* row = entries_.front().row;
  entries_.pop_front();
  if (row == nullptr) return;
  table_.info().ops.destroy(row);
  table_.Free(row);
}

bool MemoryHistory::Load(const Entry& entry) {
  if (entry.sequence < 1 || entry.sequence > kMaxHistoryNumber) return false;
  if (entry.time < -kMaxHistoryNumber || entry.time > kMaxHistoryNumber) return false;
  if (!entries_.empty() && entry.sequence != last_ + 1) return false;
  entries_.push_back(entry);
  last_ = entry.sequence;
  return true;
}

void MemoryHistory::Restart(std::int64_t time) {
  while (!entries_.empty()) DropFirst();
  last_ += 2;
  entries_.push_back({last_, ChangeKind::kRestart, time, nullptr});
}

void MemoryHistory::Prune(std::int64_t sequence) {
  while (entries_.size() > 1 && entries_.front().sequence <= sequence) DropFirst();
}

void MemoryHistory::PruneByRule() {
  if (last_ / kPruneInterval == looked_at_ / kPruneInterval) return;
  looked_at_ = last_;
  const ChangeLogInfo& rule = table_.info().log;
  Prune(last_ - rule.max_entries);
  if (rule.max_age_seconds == 0 || entries_.empty()) return;
  // From the first one on, so that there are no holes when clocks are set.
  const std::int64_t oldest = entries_.back().time - std::int64_t{1000} * rule.max_age_seconds;
  while (entries_.size() > 1 && entries_.front().time < oldest) DropFirst();
}

std::size_t MemoryHistory::FirstOf(const SelectOperation& operation) const {
  if (entries_.empty()) return 0;
  const std::int64_t first = entries_.front().sequence;
  std::int64_t from = first;
  for (const Term& term : operation.where) {
    if (term.op != Op::kGreater && term.op != Op::kGreaterOrEqual) continue;
    if (term.operands[0].column != operation.table->columns.data() ||
        term.operands[1].op != Op::kValue) {
      continue;
    }
    const Value value = ValueOfArgument(term.operands[1].argument);
    if (value.what == Value::Class::kInteger) from = std::max(from, value.integer);
  }
  return static_cast<std::size_t>(from - first);
}

absl::Status MemoryHistory::Select(const SelectOperation& operation,
                                   std::span<const ResultField> fields, RowSink& sink) const {
  const TableInfo& info = *operation.table;
  absl::Status status = CheckDescription(table_.info(), info);
  if (status.ok()) status = CheckQuery(operation, fields);
  for (const Term& condition : operation.where) {
    if (status.ok()) status = CheckCondition(info, condition);
  }
  if (!status.ok()) return status;
  const bool by_sequence =
      operation.order.empty() || operation.order.front().term.column == &info.columns[0];
  if (!by_sequence || operation.after != nullptr) {
    return absl::UnimplementedError(absl::StrCat(info.name, ": is in the order of sequences"));
  }
  const bool descending = !operation.order.empty() && operation.order.front().descending;
  const bool counts = operation.what != SelectOperation::What::kRows;
  const RowRange range = RangeOf(operation);
  ChangeRow row(info);
  std::size_t found = 0;
  bool more = true;
  // What gets the rows may write to the table, and so to the log: it is looked at anew each time.
  for (std::size_t i = descending ? 0 : FirstOf(operation); i < entries_.size() && more; ++i) {
    const Entry& entry = entries_[descending ? entries_.size() - 1 - i : i];
    const void* change = row.Set(table_.info(), entry);
    const bool holds = std::all_of(operation.where.begin(), operation.where.end(),
                                   [&](const Term& term) { return Holds(term, change); });
    if (!holds || ++found <= range.skipped || counts) continue;
    if (found - range.skipped > range.count) break;
    status = GiveRow(operation, change, fields, sink, &more);
    if (!status.ok()) return status;
  }
  return counts ? GiveNumber(operation, found, fields, sink) : absl::OkStatus();
}

absl::StatusOr<MemoryHistory::Pruned> MemoryHistory::WhatToPrune(
    const ChangeOperation& operation) const {
  const TableInfo& info = *operation.table;
  if (operation.row != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(info.name, ": entries do not change"));
  }
  absl::Status status = CheckDescription(table_.info(), info);
  if (status.ok()) status = CheckCondition(info, *operation.where);
  if (!status.ok()) return status;
  ChangeRow row(info);
  Pruned pruned;
  bool is_beginning = true;
  for (const Entry& entry : entries_) {
    if (!Holds(*operation.where, row.Set(table_.info(), entry))) {
      is_beginning = false;
      continue;
    }
    if (!is_beginning || &entry == &entries_.back()) {
      return absl::FailedPreconditionError(
          absl::StrCat(info.name, ": loses its first entries alone, and never the last one"));
    }
    pruned.sequence = entry.sequence;
    ++pruned.count;
  }
  return pruned;
}

void MemorySession::Note(MemoryTable& table, ChangeKind kind, const char* row) {
  MemoryHistory* history = table.history;
  if (history == nullptr) return;
  const std::int64_t time = time_.has_value() ? *time_ : NowTicks(TimeUnit::kMilliseconds);
  if (log_ != nullptr && noted_time_ != time) {
    AppendTime(time, &changes_);
    noted_time_ = time;
  }
  history->Append(kind, time, row);
  if (std::find(written_.rbegin(), written_.rend(), history) == written_.rend()) {
    written_.push_back(history);
  }
}

MemoryHistory* MemorySession::FindHistory(const TableInfo& info) const {
  if (!info.name.ends_with(kSuffix)) return nullptr;
  for (const auto& history : histories_) {
    if (history->is_kept() && SameName(history->Name(), info.name)) return history.get();
  }
  return nullptr;
}

absl::StatusOr<std::int64_t> MemorySession::ChangeHistory(MemoryHistory& history,
                                                          const ChangeOperation& operation) {
  const absl::StatusOr<MemoryHistory::Pruned> pruned = history.WhatToPrune(operation);
  if (!pruned.ok()) return pruned.status();
  if (pruned->count > 0) PruneHistory(history, pruned->sequence);
  return pruned->count;
}

void MemorySession::PruneHistory(MemoryHistory& history, std::int64_t sequence) {
  prunes_.push_back({&history, sequence});
  if (log_ != nullptr) AppendPrune(history.table(), sequence, &changes_);
}

void MemorySession::BeginHistory(MemoryTable& table, bool is_counted) {
  MemoryHistory* history = histories_[table.position].get();
  table.history = is_counted ? history : nullptr;
  if (history->is_kept() && !is_counted) history->is_to_restart = true;
}

void MemorySession::FinishHistories() {
  for (const auto& table : tables_) {
    MemoryHistory* history = histories_[table->position].get();
    table->history = history->is_kept() ? history : nullptr;
    if (std::exchange(history->is_to_restart, false)) {
      history->Restart(NowTicks(TimeUnit::kMilliseconds));
    }
    history->PruneByRule();
  }
  written_.clear();
}

}  // namespace strata::orm::internal
