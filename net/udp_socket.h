// File: udp_socket.h
//
// Datagrams on a loop.
//
//   auto socket = UdpSocket::Bind(loop, "[::]:5353", [](UdpSocket& socket, std::string_view bytes,
//                                                       const Address& peer) {
//     socket.SendTo(bytes, peer);
//   });
//
// Belongs to the loop's thread. Nothing is queued but by the system: a datagram that does not fit
// is refused with kWouldBlock, as datagrams are lost anywhere else on their way.

#ifndef STRATA_NET_UDP_SOCKET_H_
#define STRATA_NET_UDP_SOCKET_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"
#include "strata/net/poller.h"
#include "strata/net/ref_ptr.h"

namespace strata::net {

class UdpSocket final : public RefCounted, private DatagramSocket, private LoopMember {
 public:
  // A datagram, lent for the length of the call. One that is longer than the loop's receive buffer
  // is dropped.
  using OnDatagram =
      absl::AnyInvocable<void(UdpSocket& socket, std::string_view bytes, const Address& peer)>;

  struct Options {
    // Several sockets share the port; the kernel spreads the peers over them (Linux).
    bool reuse_port = false;
  };

  // On "ADDRESS:PORT"; port 0 takes a free one. Errors as TcpListener::Listen().
  static absl::StatusOr<RefPtr<UdpSocket>> Bind(Loop& loop, std::string_view address,
                                                OnDatagram on_datagram, const Options& options);
  static absl::StatusOr<RefPtr<UdpSocket>> Bind(Loop& loop, std::string_view address,
                                                OnDatagram on_datagram) {
    return Bind(loop, address, std::move(on_datagram), Options());
  }

  // kWouldBlock: the system's buffer is full; kClosed after Close(); kWrongThread; kMessageTooLong.
  Error SendTo(std::string_view bytes, const Address& peer);

  // Called each time that the system's buffer has room again after a kWouldBlock.
  void set_on_writable(absl::AnyInvocable<void(UdpSocket&)> call) {
    on_writable_ = std::move(call);
  }

  // From any thread, and more than once. No callback comes any more. The loop's end closes too.
  void Close();

  // Where it is bound, with the port that was chosen.
  const Address& address() const { return address_; }

  // Datagrams that an ICMP message or the like has reported as undeliverable.
  std::uint64_t errors() const { return errors_; }

 private:
  UdpSocket(Loop& loop, OnDatagram on_datagram);
  ~UdpSocket() override = default;

  void OnReceivedFrom(std::string_view bytes, const Address& peer, bool truncated) override;
  void OnDatagramError(Error) override { ++errors_; }
  void OnSendReady() override;
  void OnDetached() override;
  void OnDrain() override { Close(); }
  void OnLoopEnd() override { Close(); }

  const RefPtr<Mailbox> mailbox_;
  OnDatagram on_datagram_;
  absl::AnyInvocable<void(UdpSocket&)> on_writable_;
  Address address_;
  std::uint64_t errors_ = 0;
  bool closed_ = false;
};

}  // namespace strata::net

#endif  // STRATA_NET_UDP_SOCKET_H_
