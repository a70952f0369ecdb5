// File: client.h
//
// An HTTP/1.1 client on a loop.
//
//   Client client(loop, resolver, {.user_agent = "example/1.0"});
//   client.Fetch({.url = "http://example.com/"}, [](absl::StatusOr<ClientResponse> response) {
//     if (response.ok()) printf("%d %s\n", response->status, response->body.c_str());
//   });
//
// Connections are kept and used again, for one request at a time (no pipelining). Any answer of the
// server, 404 and 500 too, is a response; an error is that there is none:
//
//   InvalidArgument     the request, or what a redirect asks for, cannot be sent
//   Unavailable         no connection, or it has ended before the response: may be tried again
//   DeadlineExceeded    one of the timeouts
//   DataLoss            the response breaks HTTP's rules, or ends too early
//   ResourceExhausted   a bound was reached: of the body, of requests that wait, of decoders
//   FailedPrecondition  a redirect that must not be followed, or too many of them
//   PermissionDenied    a proxy wants other credentials, or a redirect leads from https to http
//   Unauthenticated     TLS has failed: the server's certificate, or the handshake
//   Aborted             the request's body could not be made
//   Cancelled           by Fetching::Cancel(), or the client is gone
//
// A request that can be repeated (its method is idempotent or ClientRequest::repeatable, and its
// body can begin anew) is sent again, once and at once, when a connection that was kept turns out
// to have been closed by the server meanwhile; and up to RetryOptions::max_retries times after
// failures that may pass. Nothing is sent again once a receiver has seen a response.
//
// A client and all that it calls belong to the loop's thread.

#ifndef STRATA_HTTP_CLIENT_H_
#define STRATA_HTTP_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/http/client_message.h"
#include "strata/http/coder.h"
#include "strata/http/cookie_jar.h"
#include "strata/http/limits.h"
#include "strata/net/backoff.h"
#include "strata/net/connector.h"
#include "strata/net/counter.h"
#include "strata/net/loop.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/resolver.h"
#include "strata/net/stream.h"

namespace strata::http {

class ClientCore;

// Puts something between a connection and HTTP: TLS, see TlsClientLayer() in http/tls_client.h.
class ClientLayer {
 public:
  virtual ~ClientLayer() = default;

  // The handler of the connection to `host`. The one given is told OnOpen() when all is ready.
  virtual absl::StatusOr<std::unique_ptr<net::StreamHandler>> Wrap(
      std::string_view host, std::unique_ptr<net::StreamHandler> handler) const = 0;

  // Why a stream has ended with net::Error::kTls before it was open.
  virtual std::string Failure(const net::Stream& stream) const = 0;
};

struct RetryOptions {
  // After the first try. 0: none.
  int max_retries = 2;

  net::Backoff::Options backoff = {};

  // Of responses that ask for another try: 429, 502, 503 and 504. The Retry-After of a response
  // (RFC 9110 section 10.2.3) is waited for; one that is further away makes it the answer.
  bool by_status = true;
  std::chrono::milliseconds max_retry_after{std::chrono::seconds(10)};
};

struct ClientOptions {
  // connect.timeout is for a name and its addresses, and again for a proxy's answer.
  net::ConnectOptions connect = {};

  // From Fetch() to the end of the body, with all redirects and retries. 0: none.
  std::chrono::milliseconds timeout{std::chrono::seconds(60)};

  // No byte comes or goes for so long while a response is due. 0: any time.
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(30)};

  // How long a connection is kept without a request on it. Less than what most servers allow.
  std::chrono::milliseconds keep_alive{std::chrono::seconds(30)};

  // Open and opening. Requests beyond that wait, in their order for each host; when
  // max_waiting_requests do, another is refused.
  std::size_t max_connections_per_host = 8;
  std::size_t max_connections = 256;
  std::size_t max_waiting_requests = 1024;

  // Of heads, chunks and trailers. Bodies have their own bound, which follows.
  ParserLimits limits = {};

  // Of a body, decoded, that is not given to a receiver.
  std::uint64_t max_body_bytes = 16 * 1024 * 1024;

  // A body that nobody wants (of a redirect, or before a retry) is read up to this, so that the
  // connection can be used again; it is closed instead if there is more.
  std::uint64_t max_drained_bytes = 64 * 1024;

  // 1xx responses before the final one.
  int max_interim_responses = 8;

  // The User-Agent field where a request has none; empty: none.
  std::string user_agent = "strata";

  // For https. Without it a URL of https is an error.
  std::shared_ptr<const ClientLayer> secure = {};

  // Up to so many are followed (RFC 9110 section 15.4): 301 and 302 make GET of POST, 303 of all
  // but HEAD, 307 and 308 keep the method and the body. Authorization and Cookie fields of the
  // request go to no other origin. 0: none is followed, the response is the answer.
  int max_redirects = 10;
  bool allow_redirect_to_http = false;  // From https.

  // "http://[USER:PASSWORD@]HOST:PORT": requests of http go to it in absolute-form, those of https
  // through a tunnel (RFC 9110 section 9.3.6). Empty: none.
  std::string proxy = {};

  // Hosts that are asked directly though there is a proxy: each is a name, an address, or ".DOMAIN"
  // for all below a domain. In lower case.
  std::vector<std::string> no_proxy = {};

  RetryOptions retry = {};

  // A body of at least so many bytes, or of an unknown number, is sent after the server has said
  // 100 (Continue), or after expect_timeout without that (RFC 9110 section 10.1.1).
  std::uint64_t expect_continue_bytes = kUnlimitedBody;
  std::chrono::milliseconds expect_timeout{std::chrono::seconds(1)};

  // What is asked for by Accept-Encoding, best first, and undone in responses: NewGzipCoding() and
  // the like. Their bodies may be no more than 200 times what was sent, beyond the first megabyte.
  // A body with another coding stays as it is, and so do parts (206), and the body of a request
  // with an Accept-Encoding of its own.
  std::vector<std::shared_ptr<const CodingFactory>> codings = {};

  // Remembers what servers set, and says it again, to which of them and how cookie_jar.h tells; of
  // redirects too. One jar can be that of many clients, on any threads, and be kept when they are
  // gone. A request with a Cookie field of its own says that one instead. Null: no cookies.
  std::shared_ptr<CookieJar> cookies = {};
};

// Counted since the client's creation; may be read by any thread.
struct ClientCounters {
  net::Counter requests;     // Given to Fetch().
  net::Counter sent;         // Of these, again and on the way of redirects.
  net::Counter connections;  // Begun to be opened.
  net::Counter reused;       // Requests sent on a connection that had one before.
  net::Counter retries;
  net::Counter redirects;
  net::Counter failed;  // Requests that ended in an error.
};

class Client {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<ClientResponse>)>;

  // The loop and the resolver must outlive it.
  Client(net::Loop& loop, net::Resolver& resolver, ClientOptions options = {});

  // Ends all connections. Requests that are under way end with Cancelled before this returns. Not
  // inside one of its callbacks.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `done` is called once, never before this returns. What is returned need not be kept.
  net::RefPtr<Fetching> Fetch(ClientRequest request, Callback done);

  const ClientCounters& counters() const;

  // Open and opening, and those of them that wait for a request.
  std::size_t connection_count() const;
  std::size_t idle_count() const;

 private:
  const net::RefPtr<ClientCore> core_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_H_
