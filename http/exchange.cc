#include <utility>

#include "strata/http/exchange_internal.h"
#include "strata/http/server_connection_internal.h"

namespace strata::http {
namespace {

// What an exchange keeps of its buffers from one request to the next.
constexpr std::size_t kKeptBytes = 16 * 1024;

void ClearString(std::string& text) {
  if (text.capacity() > kKeptBytes) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

}  // namespace

void PendingReply::Run(absl::AnyInvocable<void(ServerConnection&)> task) {
  if (mailbox_->InLoopThread()) {
    if (connection_) task(*connection_);
    return;
  }
  RunLater(std::move(task));
}

void PendingReply::RunLater(absl::AnyInvocable<void(ServerConnection&)> task) {
  // One for each answer, or for each piece of a body, of which BodyWriter bounds the bytes.
  mailbox_->PostAlways(WhileAttached(std::move(task)));
}

void PendingReply::RunExpected(absl::AnyInvocable<void(ServerConnection&)> task, bool more) {
  mailbox_->PostExpected(WhileAttached(std::move(task)), more);
}

net::Mailbox::Task PendingReply::WhileAttached(absl::AnyInvocable<void(ServerConnection&)> task) {
  return [self = net::RefPtr<PendingReply>(this), task = std::move(task)]() mutable {
    if (self->connection_) task(*self->connection_);
  };
}

void PendingReply::Abort() {
  if (aborted_.exchange(true)) return;
  if (on_abort_) std::exchange(on_abort_, nullptr)();
  CallOnWritable();
}

// It may end the exchange, which forgets the callback, or set another.
void PendingReply::CallOnWritable() {
  if (!on_writable_) return;
  absl::AnyInvocable<void()> callback = std::exchange(on_writable_, nullptr);
  callback();
  if (attached() && !on_writable_) on_writable_ = std::move(callback);
}

void Exchange::Reset() {
  parser.Reset();
  request.head_ = nullptr;
  request.bytes_ = {};
  request.params_ = {};
  request.body_ = {};
  request.trailers_ = FieldList();
  if (!request.attached_.empty()) request.attached_.clear();
  reply.Clear();
  route = nullptr;
  request.finder_ = nullptr;
  accepts = ContentCoding::kIdentity;
  has_weak_tag = false;
  if (was_kept || content_decoder || encoder || upgrade) ResetKept();
  body_bytes = 0;
  status = 0;
  stage = Stage::kHead;
  is_head = body_open = last = false;
  keep_alive = true;
  http_1_0 = answered = chunked = has_length = request_done = response_done = false;
  if (!decoded.empty()) ClearString(decoded);
}

// What an exchange uses that outlives the call it began in.
void Exchange::ResetKept() {
  was_kept = false;
  ClearString(input);
  ClearString(body);
  ClearString(behind);
  receiver.reset();
  producer = nullptr;
  ClearString(produced);
  left_bytes = 0;
  encoder.reset();
  content_decoder.reset();
  ClearString(coded);
  resumed = false;
  pending = nullptr;
  upgrade.reset();
  timer.reset();
  drained_bytes = 0;
  dropping = told_continue = paused = streaming = goes_on = false;
}

void Exchange::KeepHead(std::string_view head) {
  if (head.data() == input.data()) return;
  const char* const from = head.data();
  input.assign(head);
  parser.MoveTo(input);
  request.bytes_ = input;
  // Captures are in the path, unless they were decoded.
  for (std::size_t i = 0; i < request.params_.size(); ++i) {
    std::string_view& value = params[i].value;
    if (value.data() < from || value.data() > from + head.size()) continue;
    value =
        std::string_view(input).substr(static_cast<std::size_t>(value.data() - from), value.size());
  }
}

}  // namespace strata::http
