// A server's threads.

#include "strata/net/runtime.h"

#include <algorithm>
#include <csignal>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

namespace strata::net {

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Create(Options options) {
  std::unique_ptr<Runtime> runtime(new Runtime);
  std::size_t count = options.loops;
  if (count == 0) count = std::max(std::thread::hardware_concurrency(), 1u);
  for (std::size_t i = 0; i < count; ++i) {
    Loop::Options each = options.loop;
    each.name = absl::StrCat(options.loop.name, "-", i);
    absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(std::move(each));
    if (!loop.ok()) return loop.status();
    runtime->loops_.push_back(*std::move(loop));
  }
  runtime->workers_ = std::make_unique<WorkerPool>(options.workers);
  if (options.stall_bound.count() > 0) {
    std::vector<const Loop*> watched;
    for (const std::unique_ptr<Loop>& loop : runtime->loops_) watched.push_back(loop.get());
    runtime->watchdog_ = std::make_unique<Watchdog>(
        Watchdog::Options{options.stall_bound, std::move(options.stall_report)}, watched);
  }
  return runtime;
}

Runtime::~Runtime() {
  Stop(std::chrono::milliseconds(0));
  watchdog_.reset();
  workers_.reset();  // Its last results still find their loops.
}

void Runtime::Start() {
  if (!threads_.empty()) return;
  for (const std::unique_ptr<Loop>& loop : loops_) {
    threads_.emplace_back([loop = loop.get()] { loop->Run(); });
  }
}

void Runtime::Stop(std::chrono::milliseconds grace) {
  if (threads_.empty()) return;
  // A stream that waits for a worker may finish within the grace: the workers end after the loops.
  for (const std::unique_ptr<Loop>& loop : loops_) loop->Drain(grace);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  workers_->Stop();
}

absl::Status Runtime::RunUntilSignal(std::chrono::milliseconds grace) {
  // Shared, for the loop keeps the callbacks.
  struct Asked {
    std::promise<void> promise;
    int signals = 0;
  };
  auto asked = std::make_shared<Asked>();
  const auto on_signal = [this, asked] {
    if (asked->signals++ == 0) {
      asked->promise.set_value();
      return;
    }
    for (const std::unique_ptr<Loop>& loop : loops_) loop->Drain(std::chrono::milliseconds(0));
  };
  for (const int number : {SIGINT, SIGTERM}) {
    absl::Status status = loops_[0]->OnSignal(number, on_signal);
    if (!status.ok()) return status;
  }
  Start();
  asked->promise.get_future().wait();
  Stop(grace);
  return absl::OkStatus();
}

}  // namespace strata::net
