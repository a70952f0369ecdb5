// The way through a proxy.

#ifndef STRATA_HTTP_CLIENT_TUNNEL_INTERNAL_H_
#define STRATA_HTTP_CLIENT_TUNNEL_INTERNAL_H_

#include <memory>

#include "strata/http/client_connection_internal.h"
#include "strata/net/stream.h"

namespace strata::http {

// Asks a proxy for a tunnel (RFC 9110 section 9.3.6), and then gives the stream to `handler`. A
// failure is told to the connection.
std::unique_ptr<net::StreamHandler> NewTunnel(net::RefPtr<ClientConnection> connection,
                                              ClientCore& core,
                                              std::unique_ptr<net::StreamHandler> handler);

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_TUNNEL_INTERNAL_H_
