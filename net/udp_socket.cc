// Datagrams.

#include "strata/net/udp_socket.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/socket_internal.h"

namespace strata::net {

UdpSocket::UdpSocket(Loop& loop, OnDatagram on_datagram)
    : mailbox_(loop.mailbox()), on_datagram_(std::move(on_datagram)) {}

absl::StatusOr<RefPtr<UdpSocket>> UdpSocket::Bind(Loop& loop, std::string_view address,
                                                  OnDatagram on_datagram, const Options& options) {
  absl::StatusOr<Address> parsed = Address::Parse(address);
  if (!parsed.ok()) return parsed.status();
  const std::string what = absl::StrCat("bind to ", address);
  if (parsed->family() == Address::Family::kUnix) return ToStatus(Error::kUnsupported, what);
  internal::OpenedSocket opened = internal::OpenDatagram(*parsed, true, options.reuse_port);
  if (opened.error != Error::kOk) return ToStatus(opened.error, what);

  RefPtr<UdpSocket> socket(new UdpSocket(loop, std::move(on_datagram)));
  socket->address_ = internal::LocalAddress(opened.socket);
  const Error error =
      loop.ended() ? Error::kClosed : loop.poller().AttachDatagram(*socket, opened.socket);
  if (error != Error::kOk) {
    internal::CloseSocket(opened.socket);
    return ToStatus(error, what);
  }
  socket->Ref();  // The loop's, until OnDetached().
  loop.Add(*socket);
  loop.poller().StartReceive(*socket);
  return socket;
}

Error UdpSocket::SendTo(std::string_view bytes, const Address& peer) {
  if (!mailbox_->InLoopThread()) return mailbox_->closed() ? Error::kClosed : Error::kWrongThread;
  if (closed_) return Error::kClosed;
  return mailbox_->loop()->poller().SendTo(*this, bytes, peer);
}

void UdpSocket::Close() {
  if (!mailbox_->InLoopThread()) {
    mailbox_->PostAlways([self = RefPtr<UdpSocket>(this)] { self->Close(); });
    return;
  }
  if (std::exchange(closed_, true)) return;
  mailbox_->loop()->poller().Detach(*this);
}

void UdpSocket::OnReceivedFrom(std::string_view bytes, const Address& peer, bool truncated) {
  if (truncated) return;
  mailbox_->loop()->Call("OnDatagram", [&] { on_datagram_(*this, bytes, peer); });
}

void UdpSocket::OnSendReady() {
  if (on_writable_) mailbox_->loop()->Call("OnWritable", [this] { on_writable_(*this); });
}

void UdpSocket::OnDetached() {
  on_datagram_ = nullptr;
  on_writable_ = nullptr;
  mailbox_->loop()->Remove(*this);
  Unref();
}

}  // namespace strata::net
