#include "tools/console/figures.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "strata/mm/mm.h"
#include "strata/orm/json.h"
#include "strata/orm/table.h"

namespace strata::console {

struct HeapClass {
  std::uint64_t size = 0;
  std::uint64_t live = 0;
  std::uint64_t cached = 0;
};
STRATA_STRUCT(HeapClass, size, live, cached);

struct Heap {
  std::uint64_t live = 0;
  std::uint64_t held = 0;
  std::vector<HeapClass> classes;
};
STRATA_STRUCT(Heap, live, held, classes);

struct Sample {
  std::int64_t at = 0;
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::int64_t p50 = 0;
  std::int64_t p99 = 0;
  std::uint64_t connections = 0;
  std::uint64_t resident = 0;
  Heap heap;
};
STRATA_STRUCT(Sample, at, requests, failed, p50, p99, connections, resident, heap);

namespace {

constexpr std::chrono::seconds kPeriod{1};

// What belongs to no class is shown as one of its own, behind the others.
constexpr std::uint64_t kLargeClass = 0;

Heap ReadHeap() {
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  Heap heap{.live = stats.live_bytes, .held = stats.held_bytes, .classes = {}};
  for (const strata_mm_class_stats& one : stats.classes) {
    if (one.live + one.cached == 0) continue;
    heap.classes.push_back(
        {one.block_size, one.live * one.block_size, one.cached * one.block_size});
  }
  if (stats.large_bytes > 0) heap.classes.push_back({kLargeClass, stats.large_bytes, 0});
  return heap;
}

// statm of proc(5): pages in all, pages that are resident, ...
std::uint64_t ResidentBytes() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4096;
}

std::int64_t Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

struct Figures::Totals {
  explicit Totals(const http::Server& server) : latency(server.latency()) {
    for (const http::ServerCounters* loop : server.counters()) {
      requests += loop->requests.Get();
      failed += loop->responses[5].Get();
      connections += loop->connections.Get() - loop->closed.Get();
    }
  }

  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::uint64_t connections = 0;
  http::LatencySnapshot latency;
};

Figures::Figures(http::Server& server)
    : server_(server), loop_(server.runtime().loop(0)), before_(std::make_unique<Totals>(server)) {
  timer_ = std::make_unique<net::Timer>(loop_, [this] { Take(); });
  timer_->Arm(kPeriod);
}

Figures::~Figures() = default;

void Figures::Take() {
  timer_->Arm(kPeriod);
  auto now = std::make_unique<Totals>(server_);
  const http::LatencySnapshot second = now->latency.Since(before_->latency);
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  const Sample sample{
      .at = std::chrono::duration_cast<std::chrono::milliseconds>(clock).count(),
      .requests = now->requests - before_->requests,
      .failed = now->failed - before_->failed,
      .p50 = Microseconds(second.Quantile(0.5)),
      .p99 = Microseconds(second.Quantile(0.99)),
      .connections = now->connections,
      .resident = ResidentBytes(),
      .heap = ReadHeap(),
  };
  before_ = std::move(now);
  absl::StatusOr<std::string> text = orm::ToJson(sample);
  if (!text.ok()) return;
  std::erase_if(listeners_, [&text](const std::shared_ptr<http::EventStream>& listener) {
    // One that does not keep up comes again.
    return listener->Send({.type = "sample", .data = *text}) != net::Error::kOk;
  });
  samples_.push_back(*std::move(text));
  if (samples_.size() > kKeptSamples) samples_.pop_front();
}

void Figures::Add(std::shared_ptr<http::EventStream> listener) {
  std::erase_if(listeners_, [](const auto& one) { return one->closed(); });
  if (listeners_.size() >= kMaxListeners) return;  // Its end tells the page to come again.
  for (const std::string& sample : samples_) {
    if (listener->Send({.type = "sample", .data = sample}) != net::Error::kOk) return;
  }
  listeners_.push_back(std::move(listener));
}

void Figures::Listen(const http::Request& request, http::Response& response) {
  auto events = std::make_shared<http::EventStream>(
      request, response, http::EventStreamOptions{.retry = std::chrono::seconds(2)});
  // If there is no room its end tells the page to come again.
  (void)loop_.Post([this, events = std::move(events)]() mutable { Add(std::move(events)); });
}

}  // namespace strata::console
