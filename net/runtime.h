// File: runtime.h
//
// A server's threads: so many loops, each on a thread of its own, a pool of workers for what
// blocks, and a watchdog. The number of threads is fixed from the beginning, however many
// connections there are.
//
//   auto runtime = Runtime::Create({});
//   if (!runtime.ok()) return Fail(runtime.status());
//   auto listener = TcpListener::Listen(**runtime, "[::]:7777", ...);
//   absl::Status status = (*runtime)->RunUntilSignal();

#ifndef STRATA_NET_RUNTIME_H_
#define STRATA_NET_RUNTIME_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/net/loop.h"
#include "strata/net/watchdog.h"
#include "strata/net/worker_pool.h"

namespace strata::net {

class Runtime {
 public:
  struct Options {
    // 0: as many as there are processors for this process.
    std::size_t loops = 0;

    // Of each loop; its name is followed by its number.
    Loop::Options loop = {};

    WorkerPool::Options workers = {};

    // Of the watchdog; zero: none.
    std::chrono::milliseconds stall_bound{std::chrono::seconds(1)};

    // See Watchdog::Options.
    absl::AnyInvocable<void(const Watchdog::Stall&)> stall_report = nullptr;
  };

  // The loops exist, and take tasks and listeners, but do not run.
  static absl::StatusOr<std::unique_ptr<Runtime>> Create(Options options);

  // Ends what Stop() has not ended.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t loop_count() const { return loops_.size(); }
  Loop& loop(std::size_t index) { return *loops_[index]; }

  // Another loop at each call, in turn. From any thread.
  Loop& NextLoop() {
    return *loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
  }

  WorkerPool& workers() { return *workers_; }

  // Starts the threads. Once.
  void Start();

  // Not on a loop's thread: drains all loops (Loop::Drain) with this grace, then ends the loops,
  // the workers and the threads. Nothing is left running. More than once, and before Start() too.
  void Stop(std::chrono::milliseconds grace);

  // Starts, waits for SIGINT or SIGTERM, and stops with this grace; a second signal ends the grace.
  // FailedPrecondition if another loop of the process has the signals.
  absl::Status RunUntilSignal(std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  Runtime() = default;

  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<std::size_t> next_{0};
  std::unique_ptr<WorkerPool> workers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace strata::net

#endif  // STRATA_NET_RUNTIME_H_
