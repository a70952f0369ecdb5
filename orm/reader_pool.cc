#include "strata/orm/reader_pool_internal.h"

namespace strata::orm::internal {

ReaderPool::ReaderPool(std::string path, const DatabaseOptions& options)
    : path_(std::move(path)), options_(options) {
  // With a rollback journal a reader and a writer wait for each other.
  const bool side_by_side = options.read_only || options.journal == DatabaseOptions::Journal::kWal;
  if (path_ != ":memory:" && side_by_side && !options.exclusive) max_ = options.readers;
  options_.read_only = true;
}

absl::StatusOr<std::unique_ptr<SqliteSession>> ReaderPool::Take() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !idle_.empty() || opened_ < max_; });
    if (!idle_.empty()) {
      std::unique_ptr<SqliteSession> session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
    ++opened_;
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(path_, options_);
  if (connection.ok()) return std::make_unique<SqliteSession>(*std::move(connection));
  {
    const std::lock_guard lock(mutex_);
    --opened_;
  }
  returned_.notify_one();
  return connection.status();
}

void ReaderPool::Return(std::unique_ptr<SqliteSession> session) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));
  }
  returned_.notify_one();
}

}  // namespace strata::orm::internal
