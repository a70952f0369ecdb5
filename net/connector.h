// File: connector.h
//
// Connects as a client: by address, or by name to whichever of its addresses answers first.
//
//   Connector connector(loop, resolver, {});
//   connector.Connect("example.com:443", std::make_unique<Client>(), [](absl::Status status)
//   {...});
//
// Happy Eyeballs (RFC 8305): addresses are tried in the system's order with the two families taken
// in turn, a next one 250 ms after the one before or as soon as that has failed; the first to
// connect wins, and the others are aborted.

#ifndef STRATA_NET_CONNECTOR_H_
#define STRATA_NET_CONNECTOR_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/net/address.h"
#include "strata/net/loop.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/resolver.h"
#include "strata/net/stream.h"

namespace strata::net {

struct ConnectOptions {
  // For the name and all addresses together.
  std::chrono::milliseconds timeout{std::chrono::seconds(10)};

  // Between the beginning of one attempt and the next (RFC 8305 section 5 recommends 250 ms).
  std::chrono::milliseconds attempt_delay{250};

  // Attempts of one Connect().
  std::size_t max_attempts = 8;

  StreamOptions stream = {};
};

// The order in which addresses are tried: as given, but the families in turn (RFC 8305 section 4).
std::vector<Address> InterleaveFamilies(std::vector<Address> addresses);

// A connecting that is under way, or over.
class Connecting : public RefCounted {
 public:
  // On the loop's thread: gives up. `done` is told kCancelled, later. Nothing once that was called.
  virtual void Cancel() = 0;
};

// `done` is called once, on the loop: OK after handler's OnOpen(), or why there is no connection
// (DeadlineExceeded, Unavailable, NotFound, Cancelled ...), with the name and the last attempt in
// the text. The handler is destroyed without a call in that case. Never called before Connect()
// returns.
//
// `target` is "HOST:PORT", "ADDRESS:PORT" or "unix:PATH". On the loop's thread. The resolver must
// outlive the loop's running. If the loop ends first, both are destroyed without a call.
RefPtr<Connecting> Connect(Loop& loop, Resolver& resolver, std::string_view target,
                           std::unique_ptr<StreamHandler> handler,
                           absl::AnyInvocable<void(absl::Status)> done,
                           const ConnectOptions& options = {});

}  // namespace strata::net

#endif  // STRATA_NET_CONNECTOR_H_
