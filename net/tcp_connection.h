// File: tcp_connection.h
//
// A stream over a TCP or Unix socket. Listeners (tcp_listener.h) and connectors (connector.h) make
// them; users see them as Stream, where all is documented. An idle one is this object and its
// handler, and nothing else.

#ifndef STRATA_NET_TCP_CONNECTION_H_
#define STRATA_NET_TCP_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"
#include "strata/net/native_socket.h"
#include "strata/net/poller.h"
#include "strata/net/queueing_stream_internal.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/stream.h"
#include "strata/net/timer_wheel.h"
#include "strata/net/write_queue.h"

namespace strata::net {

// Options that many streams share, and how many of these are open.
class SharedStreamOptions final : public RefCounted, public StreamOptions {
 public:
  explicit SharedStreamOptions(const StreamOptions& options) : StreamOptions(options) {}

  std::size_t open_count() const { return open_count_.load(std::memory_order_relaxed); }

 private:
  friend class TcpConnection;
  mutable std::atomic<std::size_t> open_count_{0};
};

// The bases and members stand in this order so that what each message touches is together.
class TcpConnection final : private LoopMember,
                            private TimerNode,
                            public internal::QueueingStream<TcpConnection>,
                            private StreamSocket {
 public:
  // Puts a connected socket on the loop, whose thread calls, and calls handler's OnOpen(). Owns the
  // socket in any case: if the loop has ended or the system refuses, it is closed and the answer is
  // why.
  static Error Open(Loop& loop, NativeSocket socket, const Address& peer,
                    RefPtr<const SharedStreamOptions> options,
                    std::unique_ptr<StreamHandler> handler);

  // Begins to connect. If `error` is kOk, either handler's OnOpen() follows or, without it,
  // OnClosed() with why not. There is no deadline: Abort() is its end.
  static RefPtr<TcpConnection> Connect(Loop& loop, const Address& peer,
                                       RefPtr<const SharedStreamOptions> options,
                                       std::unique_ptr<StreamHandler> handler, Error* error);

  std::size_t queued_bytes() const override;
  Error CloseWrite() override;
  void Close() override;
  void CloseAfterSending() override;
  void Abort() override;
  [[nodiscard]] Error Post(Task task) override;
  Error PauseReceive() override;
  Error ResumeReceive() override;
  Error SetIdleTimeout(std::chrono::milliseconds timeout) override;
  Error SetMinReceiveRate(std::uint32_t bytes_per_second,
                          std::chrono::milliseconds window) override;
  Error SetHandler(std::unique_ptr<StreamHandler> handler) override;
  bool is_open() const override { return Usable() == Error::kOk; }
  Address peer_address() const override;
  Address local_address() const override;
  Loop* loop() const override { return mailbox_->loop(); }
  const StreamOptions& options() const override { return *options_; }

  // What a PROXY header says. On the loop's thread.
  void set_peer_address(const Address& peer) { peer_ = peer; }

  // In a callback of a handler that has set another one: hands that one bytes which it did not use.
  void PassOn(std::string_view bytes) {
    if (is_open()) handler_->OnReceive(*this, bytes);
  }

 private:
  friend class internal::QueueingStream<TcpConnection>;

  enum Flags : std::uint16_t {
    kConnecting = 1,
    kCorked = 2,         // In a callback of its handler, after which it is flushed.
    kSending = 4,        // The poller has not sent all, and will call OnSent().
    kFull = 8,           // Above the high watermark.
    kPaused = 16,        // By the user.
    kReceiveEnded = 32,  // The peer has ended its half.
    kWriteEnding = 64,   // CloseWrite(): nothing more is queued.
    kWriteEnded = 128,   // The peer was told.
    kClosing = 256,      // Close().
    kLingering = 512,    // All is sent; waits for the peer to close.
    kClosed = 1024,
    kSendBroken = 2048,  // Nothing can be sent; what the peer has sent before is still read.
    kFlushLater = 4096,  // In the loop's list of those to be flushed.
    kNoLinger = 8192,    // CloseAfterSending().
    kBurst = 16384,      // Was above the high watermark, until a flush; OnWritable() is to come.
  };
  // How much has come in the window that is under way.
  struct ReceiveRate {
    std::uint32_t window;  // Milliseconds.
    std::uint32_t start;
    std::uint64_t min_bytes;
    std::uint64_t bytes;
    std::optional<std::uint32_t> held_since;  // Receiving is stopped here: nothing is due.
  };
  enum Remote : std::uint8_t { kRemoteClose = 1, kRemoteAbort = 2 };

  TcpConnection(Loop& loop, const Address& peer, RefPtr<const SharedStreamOptions> options,
                std::unique_ptr<StreamHandler> handler);
  ~TcpConnection() override = default;

  static Error Attach(TcpConnection& connection, NativeSocket socket);
  void Opened();

  // Whether the caller may use it.
  Error Usable() const;
  Error Writable(std::size_t more) const;

  template <typename Callback>
  void CallHandler(const char* name, Callback callback);
  bool FromElsewhere(Remote what, void (Stream::*act)());
  void Queued();
  void FlushLater();
  void Flush();
  bool FlushFile();
  bool FlushMemory();
  bool Advance(std::size_t wanted, Poller::SendResult result);
  void SendFailed(Error error);
  void AfterFlush();
  void UpdateReceiving();
  bool ReceivingIsHeld() const;
  void Linger();
  void Finish(Error error);

  std::uint32_t Now() const { return static_cast<std::uint32_t>(loop()->now_ms()); }
  void ArmDeadline();
  Error Expired() const;

  // StreamSocket
  void OnConnected(Error error) override;
  void OnReceived(std::string_view bytes) override;
  void OnReceiveEnd(Error error) override;
  void OnSent(std::size_t bytes, Error error) override;
  void OnDetached() override;

  // LoopMember
  void OnDrain() override;
  void OnLoopEnd() override;
  void OnFlush() override;

  // TimerNode
  void OnTimer() override;

  std::uint16_t state_ = 0;  // Flags.
  std::atomic<std::uint8_t> remote_{0};
  Error error_ = Error::kOk;
  // Milliseconds, times modulo 2^32.
  std::uint32_t idle_timeout_;
  std::uint32_t last_activity_ = 0;
  std::uint32_t last_sent_ = 0;  // Or when lingering began.

  const RefPtr<Mailbox> mailbox_;
  const RefPtr<const SharedStreamOptions> options_;
  std::unique_ptr<StreamHandler> handler_;
  WriteQueue queue_;
  std::unique_ptr<ReceiveRate> rate_;  // While one is asked for.
  Address peer_;
};

}  // namespace strata::net

#endif  // STRATA_NET_TCP_CONNECTION_H_
