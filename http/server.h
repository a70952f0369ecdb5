// File: server.h
//
// An HTTP/1.1 server: so many loops, each on a thread, however many connections there are.
//
//   Router router;
//   router.Get("/", [](Request&, Response& response) { response.SendText("Hello, World!"); });
//   auto server = Server::Create(std::move(router), {.address = "[::]:8080"});
//   if (!server.ok()) return Fail(server.status());
//   absl::Status status = (*server)->RunUntilSignal();  // SIGINT or SIGTERM; drains first.
//
// Requests of a connection are answered in their order (RFC 9112 section 9.3.2); one that is
// answered later holds back those behind it. What is wrong with a request is answered with its
// status and a text that says what, and the connection is closed so that the client can read that.

#ifndef STRATA_HTTP_SERVER_H_
#define STRATA_HTTP_SERVER_H_

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/latency_histogram.h"
#include "strata/http/router.h"
#include "strata/http/server_options.h"
#include "strata/net/address.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/runtime.h"
#include "strata/net/stream.h"
#include "strata/net/tcp_listener.h"

namespace strata::http {

class ServerCore;

// Puts something between the connection and HTTP, such as TLS (http/tls.h). Called by all loops.
using ConnectionLayer = absl::AnyInvocable<std::unique_ptr<net::StreamHandler>(
    std::unique_ptr<net::StreamHandler>) const>;

class Server {
 public:
  // With a runtime of its own, by options.runtime; listens at options.address, if that is not
  // empty. Connections wait until Start() or RunUntilSignal(). Errors: those of the router, with
  // its pattern; those of TcpListener::Listen(); InvalidArgument for an option, by name.
  static absl::StatusOr<std::unique_ptr<Server>> Create(Router router, ServerOptions options = {});

  // The same on a runtime that others use too, and that outlives this.
  static absl::StatusOr<std::unique_ptr<Server>> Create(net::Runtime& runtime, Router router,
                                                        ServerOptions options = {});

  // Accepts no more. With a runtime of its own: ends all connections. With another's they go on,
  // and what handlers refer to has to live until that runtime has stopped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Also listens there, with options.listen. Before the runtime runs or while it does.
  absl::Status Listen(std::string_view address, ConnectionLayer layer = nullptr);

  // Of the runtime: see there. Stop() and RunUntilSignal() let requests that are under way end, for
  // `grace` at most.
  void Start() { runtime_->Start(); }
  void Stop(std::chrono::milliseconds grace) { runtime_->Stop(grace); }
  absl::Status RunUntilSignal(std::chrono::milliseconds grace = std::chrono::seconds(10)) {
    return runtime_->RunUntilSignal(grace);
  }

  net::Runtime& runtime() { return *runtime_; }

  // Where it listens, in the order of Listen(), with the ports that were chosen.
  const net::Address& address(std::size_t i = 0) const { return listeners_[i]->address(); }
  std::size_t listener_count() const { return listeners_.size(); }

  // Its listeners, for who hands their sockets over (net/successor.h).
  std::vector<const net::TcpListener*> listeners() const;

  // The counters of each loop; from any thread.
  std::vector<const ServerCounters*> counters() const;

  // How long requests take, from when their loop has found them, and is free, to the end of the
  // answer's being queued; of all loops, from any thread.
  LatencySnapshot latency() const;

  // The handler of a connection that others have accepted, on a loop of the runtime.
  std::unique_ptr<net::StreamHandler> NewConnection() const;

 private:
  Server(std::unique_ptr<net::Runtime> own, net::Runtime* runtime, net::RefPtr<ServerCore> core);

  std::unique_ptr<net::Runtime> own_runtime_;
  net::Runtime* const runtime_;
  const net::RefPtr<ServerCore> core_;
  std::vector<std::unique_ptr<net::TcpListener>> listeners_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SERVER_H_
