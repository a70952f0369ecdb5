// File: socket.h
//
// One WebSocket connection, of a server's or a client's side, and what a user makes of it.
//
//   class Echo : public SocketHandler {
//     void OnMessage(Socket& socket, bool text, std::string_view message) override {
//       text ? socket.SendText(message) : socket.SendBinary(message);
//     }
//   };
//
// A socket lives on one loop, where its handler's functions are called, one after the other. The
// functions of the socket may be called from any thread, at any time, by whoever holds a SocketPtr:
// after its end they answer kClosed and do nothing.

#ifndef STRATA_WS_SOCKET_H_
#define STRATA_WS_SOCKET_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "strata/net/mailbox.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/stream.h"
#include "strata/net/timer_wheel.h"
#include "strata/ws/close_code.h"
#include "strata/ws/compression.h"
#include "strata/ws/decoder.h"
#include "strata/ws/encoder.h"

namespace strata::ws {

class Socket;
using SocketPtr = net::RefPtr<Socket>;

// What became of a message.
enum class SendResult : std::uint8_t {
  kQueued,   // On its way, and the peer keeps up.
  kBacklog,  // On its way behind more than the high watermark: wait for OnWritable().
  kRefused,  // Not taken: more than SocketOptions::max_backlog_bytes wait already.
  kClosed,   // Not taken: the connection closes, or is closed.
};

// All functions run on the socket's loop.
class SocketHandler {
 public:
  virtual ~SocketHandler() = default;

  // The connection is open; the first of all calls.
  virtual void OnOpen(Socket&) {}

  // A whole message, lent for the length of the call. Text is valid UTF-8. None comes after
  // Close().
  virtual void OnMessage(Socket& socket, bool text, std::string_view message) = 0;

  // With SocketOptions::decoder.in_parts, instead of OnMessage(): a message as it comes. The last
  // part may be empty.
  virtual void OnPart(Socket&, bool /*text*/, std::string_view /*part*/, bool /*first*/,
                      bool /*last*/) {}

  // A pong came, asked for by Ping() or by nobody. Pings are answered without a call.
  virtual void OnPong(Socket&, std::string_view /*payload*/) {}

  // What waits was more than the high watermark, and is no longer.
  virtual void OnWritable(Socket&) {}

  // The last call, when the peer's Close frame has come, or the connection has ended without one.
  // What the peer's Close frame said, or kNoStatus if it said nothing, or kAbnormal if there was
  // none; the code of a rule that the peer broke; kGoingAway if our side ended first, in a drain.
  virtual void OnClosed(Socket&, CloseCode /*code*/, std::string_view /*reason*/) {}
};

// What else wants to know when a socket takes more, and when it ends, beside its handler: whoever
// keeps a queue for it. Linked into the socket, of which there may be several; on its loop, and
// alive up to OnSocketClosed(), which comes for each one that was linked.
class SocketObserver {
 public:
  SocketObserver(const SocketObserver&) = delete;
  SocketObserver& operator=(const SocketObserver&) = delete;

 protected:
  SocketObserver() = default;
  virtual ~SocketObserver() = default;

  // After the handler's OnWritable().
  virtual void OnSocketWritable(Socket& socket) = 0;

  // Before the handler's OnClosed(). The observer is linked no more, and may be destroyed.
  virtual void OnSocketClosed(Socket& socket) = 0;

 private:
  friend class Socket;
  SocketObserver* next_ = nullptr;
};

// The bounds of a socket. Durations have a resolution of 1 ms; zero is none.
struct SocketOptions {
  DecoderOptions decoder = {};

  // Nothing was received for so long: a ping is sent. Nothing for so long after that: closed.
  std::chrono::milliseconds ping_interval{std::chrono::seconds(30)};
  std::chrono::milliseconds pong_timeout{std::chrono::seconds(20)};

  // How long the peer's answer to our Close frame is waited for.
  std::chrono::milliseconds close_timeout{std::chrono::seconds(5)};

  // Of what waits for the peer: beyond that a message is refused.
  std::size_t max_backlog_bytes = 16 << 20;
};

class Socket final : public net::RefCounted, private net::TimerNode {
 public:
  // Whole messages. SendText() takes it from the caller that text is UTF-8.
  SendResult SendText(std::string_view message) { return Send(Opcode::kText, message); }
  SendResult SendBinary(std::string_view message) { return Send(Opcode::kBinary, message); }

  // One message for many sockets, which share its bytes. Of a server's side alone: a client's
  // frames are masked, each by a key of its own; it answers kRefused. Compressed, where the peer
  // can inflate it: with no context taken over and a window of kMaxWindowBits, as by default.
  SendResult Send(const EncodedMessage& message);

  // A part of a message whose end is not known yet; no other message may be sent between the first
  // part and the last. By the loop's thread. Parts are not compressed.
  SendResult SendPart(bool text, std::string_view part, bool first, bool last);

  // At most kMaxControlBytes.
  SendResult Ping(std::string_view payload = {});

  // Sends what is queued and a Close frame, and waits for the peer's: more than once is once. A
  // code that may not be sent is an empty Close frame.
  void Close(CloseCode code = CloseCode::kNormal, std::string_view reason = {});

  // At once, by a reset.
  void Abort() { stream_->Abort(); }

  // Bytes that wait, those on the way to the loop included.
  std::size_t backlog_bytes() const {
    return posted_bytes_.load(std::memory_order_relaxed) +
           queued_bytes_.load(std::memory_order_relaxed);
  }

  // Nobody has closed it yet.
  bool is_open() const { return open_.load(std::memory_order_relaxed); }

  // What was agreed on; empty for none.
  const std::string& subprotocol() const { return *subprotocol_; }
  bool deflates() const { return deflates_; }

  // Runs a task on the loop, open or not. See Stream::Post().
  [[nodiscard]] net::Error Post(absl::AnyInvocable<void(Socket&)> task);

  // For the loop's thread.
  net::Stream& stream() const { return *stream_; }

  // On the loop's thread. False if the handler was told OnClosed() already, or is being told: then
  // the observer is not linked.
  bool AddObserver(SocketObserver& observer);

  // How a connection that is through with its handshake begins; not for users.
  struct Setup {
    Role role = Role::kServer;
    std::shared_ptr<const SocketOptions> options;
    std::unique_ptr<SocketHandler> handler;
    std::shared_ptr<const std::string> subprotocol;
    std::unique_ptr<MessageInflater> inflater;  // With both, permessage-deflate was agreed on.
    std::unique_ptr<MessageDeflater> deflater;
    bool shares_compressed = false;         // EncodedMessage::compressed() is for this peer too.
    MaskKeyGenerator* mask_keys = nullptr;  // Of a client; outlives the loop's running.
  };
  static std::unique_ptr<net::StreamHandler> MakeStreamHandler(Setup setup);

 private:
  class Shim;

  explicit Socket(Setup setup);
  ~Socket() override = default;

  SendResult Send(Opcode opcode, std::string_view message);
  SendResult SendHere(Opcode opcode, std::string_view message);
  SendResult Taken(net::Error error);
  SendResult Posted(net::Error error, std::size_t bytes);
  void CloseHere(CloseCode code, std::string_view reason);
  bool InLoopThread() const { return mailbox_ && mailbox_->InLoopThread(); }
  bool Reserve(std::size_t bytes);

  void Open(net::Stream& stream);
  void Receive(std::string_view bytes);
  void Handle(const DecoderEvent& event);
  void PeerClosed(CloseCode code, std::string_view reason);
  void Tell(CloseCode code, std::string_view reason);
  void Promise();
  void Writable();
  void Drain();
  void Ended();
  void OnTimer() override;
  void ArmTimer(std::chrono::milliseconds delay);

  const std::shared_ptr<const SocketOptions> options_;
  std::unique_ptr<SocketHandler> handler_;
  SocketObserver* observers_ = nullptr;
  net::StreamPtr stream_;
  net::RefPtr<net::Mailbox> mailbox_;
  MessageDecoder decoder_;
  std::unique_ptr<MessageDeflater> deflater_;
  const std::shared_ptr<const std::string> subprotocol_;
  MaskKeyGenerator* const mask_keys_;
  std::atomic<std::size_t> posted_bytes_{0};
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<bool> open_{true};
  std::atomic<bool> promised_{false};  // A task is posted by which OnWritable() will come.
  const Role role_;
  const bool deflates_;
  const bool shares_compressed_;
  bool backlog_ = false;        // OnWritable() is owed.
  bool sent_close_ = false;     // Our Close frame is queued.
  bool received_ : 1 = false;   // Something, since the timer was armed.
  bool got_close_ : 1 = false;  // The peer's Close frame has come, or it broke a rule.
  bool drained_ : 1 = false;    // The loop ended it.
  bool ping_sent_ : 1 = false;  // And nothing has come since.
};

}  // namespace strata::ws

#endif  // STRATA_WS_SOCKET_H_
