#include <utility>

#include "strata/orm/rest/writer_internal.h"

namespace strata::orm::rest::internal {

using orm::internal::RowStore;

net::Error Writer::Schedule() {
  return workers_.Submit([self = shared_from_this()] { self->Run(); });
}

net::Error Writer::Submit(std::unique_ptr<WriteJob>& job) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= max_queued_) return net::Error::kQueueFull;
  if (!running_) {
    if (const net::Error error = Schedule(); error != net::Error::kOk) return error;
    running_ = true;
  }
  queue_.push_back(std::move(job));
  return net::Error::kOk;
}

Writer::Group Writer::Next() {
  const std::lock_guard lock(mutex_);
  Group group;
  while (!queue_.empty() && group.size() < kMaxWriteGroup) {
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (group.empty()) running_ = false;
  return group;
}

void Writer::Run() {
  for (;;) {
    Group group = Next();
    if (group.empty()) return;
    std::erase_if(group, [](const auto& job) { return !job->Prepare(); });
    if (!group.empty()) Write(group);
    // Others of the pool's jobs have their turn, if there is room to wait for the next.
    if (Schedule() == net::Error::kOk) return;
  }
}

void Writer::Write(Group& group) {
  RowStore& store = orm::internal::StoreOf(records_);
  const auto alone = [&](WriteJob& job) {
    return store.Transact([&](RowStore& inner) { return job.Apply(inner); });
  };
  std::vector<absl::Status> results(group.size());
  const bool is_group = group.size() > 1;
  const absl::Status together =
      !is_group ? absl::OkStatus() : store.Transact([&](RowStore& transaction) {
        for (std::size_t i = 0; i < group.size(); ++i) {
          results[i] =
              transaction.Transact([&](RowStore& inner) { return group[i]->Apply(inner); });
        }
        return absl::OkStatus();
      });
  for (std::size_t i = 0; i < group.size(); ++i) {
    // What one of them is the reason of is not the others' error.
    if (!is_group || !together.ok()) {
      results[i] = absl::IsUnavailable(together) ? together : alone(*group[i]);
    }
    group[i]->Finish(results[i]);
  }
}

}  // namespace strata::orm::rest::internal
