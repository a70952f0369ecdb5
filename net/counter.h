// File: counter.h
//
// A number that one thread counts up and any thread may read, at the price of a plain addition: no
// locked instruction, as a shared counter would need. What loops tell of themselves (LoopCounters
// in loop.h) is made of these.

#ifndef STRATA_NET_COUNTER_H_
#define STRATA_NET_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace strata::net {

class Counter {
 public:
  // For the one thread that counts.
  void Add(std::uint64_t count) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  // For any thread.
  std::uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace strata::net

#endif  // STRATA_NET_COUNTER_H_
