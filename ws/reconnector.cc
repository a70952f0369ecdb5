// Connecting again and again.

#include "strata/ws/reconnector.h"

#include <string_view>
#include <utility>

#include "strata/net/timer.h"

namespace strata::ws {

// Shared with the handlers of its connections, which may outlive the Reconnector.
class Reconnector::State final : public net::RefCounted {
 public:
  State(net::Loop& loop, net::Resolver& resolver, std::string url, HandlerFactory factory,
        Options options, OnFailure on_failure)
      : loop_(loop),
        resolver_(resolver),
        url_(std::move(url)),
        factory_(std::move(factory)),
        options_(std::move(options)),
        on_failure_(std::move(on_failure)),
        backoff_(options_.backoff) {}

  void Start() {
    timer_ = std::make_unique<net::Timer>(loop_, [this] { Attempt(); });
    Attempt();
  }

  void Stop() {
    timer_.reset();
    if (connecting_) connecting_->Cancel();
    connecting_ = nullptr;
  }

  std::uint64_t attempts() const { return attempts_; }

 private:
  class Handler;

  void Attempt();
  void Failed(const absl::Status& status);
  void Opened() { opened_ms_ = loop_.now_ms(); }
  void Closed();
  void Again() {
    if (timer_ && !loop_.ended() && !loop_.draining()) timer_->Arm(backoff_.Next());
  }

  net::Loop& loop_;
  net::Resolver& resolver_;
  const std::string url_;
  HandlerFactory factory_;
  const Options options_;
  OnFailure on_failure_;
  net::Backoff backoff_;
  std::unique_ptr<net::Timer> timer_;  // Null once stopped.
  net::RefPtr<net::Connecting> connecting_;
  std::uint64_t attempts_ = 0;
  std::uint64_t opened_ms_ = 0;
};

// Passes all on, and sees the end.
class Reconnector::State::Handler final : public SocketHandler {
 public:
  Handler(net::RefPtr<State> state, std::unique_ptr<SocketHandler> inner)
      : state_(std::move(state)), inner_(std::move(inner)) {}

  void OnOpen(Socket& socket) override {
    state_->Opened();
    inner_->OnOpen(socket);
  }
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    inner_->OnMessage(socket, text, message);
  }
  void OnPart(Socket& socket, bool text, std::string_view part, bool first, bool last) override {
    inner_->OnPart(socket, text, part, first, last);
  }
  void OnPong(Socket& socket, std::string_view payload) override {
    inner_->OnPong(socket, payload);
  }
  void OnWritable(Socket& socket) override { inner_->OnWritable(socket); }
  void OnClosed(Socket& socket, CloseCode code, std::string_view reason) override {
    inner_->OnClosed(socket, code, reason);
    state_->Closed();
  }

 private:
  const net::RefPtr<State> state_;
  const std::unique_ptr<SocketHandler> inner_;
};

void Reconnector::State::Attempt() {
  ++attempts_;
  net::RefPtr<State> self(this);
  connecting_ =
      ConnectWebSocket(loop_, resolver_, url_, std::make_unique<Handler>(self, factory_()),
                       options_.client, [self](absl::Status status) {
                         if (!status.ok()) self->Failed(status);
                       });
}

void Reconnector::State::Failed(const absl::Status& status) {
  if (!timer_) return;
  if (on_failure_) on_failure_(status);
  Again();
}

void Reconnector::State::Closed() {
  const auto stable = static_cast<std::uint64_t>(options_.stable_after.count());
  if (loop_.now_ms() - opened_ms_ >= stable) backoff_.Reset();
  Again();
}

Reconnector::Reconnector(net::Loop& loop, net::Resolver& resolver, std::string url,
                         HandlerFactory factory, Options options, OnFailure on_failure)
    : state_(new State(loop, resolver, std::move(url), std::move(factory), std::move(options),
                       std::move(on_failure))) {
  state_->Start();
}

Reconnector::~Reconnector() { state_->Stop(); }

std::uint64_t Reconnector::attempts() const { return state_->attempts(); }

}  // namespace strata::ws
