// File: reconnector.h
//
// Keeps a client connected: connects, and whenever that fails or the connection ends, waits
// (net/backoff.h) and connects again.
//
//   Reconnector feed(loop, resolver, "ws://example.com/feed",
//                    [] { return std::make_unique<Feed>(); }, {});
//
// All on the loop's thread. Destroying it ends the trying, in a callback of a connection too; a
// connection that is open stays.

#ifndef STRATA_WS_RECONNECTOR_H_
#define STRATA_WS_RECONNECTOR_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/net/backoff.h"
#include "strata/net/loop.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/resolver.h"
#include "strata/ws/client.h"
#include "strata/ws/socket.h"

namespace strata::ws {

class Reconnector {
 public:
  struct Options {
    ClientOptions client = {};
    net::Backoff::Options backoff = {};

    // A connection that has lasted this long begins the backoff anew; a server that accepts and
    // closes at once is no success.
    std::chrono::milliseconds stable_after{std::chrono::seconds(5)};
  };

  // Makes the handler of each attempt.
  using HandlerFactory = absl::AnyInvocable<std::unique_ptr<SocketHandler>()>;

  // Told of each attempt that failed. What will not pass (InvalidArgument, AnsweredStatus() 401) is
  // tried again too: who wants no more of it destroys the Reconnector in this call.
  using OnFailure = absl::AnyInvocable<void(const absl::Status&)>;

  // Begins at once. The resolver must outlive the loop's running.
  Reconnector(net::Loop& loop, net::Resolver& resolver, std::string url, HandlerFactory factory,
              Options options, OnFailure on_failure = nullptr);
  ~Reconnector();
  Reconnector(const Reconnector&) = delete;
  Reconnector& operator=(const Reconnector&) = delete;

  // Attempts so far.
  std::uint64_t attempts() const;

 private:
  class State;
  const net::RefPtr<State> state_;
};

}  // namespace strata::ws

#endif  // STRATA_WS_RECONNECTOR_H_
