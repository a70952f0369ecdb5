// File: mailbox.h
//
// Where other threads leave tasks for a loop: a stack that many push to and one empties whole, so
// without locks and without the ABA problem. It outlives its loop for as long as anyone holds it,
// which is what makes a late Post() an error and no crash.
//
// A sleeping loop is woken once, however many post to it before it is up; one that is awake is not
// woken at all.

#ifndef STRATA_NET_MAILBOX_H_
#define STRATA_NET_MAILBOX_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "strata/net/error.h"
#include "strata/net/poller.h"
#include "strata/net/ref_ptr.h"

namespace strata::net {

class Loop;

class Mailbox final : public RefCounted {
 public:
  using Task = absl::AnyInvocable<void()>;

  // At most `capacity` tasks may wait.
  Mailbox(Loop* loop, std::shared_ptr<Poller> poller, std::size_t capacity);
  ~Mailbox() override;

  // From any thread: hands a task over, to run in the order of posting among one thread's.
  // kQueueFull if there are too many, kClosed if the loop has ended; then the task is destroyed by
  // the caller's thread.
  [[nodiscard]] Error Post(Task task);

  // The same without the bound, for what is bounded elsewhere and must not be lost: one close of
  // each connection, one result of each accepted job.
  Error PostAlways(Task task);

  // From any thread: a task that the loop expects. With `more` the loop is let sleep on, for its
  // next task, by PostExpected() too, is about to come. Should that take long, the loop looks by
  // itself: a task waits at most as long again as one has been expected, and a millisecond.
  Error PostExpected(Task task, bool more);

  // Whether the caller is the loop's thread. Any thread is, before the loop's first turn.
  bool InLoopThread() const {
    const void* thread = thread_.load(std::memory_order_relaxed);
    return thread == &this_thread_ || thread == nullptr;
  }

  // From any thread: whether the loop has ended.
  bool closed() const { return head_.load(std::memory_order_relaxed) == ClosedMark(); }

  // What follows belongs to the loop's thread.

  // Makes the caller that thread.
  void EnterThread();

  // Null once it has ended.
  Loop* loop() const { return loop_; }

  // One PostExpected() will come; or it will not, after all.
  void Expect(std::uint64_t now_ms) {
    ++expected_;
    expected_since_ms_ = now_ms;
  }
  void ExpectNot() { --expected_; }

  // How long the loop may sleep, for what it expects; nothing for any time.
  std::optional<std::uint64_t> LookAfterMs(std::uint64_t now_ms) const {
    if (expected_ == 0) return std::nullopt;
    return std::max<std::uint64_t>(now_ms - expected_since_ms_, 1);
  }

  // Runs what was there at the time of the call, each by `run(task)`. Returns how many.
  template <typename Run>
  std::size_t RunAll(Run run);

  // True if the loop may wait for events: a post that comes after this wakes the poller.
  bool PrepareToSleep();

  // After waiting.
  void Awake() { sleeping_.store(false, std::memory_order_relaxed); }

  // No task is taken any more. Destroys those that have not run.
  void Close();

 private:
  struct Node {
    Node* next;
    Task task;
    bool expected;
  };

  Error Push(Task task, bool expected, bool more);
  static Node* Reverse(Node* node);
  static Node* ClosedMark();

  static constinit thread_local char this_thread_;  // Whose address is another in each thread.

  Loop* loop_;
  std::size_t expected_ = 0;
  std::uint64_t expected_since_ms_ = 0;  // The last of them.
  std::atomic<const void*> thread_{nullptr};
  const std::shared_ptr<Poller> poller_;
  const std::size_t capacity_;

  // Written by those who post.
  alignas(64) std::atomic<Node*> head_{nullptr};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> sleeping_{false};
};

template <typename Run>
std::size_t Mailbox::RunAll(Run run) {
  if (head_.load(std::memory_order_relaxed) == nullptr) return 0;
  Node* node = Reverse(head_.exchange(nullptr, std::memory_order_acquire));
  std::size_t count = 0;
  while (node) {
    std::unique_ptr<Node> owned(node);
    node = node->next;
    expected_ -= owned->expected;
    run(owned->task);
    ++count;
  }
  waiting_.fetch_sub(count, std::memory_order_relaxed);
  return count;
}

}  // namespace strata::net

#endif  // STRATA_NET_MAILBOX_H_
