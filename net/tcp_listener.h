// File: tcp_listener.h
//
// Accepts connections on an address for all loops of a runtime, or for one loop.
//
//   auto listener = TcpListener::Listen(runtime, "[::]:7777",
//                                       [] { return std::make_unique<Echo>(); });
//
// On Linux each loop has a socket of its own on the port (SO_REUSEPORT), and the kernel spreads the
// connections by their addresses' hash. Where that is missing (Windows, Unix sockets), or not
// wanted, one loop accepts and hands the sockets round. A socket that was made by others, such as a
// predecessor of this process (successor.h), is one that all loops accept on.
//
// When the process has no descriptors left, connections that wait are accepted on a descriptor kept
// for that and closed at once, so that their peers see an end instead of silence; then accepting
// rests for a while, and goes on by itself as soon as descriptors are free.

#ifndef STRATA_NET_TCP_LISTENER_H_
#define STRATA_NET_TCP_LISTENER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/net/address.h"
#include "strata/net/loop.h"
#include "strata/net/native_socket.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/stream.h"

namespace strata::net {

class Acceptor;
class Runtime;
struct ListenerShared;

struct ListenOptions {
  // Connections that wait to be accepted, in each socket. The system has its own maximum.
  int backlog = 1024;

  // For an IPv6 address: leave IPv4 out. "[::]:80" serves both by default.
  bool ipv6_only = false;

  // Let one loop accept and hand out, even where each loop could have its own socket.
  bool hand_off = false;

  // Each connection begins with a PROXY header, version 1 or 2, which gives the peer's address
  // (HAProxy, "The PROXY protocol"). Only for a port that nobody but the proxy reaches: whoever
  // writes the header chooses the address. A connection without one is reset. What comes in one
  // segment with the header is received even if OnOpen() pauses.
  bool proxy_protocol = false;

  // In which the PROXY header has to come.
  std::chrono::milliseconds proxy_timeout{std::chrono::seconds(5)};

  // Of this listener's connections that are open at a time; 0: no bound but the descriptors. Those
  // beyond it are closed at once.
  std::size_t max_connections = 0;

  // How long accepting rests when there are no descriptors.
  std::chrono::milliseconds retry_interval{20};

  StreamOptions stream = {};
};

class TcpListener {
 public:
  // Makes the handler of an accepted connection, on its loop. Called by several loops at a time.
  using HandlerFactory = absl::AnyInvocable<std::unique_ptr<StreamHandler>() const>;

  // Listens on "ADDRESS:PORT" or "unix:PATH" (address.h). Port 0 takes a free one. Or accepts on a
  // descriptor that listens already, "fd:NUMBER", which is then the listener's, whatever `backlog`,
  // `ipv6_only` and `hand_off` say (Linux). From any thread, before the loops run or while they do.
  // Accepting begins at once. Errors: InvalidArgument for an address that cannot be read,
  // AlreadyExists if it is in use, PermissionDenied, and others of the system, with the address in
  // the text.
  static absl::StatusOr<std::unique_ptr<TcpListener>> Listen(Runtime& runtime,
                                                             std::string_view address,
                                                             HandlerFactory factory,
                                                             const ListenOptions& options = {});
  static absl::StatusOr<std::unique_ptr<TcpListener>> Listen(Loop& loop, std::string_view address,
                                                             HandlerFactory factory,
                                                             const ListenOptions& options = {});

  // Closes.
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // From any thread, and more than once: accepts no more. Connections stay. The sockets are closed
  // by their loops, soon. Connections that the system has taken and nobody has accepted are reset.
  void Close();

  // Where it listens, with the port that was chosen.
  const Address& address() const { return address_; }

  // New descriptors of the sockets that it accepts on, for the caller to close: for a process that
  // is to go on with them (successor.h). Connections that wait in a socket are lost only when the
  // last of its descriptors is closed. From now on the file of a Unix socket stays. None on
  // Windows, nor once it is closed. From any thread.
  std::vector<NativeSocket> DuplicateSockets() const;

 private:
  TcpListener(RefPtr<ListenerShared> shared, std::vector<RefPtr<Acceptor>> acceptors);

  static absl::StatusOr<std::unique_ptr<TcpListener>> Listen(std::span<Loop* const> loops,
                                                             std::string_view address,
                                                             HandlerFactory factory,
                                                             const ListenOptions& options);

  const RefPtr<ListenerShared> shared_;
  const Address address_;
  const std::vector<RefPtr<Acceptor>> acceptors_;
};

}  // namespace strata::net

#endif  // STRATA_NET_TCP_LISTENER_H_
