// Accepting, handing out, and getting along without descriptors.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "strata/net/acceptor_internal.h"
#include "strata/net/proxy_handler_internal.h"

namespace strata::net {
namespace {

// Connections shed in one go when there are no descriptors.
constexpr int kMaxShed = 64;

// On the loop that the connection is to live on.
void Open(Loop& loop, internal::OwnedSocket socket, const Address& peer, ListenerShared& shared) {
  loop.counting().accepted.Add(1);
  const std::size_t most = shared.options.max_connections;
  if (most > 0 && shared.stream_options->open_count() >= most) {
    loop.counting().shed.Add(1);
    return;
  }
  std::unique_ptr<StreamHandler> handler;
  if (shared.options.proxy_protocol) {
    handler = std::make_unique<ProxyHandler>(RefPtr<ListenerShared>(&shared));
  } else {
    loop.Call("HandlerFactory", [&] { handler = shared.factory(); });
  }
  // An error leaves nothing behind: the peer sees the end.
  TcpConnection::Open(loop, socket.Release(), peer, shared.stream_options, std::move(handler));
}

}  // namespace

ListenerShared::ListenerShared(const ListenOptions& listen, TcpListener::HandlerFactory make)
    : options(listen),
      factory(std::move(make)),
      stream_options(new SharedStreamOptions(listen.stream)) {}

Acceptor::Acceptor(RefPtr<Mailbox> home, RefPtr<ListenerShared> shared,
                   std::vector<RefPtr<Mailbox>> targets)
    : home_(std::move(home)), shared_(std::move(shared)), targets_(std::move(targets)) {}

Acceptor::~Acceptor() {
  if (reserve_ != kNoSocket) internal::CloseSocket(reserve_);
}

void Acceptor::Start(internal::OwnedSocket socket) {
  home_->PostAlways([self = RefPtr<Acceptor>(this), socket = std::move(socket)]() mutable {
    self->Attach(std::move(socket));
  });
}

void Acceptor::Stop() {
  home_->PostAlways([self = RefPtr<Acceptor>(this)] { self->Finish(); });
}

void Acceptor::Attach(internal::OwnedSocket socket) {
  Loop& loop = *home_->loop();
  if (stopped_ || loop.draining() ||
      loop.poller().AttachListener(*this, socket.get()) != Error::kOk) {
    Forget(socket.get());
    return;
  }
  socket.Release();
  Ref();  // The loop's, until OnDetached().
  loop.Add(*this);
  reserve_ = internal::OpenReserve();
  loop.poller().StartAccept(*this);
}

void Acceptor::Finish() {
  if (std::exchange(stopped_, true) || native() == kNoSocket) return;
  Loop& loop = *home_->loop();
  if (!Forget(native())) internal::RemoveUnixSocket(shared_->address);
  loop.timers().Cancel(*this);
  loop.poller().Detach(*this);
}

// The socket is about to be closed. Whether the file of a Unix socket is to stay.
bool Acceptor::Forget(NativeSocket socket) {
  const std::lock_guard lock(shared_->mutex);
  std::erase(shared_->sockets, socket);
  return shared_->keeps_file;
}

void Acceptor::OnDetached() {
  home_->loop()->Remove(*this);
  Unref();
}

void Acceptor::OnAccepted(NativeSocket socket, const Address& peer) {
  internal::OwnedSocket owned(socket);
  if (targets_.empty()) {
    Open(*home_->loop(), std::move(owned), peer, *shared_);
    return;
  }
  const RefPtr<Mailbox>& target = targets_[next_target_++ % targets_.size()];
  // A loop that has too much to do, or has ended, refuses; the socket is closed then.
  Error error = target->Post([target, peer, shared = shared_, owned = std::move(owned)]() mutable {
    Open(*target->loop(), std::move(owned), peer, *shared);
  });
  if (error != Error::kOk) home_->loop()->counting().shed.Add(1);
}

void Acceptor::OnAcceptFailed(Error) {
  Loop& loop = *home_->loop();
  for (int i = 0; i < kMaxShed && internal::ShedConnection(native(), &reserve_); ++i) {
    loop.counting().shed.Add(1);
  }
  const auto wait = static_cast<std::uint64_t>(
      std::max<std::int64_t>(shared_->options.retry_interval.count(), 1));
  loop.timers().Arm(*this, loop.now_ms() + wait + 1);
}

void Acceptor::OnTimer() { home_->loop()->poller().StartAccept(*this); }

}  // namespace strata::net
