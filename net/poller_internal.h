// File: poller_internal.h
//
// The backends of Poller::Create(), each defined on its own system only.

#ifndef STRATA_NET_POLLER_INTERNAL_H_
#define STRATA_NET_POLLER_INTERNAL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "strata/net/poller.h"

namespace strata::net::internal {

absl::StatusOr<std::unique_ptr<Poller>> CreateEpollPoller(const Poller::Options& options);
absl::StatusOr<std::unique_ptr<Poller>> CreateIocpPoller(const Poller::Options& options);

}  // namespace strata::net::internal

#endif  // STRATA_NET_POLLER_INTERNAL_H_
