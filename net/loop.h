// File: loop.h
//
// An event loop: one thread that waits for sockets, timers and tasks of other threads, and calls
// back.
//
//   absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create({});
//   std::thread thread([&] { (*loop)->Run(); });
//   Error error = (*loop)->Post([] { puts("on the loop's thread"); });
//   (*loop)->Stop();
//   thread.join();
//
// The rules of callbacks, of all that run on a loop:
//
//   - They run on the loop's thread, one after the other, never one inside another.
//   - They must not block: everything else on this loop waits. What blocks goes to a WorkerPool
//     (worker_pool.h). A callback that runs longer than a bound is reported by its name, if a
//     Watchdog (watchdog.h) looks on.
//   - They must not throw. One that does ends the program, with a line that names the callback and
//     the exception.
//
// A turn of the loop: wait; sockets; timers that are due; posted tasks; then what connections have
// written meanwhile leaves. Streams and listeners live on one loop for their whole life.

#ifndef STRATA_NET_LOOP_H_
#define STRATA_NET_LOOP_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/net/counter.h"
#include "strata/net/error.h"
#include "strata/net/mailbox.h"
#include "strata/net/poller.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/timer_wheel.h"
#include "strata/net/write_queue.h"

namespace strata::net {

class SignalSource;
class Timer;

// What a loop holds until its end: an open connection, a listener. Linked into the loop's list.
class LoopMember {
 public:
  LoopMember(const LoopMember&) = delete;
  LoopMember& operator=(const LoopMember&) = delete;

 protected:
  LoopMember() = default;
  virtual ~LoopMember() = default;

  // The loop drains: finish, and leave.
  virtual void OnDrain() = 0;

  // The loop ends: leave now.
  virtual void OnLoopEnd() = 0;

  // Flushes what was written in this turn; see Loop::FlushLater().
  virtual void OnFlush() {}

 private:
  friend class Loop;
  LoopMember* previous_ = nullptr;
  LoopMember* next_ = nullptr;
};

// Counted since the loop's creation.
struct LoopCounters {
  Counter turns;
  Counter tasks;
  Counter timers;
  Counter accepted;  // Connections handed to this loop by listeners.
  Counter opened;    // Streams, accepted or connected.
  Counter closed;    // Of these.
  Counter bytes_received;
  Counter bytes_sent;
  Counter shed;  // Connections closed at once for want of descriptors.
  Counter signals;
};

class Loop {
 public:
  using Task = Mailbox::Task;

  struct Options {
    std::string name = "loop";
    Poller::Options poller = {};

    // Tasks of other threads that may wait; Post() beyond that answers kQueueFull.
    std::size_t max_posted_tasks = 1 << 20;
  };

  static absl::StatusOr<std::unique_ptr<Loop>> Create(Options options);

  // By the thread that ran it, or after that has ended. Open streams are closed first (OnClosed
  // with kCancelled), then tasks that have not run are destroyed.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs turns until Stop(); the calling thread is the loop's from then on.
  void Run();

  // One turn, which waits for events no longer than `max_wait`.
  void RunOnce(std::chrono::milliseconds max_wait);

  // From any thread, and more than once: ends the Run() that is under way, or the next one, after
  // its turn. What is open stays open, and a later Run() goes on with it.
  void Stop();

  // From any thread: listeners stop accepting, every stream's handler is told (OnDrain, which by
  // default closes once all is sent), and Run() ends when none is left. Those that are left after
  // `grace` are aborted.
  void Drain(std::chrono::milliseconds grace);

  // From any thread; see Mailbox::Post(). The loop must still be there when this returns: who
  // cannot know that holds its mailbox(), which stays.
  [[nodiscard]] Error Post(Task task) { return mailbox_->Post(std::move(task)); }

  // Calls `callback` on the loop for each signal `number` (SIGINT, SIGTERM, SIGHUP ...) that the
  // process receives, instead of what the signal did; several that come at once may be called once.
  // One loop of a process can have signals: FailedPrecondition for a second one; Unimplemented for
  // a signal that the system does not have. By the loop's thread, or before it runs.
  absl::Status OnSignal(int number, absl::AnyInvocable<void()> callback);

  // Whether the caller is the loop's thread. Any thread is, before the first turn.
  bool InLoopThread() const { return mailbox_->InLoopThread(); }

  // Milliseconds since the loop's creation, as of the beginning of this turn's callbacks; read anew
  // by UpdateNow(). By the loop's thread.
  std::uint64_t now_ms() const { return now_ms_; }
  void UpdateNow();

  // The same time, by the clock.
  std::chrono::steady_clock::time_point now() const { return now_; }

  const std::string& name() const { return options_.name; }
  const LoopCounters& counters() const { return counters_; }

  // For watchers: what runs since when. `callback` is null between callbacks; it and `serial`
  // (which changes with each callback) may be read by any thread.
  struct Activity {
    const char* callback;
    std::uint64_t serial;
  };
  Activity activity() const;

  // What follows is for those who build streams and sockets on a loop, on its thread.

  Poller& poller() { return *poller_; }
  TimerWheel& timers() { return timers_; }
  const RefPtr<Mailbox>& mailbox() const { return mailbox_; }
  LoopCounters& counting() { return counters_; }
  ChunkPool& chunks() { return chunks_; }

  // Runs a callback of a user's, by name: for watchers, and to end the program where it throws.
  template <typename Callback>
  void Call(const char* name, Callback&& callback);

  void Add(LoopMember& member);
  void Remove(LoopMember& member);
  std::size_t member_count() const { return member_count_; }
  bool draining() const { return draining_; }

  // The loop is being destroyed, and takes no more members.
  bool ended() const { return ended_; }

  // Calls member's OnFlush() at the end of this turn, or of the next if that end has passed. Not
  // again before that has happened: the member knows. CancelFlush() before the member is destroyed;
  // Remove() does that too.
  void FlushLater(LoopMember& member);
  void CancelFlush(LoopMember& member);

  // Calls what FlushLater() has collected up to now. For a posted task that writes to so many
  // streams that not all of it is to be in memory at once; not in a callback of a stream's.
  void Flush();

  // Destroys an object at the end of the turn, when nothing on the stack can be in it.
  template <typename T>
  void DestroyLater(std::unique_ptr<T> object) {
    if (object)
      graveyard_.emplace_back(object.release(), [](void* p) { delete static_cast<T*>(p); });
  }

 private:
  Loop(Options options, std::shared_ptr<Poller> poller);

  int WaitTimeout(std::optional<std::chrono::milliseconds> max_wait);
  std::uint64_t UntilExpiry(std::uint64_t expiry);
  void Turn(std::optional<std::chrono::milliseconds> max_wait);
  void DrainMembers();
  void EndMembers();
  [[noreturn]] static void CallbackThrew(const char* name, std::exception_ptr exception);

  const Options options_;
  const std::shared_ptr<Poller> poller_;
  const RefPtr<Mailbox> mailbox_;
  const std::chrono::steady_clock::time_point created_;
  std::chrono::steady_clock::time_point now_;
  std::uint64_t now_ms_ = 0;
  TimerWheel timers_;
  ChunkPool chunks_;
  LoopCounters counters_;

  LoopMember* members_ = nullptr;
  std::size_t member_count_ = 0;
  std::vector<LoopMember*> to_flush_;
  std::vector<LoopMember*> flushing_;
  std::vector<std::unique_ptr<void, void (*)(void*)>> graveyard_;
  std::unique_ptr<SignalSource> signals_;

  bool draining_ = false;
  bool ended_ = false;
  std::unique_ptr<Timer> drain_deadline_;
  std::atomic<bool> stop_{false};

  std::atomic<const char*> callback_{nullptr};
  std::atomic<std::uint64_t> serial_{0};
};

template <typename Callback>
void Loop::Call(const char* name, Callback&& callback) {
  callback_.store(name, std::memory_order_relaxed);
  serial_.store(serial_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  try {
    callback();
  } catch (...) {
    CallbackThrew(name, std::current_exception());
  }
  callback_.store(nullptr, std::memory_order_relaxed);
}

}  // namespace strata::net

#endif  // STRATA_NET_LOOP_H_
