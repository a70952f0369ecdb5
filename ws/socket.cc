#include "strata/ws/socket.h"

#include <array>
#include <span>
#include <utility>

#include "strata/net/loop.h"
#include "strata/ws/frame.h"
#include "strata/ws/protocol_error.h"

namespace strata::ws {
namespace {

// Up to here a message is copied behind its header, so that both are one piece of the queue.
constexpr std::size_t kJoinBytes = 2048;

}  // namespace

// What the stream owns. The socket itself belongs to whoever holds it.
class Socket::Shim final : public net::StreamHandler {
 public:
  explicit Shim(SocketPtr socket) : socket_(std::move(socket)) {}

  void OnOpen(net::Stream& stream) override { socket_->Open(stream); }
  void OnReceive(net::Stream&, std::string_view bytes) override { socket_->Receive(bytes); }
  void OnReceiveEnd(net::Stream& stream) override { stream.Close(); }
  void OnWritable(net::Stream&) override { socket_->Writable(); }
  void OnDrain(net::Stream&) override { socket_->Drain(); }
  void OnClosed(net::Stream&, net::Error) override { socket_->Ended(); }

 private:
  const SocketPtr socket_;
};

// With the stream, the shim and a small handler: 512 bytes for an idle connection.
static_assert(sizeof(Socket) <= 232);

std::unique_ptr<net::StreamHandler> Socket::MakeStreamHandler(Setup setup) {
  return std::make_unique<Shim>(SocketPtr(new Socket(std::move(setup))));
}

Socket::Socket(Setup setup)
    : options_(std::move(setup.options)),
      handler_(std::move(setup.handler)),
      decoder_(&options_->decoder, std::move(setup.inflater)),
      deflater_(std::move(setup.deflater)),
      subprotocol_(std::move(setup.subprotocol)),
      mask_keys_(setup.mask_keys),
      role_(setup.role),
      deflates_(deflater_ != nullptr),
      shares_compressed_(setup.shares_compressed) {}

void Socket::Open(net::Stream& stream) {
  stream_ = net::StreamPtr(&stream);
  mailbox_ = stream.loop()->mailbox();
  // Silence is answered by pings here.
  stream.SetIdleTimeout(std::chrono::milliseconds(0));
  ArmTimer(options_->ping_interval);
  handler_->OnOpen(*this);
}

void Socket::Receive(std::string_view bytes) {
  const SocketPtr self(this);
  received_ = true;
  // Bytes that are lent by a stream may be written over.
  std::span<char> input = net::LentBytes(bytes);
  while (!got_close_) {
    const DecoderEvent event = decoder_.Next(&input);
    if (event.kind == DecoderEvent::Kind::kNeedMore) break;
    Handle(event);
  }
}

void Socket::Handle(const DecoderEvent& event) {
  switch (event.kind) {
    case DecoderEvent::Kind::kMessage:
      if (is_open()) handler_->OnMessage(*this, event.text, event.payload);
      return;
    case DecoderEvent::Kind::kPart:
      if (!is_open()) return;
      return handler_->OnPart(*this, event.text, event.payload, event.first, event.last);
    case DecoderEvent::Kind::kPing: {
      // A peer that sends pings and reads nothing gets no more than the backlog allows.
      if (sent_close_ || !Reserve(event.payload.size())) return;
      std::string out;
      MessageEncoder({.role = role_, .mask_keys = mask_keys_}).AddPong(event.payload, &out);
      Taken(stream_->Write(out));
      return;
    }
    case DecoderEvent::Kind::kPong:
      return handler_->OnPong(*this, event.payload);
    case DecoderEvent::Kind::kClose:
      return PeerClosed(event.code, event.payload);
    case DecoderEvent::Kind::kError: {
      const std::string_view text = TextOf(event.error);
      got_close_ = true;
      CloseHere(event.code, text);
      stream_->Close();
      return Tell(event.code, text);
    }
    case DecoderEvent::Kind::kNeedMore:
      return;
  }
}

// The peer sends nothing more. Its Close frame is answered, if ours was not sent first (RFC 6455
// section 5.5.1), and the server ends the connection (section 7.1.1).
void Socket::PeerClosed(CloseCode code, std::string_view reason) {
  got_close_ = true;
  CloseHere(code, {});
  if (role_ == Role::kServer) {
    stream_->Close();
  } else {
    ArmTimer(options_->close_timeout);
  }
  Tell(code, reason);
}

// The handler's last call. What the connection still does after it is between the two sides.
void Socket::Tell(CloseCode code, std::string_view reason) {
  const std::unique_ptr<SocketHandler> handler = std::move(handler_);
  while (SocketObserver* const observer = observers_) {
    observers_ = std::exchange(observer->next_, nullptr);
    observer->OnSocketClosed(*this);
  }
  if (handler) handler->OnClosed(*this, code, reason);
}

bool Socket::AddObserver(SocketObserver& observer) {
  if (!handler_) return false;
  observer.next_ = std::exchange(observers_, &observer);
  return true;
}

bool Socket::Reserve(std::size_t bytes) {
  return backlog_bytes() + bytes <= options_->max_backlog_bytes;
}

SendResult Socket::Send(Opcode opcode, std::string_view message) {
  if (!is_open()) return SendResult::kClosed;
  if (!Reserve(message.size())) return SendResult::kRefused;
  if (InLoopThread()) return SendHere(opcode, message);
  const std::size_t bytes = message.size();
  posted_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const net::Error error = Post([opcode, text = std::string(message)](Socket& self) {
    self.posted_bytes_.fetch_sub(text.size(), std::memory_order_relaxed);
    self.SendHere(opcode, text);
  });
  return Posted(error, bytes);
}

SendResult Socket::SendHere(Opcode opcode, std::string_view message) {
  if (sent_close_ || !stream_->is_open()) return SendResult::kClosed;
  if (role_ == Role::kClient) {
    std::string out;
    MessageEncoder encoder({.role = role_, .mask_keys = mask_keys_, .deflater = deflater_.get()});
    opcode == Opcode::kText ? encoder.AddText(message, &out) : encoder.AddBinary(message, &out);
    return Taken(stream_->WriteOwned(std::move(out)));
  }
  FrameHeader header{.opcode = opcode};
  if (deflater_) {
    if (const auto deflated = deflater_->Deflate(message)) {
      header.compressed = true;
      message = *deflated;
    }
  }
  header.payload_bytes = message.size();
  std::array<char, kMaxFrameHeaderBytes + kJoinBytes> bytes;
  const std::size_t size = EncodeFrameHeader(header, bytes.data());
  if (message.size() <= kJoinBytes) {
    message.copy(bytes.data() + size, message.size());
    return Taken(stream_->Write(std::string_view(bytes.data(), size + message.size())));
  }
  const net::Error error = stream_->Write(std::string_view(bytes.data(), size));
  return Taken(error == net::Error::kOk ? stream_->Write(message) : error);
}

SendResult Socket::Send(const EncodedMessage& message) {
  const EncodedMessage::Bytes& bytes = shares_compressed_ ? message.compressed() : message.plain();
  if (!is_open()) return SendResult::kClosed;
  if (role_ == Role::kClient || !bytes || !Reserve(bytes->size())) return SendResult::kRefused;
  if (InLoopThread()) {
    if (sent_close_ || !stream_->is_open()) return SendResult::kClosed;
    return Taken(stream_->WriteShared(bytes));
  }
  posted_bytes_.fetch_add(bytes->size(), std::memory_order_relaxed);
  const net::Error error = Post([bytes](Socket& self) {
    self.posted_bytes_.fetch_sub(bytes->size(), std::memory_order_relaxed);
    if (!self.sent_close_) self.Taken(self.stream_->WriteShared(bytes));
  });
  return Posted(error, bytes->size());
}

SendResult Socket::SendPart(bool text, std::string_view part, bool first, bool last) {
  if (!is_open() || !InLoopThread() || sent_close_) return SendResult::kClosed;
  if (!Reserve(part.size())) return SendResult::kRefused;
  std::string out;
  const Opcode opcode = !first ? Opcode::kContinuation : text ? Opcode::kText : Opcode::kBinary;
  MessageEncoder({.role = role_, .mask_keys = mask_keys_}).AddPart(opcode, part, last, &out);
  return Taken(stream_->WriteOwned(std::move(out)));
}

SendResult Socket::Ping(std::string_view payload) {
  if (!is_open()) return SendResult::kClosed;
  if (!InLoopThread()) {
    const net::Error error = Post([text = std::string(payload)](Socket& self) { self.Ping(text); });
    return error == net::Error::kOk ? SendResult::kQueued : SendResult::kRefused;
  }
  if (sent_close_) return SendResult::kClosed;
  std::string out;
  MessageEncoder({.role = role_, .mask_keys = mask_keys_}).AddPing(payload, &out);
  return Taken(stream_->Write(out));
}

// After a message of so many bytes was posted to the loop, or was not.
SendResult Socket::Posted(net::Error error, std::size_t bytes) {
  if (error == net::Error::kOk) {
    if (backlog_bytes() <= stream_->options().high_watermark_bytes) return SendResult::kQueued;
    // The loop may write what was posted little by little, and never see it wait.
    Promise();
    return SendResult::kBacklog;
  }
  posted_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return error == net::Error::kQueueFull ? SendResult::kRefused : SendResult::kClosed;
}

// From any thread: OnWritable() will come.
void Socket::Promise() {
  if (promised_.exchange(true)) return;
  mailbox_->PostAlways([self = SocketPtr(this)] {
    self->promised_ = false;
    self->backlog_ = true;
    const net::Stream& stream = *self->stream_;
    if (stream.queued_bytes() <= stream.options().high_watermark_bytes) self->Writable();
  });
}

// After something was written, or was not.
SendResult Socket::Taken(net::Error error) {
  if (error != net::Error::kOk) {
    // A message that is queued in part would be the frame of another.
    if (error == net::Error::kQueueFull) stream_->Abort();
    return error == net::Error::kQueueFull ? SendResult::kRefused : SendResult::kClosed;
  }
  const std::size_t queued = stream_->queued_bytes();
  queued_bytes_.store(queued, std::memory_order_relaxed);
  if (queued <= stream_->options().high_watermark_bytes) return SendResult::kQueued;
  backlog_ = true;
  return SendResult::kBacklog;
}

void Socket::Writable() {
  const SocketPtr self(this);
  queued_bytes_.store(stream_->queued_bytes(), std::memory_order_relaxed);
  if (!std::exchange(backlog_, false) || !is_open() || !handler_) return;
  handler_->OnWritable(*this);
  for (SocketObserver* observer = observers_; observer;) {
    // None is unlinked but by Tell(), which no call in here makes.
    SocketObserver* const next = observer->next_;
    observer->OnSocketWritable(*this);
    observer = next;
  }
}

void Socket::Close(CloseCode code, std::string_view reason) {
  if (InLoopThread()) return CloseHere(code, reason);
  if (!open_.exchange(false)) return;
  // A close that cannot be posted ends the connection, which any thread may do.
  const net::Error error =
      Post([code, text = std::string(reason)](Socket& self) { self.CloseHere(code, text); });
  if (error == net::Error::kQueueFull) stream_->Abort();
}

void Socket::CloseHere(CloseCode code, std::string_view reason) {
  open_.store(false, std::memory_order_relaxed);
  if (std::exchange(sent_close_, true) || !stream_->is_open()) return;
  std::string out;
  MessageEncoder({.role = role_, .mask_keys = mask_keys_}).AddClose(code, reason, &out);
  Taken(stream_->Write(out));
  if (!got_close_) ArmTimer(options_->close_timeout);
}

void Socket::Drain() {
  drained_ = true;
  CloseHere(CloseCode::kGoingAway, "going away");
}

net::Error Socket::Post(absl::AnyInvocable<void(Socket&)> task) {
  return stream_->Post(
      [self = SocketPtr(this), task = std::move(task)](net::Stream&) mutable { task(*self); });
}

void Socket::ArmTimer(std::chrono::milliseconds delay) {
  net::Loop& loop = *stream_->loop();
  received_ = false;
  if (delay.count() > 0) {
    loop.timers().Arm(*this, loop.now_ms() + static_cast<std::uint64_t>(delay.count()));
  } else if (armed()) {
    loop.timers().Cancel(*this);
  }
}

void Socket::OnTimer() {
  const SocketPtr self(this);
  if (sent_close_ || (ping_sent_ && !received_)) {
    // No answer to our Close frame, or to our ping.
    stream_->Abort();
    return;
  }
  if (received_) {
    received_ = false;
    ping_sent_ = false;
    return ArmTimer(options_->ping_interval);
  }
  Ping();
  ping_sent_ = true;
  ArmTimer(options_->pong_timeout.count() > 0 ? options_->pong_timeout : options_->ping_interval);
}

void Socket::Ended() {
  open_.store(false, std::memory_order_relaxed);
  sent_close_ = got_close_ = true;
  if (net::Loop* const loop = stream_->loop()) {
    if (armed()) loop->timers().Cancel(*this);
  }
  Tell(drained_ ? CloseCode::kGoingAway : CloseCode::kAbnormal, {});
}

}  // namespace strata::ws
