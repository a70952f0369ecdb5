// File: per_loop.h
//
// Something of which each loop has its own, for handlers that all loops call: a cache, a pool.
//
//   PerLoop<FileCache> caches;
//   FileCache& cache = caches.Of(response.loop(), tree, options);
//
// It is made by the first call on its loop, and lives as long as the PerLoop does. A loop finds its
// own in a list to which some are only added: as many as there are loops, without a lock.

#ifndef STRATA_HTTP_PER_LOOP_H_
#define STRATA_HTTP_PER_LOOP_H_

#include <atomic>
#include <utility>

#include "strata/net/loop.h"

namespace strata::http {

template <typename T>
class PerLoop {
 public:
  PerLoop() = default;
  PerLoop(const PerLoop&) = delete;
  PerLoop& operator=(const PerLoop&) = delete;
  ~PerLoop() {
    for (Node* node = first_.load(); node;) delete std::exchange(node, node->next);
  }

  // On the thread of this loop. The arguments are those of the constructor.
  template <typename... Args>
  T& Of(const net::Loop& loop, Args&&... args) {
    for (Node* node = first_.load(std::memory_order_acquire); node; node = node->next) {
      if (node->loop == &loop) return node->value;
    }
    Node* const added = new Node{first_.load(), &loop, T(std::forward<Args>(args)...)};
    while (!first_.compare_exchange_weak(added->next, added)) {
    }
    return added->value;
  }

 private:
  struct Node {
    Node* next;
    const net::Loop* loop;
    T value;
  };
  std::atomic<Node*> first_{nullptr};
};

}  // namespace strata::http

#endif  // STRATA_HTTP_PER_LOOP_H_
