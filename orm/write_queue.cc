#include <array>
#include <cassert>
#include <cstring>
#include <vector>

#include "strata/orm/write_queue_internal.h"

namespace strata::orm::internal {
namespace {

// The fields of a row that a write sets: numbers and times, or optionals of them.
class SetFields {
 public:
  explicit SetFields(const WriteOperation& operation) : operation_(operation) {
    ForEach([](char* field, char* saved, std::size_t size) { std::memcpy(saved, field, size); });
  }

  // As they were.
  void Restore() {
    ForEach([](char* field, char* saved, std::size_t size) { std::memcpy(field, saved, size); });
  }

 private:
  static constexpr std::size_t kMaxSize = 16;

  template <typename Each>
  void ForEach(Each each) {
    if (operation_.result == nullptr) return;
    const TableInfo& table = *operation_.table;
    const int positions[] = {table.has_rowid_key() ? table.key[0] : -1, table.created_at,
                             table.modified_at, table.version};
    std::size_t next = 0;
    for (const int position : positions) {
      char* saved = saved_[next++].data();
      if (position < 0) continue;
      const Column& column = table.columns[static_cast<std::size_t>(position)];
      assert(column.type->size <= kMaxSize);
      each(static_cast<char*>(operation_.result) + column.offset, saved, column.type->size);
    }
  }

  const WriteOperation& operation_;
  std::array<std::array<char, kMaxSize>, 4> saved_{};
};

}  // namespace

void WriteQueue::Enter(Turn& turn) {
  std::unique_lock lock(mutex_);
  std::condition_variable ready;
  turn.ready = &ready;
  Append(turn);
  ready.wait(lock, [&] { return turn.is_done || first_ == &turn; });
  turn.ready = nullptr;
}

void WriteQueue::Append(Turn& turn) {
  (first_ == nullptr ? first_ : last_->next) = &turn;
  last_ = &turn;
}

bool WriteQueue::TryEnter(Turn& turn) {
  const std::lock_guard lock(mutex_);
  if (first_ != nullptr) return false;
  Append(turn);
  return true;
}

void WriteQueue::Leave(std::size_t count) {
  // Each turn ends outside of a transaction.
  const std::vector<std::string> logs = signal_.Take();
  {
    const std::lock_guard lock(mutex_);
    for (; count > 0; --count) {
      // Under the lock, as the turn is gone once its thread has seen it.
      Turn& turn = *first_;
      first_ = turn.next;
      turn.is_done = true;
      if (turn.ready != nullptr) turn.ready->notify_one();
    }
    if (first_ != nullptr) first_->ready->notify_one();
  }
  if (!logs.empty()) signal_.listeners().Wake(logs);
}

std::vector<WriteQueue::Turn*> WriteQueue::GroupOf(Turn& turn) {
  std::vector<Turn*> group = {&turn};
  const std::lock_guard lock(mutex_);
  if (turn.operation == nullptr) return group;
  for (Turn* next = turn.next; next != nullptr && group.size() < kMaxGroup; next = next->next) {
    if (next->operation == nullptr) break;
    group.push_back(next);
  }
  return group;
}

absl::Status WriteQueue::Write(const WriteOperation& operation) {
  const auto write = [&] { return session_.Write(operation); };
  Turn turn;
  if (TryEnter(turn)) return Run(write);
  if (absl::Status status = Within::Not(&session_); !status.ok()) return status;
  // Filters change a row in ways that could not be undone in the caller's.
  if (!operation.table->has_filters) turn.operation = &operation;
  Enter(turn);
  if (turn.is_done) return turn.status;
  const std::vector<Turn*> group = GroupOf(turn);
  if (group.size() == 1) return Run(write);
  WriteGroup(group);
  Leave(group.size());
  return turn.status;
}

void WriteQueue::WriteGroup(std::span<Turn* const> group) {
  const Within within(&session_);
  std::vector<SetFields> before;
  before.reserve(group.size());
  const absl::Status status = session_.Transact([&] {
    for (Turn* turn : group) {
      before.emplace_back(*turn->operation);
      turn->status = session_.Transact([&] { return session_.Write(*turn->operation); });
      if (!turn->status.ok()) before.back().Restore();
    }
    return absl::OkStatus();
  });
  if (status.ok()) return;
  for (SetFields& fields : before) fields.Restore();
  for (Turn* turn : group) {
    // Nothing has been written. What one of them is the reason of is not the others' error.
    turn->status = absl::IsUnavailable(status) ? status : session_.Write(*turn->operation);
  }
}

}  // namespace strata::orm::internal
