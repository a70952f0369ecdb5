// File: reconnector.h
//
// Keeps a client connected: connects, and whenever that fails or the connection ends, waits
// (backoff.h) and connects again.
//
//   Reconnector reconnector(loop, resolver, "broker.example:5671",
//                           [] { return std::make_unique<Client>(); }, {});
//
// All on the loop's thread. Destroying it ends the trying; a connection that is open stays.

#ifndef STRATA_NET_RECONNECTOR_H_
#define STRATA_NET_RECONNECTOR_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/net/backoff.h"
#include "strata/net/connector.h"
#include "strata/net/loop.h"
#include "strata/net/resolver.h"
#include "strata/net/stream.h"

namespace strata::net {

class Reconnector {
 public:
  struct Options {
    ConnectOptions connect = {};
    Backoff::Options backoff = {};

    // A connection that has lasted this long begins the backoff anew; a server that accepts and
    // drops at once is no success.
    std::chrono::milliseconds stable_after{std::chrono::seconds(5)};
  };

  // Makes the handler of each attempt.
  using HandlerFactory = absl::AnyInvocable<std::unique_ptr<StreamHandler>()>;

  // Told of each attempt that failed.
  using OnFailure = absl::AnyInvocable<void(const absl::Status&)>;

  // Begins at once. The resolver must outlive the loop's running.
  Reconnector(Loop& loop, Resolver& resolver, std::string target, HandlerFactory factory,
              Options options, OnFailure on_failure = nullptr);
  ~Reconnector();
  Reconnector(const Reconnector&) = delete;
  Reconnector& operator=(const Reconnector&) = delete;

  // Attempts so far.
  std::uint64_t attempts() const;

 private:
  class State;
  const RefPtr<State> state_;
};

}  // namespace strata::net

#endif  // STRATA_NET_RECONNECTOR_H_
