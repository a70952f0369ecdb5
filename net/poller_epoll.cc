// The Poller on edge-triggered epoll(7).
//
// A socket is registered once, for both directions, and never modified: a system call saved for
// each message. What an edge has told is kept in flags. A receive that returns less than the buffer
// has emptied the socket, and the next arrival makes a new edge, so no second recv() is needed to
// see EAGAIN; the end of the stream could hide behind such a short read, which is why EPOLLRDHUP is
// asked for: with it seen, reading goes on to the end.

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/net/poller.h"
#include "strata/net/poller_internal.h"
#include "strata/net/socket_internal.h"
#include "strata/net/system_calls_internal.h"

namespace strata::net {

static_assert(sizeof(IoSlice) == sizeof(iovec) && offsetof(IoSlice, data) == 0 &&
              offsetof(iovec, iov_base) == 0);

namespace {

// sendfile(2) has no MSG_NOSIGNAL, and the signal is for this thread alone: here it is held back
// meanwhile, so that a program which has not ignored it is not ended by a peer that has gone.
class HeldSigPipe {
 public:
  HeldSigPipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~HeldSigPipe() {
    if (!sigismember(&before_, SIGPIPE)) pthread_sigmask(SIG_UNBLOCK, &pipe_, nullptr);
  }
  HeldSigPipe(const HeldSigPipe&) = delete;
  HeldSigPipe& operator=(const HeldSigPipe&) = delete;

  // After EPIPE: takes the signal that has come with it.
  void Take() {
    const int error = errno;
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    errno = error;
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
};

}  // namespace

class EpollPoller final : public Poller {
 public:
  EpollPoller(const Options& options, int epoll, int wake)
      : epoll_(epoll), wake_(wake), max_accepts_(options.max_accepts) {
    events_.resize(static_cast<std::size_t>(options.max_events));
    buffer_.reset(new char[options.receive_buffer_bytes]);
    buffer_bytes_ = options.receive_buffer_bytes;
  }

  ~EpollPoller() override {
    FinishDetached();
    ::close(wake_);
    ::close(epoll_);
  }

  std::string_view name() const override { return "epoll"; }

  Error AttachStream(StreamSocket& stream, NativeSocket socket) override {
    return Attach(stream, socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  Error AttachListener(ListenSocket& listener, NativeSocket socket) override {
    return Attach(listener, socket, EPOLLIN | EPOLLET);
  }

  Error AttachDatagram(DatagramSocket& datagram, NativeSocket socket) override {
    return Attach(datagram, socket, EPOLLIN | EPOLLOUT | EPOLLET);
  }

  void Detach(PollerSocket& socket) override {
    if (socket.flags_ & kDetached) return;
    if (socket.socket_ != kNoSocket) {
      // A copy of the descriptor in a forked child would keep the registration alive after close().
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.socket_, nullptr);
      internal::CloseSocket(socket.socket_);
      socket.socket_ = kNoSocket;
    }
    const bool listed = socket.flags_ & kListed;
    socket.flags_ = kDetached | (listed ? kListed : 0);
    // One that waits to be resumed is found to be detached there.
    if (!listed) detached_.PushBack(socket);
  }

  Error Connect(StreamSocket& stream, const Address& peer) override {
    sockaddr_storage storage;
    auto size = static_cast<socklen_t>(peer.ToSockaddr(&storage));
    // An interrupted connect() goes on by itself.
    if (::connect(stream.socket_, reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
        errno != EINPROGRESS && errno != EINTR) {
      return ErrorFromSystem(errno);
    }
    stream.flags_ |= kConnecting;
    // One connected at once, as Unix sockets are, makes an edge too.
    return Error::kOk;
  }

  void StartReceive(StreamSocket& stream) override {
    if (stream.flags_ & (kDetached | kReceiving | kEnded)) return;
    stream.flags_ |= kReceiving;
    if (stream.flags_ & kReadable) Resume(stream);
  }

  void StopReceive(StreamSocket& stream) override { stream.flags_ &= ~kReceiving; }

  SendResult Send(StreamSocket& stream, std::span<const IoSlice> slices) override {
    ssize_t sent;
    std::size_t wanted = slices[0].size;
    if (slices.size() == 1) {
      sent = Retry([&] { return strata_net_send(stream.socket_, slices[0].data, wanted); });
    } else {
      msghdr message{};
      message.msg_iov = reinterpret_cast<iovec*>(const_cast<IoSlice*>(slices.data()));
      message.msg_iovlen = slices.size();
      sent = Retry([&] { return ::sendmsg(stream.socket_, &message, MSG_NOSIGNAL); });
      for (const IoSlice& slice : slices.subspan(1)) wanted += slice.size;
    }
    return Sent(stream, sent, wanted);
  }

  SendResult SendFile(StreamSocket& stream, NativeFile file, std::uint64_t offset,
                      std::size_t count) override {
    auto from = static_cast<off_t>(offset);
    SendResult result;
    HeldSigPipe signal;
    // A short count may mean a full socket or a short file: only the next call tells.
    while (result.bytes < count) {
      const std::size_t wanted = count - result.bytes;
      ssize_t sent = Retry([&] { return ::sendfile(stream.socket_, file, &from, wanted); });
      if (sent == 0) {
        result.error = Error::kEndOfFile;
        break;
      }
      if (sent < 0) {
        if (errno == EPIPE) signal.Take();
        const bool refused = (errno == EINVAL || errno == ENOSYS) && result.bytes == 0;
        if (refused) return {0, Error::kUnsupported};
        result.error = Sent(stream, sent, wanted).error;
        break;
      }
      result.bytes += static_cast<std::size_t>(sent);
    }
    return result;
  }

  void StartAccept(ListenSocket& listener) override {
    if (listener.flags_ & (kDetached | kReceiving)) return;
    listener.flags_ |= kReceiving;
    Resume(listener);  // A connection may have come long ago.
  }

  void StartReceive(DatagramSocket& datagram) override {
    if (datagram.flags_ & (kDetached | kReceiving)) return;
    datagram.flags_ |= kReceiving;
    Resume(datagram);
  }

  Error SendTo(DatagramSocket& datagram, std::string_view bytes, const Address& peer) override {
    sockaddr_storage storage;
    auto size = static_cast<socklen_t>(peer.ToSockaddr(&storage));
    for (;;) {
      if (::sendto(datagram.socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&storage), size) >= 0) {
        return Error::kOk;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return ErrorFromSystem(errno);
      datagram.flags_ |= kWantsSend;
      return Error::kWouldBlock;
    }
  }

  void Wait(int timeout_ms) override {
    if (!resumed_.empty() || !detached_.empty()) timeout_ms = 0;
    int count =
        strata_net_epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    AfterWait();
    // What is to be resumed was there before these events. Each of both gets its turn in each Wait.
    RunResumed();
    for (int i = 0; i < count; ++i) {
      if (i + 1 < count) Prefetch(events_[static_cast<std::size_t>(i) + 1].data.ptr);
      auto* socket = static_cast<PollerSocket*>(events_[static_cast<std::size_t>(i)].data.ptr);
      // The eventfd's counter is never read: each write is a new edge, and it cannot overflow.
      if (socket) Dispatch(*socket, events_[static_cast<std::size_t>(i)].events);
    }
    FinishDetached();
  }

  void Wake() override {
    const std::uint64_t one = 1;
    Retry([&] { return ::write(wake_, &one, sizeof(one)); });
  }

 private:
  // What PollerSocket::flags_ holds.
  enum Flags : std::uint16_t {
    kReceiving = 1,   // Its user wants bytes, datagrams or connections.
    kReadable = 2,    // Not known to be empty.
    kPeerEnded = 4,   // EPOLLRDHUP was seen: read to the end.
    kEnded = 8,       // OnReceiveEnd() was called.
    kWantsSend = 16,  // Something waits for room.
    kConnecting = 32,
    kListed = 64,  // In resumed_.
    kDetached = 128,
  };

  // Receives in one go of a socket that always has more, before others have their turn.
  static constexpr int kMaxReceives = 4;

  template <typename Call>
  static ssize_t Retry(Call call) {
    for (;;) {
      ssize_t result = call();
      if (result >= 0 || errno != EINTR) return result;
    }
  }

  // The next socket of a batch comes into the cache while the system calls of this one run: with a
  // thousand connections its memory was not touched for long.
  static void Prefetch(const void* socket) {
    const char* const place = static_cast<const char*>(socket);
    __builtin_prefetch(place);
    __builtin_prefetch(place + 64);
  }

  Error Attach(PollerSocket& socket, NativeSocket native, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &socket;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, native, &event) != 0) return ErrorFromSystem(errno);
    socket.socket_ = native;
    socket.flags_ = 0;
    return Error::kOk;
  }

  void Resume(PollerSocket& socket) {
    if (socket.flags_ & (kListed | kDetached)) return;
    socket.flags_ |= kListed;
    resumed_.PushBack(socket);
  }

  void RunResumed() {
    internal::SocketList list = resumed_.TakeAll();
    while (PollerSocket* socket = list.TakeFirst()) {
      socket->flags_ &= ~kListed;
      if (socket->flags_ & kDetached) {
        detached_.PushBack(*socket);
      } else {
        Receive(*socket);
      }
    }
  }

  void FinishDetached() {
    internal::SocketList list = detached_.TakeAll();
    while (PollerSocket* socket = list.TakeFirst()) socket->OnDetached();
  }

  void Dispatch(PollerSocket& socket, std::uint32_t events) {
    if (socket.flags_ & kDetached) return;
    if (socket.kind_ == PollerSocket::Kind::kStream) {
      DispatchStream(static_cast<StreamSocket&>(socket), events);
      return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
      socket.flags_ |= kReadable;
      Receive(socket);
    }
    if ((events & EPOLLOUT) && (socket.flags_ & kWantsSend) && !(socket.flags_ & kDetached)) {
      socket.flags_ &= ~kWantsSend;
      static_cast<DatagramSocket&>(socket).OnSendReady();
    }
  }

  void DispatchStream(StreamSocket& stream, std::uint32_t events) {
    if (stream.flags_ & kConnecting) {
      if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
      stream.flags_ &= ~kConnecting;
      Error error =
          (events & (EPOLLERR | EPOLLHUP)) ? internal::TakeError(stream.socket_) : Error::kOk;
      // A socket that is not connecting says EPOLLHUP without an error.
      if (error == Error::kOk && (events & EPOLLHUP) && !(events & EPOLLIN)) error = Error::kReset;
      stream.OnConnected(error);
      if (stream.flags_ & kDetached) return;
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) stream.flags_ |= kPeerEnded;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
      stream.flags_ |= kReadable;
      ReceiveStream(stream);
      if (stream.flags_ & kDetached) return;
    }
    if ((events & EPOLLERR) && !(stream.flags_ & kEnded)) {
      // Broken while its user does not receive.
      Error error = internal::TakeError(stream.socket_);
      End(stream, error == Error::kOk ? Error::kReset : error);
      if (stream.flags_ & kDetached) return;
    }
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) && (stream.flags_ & kWantsSend)) {
      stream.flags_ &= ~kWantsSend;
      stream.OnSent(0, Error::kOk);
    }
  }

  void Receive(PollerSocket& socket) {
    switch (socket.kind_) {
      case PollerSocket::Kind::kStream:
        return ReceiveStream(static_cast<StreamSocket&>(socket));
      case PollerSocket::Kind::kListener:
        return Accept(static_cast<ListenSocket&>(socket));
      case PollerSocket::Kind::kDatagram:
        return ReceiveDatagrams(static_cast<DatagramSocket&>(socket));
    }
  }

  void End(StreamSocket& stream, Error error) {
    stream.flags_ |= kEnded;
    stream.flags_ &= ~(kReceiving | kReadable);
    stream.OnReceiveEnd(error);
  }

  void ReceiveStream(StreamSocket& stream) {
    for (int i = 0; i < kMaxReceives;) {
      if ((stream.flags_ & (kReceiving | kReadable)) != (kReceiving | kReadable)) return;
      ssize_t size = strata_net_recv(stream.socket_, buffer_.get(), buffer_bytes_);
      if (size > 0) {
        const bool emptied = static_cast<std::size_t>(size) < buffer_bytes_;
        if (emptied && !(stream.flags_ & kPeerEnded)) stream.flags_ &= ~kReadable;
        stream.OnReceived(std::string_view(buffer_.get(), static_cast<std::size_t>(size)));
        ++i;
      } else if (size == 0) {
        return End(stream, Error::kOk);
      } else if (errno == EAGAIN) {
        stream.flags_ &= ~kReadable;
        return;
      } else if (errno != EINTR) {
        return End(stream, ErrorFromSystem(errno));
      }
    }
    Resume(stream);
  }

  SendResult Sent(StreamSocket& stream, ssize_t sent, std::size_t wanted) {
    if (sent < 0) {
      if (errno != EAGAIN) return {0, ErrorFromSystem(errno)};
      sent = 0;
    }
    const auto bytes = static_cast<std::size_t>(sent);
    if (bytes < wanted) stream.flags_ |= kWantsSend;
    return {bytes, Error::kOk};
  }

  void Accept(ListenSocket& listener) {
    for (int i = 0; i < max_accepts_;) {
      if (!(listener.flags_ & kReceiving)) return;
      sockaddr_storage storage;
      socklen_t size = sizeof(storage);
      int socket = ::accept4(listener.socket_, reinterpret_cast<sockaddr*>(&storage), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        listener.OnAccepted(
            socket, Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size));
        ++i;
      } else if (errno == EAGAIN) {
        return;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS ||
                 errno == EBADF || errno == EINVAL) {
        listener.flags_ &= ~kReceiving;
        listener.OnAcceptFailed(ErrorFromSystem(errno));
        return;
      } else if (errno != EINTR) {
        // accept(2): an error of the one connection, which is gone, or of the network.
        ++i;
      }
    }
    Resume(listener);
  }

  void ReceiveDatagrams(DatagramSocket& datagram) {
    for (int i = 0; i < max_accepts_; ++i) {
      if (!(datagram.flags_ & kReceiving)) return;
      sockaddr_storage storage;
      iovec slice{buffer_.get(), buffer_bytes_};
      msghdr message{};
      message.msg_name = &storage;
      message.msg_namelen = sizeof(storage);
      message.msg_iov = &slice;
      message.msg_iovlen = 1;
      ssize_t size = ::recvmsg(datagram.socket_, &message, 0);
      if (size >= 0) {
        datagram.OnReceivedFrom(
            std::string_view(buffer_.get(), static_cast<std::size_t>(size)),
            Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), message.msg_namelen),
            (message.msg_flags & MSG_TRUNC) != 0);
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR) {
        datagram.OnDatagramError(ErrorFromSystem(errno));
      }
    }
    Resume(datagram);
  }

  const int epoll_;
  const int wake_;
  const int max_accepts_;
  std::vector<epoll_event> events_;
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_bytes_;
  internal::SocketList resumed_;
  internal::SocketList detached_;
};

absl::StatusOr<std::unique_ptr<Poller>> internal::CreateEpollPoller(
    const Poller::Options& options) {
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll >= 0 && wake >= 0 && ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0) {
    return std::make_unique<EpollPoller>(options, epoll, wake);
  }
  absl::Status status = ToStatus(ErrorFromSystem(errno), "epoll");
  if (epoll >= 0) ::close(epoll);
  if (wake >= 0) ::close(wake);
  return status;
}

}  // namespace strata::net
