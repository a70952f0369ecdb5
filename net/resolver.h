// File: resolver.h
//
// Names to addresses, off the loop: getaddrinfo(3) on a pool of workers, so that /etc/hosts, DNS
// and whatever else the system is set up for are asked as every other program asks them.
//
//   Resolver resolver;
//   Error error = resolver.Resolve(loop, "example.com", 443,
//   [](absl::StatusOr<std::vector<Address>> a) {...});
//
// getaddrinfo cannot be interrupted: a name that takes long keeps a worker. Their number and the
// queue are bounded, and when both are full Resolve() answers kQueueFull.

#ifndef STRATA_NET_RESOLVER_H_
#define STRATA_NET_RESOLVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/loop.h"
#include "strata/net/worker_pool.h"

namespace strata::net {

class Resolver {
 public:
  // Addresses in the order in which the system would try them (RFC 6724), at least one; or
  // NotFound, Unavailable (no answer: worth another try), InvalidArgument, with the name in the
  // text.
  using Result = absl::StatusOr<std::vector<Address>>;
  using Callback = absl::AnyInvocable<void(Result)>;

  // The most addresses that a result has.
  static constexpr std::size_t kMaxAddresses = 32;

  // Of threads of its own.
  explicit Resolver(const WorkerPool::Options& options = {.threads = 2, .max_queued_jobs = 256})
      : workers_(options) {}

  // From any thread: calls back on the loop. An address ("192.0.2.1", "2001:db8::1") resolves to
  // itself, with no worker's help. kQueueFull if too many names wait.
  [[nodiscard]] Error Resolve(const Loop& loop, std::string host, std::uint16_t port,
                              Callback callback);

 private:
  WorkerPool workers_;
};

}  // namespace strata::net

#endif  // STRATA_NET_RESOLVER_H_
