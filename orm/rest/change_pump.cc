#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/json.h"
#include "strata/orm/rest/change_pump_internal.h"
#include "strata/orm/rest/row_internal.h"

namespace strata::orm::rest::internal {
namespace {

constexpr std::int64_t kMaxBatch = 256;

// How often it looks for what other processes have committed.
constexpr std::chrono::seconds kLookInterval{1};

}  // namespace

absl::Status ChangePump::Watch(const ChangeSource& source) {
  auto watch = source.watch(records_, [this] { Wake(); });
  if (!watch.ok()) return watch.status();
  watches_.push_back(*std::move(watch));
  return absl::OkStatus();
}

bool ChangePump::HasRoom() {
  const std::lock_guard lock(mutex_);
  return !stopped_ && watchers_.size() < max_watchers_;
}

void ChangePump::Add(std::shared_ptr<Watcher> watcher) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  watchers_.push_back(std::move(watcher));
  woken_ = true;
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_one();
}

void ChangePump::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void ChangePump::Stop() {
  // The watches first: they wait for a call that is under way.
  watches_.clear();
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  watchers.swap(watchers_);
}

void ChangePump::Run() {
  for (;;) {
    std::vector<std::shared_ptr<Watcher>> watchers;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kLookInterval, [&] { return woken_ || stopped_; });
      if (stopped_) return;
      woken_ = false;
      std::erase_if(watchers_, [](const auto& watcher) { return watcher->IsClosed(); });
      watchers = watchers_;
    }
    bool has_more = false;
    batch_ = {};
    for (const auto& watcher : watchers) has_more |= Serve(*watcher);
    if (has_more) Wake();
  }
}

bool ChangePump::Serve(Watcher& watcher) {
  if (watcher.IsClosed() || !watcher.IsReady()) return false;
  if (!watcher.is_told && watcher.position < 0) return Begin(watcher, "start");
  absl::Status status = Read(watcher);
  if (absl::IsOutOfRange(status)) return Begin(watcher, "gap");
  // The database is busy, or closes: later.
  if (!status.ok()) return false;
  if (!std::exchange(watcher.is_told, true)) {
    (void)watcher.Send(watcher.position,
                       absl::StrCat("{\"sequence\":", watcher.position, ",\"change\":\"start\"}"));
  }
  for (const Batch::Item& item : batch_.items) {
    const bool is_meant = watcher.key.empty() || watcher.key == item.key;
    if (is_meant && !watcher.Send(item.sequence, item.json)) return false;
    watcher.position = item.sequence;
  }
  return !batch_.items.empty();
}

bool ChangePump::Begin(Watcher& watcher, std::string_view kind) {
  const absl::StatusOr<std::int64_t> last = watcher.source.last(records_);
  if (!last.ok()) return false;
  const std::string json = absl::StrCat("{\"sequence\":", *last, ",\"change\":\"", kind, "\"}");
  if (!watcher.Send(*last, json)) return false;
  watcher.position = *last;
  watcher.is_told = true;
  return true;
}

absl::Status ChangePump::Read(const Watcher& watcher) {
  const bool is_read = batch_.source == &watcher.source && batch_.after == watcher.position;
  if (is_read) return absl::OkStatus();
  batch_ = {&watcher.source, watcher.position, {}};
  absl::Status written;
  absl::Status status =
      watcher.source.since(records_, watcher.position, kMaxBatch, [&](const LoggedChange& change) {
        Batch::Item item{change.sequence, {}, {}};
        std::string time;
        std::string row;
        if (written.ok()) written = AppendKey(watcher.table, change.row, &item.key);
        if (written.ok()) written = AppendJson(change.time, &time);
        if (written.ok()) written = orm::internal::AppendJson(watcher.type, change.row, &row);
        item.json = absl::StrCat("{\"sequence\":", change.sequence, ",\"change\":\"", change.kind,
                                 "\",\"time\":", time, ",\"row\":", row, "}");
        batch_.items.push_back(std::move(item));
      });
  if (status.ok()) status = written;
  if (!status.ok()) batch_ = {};
  return status;
}

}  // namespace strata::orm::rest::internal
