// File: client.h
//
// Connects as a client: to a URL of ws, or of wss with a layer for TLS.
//
//   ConnectWebSocket(loop, resolver, "ws://example.com/chat", std::make_unique<Chat>(), {},
//                    [](absl::Status status) { if (!status.ok()) Log(status); });
//
//   auto context = crypto::TlsClientContext::Create({.alpn = {"http/1.1"}});
//   ClientOptions options = {.secure = http::TlsClientLayer(*context)};  // http/tls_client.h
//
// The handshake is RFC 6455 section 4.1, and its answer is checked to the letter: whatever it is
// not allowed to say ends the connection. socket.h tells what a connection can do then.

#ifndef STRATA_WS_CLIENT_H_
#define STRATA_WS_CLIENT_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/http/client.h"
#include "strata/http/limits.h"
#include "strata/net/connector.h"
#include "strata/net/loop.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/resolver.h"
#include "strata/ws/deflate.h"
#include "strata/ws/deflate_negotiation.h"
#include "strata/ws/socket.h"

namespace strata::ws {

struct ClientOptions {
  // decoder.role is of no account: it is a client's.
  SocketOptions socket = {};

  // From the call to the end of the handshake, with the name, a proxy and TLS. Zero: none.
  std::chrono::milliseconds timeout{std::chrono::seconds(15)};

  // Of the connection beneath.
  net::ConnectOptions connect = {};

  // What is to be said beside the handshake's own fields, such as Authorization and Cookie. One of
  // the handshake's own, or of a body's, is refused.
  std::vector<std::pair<std::string, std::string>> fields = {};

  // Sent as Origin, as pages do. Empty: none.
  std::string origin = {};

  // Offered, the preferred one first: tokens, all different, at most kMaxSubprotocols. A server
  // that takes none leaves Socket::subprotocol() empty.
  std::vector<std::string> subprotocols = {};

  // Offers permessage-deflate. The default keeps no context.
  std::optional<DeflateParameters> deflate =
      DeflateParameters{.server_no_context_takeover = true, .client_no_context_takeover = true};

  // Shared by the connections of one loop. Null: each has one of its own.
  std::shared_ptr<DeflatePool> deflate_pool = {};

  // For wss. Without it a URL of wss is an error.
  std::shared_ptr<const http::ClientLayer> secure = {};

  // "http://[USER:PASSWORD@]HOST:PORT": through a tunnel of this proxy, for ws too (RFC 6455
  // section 4.1). Empty: none.
  std::string proxy = {};

  // Of the answers' heads.
  http::ParserLimits limits = {};

  // 1xx responses before the final one.
  int max_interim_responses = 8;
};

// `done` is called once, on the loop: OK after handler's OnOpen() and before any other of its
// calls, or why there is no connection; the handler is destroyed without a call then:
//
//   InvalidArgument     the URL or an option cannot be sent
//   Unavailable         no connection, or it has ended, or the server answers 429, 502, 503 or 504
//   DeadlineExceeded    ClientOptions::timeout, or that of ClientOptions::connect
//   DataLoss            the answer breaks HTTP's rules or those of the handshake
//   Unauthenticated     TLS has failed, or the server answers 401
//   PermissionDenied    the server answers 403, or the proxy 407
//   NotFound            there is no such name, or the server answers 404
//   FailedPrecondition  the server answers with another status: a redirect, which is not followed
//   Cancelled           by Cancel(), or the loop drains
//
// Never called before this returns. On the loop's thread. The resolver must outlive the loop's
// running. If the loop ends first, `done` is destroyed without a call.
net::RefPtr<net::Connecting> ConnectWebSocket(net::Loop& loop, net::Resolver& resolver,
                                              std::string_view url,
                                              std::unique_ptr<SocketHandler> handler,
                                              const ClientOptions& options,
                                              absl::AnyInvocable<void(absl::Status)> done);

// The status of HTTP that the server, or the proxy, has answered with where a connection was
// refused; 0 if it was something else.
int AnsweredStatus(const absl::Status& status);

}  // namespace strata::ws

#endif  // STRATA_WS_CLIENT_H_
