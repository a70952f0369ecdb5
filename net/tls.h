// File: tls.h
//
// TLS over a stream: a handler is wrapped, and sees a stream like any other, whose bytes are
// encrypted on the way.
//
//   auto identity = crypto::TlsIdentity::FromFiles("chain.pem", "key.pem");
//   if (!identity.ok()) return identity.status();
//   auto context = crypto::TlsServerContext::Create(*identity, {.alpn = {"echo"}});
//   if (!context.ok()) return context.status();
//   auto listener = TcpListener::Listen(runtime, "[::]:7443", [context = *context] {
//     return AcceptTls(context, std::make_unique<Echo>());
//   });
//
// Certificates are replaced while all runs, by TlsServerContext::SetIdentity() (crypto's
// tls_context.h, which has the settings of TLS too).
//
// The handler's OnOpen() comes after the handshake; Stream::tls() then tells what was agreed on. A
// handshake that fails is OnClosed() without an OnOpen(): kTls, or kTimedOut; Stream::tls() has a
// status that says why.
//
// What differs from other streams:
//   - An end of the connection without TLS's own (close_notify) is kTlsTruncated and not
//     OnReceiveEnd(): what has come may not be all that was sent. Many clients end so.
//   - Files are read and encrypted in pieces on the loop's thread, as the connection takes them.
//   - OnWritable() comes when all is encrypted and the connection below was down to its low
//     watermark; up to its high one may be queued there again. max_queued_bytes should be 32 KB or
//     more above the high watermark, else a peer that does not read may end the stream.
//   - Rates and idle times are those of the connection below: handshakes count.

#ifndef STRATA_NET_TLS_H_
#define STRATA_NET_TLS_H_

#include <chrono>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/crypto/tls_context.h"
#include "strata/net/stream.h"

namespace strata::net {

struct TlsStreamOptions {
  // For the handshake, from the beginning of the connection. From 1 ms to an hour.
  std::chrono::milliseconds handshake_timeout{std::chrono::seconds(10)};
};

// The handler of a server's connection: give it to a listener.
std::unique_ptr<StreamHandler> AcceptTls(std::shared_ptr<const crypto::TlsServerContext> context,
                                         std::unique_ptr<StreamHandler> handler,
                                         const TlsStreamOptions& options = {});

// The handler of a client's connection with `host`, a name or an address, for which the server's
// certificate must be; give it to Connect() (connector.h). InvalidArgument if `host` is neither.
absl::StatusOr<std::unique_ptr<StreamHandler>> ConnectTls(const crypto::TlsClientContext& context,
                                                          std::string_view host,
                                                          std::unique_ptr<StreamHandler> handler,
                                                          const TlsStreamOptions& options = {});

}  // namespace strata::net

#endif  // STRATA_NET_TLS_H_
