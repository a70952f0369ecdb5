// Which thread has which number.

#include <atomic>
#include <cstdint>

#include "strata/crypto/context_pool_internal.h"

namespace strata::crypto {
namespace {

// Bit i is set while number i + 1 is some thread's. What a thread did to its slots happens before
// what the next one with its number does: the bit is cleared by release and set by acquire.
constinit std::atomic<std::uint32_t> taken{0};

// The other threads are counted, for them to spread over the shared slots.
constinit std::atomic<std::size_t> others{kOwningThreads + 1};

struct Number {
  Number() {
    std::uint32_t before = taken.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kOwningThreads;) {
      const std::uint32_t bit = std::uint32_t{1} << i;
      if ((before & bit) != 0) {
        ++i;
      } else if (taken.compare_exchange_weak(before, before | bit, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        thread_number = i + 1;
        return;
      } else {
        i = 0;
      }
    }
    thread_number = others.fetch_add(1, std::memory_order_relaxed);
  }

  // What still runs at the end of the thread shares slots.
  ~Number() {
    if (thread_number > kOwningThreads) return;
    const std::uint32_t bit = std::uint32_t{1} << (thread_number - 1);
    thread_number = others.fetch_add(1, std::memory_order_relaxed);
    taken.fetch_and(~bit, std::memory_order_release);
  }
};

}  // namespace

void AssignThreadNumber() { static thread_local Number number; }

}  // namespace strata::crypto
