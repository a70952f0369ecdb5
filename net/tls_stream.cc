// TLS between two streams. The handler is called from the callbacks of the stream below, or at the
// end of a turn, so never inside a function that it called.

#include <algorithm>
#include <array>
#include <utility>

#include "strata/net/tls_stream_internal.h"

namespace strata::net {
namespace {

using crypto::kTlsMaxPlaintextBytes;
using crypto::TlsResult;

// Above this, output is handed over and not copied.
constexpr std::size_t kCopyOutputBytes = 4096;

// What a call of a session has to say to the peer. One for each thread, as no session is in a call
// while another is.
std::string& Output() {
  thread_local std::string output;
  return output;
}

}  // namespace

TlsStream::TlsStream(Stream& below, crypto::TlsSession session,
                     std::unique_ptr<StreamHandler> handler)
    : below_(&below),
      mailbox_(below.loop()->mailbox()),
      session_(std::move(session)),
      handler_(std::move(handler)) {}

void TlsStream::Open(std::chrono::milliseconds handshake_timeout) {
  handshake_deadline_ = std::make_unique<Timer>(*loop(), [this] {
    error_ = Error::kTimedOut;
    below_->Abort();
  });
  handshake_deadline_->Arm(handshake_timeout);
  FinishHandshake();
}

Error TlsStream::Usable() const {
  if (!mailbox_->InLoopThread()) {
    return mailbox_->closed() ? Error::kClosed : Error::kWrongThread;
  }
  return (state_ & (kClosed | kClosing)) || !below_->is_open() ? Error::kClosed : Error::kOk;
}

Error TlsStream::Writable(std::size_t more) const {
  Error error = Usable();
  if (error != Error::kOk) return error;
  if (state_ & kWriteEnding) return Error::kClosed;
  const std::size_t limit = options().max_queued_bytes;
  const std::size_t below = below_->queued_bytes();
  if (below + queue_.bytes() + more > limit && below + queue_.memory_bytes() + more > limit) {
    return Error::kQueueFull;
  }
  return Error::kOk;
}

std::size_t TlsStream::queued_bytes() const {
  return mailbox_->InLoopThread() ? queue_.bytes() + below_->queued_bytes() : 0;
}

Error TlsStream::CloseWrite() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  state_ |= kWriteEnding;
  Queued();
  return Error::kOk;
}

void TlsStream::Close() {
  if (!mailbox_->InLoopThread()) {
    if (!remote_close_.exchange(true, std::memory_order_relaxed)) {
      mailbox_->PostAlways([self = RefPtr<TlsStream>(this)] { self->Close(); });
    }
    return;
  }
  if (state_ & (kClosed | kClosing)) return;
  state_ |= kClosing | kWriteEnding;
  Queued();
}

Error TlsStream::Post(Task task) {
  return mailbox_->Post(
      [self = StreamPtr(this), task = std::move(task)]() mutable { task(*self); });
}

Error TlsStream::PauseReceive() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  state_ |= kPaused;
  return below_->PauseReceive();
}

Error TlsStream::ResumeReceive() {
  Error error = Usable();
  if (error != Error::kOk) return error;
  if (state_ & kPaused) {
    state_ &= ~kPaused;
    // What was held comes first, and not inside this call.
    if (held_.empty()) return below_->ResumeReceive();
    FlushLater();
  }
  return Error::kOk;
}

Error TlsStream::SetIdleTimeout(std::chrono::milliseconds timeout) {
  Error error = Usable();
  return error != Error::kOk ? error : below_->SetIdleTimeout(timeout);
}

Error TlsStream::SetMinReceiveRate(std::uint32_t bytes_per_second,
                                   std::chrono::milliseconds window) {
  Error error = Usable();
  return error != Error::kOk ? error : below_->SetMinReceiveRate(bytes_per_second, window);
}

Error TlsStream::SetHandler(std::unique_ptr<StreamHandler> handler) {
  Error error = Usable();
  if (error != Error::kOk) return error;
  if (!handler) return Error::kInvalidArgument;
  loop()->DestroyLater(std::exchange(handler_, std::move(handler)));
  return Error::kOk;
}

// Calls the handler, and then sends what it wrote.
template <typename Callback>
void TlsStream::CallHandler(Callback callback) {
  state_ |= kInCallback;
  callback();
  state_ &= ~kInCallback;
  Pump();
}

// Something was queued, or the end was asked for.
void TlsStream::Queued() {
  if (queue_.bytes() + below_->queued_bytes() > options().high_watermark_bytes) state_ |= kFull;
  if (!(state_ & kInCallback)) FlushLater();
}

void TlsStream::FlushLater() {
  if (state_ & (kFlushLater | kClosed)) return;
  state_ |= kFlushLater;
  loop()->FlushLater(*this);
}

void TlsStream::OnFlush() {
  state_ &= ~kFlushLater;
  const RefPtr<TlsStream> self(this);
  loop()->Call("TlsStream::OnFlush", [this] {
    ReceiveHeld();
    Pump();
  });
}

// What came while the user had paused, and then what comes.
void TlsStream::ReceiveHeld() {
  constexpr std::uint16_t kNotReceiving = kPaused | kClosing | kClosed;
  if (held_.empty() || (state_ & kNotReceiving)) return;
  const std::string held = std::exchange(held_, {});
  Received(held);
  if (held_.empty() && !(state_ & kNotReceiving)) below_->ResumeReceive();
}

// True once the handshake is done.
bool TlsStream::FinishHandshake() {
  const TlsResult result = session_.Handshake(Output());
  SendBelow(Output());
  if (result == TlsResult::kFailed) Fail(Error::kTls);
  if (result != TlsResult::kOk) return false;
  handshake_deadline_.reset();
  state_ |= kOpen;
  CallHandler([this] { handler_->OnOpen(*this); });
  return true;
}

void TlsStream::Received(std::string_view bytes) {
  if (state_ & (kClosing | kClosed)) return;
  session_.Lend(bytes);
  Process();
  // Alone a user who pauses leaves something.
  const std::string_view rest = session_.unread();
  if (!rest.empty() && !(state_ & (kClosing | kClosed))) held_.assign(rest);
  session_.Lend({});
}

// Takes what was lent, as far as the user wants it.
void TlsStream::Process() {
  if (!(state_ & kOpen) && !FinishHandshake()) return;
  std::array<char, kTlsMaxPlaintextBytes> buffer;
  while (!(state_ & (kPaused | kClosing | kClosed | kReceiveEnded)) && below_->is_open()) {
    std::size_t size = 0;
    const TlsResult result = session_.Read(buffer, size, Output());
    SendBelow(Output());
    switch (result) {
      case TlsResult::kOk:
        CallHandler([&] { handler_->OnReceive(*this, std::string_view(buffer.data(), size)); });
        break;
      case TlsResult::kNeedInput:
        return;
      case TlsResult::kEnd:
        state_ |= kReceiveEnded;
        CallHandler([this] { handler_->OnReceiveEnd(*this); });
        return;
      case TlsResult::kFailed:
        Fail(absl::IsDataLoss(session_.status()) ? Error::kTlsTruncated : Error::kTls);
        return;
    }
  }
}

void TlsStream::ReceiveEnded() {
  if (state_ & (kReceiveEnded | kClosing | kClosed)) return;
  session_.EndInput();
  Process();
}

void TlsStream::BelowWritable() { Pump(); }

void TlsStream::Drain() {
  if (state_ & kOpen) {
    if (!(state_ & (kClosing | kClosed))) CallHandler([this] { handler_->OnDrain(*this); });
  } else {
    below_->Close();
  }
}

void TlsStream::BelowClosed(Error error) {
  state_ |= kClosed;
  if (state_ & kFlushLater) loop()->CancelFlush(*this);
  handshake_deadline_.reset();
  queue_.Clear(loop()->chunks());
  held_ = {};
  handler_->OnClosed(*this, error_ != Error::kOk ? error_ : error);
  handler_.reset();
}

// The peer is told by the alert that is on its way, and the handler when that is out.
void TlsStream::Fail(Error error) {
  error_ = error;
  state_ |= kClosing | kWriteEnding | kWriteEnded;
  queue_.Clear(loop()->chunks());
  below_->Close();
}

void TlsStream::SendBelow(std::string& output) {
  if (output.empty()) return;
  Error error = Error::kOk;
  if (output.size() > kCopyOutputBytes) {
    error = below_->WriteOwned(std::exchange(output, {}));
  } else {
    error = below_->Write(output);
    output.clear();
  }
  // A record that is missing ends all.
  if (error == Error::kQueueFull) {
    error_ = error;
    below_->Abort();
  }
}

bool TlsStream::RoomBelow() const {
  return below_->queued_bytes() <= options().high_watermark_bytes;
}

// Encrypts a record of what is at the front of the queue. False if the stream has failed.
bool TlsStream::EncryptFront() {
  if (const WriteQueue::FileRange range = queue_.FrontFile(); range.file) {
    return EncryptFile(range);
  }
  std::array<IoSlice, 1> slice;
  queue_.Slices(slice);
  const std::size_t size = std::min(slice[0].size, kTlsMaxPlaintextBytes);
  if (session_.Write(std::string_view(slice[0].data, size), Output()) != TlsResult::kOk) {
    Fail(Error::kTls);
    return false;
  }
  queue_.Consume(loop()->chunks(), size);
  SendBelow(Output());
  return true;
}

bool TlsStream::EncryptFile(const WriteQueue::FileRange& range) {
  std::array<char, ChunkPool::kChunkBytes> buffer;
  const std::size_t wanted = std::min(range.count, buffer.size());
  const absl::StatusOr<std::size_t> read =
      range.file->ReadAt(range.offset, std::span(buffer.data(), wanted));
  if (!read.ok() || *read == 0) {
    error_ = read.ok() ? Error::kEndOfFile : Error::kOther;
    below_->Abort();
    return false;
  }
  queue_.ReplaceFileBytes(loop()->chunks(), std::string_view(buffer.data(), *read));
  return true;
}

// Encrypts what is queued, as far as the stream below takes it; then what comes after the queue.
void TlsStream::Pump() {
  if ((state_ & (kClosed | kInCallback)) || !below_->is_open()) return;
  if (!(state_ & kOpen)) {
    if (state_ & kClosing) below_->Close();
    return;
  }
  while (!queue_.empty() && RoomBelow()) {
    if (!EncryptFront() || !below_->is_open()) return;
  }
  if (queue_.empty() && (state_ & kWriteEnding)) {
    EndWriting();
  } else if (!RoomBelow()) {
    state_ |= kFull;  // The stream below calls when it has room again.
  } else if (state_ & kFull) {
    state_ &= ~kFull;
    CallHandler([this] { handler_->OnWritable(*this); });
  }
}

void TlsStream::EndWriting() {
  if (!(state_ & kWriteEnded)) {
    state_ |= kWriteEnded;
    session_.Shutdown(Output());
    SendBelow(Output());
    if (!(state_ & kClosing)) below_->CloseWrite();
  }
  if (state_ & kClosing) below_->Close();
}

}  // namespace strata::net
