// Who writes next: the threads of a process take turns at the one connection that writes.

#ifndef STRATA_ORM_WRITE_QUEUE_INTERNAL_H_
#define STRATA_ORM_WRITE_QUEUE_INTERNAL_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/log_signal_internal.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/within_internal.h"

namespace strata::orm::internal {

// Operations that are committed together, at most.
inline constexpr std::size_t kMaxGroup = 128;

// Thread-safe. Turns come in the order of the calls. Single writes that wait behind each other are
// made by the first of their threads, in one transaction: one wait for the disk for all of them. As
// each thread waits for its own, the queue is as long as there are threads.
class WriteQueue {
 public:
  explicit WriteQueue(SqliteSession& session) : session_(session) {}
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Each is FailedPrecondition within a turn of the same thread, which would wait for itself.
  absl::Status Write(const WriteOperation& operation);

  // Called at the end of each turn that has written to a log of changes.
  LogSignal& signal() { return signal_; }

  // Of the turns, with the one that is under way.
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const Turn* turn = first_; turn != nullptr; turn = turn->next) ++count;
    return count;
  }

  // Runs `call` on this thread, while no other has a turn.
  template <typename Call>
  auto Alone(const Call& call) -> decltype(call()) {
    if (absl::Status status = Within::Not(&session_); !status.ok()) return status;
    Turn turn;
    Enter(turn);
    return Run(call);
  }

  // The same if no other thread has, or waits for, a turn; or else nothing.
  template <typename Call>
  auto TryAlone(const Call& call) -> std::optional<decltype(call())> {
    Turn turn;
    if (!TryEnter(turn)) return std::nullopt;
    return Run(call);
  }

 private:
  // Of a thread that waits, on its stack.
  struct Turn {
    const WriteOperation* operation = nullptr;  // One that can be of a group.
    absl::Status status = {};                   // Of the operation, once it `is_done`.
    bool is_done = false;
    std::condition_variable* ready = nullptr;  // Of a thread that waits.
    Turn* next = nullptr;
  };

  // Returns when it is this turn, or when another thread has done its operation.
  void Enter(Turn& turn);
  bool TryEnter(Turn& turn);
  void Append(Turn& turn);
  // Ends the first `count` turns.
  void Leave(std::size_t count);

  template <typename Call>
  auto Run(const Call& call) -> decltype(call()) {
    const Within within(&session_);
    auto result = call();
    Leave(1);
    return result;
  }

  // The turns that begin with this one and can be made together.
  std::vector<Turn*> GroupOf(Turn& turn);
  void WriteGroup(std::span<Turn* const> group);

  SqliteSession& session_;
  LogSignal signal_;
  std::mutex mutex_;
  Turn* first_ = nullptr;  // It is under way.
  Turn* last_ = nullptr;   // Of a list that is not empty.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_WRITE_QUEUE_INTERNAL_H_
