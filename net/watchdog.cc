// The watching of loops.

#include "strata/net/watchdog.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace strata::net {
namespace {

using Clock = std::chrono::steady_clock;

void Print(const Watchdog::Stall& stall) {
  std::fprintf(stderr, "strata::net: %.*s: the callback \"%.*s\" has been running for %lld ms\n",
               static_cast<int>(stall.loop.size()), stall.loop.data(),
               static_cast<int>(stall.callback.size()), stall.callback.data(),
               static_cast<long long>(stall.lasted.count()));
}

}  // namespace

Watchdog::Watchdog(Options options, std::vector<const Loop*> loops)
    : options_(std::move(options)), loops_(std::move(loops)) {
  if (!options_.report) options_.report = Print;
  thread_ = std::thread([this] { Watch(); });
}

Watchdog::~Watchdog() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  thread_.join();
}

void Watchdog::Watch() {
  struct Seen {
    std::uint64_t serial = 0;
    Clock::time_point since;
    bool reported = false;
  };
  std::vector<Seen> seen(loops_.size());
  const auto interval = std::max(options_.bound / 4, std::chrono::milliseconds(1));
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ended_changed_.wait_for(lock, interval, [this] { return ended_; })) {
    const Clock::time_point now = Clock::now();
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      const Loop::Activity activity = loops_[i]->activity();
      if (activity.serial != seen[i].serial) seen[i] = {activity.serial, now, false};
      const auto lasted =
          std::chrono::duration_cast<std::chrono::milliseconds>(now - seen[i].since);
      if (!activity.callback || seen[i].reported || lasted < options_.bound) continue;
      seen[i].reported = true;
      options_.report({loops_[i]->name(), activity.callback, lasted});
    }
  }
}

}  // namespace strata::net
