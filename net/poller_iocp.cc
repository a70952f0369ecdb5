// The Poller on I/O completion ports.
//
// A stream always has a receive of no bytes under way, which completes when there is something to
// read; then what is there is read into the poller's one buffer without waiting, so that an idle
// stream owns none, as on Linux. What a send cannot place at once goes out as an overlapped one
// from the caller's memory. Every overlapped operation counts in its socket's state; a detached
// socket is given back when the last of them has come back, which the system promises once the
// handle is closed.
//
// A stream whose user does not receive, and which has something to read, has no operation under
// way: that it broke is seen only at the next send or receive.

#include <winsock2.h>

// After Winsock.
#include <mswsock.h>
#include <ws2tcpip.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "strata/net/poller.h"
#include "strata/net/poller_internal.h"
#include "strata/net/socket_internal.h"

namespace strata::net {
namespace {

// The longest datagram of UDP.
constexpr std::size_t kDatagramBytes = 65536;

// Accepts that wait in the system for one listener.
constexpr std::size_t kAccepts = 4;

// Of one send.
constexpr std::size_t kMaxSlices = 64;
constexpr std::size_t kMaxSendBytes = 1 << 30;

// What AcceptEx() wants for each of the two addresses.
constexpr DWORD kAcceptAddress = sizeof(sockaddr_storage) + 16;

}  // namespace

// An operation under way. The system writes to it until it completes.
struct IocpOperation {
  enum class Kind { kReceive, kSend, kConnect, kAccept };

  OVERLAPPED overlapped{};  // First: completions give its address.
  PollerSocket* socket = nullptr;
  Kind kind = Kind::kReceive;
  bool pending = false;
};

struct IocpAccept : IocpOperation {
  SOCKET accepted = INVALID_SOCKET;
  std::array<char, 2 * kAcceptAddress> addresses;
};

struct IocpState {
  IocpOperation receive;
  IocpOperation send;  // Or connect.
  std::size_t pending = 0;

  // A listener's.
  std::vector<std::unique_ptr<IocpAccept>> accepts;
  int family = AF_INET;

  // A datagram socket's.
  std::unique_ptr<char[]> datagram;
  sockaddr_storage peer;
  int peer_size = 0;

  // What could not be begun, to be told in Wait().
  Error failed = Error::kOk;
};

class IocpPoller final : public Poller {
 public:
  IocpPoller(const Options& options, HANDLE port)
      : port_(port),
        events_(static_cast<std::size_t>(options.max_events)),
        buffer_(new char[options.receive_buffer_bytes]),
        buffer_bytes_(options.receive_buffer_bytes) {}

  ~IocpPoller() override {
    FinishDetached();
    ::CloseHandle(port_);
  }

  std::string_view name() const override { return "iocp"; }

  Error AttachStream(StreamSocket& stream, NativeSocket socket) override {
    const Error error = Attach(stream, socket);
    if (error != Error::kOk) return error;
    // Fails for a socket that is not connected yet: OnConnected() comes before the first receive.
    ArmReceive(stream);
    return Error::kOk;
  }

  Error AttachListener(ListenSocket& listener, NativeSocket socket) override {
    const Error error = Attach(listener, socket);
    if (error != Error::kOk) return error;
    if (internal::LocalAddress(socket).family() == Address::Family::kIpv6) {
      listener.iocp_->family = AF_INET6;
    }
    return Error::kOk;
  }

  Error AttachDatagram(DatagramSocket& datagram, NativeSocket socket) override {
    const Error error = Attach(datagram, socket);
    if (error != Error::kOk) return error;
    datagram.iocp_->datagram.reset(new char[kDatagramBytes]);
    return Error::kOk;
  }

  void Detach(PollerSocket& socket) override {
    if (socket.flags_ & kDetached) return;
    if (socket.socket_ != kNoSocket) {
      // Closing does so on Windows, but not everywhere that calls itself so: Wine 8 lets a send
      // that waits for its peer wait on.
      ::CancelIoEx(reinterpret_cast<HANDLE>(socket.socket_), nullptr);
      ::closesocket(socket.socket_);
      socket.socket_ = kNoSocket;
    }
    socket.flags_ = kDetached | (socket.flags_ & kListed);
    FinishIfIdle(socket);
  }

  Error Connect(StreamSocket& stream, const Address& peer) override {
    const auto connect_ex = Extension<LPFN_CONNECTEX>(WSAID_CONNECTEX);
    if (!connect_ex) return Error::kUnsupported;
    // ConnectEx() wants a bound socket.
    sockaddr_storage any{};
    any.ss_family = peer.family() == Address::Family::kIpv6 ? AF_INET6 : AF_INET;
    const int any_size = any.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (::bind(stream.socket_, reinterpret_cast<sockaddr*>(&any), any_size) != 0)
      return LastError();
    sockaddr_storage storage;
    const auto size = static_cast<int>(peer.ToSockaddr(&storage));
    stream.flags_ |= kConnecting;
    IocpOperation& operation = stream.iocp_->send;
    operation.kind = IocpOperation::Kind::kConnect;
    return Begin(stream, operation,
                 connect_ex(stream.socket_, reinterpret_cast<sockaddr*>(&storage), size, nullptr, 0,
                            nullptr, &operation.overlapped));
  }

  void StartReceive(StreamSocket& stream) override {
    if (stream.flags_ & (kDetached | kReceiving | kEnded)) return;
    stream.flags_ |= kReceiving;
    if (!stream.iocp_->receive.pending && !(stream.flags_ & kConnecting)) Resume(stream);
  }

  void StopReceive(StreamSocket& stream) override { stream.flags_ &= ~kReceiving; }

  SendResult Send(StreamSocket& stream, std::span<const IoSlice> slices) override {
    std::array<WSABUF, kMaxSlices> buffers;
    std::size_t count = 0;
    std::size_t wanted = 0;
    std::size_t total = 0;
    for (const IoSlice& slice : slices) {
      total += slice.size;
      if (count == buffers.size() || wanted >= kMaxSendBytes) continue;
      const std::size_t part = std::min(slice.size, kMaxSendBytes - wanted);
      buffers[count++] = {static_cast<ULONG>(part), const_cast<char*>(slice.data)};
      wanted += part;
    }
    DWORD sent = 0;
    if (::WSASend(stream.socket_, buffers.data(), static_cast<DWORD>(count), &sent, 0, nullptr,
                  nullptr) != 0) {
      const Error error = LastError();
      if (error != Error::kWouldBlock) return {0, error};
      sent = 0;
    }
    if (sent == wanted) {
      if (wanted < total) {
        // More than one call takes: the next turn goes on.
        stream.flags_ |= kWantsSend;
        Resume(stream);
      }
      return {sent, Error::kOk};
    }

    // The rest, from where the first part ended.
    std::size_t first = 0;
    DWORD skipped = sent;
    while (skipped >= buffers[first].len) skipped -= buffers[first++].len;
    buffers[first].buf += skipped;
    buffers[first].len -= skipped;
    IocpOperation& operation = stream.iocp_->send;
    operation.kind = IocpOperation::Kind::kSend;
    const Error error =
        Begin(stream, operation,
              ::WSASend(stream.socket_, buffers.data() + first, static_cast<DWORD>(count - first),
                        nullptr, 0, &operation.overlapped, nullptr) == 0);
    return {sent, error};
  }

  SendResult SendFile(StreamSocket&, NativeFile, std::uint64_t, std::size_t) override {
    return {0, Error::kUnsupported};
  }

  void StartAccept(ListenSocket& listener) override {
    if (listener.flags_ & (kDetached | kReceiving)) return;
    listener.flags_ |= kReceiving;
    IocpState& state = *listener.iocp_;
    while (state.accepts.size() < kAccepts) {
      state.accepts.push_back(std::make_unique<IocpAccept>());
      state.accepts.back()->kind = IocpOperation::Kind::kAccept;
    }
    for (const std::unique_ptr<IocpAccept>& accept : state.accepts) {
      if (!accept->pending) ArmAccept(listener, *accept);
    }
  }

  void StartReceive(DatagramSocket& datagram) override {
    if (datagram.flags_ & (kDetached | kReceiving)) return;
    datagram.flags_ |= kReceiving;
    if (!datagram.iocp_->receive.pending) ArmDatagram(datagram);
  }

  Error SendTo(DatagramSocket& datagram, std::string_view bytes, const Address& peer) override {
    sockaddr_storage storage;
    const auto size = static_cast<int>(peer.ToSockaddr(&storage));
    if (::sendto(datagram.socket_, bytes.data(), static_cast<int>(bytes.size()), 0,
                 reinterpret_cast<sockaddr*>(&storage), size) >= 0) {
      return Error::kOk;
    }
    const Error error = LastError();
    if (error == Error::kWouldBlock) {
      // The system does not tell when there is room; the next turn is as good a time as any.
      datagram.flags_ |= kWantsSend;
      Resume(datagram);
    }
    return error;
  }

  void Wait(int timeout_ms) override {
    if (!resumed_.empty() || !detached_.empty()) timeout_ms = 0;
    ULONG count = 0;
    const DWORD timeout = timeout_ms < 0 ? INFINITE : static_cast<DWORD>(timeout_ms);
    if (!::GetQueuedCompletionStatusEx(port_, events_.data(), static_cast<ULONG>(events_.size()),
                                       &count, timeout, FALSE)) {
      count = 0;
    }
    woken_.exchange(false);  // An exchange, for what was posted before Wake() is to be seen.
    AfterWait();
    RunResumed();
    for (ULONG i = 0; i < count; ++i) {
      auto* operation = reinterpret_cast<IocpOperation*>(events_[i].lpOverlapped);
      if (operation) Complete(*operation);
    }
    FinishDetached();
  }

  void Wake() override {
    if (!woken_.exchange(true)) ::PostQueuedCompletionStatus(port_, 0, 0, nullptr);
  }

 private:
  // What PollerSocket::flags_ holds.
  enum Flags : std::uint16_t {
    kReceiving = 1,
    kEnded = 2,  // OnReceiveEnd() was called.
    kWantsSend = 4,
    kListed = 8,  // In resumed_.
    kDetached = 16,
    kGivenBack = 32,  // In detached_.
    kConnecting = 64,
  };

  // Receives in one go of a socket that always has more, before others have their turn.
  static constexpr int kMaxReceives = 4;

  static Error LastError() { return ErrorFromSystem(::WSAGetLastError()); }

  // Asked for until it is there: there may be no socket to ask with.
  template <typename Function>
  static Function Extension(GUID id) {
    static std::atomic<Function> known{nullptr};
    Function function = known.load();
    if (function) return function;
    DWORD bytes = 0;
    internal::OwnedSocket socket(internal::OpenStream(Address::Family::kIpv4).socket);
    ::WSAIoctl(socket.get(), SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &function,
               sizeof(function), &bytes, nullptr, nullptr);
    known = function;
    return function;
  }

  Error Attach(PollerSocket& socket, NativeSocket native) {
    if (!::CreateIoCompletionPort(reinterpret_cast<HANDLE>(native), port_, 0, 0)) {
      return ErrorFromSystem(static_cast<int>(::GetLastError()));
    }
    socket.socket_ = native;
    socket.flags_ = 0;
    socket.iocp_ = new IocpState;
    socket.iocp_->receive.socket = &socket;
    socket.iocp_->send.socket = &socket;
    return Error::kOk;
  }

  // After the call that begins an operation: `done` is its answer. Completion comes in any case,
  // unless there is an error.
  Error Begin(PollerSocket& socket, IocpOperation& operation, bool done) {
    const int code = done ? 0 : ::WSAGetLastError();
    if (code != 0 && code != WSA_IO_PENDING) return ErrorFromSystem(code);
    operation.pending = true;
    ++socket.iocp_->pending;
    return Error::kOk;
  }

  bool ArmReceive(StreamSocket& stream) {
    IocpOperation& operation = stream.iocp_->receive;
    WSABUF nothing{0, nullptr};
    DWORD flags = 0;
    operation.overlapped = OVERLAPPED{};
    return Begin(stream, operation,
                 ::WSARecv(stream.socket_, &nothing, 1, nullptr, &flags, &operation.overlapped,
                           nullptr) == 0) == Error::kOk;
  }

  void ArmDatagram(DatagramSocket& datagram) {
    IocpState& state = *datagram.iocp_;
    WSABUF buffer{static_cast<ULONG>(kDatagramBytes), state.datagram.get()};
    DWORD flags = 0;
    state.receive.overlapped = OVERLAPPED{};
    state.peer_size = sizeof(state.peer);
    const Error error =
        Begin(datagram, state.receive,
              ::WSARecvFrom(datagram.socket_, &buffer, 1, nullptr, &flags,
                            reinterpret_cast<sockaddr*>(&state.peer), &state.peer_size,
                            &state.receive.overlapped, nullptr) == 0);
    if (error == Error::kOk) return;
    state.failed = error;
    Resume(datagram);
  }

  void ArmAccept(ListenSocket& listener, IocpAccept& accept) {
    const auto accept_ex = Extension<LPFN_ACCEPTEX>(WSAID_ACCEPTEX);
    accept.socket = &listener;
    internal::OpenedSocket opened = internal::OpenStream(
        listener.iocp_->family == AF_INET6 ? Address::Family::kIpv6 : Address::Family::kIpv4);
    Error error = accept_ex ? opened.error : Error::kUnsupported;
    if (error == Error::kOk) {
      accept.accepted = opened.socket;
      accept.overlapped = OVERLAPPED{};
      error = Begin(listener, accept,
                    accept_ex(listener.socket_, accept.accepted, accept.addresses.data(), 0,
                              kAcceptAddress, kAcceptAddress, nullptr, &accept.overlapped));
      if (error != Error::kOk) ::closesocket(std::exchange(accept.accepted, INVALID_SOCKET));
    }
    if (error == Error::kOk) return;
    listener.iocp_->failed = error;
    Resume(listener);
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
        FinishIfIdle(*socket);
      } else {
        RunOne(*socket);
      }
    }
  }

  void RunOne(PollerSocket& socket) {
    switch (socket.kind_) {
      case PollerSocket::Kind::kStream: {
        auto& stream = static_cast<StreamSocket&>(socket);
        if (stream.flags_ & kWantsSend) {
          stream.flags_ &= ~kWantsSend;
          stream.OnSent(0, Error::kOk);
        }
        return ReceiveStream(stream);
      }
      case PollerSocket::Kind::kListener: {
        auto& listener = static_cast<ListenSocket&>(socket);
        listener.flags_ &= ~kReceiving;
        return listener.OnAcceptFailed(std::exchange(listener.iocp_->failed, Error::kOk));
      }
      case PollerSocket::Kind::kDatagram: {
        auto& datagram = static_cast<DatagramSocket&>(socket);
        if (const Error failed = std::exchange(datagram.iocp_->failed, Error::kOk);
            failed != Error::kOk) {
          // What an ICMP message said passes; another error would come again and again.
          if (failed != Error::kReset) datagram.flags_ &= ~kReceiving;
          ReceivedFrom(datagram, 0, failed);
        }
        if ((datagram.flags_ & (kWantsSend | kDetached)) != kWantsSend) return;
        datagram.flags_ &= ~kWantsSend;
        return datagram.OnSendReady();
      }
    }
  }

  // A detached socket that nothing refers to any more goes to those that are given back.
  void FinishIfIdle(PollerSocket& socket) {
    if (socket.iocp_->pending > 0 || (socket.flags_ & (kListed | kGivenBack))) return;
    socket.flags_ |= kGivenBack;
    detached_.PushBack(socket);
  }

  void FinishDetached() {
    internal::SocketList list = detached_.TakeAll();
    while (PollerSocket* socket = list.TakeFirst()) {
      delete std::exchange(socket->iocp_, nullptr);
      socket->OnDetached();
    }
  }

  void Complete(IocpOperation& operation) {
    PollerSocket& socket = *operation.socket;
    operation.pending = false;
    --socket.iocp_->pending;
    DWORD bytes = 0;
    DWORD flags = 0;
    Error error = Error::kOk;
    if (!(socket.flags_ & kDetached) &&
        !::WSAGetOverlappedResult(socket.socket_, &operation.overlapped, &bytes, FALSE, &flags)) {
      error = LastError();
    }
    if (operation.kind == IocpOperation::Kind::kAccept) {
      // Its socket is ours until it is handed over.
      return Accepted(static_cast<ListenSocket&>(socket), static_cast<IocpAccept&>(operation),
                      error);
    }
    if (socket.flags_ & kDetached) {
      FinishIfIdle(socket);
      return;
    }
    if (socket.kind_ == PollerSocket::Kind::kDatagram) {
      return ReceivedFrom(static_cast<DatagramSocket&>(socket), bytes, error);
    }
    auto& stream = static_cast<StreamSocket&>(socket);
    switch (operation.kind) {
      case IocpOperation::Kind::kReceive:
        if (error != Error::kOk) return End(stream, error);
        return ReceiveStream(stream);
      case IocpOperation::Kind::kSend:
        return stream.OnSent(bytes, error);
      default:
        return Connected(stream, error);
    }
  }

  void Connected(StreamSocket& stream, Error error) {
    stream.flags_ &= ~kConnecting;
    if (error == Error::kOk) {
      ::setsockopt(stream.socket_, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0);
      ArmReceive(stream);
    }
    stream.OnConnected(error);
  }

  void Accepted(ListenSocket& listener, IocpAccept& accept, Error error) {
    internal::OwnedSocket accepted(std::exchange(accept.accepted, INVALID_SOCKET));
    if (listener.flags_ & kDetached) {
      FinishIfIdle(listener);
      return;
    }
    if (error == Error::kOk) {
      const SOCKET native = listener.socket_;
      ::setsockopt(accepted.get(), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                   reinterpret_cast<const char*>(&native), sizeof(native));
      const Address peer = internal::PeerAddress(accepted.get());
      listener.OnAccepted(accepted.Release(), peer);
    }
    // A reset is of the one connection, which is gone; another error is the listener's.
    if (error != Error::kOk && error != Error::kReset) {
      listener.iocp_->failed = error;
      Resume(listener);
      return;
    }
    if ((listener.flags_ & (kReceiving | kDetached)) == kReceiving) ArmAccept(listener, accept);
  }

  void ReceivedFrom(DatagramSocket& datagram, DWORD bytes, Error error) {
    IocpState& state = *datagram.iocp_;
    if (error == Error::kOk || error == Error::kMessageTooLong) {
      datagram.OnReceivedFrom(std::string_view(state.datagram.get(), bytes),
                              Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&state.peer),
                                                    static_cast<std::size_t>(state.peer_size)),
                              error == Error::kMessageTooLong);
    } else {
      // An ICMP message that nobody listens there is a reset here.
      datagram.OnDatagramError(error == Error::kReset ? Error::kRefused : error);
    }
    if ((datagram.flags_ & (kReceiving | kDetached)) == kReceiving) ArmDatagram(datagram);
  }

  void End(StreamSocket& stream, Error error) {
    if (stream.flags_ & kEnded) return;
    stream.flags_ |= kEnded;
    stream.flags_ &= ~kReceiving;
    stream.OnReceiveEnd(error);
  }

  void ReceiveStream(StreamSocket& stream) {
    for (int i = 0; i < kMaxReceives; ++i) {
      if (!(stream.flags_ & kReceiving)) return;
      const int size = ::recv(stream.socket_, buffer_.get(), static_cast<int>(buffer_bytes_), 0);
      if (size > 0) {
        stream.OnReceived(std::string_view(buffer_.get(), static_cast<std::size_t>(size)));
        if (static_cast<std::size_t>(size) == buffer_bytes_) continue;
      } else if (size == 0) {
        return End(stream, Error::kOk);
      } else if (const Error error = LastError(); error != Error::kWouldBlock) {
        return End(stream, error);
      }
      // Emptied: the next arrival completes a receive.
      if (stream.flags_ & kDetached) return;
      if (!stream.iocp_->receive.pending && !ArmReceive(stream)) Resume(stream);
      return;
    }
    Resume(stream);
  }

  const HANDLE port_;
  std::vector<OVERLAPPED_ENTRY> events_;
  const std::unique_ptr<char[]> buffer_;
  const std::size_t buffer_bytes_;
  std::atomic<bool> woken_{false};
  internal::SocketList resumed_;
  internal::SocketList detached_;
};

absl::StatusOr<std::unique_ptr<Poller>> internal::CreateIocpPoller(const Poller::Options& options) {
  internal::StartSockets();
  HANDLE port = ::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  if (!port) {
    return ToStatus(ErrorFromSystem(static_cast<int>(::GetLastError())), "completion port");
  }
  return std::make_unique<IocpPoller>(options, port);
}

}  // namespace strata::net
