// Contexts that threads take turns with, so that an object with a key serves all of them with no
// lock, and small messages find a context that has the key set.
//
//   std::unique_ptr<Context> context = pool.Take();
//   if (context == nullptr) context = MakeContext();
//   ... use it ...
//   pool.Give(std::move(context));
//
// The first eight threads, and those that follow when these have ended, each have a slot of their
// own in every pool, which no other thread touches: taking and giving are plain moves. Further
// threads share some slots by atomic exchange, which costs some ten nanoseconds more. If a
// slot is empty there is nothing to take, and of two that are given one is freed: the pool never
// holds more than its slots.

#ifndef STRATA_CRYPTO_CONTEXT_POOL_INTERNAL_H_
#define STRATA_CRYPTO_CONTEXT_POOL_INTERNAL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace strata::crypto {

// The threads that have slots of their own, at one time.
inline constexpr std::size_t kOwningThreads = 8;

// This thread's number: 0 until it has asked, 1 to kOwningThreads if it has slots of its own, and
// above if not. A number is given to another thread when this one ends.
inline constinit thread_local std::size_t thread_number = 0;

// Gives this thread its number.
void AssignThreadNumber();

template <typename Context>
class ContextPool {
 public:
  ContextPool() = default;
  ~ContextPool() {
    for (SharedSlot& slot : shared_) delete slot.context.load(std::memory_order_acquire);
  }
  ContextPool(const ContextPool&) = delete;
  ContextPool& operator=(const ContextPool&) = delete;

  // What this thread, or one that shares its slot, gave last; null if there is nothing.
  std::unique_ptr<Context> Take() {
    if (thread_number == 0) AssignThreadNumber();
    if (thread_number <= kOwningThreads) return std::move(owned_[thread_number - 1].context);
    return std::unique_ptr<Context>(MyShared().exchange(nullptr, std::memory_order_acquire));
  }

  void Give(std::unique_ptr<Context> context) {
    if (thread_number == 0) AssignThreadNumber();
    if (thread_number <= kOwningThreads) {
      owned_[thread_number - 1].context = std::move(context);
      return;
    }
    Context* none = nullptr;
    if (MyShared().compare_exchange_strong(none, context.get(), std::memory_order_release,
                                           std::memory_order_relaxed)) {
      context.release();
    }
  }

 private:
  static constexpr std::size_t kSharedSlots = 4;

  // A cache line each: threads do not disturb each other.
  struct alignas(64) OwnedSlot {
    std::unique_ptr<Context> context;
  };
  struct alignas(64) SharedSlot {
    std::atomic<Context*> context{nullptr};
  };

  std::atomic<Context*>& MyShared() { return shared_[thread_number % kSharedSlots].context; }

  std::array<OwnedSlot, kOwningThreads> owned_;
  std::array<SharedSlot, kSharedSlots> shared_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_CONTEXT_POOL_INTERNAL_H_
