// File: tls.h
//
// HTTPS: a server's connections through TLS, and the way there from plain HTTP.
//
//   auto identity = crypto::TlsIdentity::FromFiles("chain.pem", "key.pem");
//   if (!identity.ok()) return identity.status();
//   auto context = crypto::TlsServerContext::Create(*identity, {.alpn = {"http/1.1"}});
//   if (!context.ok()) return context.status();
//   absl::Status status = server->Listen("[::]:443", TlsLayer(*context));
//
// Certificates are replaced while all runs, by TlsServerContext::SetIdentity(). Requests that come
// this way are Request::secure(); SecurityHeaders (security_headers.h) then send HSTS.

#ifndef STRATA_HTTP_TLS_H_
#define STRATA_HTTP_TLS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "strata/crypto/tls_context.h"
#include "strata/http/handler.h"
#include "strata/http/server.h"
#include "strata/net/tls.h"

namespace strata::http {

// For Server::Listen(). The context must not be null.
ConnectionLayer TlsLayer(std::shared_ptr<const crypto::TlsServerContext> context,
                         const net::TlsStreamOptions& options = {});

struct HttpsRedirectOptions {
  // The host to go to; empty: the one that was asked for, which the client chose. A request without
  // any is answered with 400.
  std::string host;

  std::uint16_t port = 443;

  // 301 or 308 for good, 302 or 307 for now; 307 and 308 keep the method and the body (RFC 9110
  // section 15.4).
  int status = 308;
};

// Sends each request to the same path and query by https: for all routes of a server on port 80.
// What is secure already goes on to its handler.
Middleware RedirectToHttps(HttpsRedirectOptions options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_TLS_H_
