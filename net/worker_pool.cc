// The pool's threads.

#include "strata/net/worker_pool.h"

#include <algorithm>
#include <utility>

namespace strata::net {

WorkerPool::WorkerPool(const Options& options) : options_(options) {
  const std::size_t threads = std::max<std::size_t>(options.threads, 1);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { RunJobs(); });
}

WorkerPool::~WorkerPool() {
  Stop();
  for (std::thread& thread : threads_) thread.join();
}

Error WorkerPool::Submit(Job job) {
  bool wake;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_ || queue_.size() >= options_.max_queued_jobs) {
      ++refused_;
      return stopped_ ? Error::kClosed : Error::kQueueFull;
    }
    queue_.push_back(std::move(job));
    queued_.store(queue_.size(), std::memory_order_relaxed);
    wake = WakesAnother();
  }
  if (wake) changed_.notify_one();
  return Error::kOk;
}

// Whether the caller, who has the lock, is to notify a thread once it has let go.
bool WorkerPool::WakesAnother() {
  if (queue_.empty() || asleep_ == 0 || waking_) return false;
  return waking_ = true;
}

void WorkerPool::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

WorkerPool::Counts WorkerPool::counts() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {done_, refused_, queue_.size(), running_};
}

// Ends the program if a job throws, as any thread does.
void WorkerPool::RunJobs() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    while (queue_.empty() && !stopped_) {
      ++asleep_;
      changed_.wait(lock);
      --asleep_;
      waking_ = false;
    }
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    queued_.store(queue_.size(), std::memory_order_relaxed);
    ++running_;
    const bool wake = WakesAnother();
    lock.unlock();
    if (wake) changed_.notify_one();
    job();
    job = nullptr;  // What it holds is destroyed here, not under the lock.
    lock.lock();
    --running_;
    ++done_;
  }
}

}  // namespace strata::net
