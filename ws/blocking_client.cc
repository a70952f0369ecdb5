#include "strata/ws/blocking_client.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/ws/socket.h"

namespace strata::ws {
namespace {

// Waits for ever, or for so long.
template <typename Holds>
bool WaitFor(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
             std::chrono::milliseconds timeout, Holds holds) {
  if (timeout != BlockingWebSocket::kForever) return changed.wait_for(lock, timeout, holds);
  changed.wait(lock, holds);
  return true;
}

}  // namespace

// Between the loop's thread and those that wait.
class BlockingWebSocket::State {
 public:
  explicit State(std::size_t max_received_bytes) : max_received_bytes(max_received_bytes) {}

  absl::Status Ended() const {
    return absl::UnavailableError(
        absl::StrCat("the WebSocket has ended: ", static_cast<int>(*end), " ", reason));
  }

  const std::size_t max_received_bytes;
  SocketPtr socket;  // Since Connect().

  std::mutex mutex;
  std::condition_variable changed;
  // With the mutex.
  std::deque<Message> received;
  std::size_t received_bytes = 0;
  bool paused = false;   // By too many of these.
  bool backlog = false;  // Of what is sent.
  std::optional<CloseCode> end;
  std::string reason;
};

class BlockingWebSocket::Handler final : public SocketHandler {
 public:
  explicit Handler(std::shared_ptr<State> state) : state_(std::move(state)) {}

  void OnOpen(Socket& socket) override { state_->socket = SocketPtr(&socket); }

  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->received.push_back({text, std::string(message)});
    state_->received_bytes += message.size();
    if (state_->received_bytes > state_->max_received_bytes && !state_->paused) {
      state_->paused = true;
      socket.stream().PauseReceive();
    }
    state_->changed.notify_all();
  }

  void OnWritable(Socket&) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->backlog = false;
    state_->changed.notify_all();
  }

  void OnClosed(Socket&, CloseCode code, std::string_view reason) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->end = code;
    state_->reason = reason;
    state_->changed.notify_all();
  }

 private:
  const std::shared_ptr<State> state_;
};

BlockingWebSocket::BlockingWebSocket(std::unique_ptr<net::Loop> loop, std::shared_ptr<State> state)
    : resolver_({.threads = 1, .max_queued_jobs = 1}),
      loop_(std::move(loop)),
      state_(std::move(state)),
      thread_([this] { loop_->Run(); }) {}

BlockingWebSocket::~BlockingWebSocket() {
  loop_->Stop();
  thread_.join();
}

absl::StatusOr<std::unique_ptr<BlockingWebSocket>> BlockingWebSocket::Connect(
    std::string_view url) {
  return Connect(url, Options());
}

absl::StatusOr<std::unique_ptr<BlockingWebSocket>> BlockingWebSocket::Connect(
    std::string_view url, const Options& options) {
  auto loop = net::Loop::Create({.name = "WebSocket"});
  if (!loop.ok()) return loop.status();
  std::unique_ptr<BlockingWebSocket> opened(
      new BlockingWebSocket(*std::move(loop), std::make_shared<State>(options.max_received_bytes)));
  const absl::Status status = opened->Open(url, options.client);
  if (!status.ok()) return status;
  return opened;
}

absl::Status BlockingWebSocket::Open(std::string_view url, const ClientOptions& options) {
  std::optional<absl::Status> done;
  loop_->mailbox()->PostAlways([&] {
    ConnectWebSocket(*loop_, resolver_, url, std::make_unique<Handler>(state_), options,
                     [&](absl::Status status) {
                       std::lock_guard<std::mutex> lock(state_->mutex);
                       done = std::move(status);
                       state_->changed.notify_all();
                     });
  });
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait(lock, [&] { return done.has_value(); });
  return *done;
}

absl::Status BlockingWebSocket::Send(bool text, std::string_view message,
                                     std::chrono::milliseconds timeout) {
  std::optional<SendResult> result;
  loop_->mailbox()->PostAlways([&] {
    // Without the mutex, for a socket may call its handler.
    Socket& socket = *state_->socket;
    const SendResult sent = text ? socket.SendText(message) : socket.SendBinary(message);
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->backlog |= sent == SendResult::kBacklog;
    result = sent;
    state_->changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(state_->mutex);
  // The loop's next turn; what is lent to it must stay until then.
  state_->changed.wait(lock, [&] { return result.has_value(); });
  if (*result == SendResult::kClosed) {
    return state_->end ? state_->Ended() : absl::UnavailableError("the WebSocket is being closed");
  }
  if (*result == SendResult::kRefused) {
    return absl::ResourceExhaustedError("the message is larger than the bound of what may wait");
  }
  const bool in_time = WaitFor(state_->changed, lock, timeout,
                               [this] { return !state_->backlog || state_->end.has_value(); });
  if (!in_time) return absl::DeadlineExceededError("the peer does not keep up");
  return state_->backlog ? state_->Ended() : absl::OkStatus();
}

absl::StatusOr<BlockingWebSocket::Message> BlockingWebSocket::Receive(
    std::chrono::milliseconds timeout) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  const bool in_time = WaitFor(state_->changed, lock, timeout, [this] {
    return !state_->received.empty() || state_->end.has_value();
  });
  if (!in_time) return absl::DeadlineExceededError("no message has come");
  if (state_->received.empty()) return state_->Ended();
  Message message = std::move(state_->received.front());
  state_->received.pop_front();
  state_->received_bytes -= message.payload.size();
  if (state_->paused && state_->received_bytes <= state_->max_received_bytes) {
    state_->paused = false;
    loop_->mailbox()->PostAlways([state = state_] { state->socket->stream().ResumeReceive(); });
  }
  return message;
}

std::size_t BlockingWebSocket::received_bytes() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->received_bytes;
}

absl::Status BlockingWebSocket::Close(CloseCode code, std::string_view reason) {
  state_->socket->Close(code, reason);
  // For the peer's Close frame, which may be behind messages: these are dropped now.
  loop_->mailbox()->PostAlways([state = state_] { state->socket->stream().ResumeReceive(); });
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->end.has_value(); });
  return *state_->end == CloseCode::kAbnormal ? state_->Ended() : absl::OkStatus();
}

std::optional<CloseCode> BlockingWebSocket::close_code() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->end;
}

std::string BlockingWebSocket::close_reason() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->reason;
}

const std::string& BlockingWebSocket::subprotocol() const { return state_->socket->subprotocol(); }

}  // namespace strata::ws
