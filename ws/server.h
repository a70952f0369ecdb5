// File: server.h
//
// WebSocket on a route of an HTTP server:
//
//   router.Get("/chat", WebSocketEndpoint([](http::Request& request) {
//                return std::make_unique<Chat>(request.client());
//              }));
//
// The handshake is RFC 6455 section 4.2: a request that is none is answered with 400 or 426. What
// is to stand in front of it, such as authentication, is a middleware of the route, whose fields
// the answer has too. socket.h tells what a connection can do.

#ifndef STRATA_WS_SERVER_H_
#define STRATA_WS_SERVER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/http/handler.h"
#include "strata/ws/deflate.h"
#include "strata/ws/deflate_negotiation.h"
#include "strata/ws/socket.h"

namespace strata::ws {

struct EndpointOptions {
  SocketOptions socket = {};

  // Those that are spoken here. A client that names some gets the first of its list that is in this
  // one, and none if there is none.
  std::vector<std::string> subprotocols = {};

  // Which pages may connect, as browsers say in Origin: "https://example.com". Empty: those of the
  // host that was asked. "*": all. A page of another origin is answered with 403, for a browser
  // sends its user's cookies along. A client that sends no Origin is no browser, and is let in.
  std::vector<std::string> origins = {};

  // What permessage-deflate is agreed on with, if the client offers it. The default keeps no
  // context, so that an idle connection has none.
  std::optional<DeflateParameters> deflate =
      DeflateParameters{.server_no_context_takeover = true, .client_no_context_takeover = true};

  // Of each loop.
  DeflatePoolOptions deflate_pool = {};
};

// Makes the handler of a connection, on its loop; called by all loops. Null is answered with 403.
using SocketHandlerFactory =
    absl::AnyInvocable<std::unique_ptr<SocketHandler>(http::Request& request) const>;

http::Handler WebSocketEndpoint(SocketHandlerFactory factory, EndpointOptions options = {});

}  // namespace strata::ws

#endif  // STRATA_WS_SERVER_H_
