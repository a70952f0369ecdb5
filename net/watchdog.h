// File: watchdog.h
//
// Looks on from a thread of its own, and reports a loop whose callback runs longer than a bound:
// with everything on that loop waiting, it looks as if the server had stopped.
//
//   Watchdog watchdog({.bound = std::chrono::seconds(1)}, {loop.get()});
//
// prints, once for each callback that stalls, on standard error:
//
//   strata::net: loop-0: the callback "OnReceive" has been running for 1003 ms

#ifndef STRATA_NET_WATCHDOG_H_
#define STRATA_NET_WATCHDOG_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/net/loop.h"

namespace strata::net {

class Watchdog {
 public:
  struct Stall {
    std::string_view loop;      // Its name.
    std::string_view callback;  // "OnReceive", "timer", "posted task" ...
    std::chrono::milliseconds lasted;
  };

  struct Options {
    std::chrono::milliseconds bound{std::chrono::seconds(1)};

    // Called on the watchdog's thread; by default prints.
    absl::AnyInvocable<void(const Stall&)> report = nullptr;
  };

  // The loops must outlive it.
  Watchdog(Options options, std::vector<const Loop*> loops);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void Watch();

  Options options_;
  const std::vector<const Loop*> loops_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace strata::net

#endif  // STRATA_NET_WATCHDOG_H_
