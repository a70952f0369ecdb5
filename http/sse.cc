#include "strata/http/sse.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"
#include "strata/net/timer.h"

namespace strata::http {
namespace {

bool IsOneLine(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

bool IsEventId(std::string_view text) {
  return IsOneLine(text) && text.find('\0') == std::string_view::npos;
}

// A line for each of the text's lines, behind `name`.
void AppendLines(std::string_view name, std::string_view text, std::string& out) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    out.append(name).append(text.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

void AppendRetry(std::chrono::milliseconds retry, std::string& out) {
  absl::StrAppend(&out, "retry: ", retry.count() < 0 ? 0 : retry.count(), "\n");
}

}  // namespace

bool AppendEvent(const Event& event, std::string& out) {
  if (!IsOneLine(event.type) || (event.id && !IsEventId(*event.id))) return false;
  if (!event.type.empty()) out.append("event: ").append(event.type).push_back('\n');
  if (event.id) out.append("id: ").append(*event.id).push_back('\n');
  if (event.retry) AppendRetry(*event.retry, out);
  AppendLines("data: ", event.data, out);
  out.push_back('\n');
  return true;
}

std::string_view LastEventId(const Request& request) {
  const std::string_view id = request.field(FieldId::kLastEventId).value_or("");
  return IsEventId(id) ? id : std::string_view();
}

// The loop's end of a stream: what only its thread may touch. The loop keeps it until Forget().
class EventStream::State final : public net::LoopMember {
 public:
  State(net::Loop& loop, BodyWriter body) : loop_(&loop), mailbox_(loop.mailbox()), body_(body) {}

  // Once, by the loop's thread.
  static void Join(const std::shared_ptr<State>& state, std::chrono::milliseconds keep_alive) {
    state->self_ = state;
    state->loop_->Add(*state);
    // Weak, for the body has what it calls, and the state has the body.
    state->body_.OnWritable([weak = std::weak_ptr<State>(state)] {
      if (const std::shared_ptr<State> self = weak.lock()) self->Changed(self);
    });
    if (keep_alive.count() <= 0) return;
    state->keep_alive_ = keep_alive;
    state->timer_ =
        std::make_unique<net::Timer>(*state->loop_, [self = state.get()] { self->KeepAlive(); });
    state->timer_->Arm(keep_alive);
  }

  // From any thread.
  static void Close(const std::shared_ptr<State>& state) {
    state->body_.Finish();
    if (state->mailbox_->InLoopThread()) return state->Leave();
    state->mailbox_->PostAlways([state] { state->Leave(); });
  }

  BodyWriter& body() { return body_; }
  bool closed() const { return ended_.load(std::memory_order_relaxed) || body_.aborted(); }

  void set_on_change(absl::AnyInvocable<void()> callback) { on_change_ = std::move(callback); }

 private:
  // Later, for the loop walks through its members, and the end of the body may be that of another.
  void OnDrain() override {
    mailbox_->PostAlways([self = self_] { self->End(self); });
  }

  // The connection ends with the loop, by itself.
  void OnLoopEnd() override {
    ended_.store(true, std::memory_order_relaxed);
    Forget();
  }

  void Changed(const std::shared_ptr<State>& self) {
    if (!body_.aborted()) {
      if (on_change_) on_change_();
      return;
    }
    // Not here, where the connection is being taken down.
    mailbox_->PostAlways([self] { self->End(self); });
  }

  // Not by the owner's wish, who is told.
  void End(std::shared_ptr<State> self) {
    absl::AnyInvocable<void()> told = std::move(on_change_);
    ended_.store(true, std::memory_order_relaxed);
    self->Leave();
    if (told) told();
  }

  void KeepAlive() {
    // One for which there is no room is not needed.
    (void)body_.Write(":\n\n");
    timer_->Arm(keep_alive_);
  }

  // The stream is over. Once.
  void Leave() {
    const std::shared_ptr<State> self = self_;
    if (!self) return;
    Forget();
    body_.Finish();
  }

  // Nothing of it is left on the loop. May be its end.
  void Forget() {
    loop_->Remove(*this);
    timer_.reset();
    on_change_ = nullptr;
    self_.reset();
  }

  net::Loop* const loop_;
  const net::RefPtr<net::Mailbox> mailbox_;
  BodyWriter body_;
  std::atomic<bool> ended_{false};
  std::shared_ptr<State> self_;
  std::unique_ptr<net::Timer> timer_;
  std::chrono::milliseconds keep_alive_{0};
  absl::AnyInvocable<void()> on_change_;
};

EventStream::EventStream(const Request& request, Response& response,
                         const EventStreamOptions& options) {
  ReplyHead head(200);
  head.Set(FieldId::kContentType, "text/event-stream");
  head.Set(FieldId::kCacheControl, "no-store");
  // nginx would collect events until a buffer is full.
  head.Add("X-Accel-Buffering", "no");
  net::Loop& loop = response.loop();
  state_ = std::make_shared<State>(loop, response.Defer().Start(std::move(head)));
  if (request.method() == Method::kHead) {
    state_->body().Finish();
    return;
  }
  State::Join(state_, options.keep_alive);
  if (!options.retry) return;
  std::string text;
  AppendRetry(*options.retry, text);
  (void)state_->body().Write(std::move(text));
}

EventStream::~EventStream() { Close(); }

EventStream::EventStream(EventStream&&) noexcept = default;

EventStream& EventStream::operator=(EventStream&& other) noexcept {
  std::swap(state_, other.state_);  // The other's end closes what this one had.
  return *this;
}

net::Error EventStream::Send(const Event& event) {
  std::string text;
  if (!AppendEvent(event, text)) return net::Error::kInvalidArgument;
  if (closed()) return net::Error::kClosed;
  return state_->body().Write(std::move(text));
}

net::Error EventStream::Comment(std::string_view text) {
  if (closed()) return net::Error::kClosed;
  std::string lines;
  AppendLines(": ", text, lines);
  lines.push_back('\n');
  return state_->body().Write(std::move(lines));
}

void EventStream::Close() {
  if (state_) State::Close(std::exchange(state_, nullptr));
}

std::size_t EventStream::queued_bytes() const { return state_ ? state_->body().queued_bytes() : 0; }

bool EventStream::closed() const { return !state_ || state_->closed(); }

void EventStream::OnChange(absl::AnyInvocable<void()> callback) {
  if (state_) state_->set_on_change(std::move(callback));
}

}  // namespace strata::http
