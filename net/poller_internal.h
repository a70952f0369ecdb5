// File: poller_internal.h
//
// The backends of Poller::Create(), each defined on its own system only, and the lists of sockets
// that they all keep.

#ifndef STRATA_NET_POLLER_INTERNAL_H_
#define STRATA_NET_POLLER_INTERNAL_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "strata/net/poller.h"

namespace strata::net::internal {

// Sockets in a row. Each is in one list at most.
class SocketList {
 public:
  bool empty() const { return first_ == nullptr; }

  void PushBack(PollerSocket& socket) {
    socket.next_ = nullptr;
    (first_ ? last_->next_ : first_) = &socket;
    last_ = &socket;
  }

  // The first, which leaves the list; null if there is none.
  PollerSocket* TakeFirst() {
    PollerSocket* socket = first_;
    if (socket) first_ = socket->next_;
    return socket;
  }

  // All of them, which leave this list.
  SocketList TakeAll() { return std::exchange(*this, SocketList()); }

 private:
  PollerSocket* first_ = nullptr;
  PollerSocket* last_ = nullptr;
};

absl::StatusOr<std::unique_ptr<Poller>> CreateEpollPoller(const Poller::Options& options);
absl::StatusOr<std::unique_ptr<Poller>> CreateIocpPoller(const Poller::Options& options);

}  // namespace strata::net::internal

#endif  // STRATA_NET_POLLER_INTERNAL_H_
