// Who writes: many small writes in one transaction.

#ifndef STRATA_ORM_REST_WRITER_INTERNAL_H_
#define STRATA_ORM_REST_WRITER_INTERNAL_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "strata/net/error.h"
#include "strata/net/worker_pool.h"
#include "strata/orm/database.h"

namespace strata::orm::rest::internal {

// Writes that are committed together, at most.
inline constexpr std::size_t kMaxWriteGroup = 128;

// One write, all of whose functions are called by a worker, in this order.
class WriteJob {
 public:
  virtual ~WriteJob() = default;

  // Before the transaction, without a lock. False if there is nothing to be written, and all has
  // been said.
  virtual bool Prepare() = 0;

  // In the transaction; an error undoes what this has changed, and nothing of others. It may be
  // called again, when none of what was written with it could be committed.
  virtual absl::Status Apply(orm::internal::RowStore& store) = 0;

  // It is committed, or why it is not.
  virtual void Finish(const absl::Status& status) = 0;
};

// Makes the writes of one database one after the other, on one worker at a time: those that have
// come while others were committed, in one transaction, each for itself in a savepoint. So a slow
// disk costs one wait for all of them, and holds one worker. Shared, as the worker keeps it alive.
class Writer : public std::enable_shared_from_this<Writer> {
 public:
  Writer(Records& records, net::WorkerPool& workers, std::size_t max_queued)
      : records_(records), workers_(workers), max_queued_(max_queued) {}

  // From any thread. kQueueFull, or that of the pool; `job` is then as it was.
  [[nodiscard]] net::Error Submit(std::unique_ptr<WriteJob>& job);

 private:
  using Group = std::vector<std::unique_ptr<WriteJob>>;

  net::Error Schedule();
  void Run();
  Group Next();
  void Write(Group& group);

  Records& records_;
  net::WorkerPool& workers_;
  const std::size_t max_queued_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<WriteJob>> queue_;
  bool running_ = false;  // A worker has it, or will.
};

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_WRITER_INTERNAL_H_
