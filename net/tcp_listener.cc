// Listeners.

#include "strata/net/tcp_listener.h"

#include <charconv>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/acceptor_internal.h"
#include "strata/net/runtime.h"
#include "strata/net/socket_internal.h"

namespace strata::net {

namespace {

// Of "fd:NUMBER".
std::optional<NativeSocket> ParseDescriptor(std::string_view address) {
  constexpr std::string_view kPrefix = "fd:";
  if (!address.starts_with(kPrefix)) return std::nullopt;
  address.remove_prefix(kPrefix.size());
  int number = 0;
  const auto [end, error] =
      std::from_chars(address.data(), address.data() + address.size(), number);
  if (error != std::errc() || end != address.data() + address.size() || number < 0) {
    return std::nullopt;
  }
  return static_cast<NativeSocket>(number);
}

// The sockets of a listener: for each loop one, or one alone, which hands out.
struct Sockets {
  Error error = Error::kOk;
  std::vector<internal::OwnedSocket> all;
};

// All are opened before any is used: either all loops accept, or there is an error.
Sockets OpenSockets(Address& address, const internal::ListenSettings& settings, std::size_t loops) {
  Sockets sockets;
  const bool ip = address.family() != Address::Family::kUnix;
  internal::RemoveStaleUnixSocket(address);
  for (std::size_t i = 0; i < (settings.reuse_port ? loops : 1); ++i) {
    internal::OpenedSocket opened = internal::OpenListener(address, settings);
    if (opened.error != Error::kOk) return {opened.error, {}};
    sockets.all.emplace_back(opened.socket);
    // The first socket chooses the port for all.
    if (ip) address = internal::LocalAddress(opened.socket);
  }
  return sockets;
}

// Descriptors of one socket for all loops, for a loop that drains closes its own. The last of them
// is `given`, which is not closed if there is an error.
Sockets AdoptSockets(NativeSocket given, std::size_t loops) {
  Sockets sockets;
  sockets.error = internal::AdoptListener(given);
  if (sockets.error != Error::kOk) return sockets;
  for (std::size_t i = 1; i < loops; ++i) {
    sockets.all.emplace_back(internal::DuplicateSocket(given));
    if (sockets.all.back().get() == kNoSocket) return {Error::kTooManyFiles, {}};
  }
  sockets.all.emplace_back(given);
  return sockets;
}

}  // namespace

TcpListener::TcpListener(RefPtr<ListenerShared> shared, std::vector<RefPtr<Acceptor>> acceptors)
    : shared_(std::move(shared)), address_(shared_->address), acceptors_(std::move(acceptors)) {}

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
  RefPtr<ListenerShared> shared(new ListenerShared(options, std::move(factory)));
  Sockets sockets;
  bool each_loop = true;
  if (const std::optional<NativeSocket> given = ParseDescriptor(address)) {
    sockets = AdoptSockets(*given, loops.size());
    if (sockets.error == Error::kOk) {
      shared->address = internal::LocalAddress(*given);
      // For what is accepted, as sockets made here have it.
      if (options.stream.no_delay && shared->address.family() != Address::Family::kUnix) {
        internal::SetNoDelay(*given, true);
      }
    }
    shared->keeps_file = true;
  } else {
    absl::StatusOr<Address> parsed = Address::Parse(address);
    if (!parsed.ok()) return parsed.status();
    internal::ListenSettings settings;
    settings.backlog = options.backlog;
    settings.ipv6_only = options.ipv6_only;
    settings.no_delay = options.stream.no_delay;
    settings.reuse_port = parsed->family() != Address::Family::kUnix && loops.size() > 1 &&
                          !options.hand_off && internal::HasReusePort();
    sockets = OpenSockets(*parsed, settings, loops.size());
    shared->address = *parsed;
    each_loop = settings.reuse_port;
  }
  if (sockets.error != Error::kOk) {
    return ToStatus(sockets.error, absl::StrCat("listen on ", address));
  }

  std::vector<RefPtr<Mailbox>> targets;
  if (!each_loop && loops.size() > 1) {
    for (Loop* loop : loops) targets.push_back(loop->mailbox());
  }
  for (const internal::OwnedSocket& socket : sockets.all) shared->sockets.push_back(socket.get());
  std::vector<RefPtr<Acceptor>> acceptors;
  for (std::size_t i = 0; i < sockets.all.size(); ++i) {
    acceptors.emplace_back(new Acceptor(loops[i]->mailbox(), shared, targets));
    acceptors.back()->Start(std::move(sockets.all[i]));
  }
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(shared), std::move(acceptors)));
}

std::vector<NativeSocket> TcpListener::DuplicateSockets() const {
  std::vector<NativeSocket> own;
  const std::lock_guard lock(shared_->mutex);
  shared_->keeps_file = true;
  for (const NativeSocket socket : shared_->sockets) {
    const NativeSocket duplicate = internal::DuplicateSocket(socket);
    if (duplicate != kNoSocket) own.push_back(duplicate);
  }
  return own;
}

}  // namespace strata::net
