// File: tls_client.h
//
// HTTPS for clients: certificates are verified, for the host of the URL.
//
//   auto context = crypto::TlsClientContext::Create({.alpn = {"http/1.1"}});
//   if (!context.ok()) return context.status();
//   Client client(loop, resolver, {.secure = TlsClientLayer(*context)});
//
// Which authorities are trusted, and whether at all, are settings of the context (crypto's
// tls_context.h): those of the system by default.

#ifndef STRATA_HTTP_TLS_CLIENT_H_
#define STRATA_HTTP_TLS_CLIENT_H_

#include <memory>

#include "strata/crypto/tls_context.h"
#include "strata/http/client.h"
#include "strata/net/tls.h"

namespace strata::http {

// For ClientOptions::secure. The context must not be null.
std::shared_ptr<const ClientLayer> TlsClientLayer(
    std::shared_ptr<const crypto::TlsClientContext> context,
    const net::TlsStreamOptions& options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_TLS_CLIENT_H_
