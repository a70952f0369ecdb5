// Listeners.

#include "strata/net/tcp_listener.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/acceptor_internal.h"
#include "strata/net/runtime.h"
#include "strata/net/socket_internal.h"

namespace strata::net {

TcpListener::TcpListener(Address address, std::vector<RefPtr<Acceptor>> acceptors)
    : address_(std::move(address)), acceptors_(std::move(acceptors)) {}

TcpListener::~TcpListener() { Close(); }

void TcpListener::Close() {
  for (const RefPtr<Acceptor>& acceptor : acceptors_) acceptor->Stop();
}

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Listen(Runtime& runtime,
                                                                 std::string_view address,
                                                                 HandlerFactory factory,
                                                                 const ListenOptions& options) {
  std::vector<Loop*> loops;
  for (std::size_t i = 0; i < runtime.loop_count(); ++i) loops.push_back(&runtime.loop(i));
  return Listen(loops, address, std::move(factory), options);
}

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Listen(Loop& loop,
                                                                 std::string_view address,
                                                                 HandlerFactory factory,
                                                                 const ListenOptions& options) {
  Loop* const loops[] = {&loop};
  return Listen(loops, address, std::move(factory), options);
}

absl::StatusOr<std::unique_ptr<TcpListener>> TcpListener::Listen(std::span<Loop* const> loops,
                                                                 std::string_view address,
                                                                 HandlerFactory factory,
                                                                 const ListenOptions& options) {
  absl::StatusOr<Address> parsed = Address::Parse(address);
  if (!parsed.ok()) return parsed.status();

  const bool ip = parsed->family() != Address::Family::kUnix;
  internal::ListenSettings settings;
  settings.backlog = options.backlog;
  settings.ipv6_only = options.ipv6_only;
  settings.no_delay = options.stream.no_delay;
  settings.reuse_port = ip && loops.size() > 1 && !options.hand_off && internal::HasReusePort();
  internal::RemoveStaleUnixSocket(*parsed);

  // All sockets are opened before any is used: either all loops accept, or there is an error.
  std::vector<internal::OwnedSocket> sockets;
  for (std::size_t i = 0; i < (settings.reuse_port ? loops.size() : 1); ++i) {
    internal::OpenedSocket opened = internal::OpenListener(*parsed, settings);
    if (opened.error != Error::kOk) {
      return ToStatus(opened.error, absl::StrCat("listen on ", address));
    }
    sockets.emplace_back(opened.socket);
    // The first socket chooses the port for all.
    if (ip) *parsed = internal::LocalAddress(opened.socket);
  }

  RefPtr<ListenerShared> shared(new ListenerShared(options, std::move(factory)));
  shared->address = *parsed;
  std::vector<RefPtr<Mailbox>> targets;
  if (!settings.reuse_port && loops.size() > 1) {
    for (Loop* loop : loops) targets.push_back(loop->mailbox());
  }
  std::vector<RefPtr<Acceptor>> acceptors;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    acceptors.emplace_back(new Acceptor(loops[i]->mailbox(), shared, targets));
    acceptors.back()->Start(std::move(sockets[i]));
  }
  return std::unique_ptr<TcpListener>(new TcpListener(*std::move(parsed), std::move(acceptors)));
}

}  // namespace strata::net
