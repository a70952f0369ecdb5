// File: poller.h
//
// The kernel's sockets as completions: "receive, and call me with the bytes", "send this, and tell
// me how far you came", "accept, and hand me each socket". A readiness interface could not stand on
// IOCP; this one stands on edge-triggered epoll and on IOCP, and would on io_uring.
//
// One thread owns a Poller: all functions belong to it, but for Wake(). The objects that a poller
// calls (StreamSocket, ListenSocket, DatagramSocket) are their users' own, with these rules:
//
//   - Attach...() takes the descriptor over. Detach() closes it; from then on no other callback
//     comes but OnDetached(), once, out of a later point of Wait(). Until then the object must stay
//     where it is. So an object may be detached anywhere, in its own callbacks too.
//   - Callbacks come out of Wait() alone, never out of the call that asked for them. They may call
//     every function but Wait().
//   - Bytes given to OnReceived() are lent for the length of the call.
//   - A poller must outlive what is attached to it, up to OnDetached().
//   - Bytes given to Send() that it does not report as sent at once must stay in place until
//     OnSent() or OnDetached().
//
// Errors are net::Error. What is never an error for the caller: EINTR, EAGAIN, a spurious event.

#ifndef STRATA_NET_POLLER_H_
#define STRATA_NET_POLLER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/native_socket.h"

namespace strata::net {

namespace internal {
class SocketList;
}  // namespace internal

// A stretch of memory to be sent. The layout is that of iovec(3).
struct IoSlice {
  const char* data;
  std::size_t size;
};

// What a poller keeps for a socket. Nothing here is for others.
class PollerSocket {
 public:
  PollerSocket(const PollerSocket&) = delete;
  PollerSocket& operator=(const PollerSocket&) = delete;

  // The descriptor; kNoSocket before it was attached and after it was detached.
  NativeSocket native() const { return socket_; }

 protected:
  PollerSocket() = default;
  virtual ~PollerSocket() = default;

  // After Detach(): nothing in the kernel or in the poller refers to this object any more.
  virtual void OnDetached() = 0;

 private:
  friend class EpollPoller;
  friend class IocpPoller;
  friend class internal::SocketList;

  enum class Kind : std::uint8_t { kStream, kListener, kDatagram };

  NativeSocket socket_ = kNoSocket;
  Kind kind_ = Kind::kStream;
  std::uint16_t flags_ = 0;       // Used by the backend.
  PollerSocket* next_ = nullptr;  // In the list of what is to be resumed, or was detached.
#ifdef _WIN32
  struct IocpState* iocp_ = nullptr;  // Operations under way.
#endif

  friend class StreamSocket;
  friend class ListenSocket;
  friend class DatagramSocket;
};

// A connected stream socket, or one that connects.
class StreamSocket : public PollerSocket {
 public:
  // The answer to Connect().
  virtual void OnConnected(Error error) = 0;

  // After StartReceive(): bytes, never none of them. There may be more right away.
  virtual void OnReceived(std::string_view bytes) = 0;

  // The last that is received: kOk if the peer has ended its half in order, else why the connection
  // broke. That is told even while receiving is stopped; on Windows not if unread bytes wait.
  virtual void OnReceiveEnd(Error error) = 0;

  // After a Send() that left something: `bytes` more of it are gone, which may be 0. Time to call
  // Send() with the rest.
  virtual void OnSent(std::size_t bytes, Error error) = 0;

 protected:
  StreamSocket() { kind_ = Kind::kStream; }
};

// A socket that listens.
class ListenSocket : public PollerSocket {
 public:
  // A connection, not blocking and closed on exec; the callee owns it.
  virtual void OnAccepted(NativeSocket socket, const Address& peer) = 0;

  // Accepting has stopped: kTooManyFiles or kNoMemory, which may pass, so that StartAccept() can be
  // tried later, or an error of the socket. What concerns only one connection (ECONNABORTED) is
  // left out.
  virtual void OnAcceptFailed(Error error) = 0;

 protected:
  ListenSocket() { kind_ = Kind::kListener; }
};

// A socket of datagrams.
class DatagramSocket : public PollerSocket {
 public:
  // A datagram, which may be empty. `truncated` if it was longer than the poller's buffer.
  virtual void OnReceivedFrom(std::string_view bytes, const Address& peer, bool truncated) = 0;

  // An error of the socket, such as kRefused after an ICMP message. Receiving goes on.
  virtual void OnDatagramError(Error error) = 0;

  // After a SendTo() that answered kWouldBlock.
  virtual void OnSendReady() = 0;

 protected:
  DatagramSocket() { kind_ = Kind::kDatagram; }
};

class Poller {
 public:
  enum class Backend { kDefault, kEpoll, kIocp };

  struct Options {
    Backend backend = Backend::kDefault;

    // Of the one buffer that received bytes are lent from. A receive that fills it is followed by
    // another one.
    std::size_t receive_buffer_bytes = 128 * 1024;

    // Most events that one Wait() takes from the kernel, and most connections or datagrams that one
    // socket gives before others have their turn (on Windows they come one at a time anyway).
    int max_events = 512;
    int max_accepts = 64;
  };

  struct SendResult {
    std::size_t bytes = 0;  // Sent at once. If fewer than asked for, OnSent() follows, but not ...
    Error error = Error::kOk;  // ... after an error.
  };

  // Unimplemented for a backend that the system does not have; Internal if the kernel refuses.
  static absl::StatusOr<std::unique_ptr<Poller>> Create(const Options& options);

  virtual ~Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  virtual std::string_view name() const = 0;

  // Each takes `socket` over if it answers kOk, and leaves it to the caller if not.
  virtual Error AttachStream(StreamSocket& stream, NativeSocket socket) = 0;
  virtual Error AttachListener(ListenSocket& listener, NativeSocket socket) = 0;
  virtual Error AttachDatagram(DatagramSocket& datagram, NativeSocket socket) = 0;

  // Closes the descriptor of an attached socket.
  virtual void Detach(PollerSocket& socket) = 0;

  // Begins to connect. After kOk OnConnected() follows; bound the time by a timer and Detach().
  virtual Error Connect(StreamSocket& stream, const Address& peer) = 0;

  // Receiving stays on until StopReceive() or OnReceiveEnd(). Both may be repeated.
  virtual void StartReceive(StreamSocket& stream) = 0;
  virtual void StopReceive(StreamSocket& stream) = 0;

  // Sends what fits. One send at a time: not again before OnSent() if it left something.
  virtual SendResult Send(StreamSocket& stream, std::span<const IoSlice> slices) = 0;

  // Sends `count` bytes of a file from `offset` without a copy. kUnsupported where the system or
  // this file cannot: read and Send() then. kEndOfFile if the file is shorter.
  virtual SendResult SendFile(StreamSocket& stream, NativeFile file, std::uint64_t offset,
                              std::size_t count) = 0;

  virtual void StartAccept(ListenSocket& listener) = 0;

  virtual void StartReceive(DatagramSocket& datagram) = 0;

  // Sends one datagram whole, or answers why not: kWouldBlock, after which OnSendReady() follows.
  virtual Error SendTo(DatagramSocket& datagram, std::string_view bytes, const Address& peer) = 0;

  // Waits for events and calls back; at most `timeout_ms`, -1 without end. Wake() ends it early, as
  // it does the next Wait() if none is under way.
  virtual void Wait(int timeout_ms) = 0;

  // From any thread, and in a signal handler.
  virtual void Wake() = 0;

  // What each Wait() calls between its waiting and its callbacks.
  void set_after_wait(absl::AnyInvocable<void()> call) { after_wait_ = std::move(call); }

 protected:
  Poller() = default;

  void AfterWait() {
    if (after_wait_) after_wait_();
  }

 private:
  absl::AnyInvocable<void()> after_wait_;
};

}  // namespace strata::net

#endif  // STRATA_NET_POLLER_H_
