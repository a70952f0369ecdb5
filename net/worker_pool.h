// File: worker_pool.h
//
// A fixed number of threads for work that blocks: a disk, a database, a name to resolve. Its result
// comes back to the loop it was asked for on.
//
//   Error error = workers.Submit(loop, [request] { return Query(request); },
//                                [stream](Row row) { stream->WriteOwned(Format(row)); });
//   if (error == Error::kQueueFull) ...  // Say so to the client now, rather than let it wait.
//
// A thread that is asleep is woken only when no other one is on its way, and wakes the next one if
// it has found more than it can do: many short jobs at once wake as few threads as do them, and a
// long one holds up none behind it.
//
// The queue is bounded, which is the backpressure: a full one refuses at once, and nothing waits
// that nobody could serve.

#ifndef STRATA_NET_WORKER_POOL_H_
#define STRATA_NET_WORKER_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/net/error.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"

namespace strata::net {

class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 4;

    // Jobs that wait, those that run not counted.
    std::size_t max_queued_jobs = 1024;
  };

  using Job = absl::AnyInvocable<void()>;

  explicit WorkerPool(const Options& options);

  // Runs what is queued, then joins the threads.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // From any thread: runs `job` on one of the threads. kQueueFull if too many wait, kClosed after
  // Stop(); the job is destroyed then. It must not throw; that ends the program.
  [[nodiscard]] Error Submit(Job job);

  // The same, and then `done(work())` on the loop, or `done()` if work returns nothing. If the loop
  // has ended by then, done is destroyed by the worker without a call.
  template <typename Work, typename Done>
  [[nodiscard]] Error Submit(const Loop& loop, Work work, Done done);

  // Takes no more jobs. What is queued still runs.
  void Stop();

  // Jobs that wait, as of some moment ago. From any thread.
  std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }

  struct Counts {
    std::uint64_t done;
    std::uint64_t refused;
    std::size_t queued;
    std::size_t running;
  };
  Counts counts() const;

 private:
  void RunJobs();
  bool WakesAnother();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::atomic<std::size_t> queued_{0};  // The queue's size.
  std::size_t asleep_ = 0;              // Threads that wait for jobs.
  bool waking_ = false;                 // One of these has been told to get up, and is not yet.
  std::size_t running_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

template <typename Work, typename Done>
Error WorkerPool::Submit(const Loop& loop, Work work, Done done) {
  return Submit(
      [mailbox = loop.mailbox(), work = std::move(work), done = std::move(done)]() mutable {
        // A job that was accepted always reports: the pool's bound is the bound of these posts.
        if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
          work();
          mailbox->PostAlways(std::move(done));
        } else {
          mailbox->PostAlways(
              [done = std::move(done), result = work()]() mutable { done(std::move(result)); });
        }
      });
}

}  // namespace strata::net

#endif  // STRATA_NET_WORKER_POOL_H_
