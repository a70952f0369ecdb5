// Streams over sockets. Rules kept here: the handler is never called inside another callback, nor
// inside a function that it called; and the object stays until the poller has let it go.

#include "strata/net/tcp_connection.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include "strata/net/socket_internal.h"

namespace strata::net {
namespace {

// Of one system call.
constexpr std::size_t kMaxSlices = 64;
constexpr std::size_t kMaxFileBytes = 1 << 20;

// 24 days: half of what a time modulo 2^32 can tell apart.
constexpr std::int64_t kMaxMs = std::numeric_limits<std::int32_t>::max();

std::uint32_t Ms(std::chrono::milliseconds time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, kMaxMs));
}

}  // namespace

TcpConnection::TcpConnection(Loop& loop, const Address& peer,
                             RefPtr<const SharedStreamOptions> options,
                             std::unique_ptr<StreamHandler> handler)
    : idle_timeout_(Ms(options->idle_timeout)),
      mailbox_(loop.mailbox()),
      options_(std::move(options)),
      handler_(std::move(handler)),
      peer_(peer) {
  last_activity_ = last_sent_ = Now();
}

Error TcpConnection::Attach(TcpConnection& connection, NativeSocket socket) {
  Loop& loop = *connection.loop();
  const SharedStreamOptions& options = *connection.options_;
  if (connection.peer_.family() != Address::Family::kUnix) {
    // An accepted one may have it from its listener.
    const bool has = !(connection.state_ & kConnecting) && internal::AcceptedInherit();
    if (options.no_delay && !has) internal::SetNoDelay(socket, true);
    if (options.keep_alive.count() > 0) internal::SetKeepAlive(socket, options.keep_alive);
  }
  Error error = loop.ended() ? Error::kClosed : loop.poller().AttachStream(connection, socket);
  if (error != Error::kOk) {
    internal::CloseSocket(socket);
    return error;
  }
  connection.Ref();  // The loop's, until OnDetached().
  options.open_count_.fetch_add(1, std::memory_order_relaxed);
  loop.Add(connection);
  return Error::kOk;
}

Error TcpConnection::Open(Loop& loop, NativeSocket socket, const Address& peer,
                          RefPtr<const SharedStreamOptions> options,
                          std::unique_ptr<StreamHandler> handler) {
  RefPtr<TcpConnection> connection(
      new TcpConnection(loop, peer, std::move(options), std::move(handler)));
  Error error = Attach(*connection, socket);
  if (error == Error::kOk) connection->Opened();
  return error;
}

RefPtr<TcpConnection> TcpConnection::Connect(Loop& loop, const Address& peer,
                                             RefPtr<const SharedStreamOptions> options,
                                             std::unique_ptr<StreamHandler> handler, Error* error) {
  internal::OpenedSocket opened = internal::OpenStream(peer.family());
  *error = opened.error;
  if (opened.error != Error::kOk) return nullptr;
  RefPtr<TcpConnection> connection(
      new TcpConnection(loop, peer, std::move(options), std::move(handler)));
  connection->state_ |= kConnecting;
  *error = Attach(*connection, opened.socket);
  if (*error != Error::kOk) return nullptr;
  *error = loop.poller().Connect(*connection, peer);
  if (*error != Error::kOk) {
    connection->handler_.reset();  // The answer tells all.
    connection->Finish(*error);
    return nullptr;
  }
  return connection;
}

void TcpConnection::Opened() {
  loop()->counting().opened.Add(1);
  last_activity_ = last_sent_ = Now();
  CallHandler("OnOpen", [this] { handler_->OnOpen(*this); });
  if (state_ & kClosed) return;
  UpdateReceiving();
  ArmDeadline();
  if (loop()->draining()) OnDrain();
}

Error TcpConnection::Usable() const {
  if (!mailbox_->InLoopThread()) {
    return mailbox_->closed() ? Error::kClosed : Error::kWrongThread;
  }
  return (state_ & (kClosed | kClosing)) ? Error::kClosed : Error::kOk;
}

Error TcpConnection::Writable(std::size_t more) const {
  Error error = Usable();
  if (error != Error::kOk) return error;
  if (state_ & kWriteEnding) return Error::kClosed;
  const std::size_t limit = options_->max_queued_bytes;
  if (queue_.bytes() + more > limit && queue_.memory_bytes() + more > limit) {
    return Error::kQueueFull;
  }
  return Error::kOk;
}

std::size_t TcpConnection::queued_bytes() const {
  return mailbox_->InLoopThread() ? queue_.bytes() : 0;
}

// Something was queued, or the end was asked for.
void TcpConnection::Queued() {
  if (state_ & kSending) {
    AfterFlush();
  } else if (!(state_ & (kCorked | kConnecting))) {
    FlushLater();
  }
}

void TcpConnection::FlushLater() {
  if (state_ & kFlushLater) return;
  state_ |= kFlushLater;
  loop()->FlushLater(*this);
}

void TcpConnection::OnFlush() {
  state_ &= ~kFlushLater;
  if (!(state_ & kBurst)) return Flush();
  state_ &= ~kBurst;
  if (state_ & (kClosing | kClosed)) return Flush();
  CallHandler("OnWritable", [this] { handler_->OnWritable(*this); });
}

Error TcpConnection::CloseWrite() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  state_ |= kWriteEnding;
  Queued();
  return Error::kOk;
}

// True if the caller is another thread, for which `act` will be called on the loop.
bool TcpConnection::FromElsewhere(Remote what, void (Stream::*act)()) {
  if (mailbox_->InLoopThread()) return false;
  if (!(remote_.fetch_or(what, std::memory_order_relaxed) & what)) {
    mailbox_->PostAlways([self = StreamPtr(this), act] { (self.get()->*act)(); });
  }
  return true;
}

void TcpConnection::Close() {
  if (FromElsewhere(kRemoteClose, &Stream::Close)) return;
  if (state_ & (kClosed | kClosing)) return;
  state_ |= kClosing | kWriteEnding;
  if (state_ & kConnecting) {
    Finish(Error::kCancelled);
    return;
  }
  loop()->poller().StopReceive(*this);
  Queued();
}

void TcpConnection::CloseAfterSending() {
  if (mailbox_->InLoopThread()) state_ |= kNoLinger;
  Close();
}

void TcpConnection::Abort() {
  if (FromElsewhere(kRemoteAbort, &Stream::Abort)) return;
  if (state_ & kClosed) return;
  internal::SetAbortive(native());
  Finish(Error::kCancelled);
}

Error TcpConnection::Post(Task task) {
  return mailbox_->Post(
      [self = StreamPtr(this), task = std::move(task)]() mutable { task(*self); });
}

Error TcpConnection::PauseReceive() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  state_ |= kPaused;
  UpdateReceiving();
  return Error::kOk;
}

Error TcpConnection::ResumeReceive() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  state_ &= ~kPaused;
  UpdateReceiving();
  return Error::kOk;
}

void TcpConnection::UpdateReceiving() {
  if (state_ & kConnecting) return;
  if (ReceivingIsHeld()) {
    if (rate_ && !rate_->held_since) rate_->held_since = Now();
    loop()->poller().StopReceive(*this);
    return;
  }
  if (rate_ && rate_->held_since) {
    // For this time nothing was due.
    rate_->start += Now() - *std::exchange(rate_->held_since, std::nullopt);
    ArmDeadline();
  }
  loop()->poller().StartReceive(*this);
}

bool TcpConnection::ReceivingIsHeld() const {
  return (state_ & kPaused) || ((state_ & kFull) && options_->pause_receive_when_full);
}

Error TcpConnection::SetIdleTimeout(std::chrono::milliseconds timeout) {
  Error error = Usable();
  if (error != Error::kOk) return error;
  idle_timeout_ = Ms(timeout);
  ArmDeadline();
  return Error::kOk;
}

Error TcpConnection::SetMinReceiveRate(std::uint32_t bytes_per_second,
                                       std::chrono::milliseconds window) {
  Error error = Usable();
  if (error != Error::kOk) return error;
  rate_.reset();
  if (bytes_per_second > 0) {
    const std::uint32_t window_ms = window.count() > 0 ? Ms(window) : 1000;
    const std::uint64_t min_bytes = std::uint64_t{bytes_per_second} * window_ms / 1000;
    rate_.reset(
        new ReceiveRate{window_ms, Now(), std::max<std::uint64_t>(min_bytes, 1), 0, std::nullopt});
    if (ReceivingIsHeld()) rate_->held_since = Now();
  }
  ArmDeadline();
  return Error::kOk;
}

Error TcpConnection::SetHandler(std::unique_ptr<StreamHandler> handler) {
  Error error = Usable();
  if (error != Error::kOk) return error;
  if (!handler) return Error::kInvalidArgument;
  loop()->DestroyLater(std::exchange(handler_, std::move(handler)));
  return Error::kOk;
}

Address TcpConnection::peer_address() const { return mailbox_->InLoopThread() ? peer_ : Address(); }

Address TcpConnection::local_address() const {
  if (!mailbox_->InLoopThread() || native() == kNoSocket) return Address();
  return internal::LocalAddress(native());
}

// Calls the handler, and then sends what it wrote.
template <typename Callback>
void TcpConnection::CallHandler(const char* name, Callback callback) {
  state_ |= kCorked;
  loop()->Call(name, callback);
  state_ &= ~kCorked;
  if (!(state_ & (kClosed | kSending)) && (!queue_.empty() || (state_ & kWriteEnding))) Flush();
}

void TcpConnection::Flush() {
  if (state_ & kClosed) return;
  // It only grows between two flushes, and so this is the most that anyone has seen.
  if (queue_.bytes() > options_->high_watermark_bytes && !(state_ & kFull)) state_ |= kBurst;
  // A file is sent in parts, and others have their turn between them.
  for (bool file = false; !queue_.empty() && !(state_ & kSending);) {
    if (queue_.FrontFile().file) {
      if (file) {
        FlushLater();
        break;
      }
      file = true;
      if (!FlushFile()) return;
    } else if (!FlushMemory()) {
      return;
    }
  }
  AfterFlush();
}

bool TcpConnection::FlushMemory() {
  std::array<IoSlice, kMaxSlices> slices;
  const std::size_t count = queue_.Slices(slices);
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < count; ++i) wanted += slices[i].size;
  return Advance(wanted, loop()->poller().Send(*this, std::span(slices.data(), count)));
}

bool TcpConnection::FlushFile() {
  const WriteQueue::FileRange range = queue_.FrontFile();
  const std::size_t wanted = std::min(range.count, kMaxFileBytes);
  Poller::SendResult result =
      loop()->poller().SendFile(*this, range.file->native(), range.offset, wanted);
  if (result.error != Error::kUnsupported) return Advance(wanted, result);

  std::array<char, ChunkPool::kChunkBytes> buffer;
  absl::StatusOr<std::size_t> read =
      range.file->ReadAt(range.offset, std::span(buffer.data(), std::min(wanted, buffer.size())));
  if (!read.ok() || *read == 0) {
    internal::SetAbortive(native());
    Finish(read.ok() ? Error::kEndOfFile : Error::kOther);
    return false;
  }
  queue_.ReplaceFileBytes(loop()->chunks(), std::string_view(buffer.data(), *read));
  return true;
}

// What was sent leaves the queue. False if the connection is broken.
bool TcpConnection::Advance(std::size_t wanted, Poller::SendResult result) {
  if (result.bytes > 0) {
    queue_.Consume(loop()->chunks(), result.bytes);
    loop()->counting().bytes_sent.Add(result.bytes);
    last_activity_ = last_sent_ = Now();
  }
  if (result.error != Error::kOk) {
    SendFailed(result.error);
    return false;
  }
  if (result.bytes < wanted) {
    state_ |= kSending;
    if (result.bytes == 0) last_sent_ = Now();  // It began to wait now.
    ArmDeadline();
  }
  return true;
}

// A peer that has answered and closed without reading all resets the connection while its answer is
// still to be read: a server that refuses a large request does so.
void TcpConnection::SendFailed(Error error) {
  if (error != Error::kReset || (state_ & (kReceiveEnded | kClosing | kPaused))) {
    if (error == Error::kEndOfFile) internal::SetAbortive(native());
    Finish(error);
    return;
  }
  error_ = error;
  state_ |= kSendBroken | kWriteEnding | kWriteEnded;
  state_ &= ~(kFull | kBurst);
  queue_.Clear(loop()->chunks());
  UpdateReceiving();
}

void TcpConnection::AfterFlush() {
  const std::size_t bytes = queue_.bytes();
  const bool above = bytes > options_->high_watermark_bytes;
  if ((state_ & kBurst) && bytes <= options_->low_watermark_bytes) {
    // In a turn of its own: a handler that writes as much again does not hold up the others.
    FlushLater();
  } else if ((above || (state_ & kBurst)) && !(state_ & kFull)) {
    state_ |= kFull;
    state_ &= ~kBurst;
    if (!(state_ & kClosing)) UpdateReceiving();
  } else if ((state_ & kFull) && bytes <= options_->low_watermark_bytes) {
    state_ &= ~kFull;
    if (!(state_ & kClosing)) {
      UpdateReceiving();
      CallHandler("OnWritable", [this] { handler_->OnWritable(*this); });
      return;  // It has flushed, if there was anything.
    }
  }
  if (bytes > 0 || !(state_ & kWriteEnding) || (state_ & kClosed)) return;
  if (!(state_ & kWriteEnded)) {
    state_ |= kWriteEnded;
    // A peer that has closed already, or is not waited for, reads the end by our close().
    if (!(state_ & (kReceiveEnded | kNoLinger))) internal::ShutdownSend(native());
  }
  if ((state_ & kReceiveEnded) || (state_ & (kClosing | kNoLinger)) == (kClosing | kNoLinger)) {
    Finish(Error::kOk);
  } else if (state_ & kClosing) {
    Linger();
  }
}

void TcpConnection::Linger() {
  if (state_ & kLingering) return;
  if (options_->linger_timeout.count() <= 0) {
    Finish(Error::kOk);
    return;
  }
  state_ |= kLingering;
  last_sent_ = Now();
  loop()->poller().StartReceive(*this);
  ArmDeadline();
}

void TcpConnection::Finish(Error error) {
  if (state_ & kClosed) return;
  state_ |= kClosed;
  error_ = error;
  loop()->timers().Cancel(*this);
  loop()->poller().Detach(*this);
}

void TcpConnection::OnDetached() {
  Loop& loop = *this->loop();
  queue_.Clear(loop.chunks());
  if (handler_) {
    loop.Call("OnClosed", [this] { handler_->OnClosed(*this, error_); });
    handler_.reset();
  }
  if (!(state_ & kConnecting)) loop.counting().closed.Add(1);
  options_->open_count_.fetch_sub(1, std::memory_order_relaxed);
  loop.Remove(*this);
  Unref();
}

void TcpConnection::OnConnected(Error error) {
  if (error != Error::kOk) {
    Finish(error);
    return;
  }
  state_ &= ~kConnecting;
  Opened();
}

void TcpConnection::OnReceived(std::string_view bytes) {
  loop()->counting().bytes_received.Add(bytes.size());
  if (state_ & kClosing) return;  // Lingering: read and dropped.
  last_activity_ = Now();
  if (rate_) rate_->bytes += bytes.size();
  CallHandler("OnReceive", [this, bytes] { handler_->OnReceive(*this, bytes); });
}

void TcpConnection::OnReceiveEnd(Error error) {
  if (error == Error::kOk && !(state_ & kWriteEnded) && internal::EndWasReset(native())) {
    error = Error::kReset;
  }
  if (error != Error::kOk || (state_ & kSendBroken)) {
    Finish(error != Error::kOk ? error : error_);
    return;
  }
  state_ |= kReceiveEnded;
  if (!(state_ & kClosing)) {
    CallHandler("OnReceiveEnd", [this] { handler_->OnReceiveEnd(*this); });
    if (!(state_ & (kClosed | kSending))) AfterFlush();  // Both halves may be over now.
  } else if (state_ & kLingering) {
    Finish(Error::kOk);
  }
}

void TcpConnection::OnSent(std::size_t bytes, Error error) {
  state_ &= ~kSending;
  if (Advance(bytes, {bytes, error})) Flush();
}

void TcpConnection::OnDrain() {
  if (state_ & kConnecting) {
    Abort();
  } else if (!(state_ & (kClosed | kClosing))) {
    CallHandler("OnDrain", [this] { handler_->OnDrain(*this); });
  }
}

void TcpConnection::OnLoopEnd() {
  if (state_ & kClosed) return;
  internal::SetAbortive(native());
  Finish(Error::kCancelled);
}

// Deadlines. The timer is not touched as bytes come and go; it fires when the earliest deadline
// could be over, looks, and is armed again.

// Why the connection has to end now; kOk if not.
Error TcpConnection::Expired() const {
  const std::uint32_t now = Now();
  const auto over = [now](std::uint32_t since, std::uint32_t timeout) {
    return timeout > 0 && now - since >= timeout;
  };
  if (state_ & kLingering) {
    return over(last_sent_, Ms(options_->linger_timeout)) ? Error::kTimedOut : Error::kOk;
  }
  if ((state_ & kSending) && over(last_sent_, Ms(options_->send_timeout))) return Error::kTimedOut;
  if (over(last_activity_, idle_timeout_)) return Error::kTimedOut;
  if (rate_ && !rate_->held_since && over(rate_->start, rate_->window) &&
      rate_->bytes < rate_->min_bytes) {
    return Error::kTooSlow;
  }
  return Error::kOk;
}

void TcpConnection::OnTimer() {
  Error error = Expired();
  if (error != Error::kOk) {
    internal::SetAbortive(native());
    Finish(error);
    return;
  }
  if (rate_ && !rate_->held_since && Now() - rate_->start >= rate_->window) {
    rate_->start = Now();
    rate_->bytes = 0;
  }
  ArmDeadline();
}

void TcpConnection::ArmDeadline() {
  if (state_ & (kClosed | kConnecting)) return;
  const std::uint32_t now = Now();
  std::uint32_t wait = std::numeric_limits<std::uint32_t>::max();
  const auto consider = [now, &wait](std::uint32_t since, std::uint32_t timeout) {
    if (timeout > 0) wait = std::min(wait, timeout - std::min(timeout, now - since));
  };
  if (state_ & kLingering) {
    consider(last_sent_, Ms(options_->linger_timeout));
  } else {
    if (state_ & kSending) consider(last_sent_, Ms(options_->send_timeout));
    consider(last_activity_, idle_timeout_);
    if (rate_ && !rate_->held_since) consider(rate_->start, rate_->window);
  }
  if (wait == std::numeric_limits<std::uint32_t>::max()) {
    loop()->timers().Cancel(*this);
  } else {
    loop()->timers().Arm(*this, loop()->now_ms() + wait + 1);
  }
}

}  // namespace strata::net
