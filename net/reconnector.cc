// Connecting again and again.

#include "strata/net/reconnector.h"

#include <string_view>
#include <utility>

#include "strata/net/timer.h"

namespace strata::net {

// Shared with the handlers of its connections, which may outlive the Reconnector.
class Reconnector::State final : public RefCounted {
 public:
  State(Loop& loop, Resolver& resolver, std::string target, HandlerFactory factory, Options options,
        OnFailure on_failure)
      : loop_(loop),
        resolver_(resolver),
        target_(std::move(target)),
        factory_(std::move(factory)),
        options_(std::move(options)),
        on_failure_(std::move(on_failure)),
        backoff_(options_.backoff) {}

  void Start() {
    timer_ = std::make_unique<Timer>(loop_, [this] { Attempt(); });
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
  void Opened() { opened_ms_ = loop_.now_ms(); }
  void Closed();
  void Again() {
    if (timer_) timer_->Arm(backoff_.Next());
  }

  Loop& loop_;
  Resolver& resolver_;
  const std::string target_;
  HandlerFactory factory_;
  const Options options_;
  OnFailure on_failure_;
  Backoff backoff_;
  std::unique_ptr<Timer> timer_;  // Null once stopped.
  RefPtr<Connecting> connecting_;
  std::uint64_t attempts_ = 0;
  std::uint64_t opened_ms_ = 0;
};

// Passes all on, and sees the end.
class Reconnector::State::Handler final : public StreamHandler {
 public:
  Handler(RefPtr<State> state, std::unique_ptr<StreamHandler> inner)
      : state_(std::move(state)), inner_(std::move(inner)) {}

  void OnOpen(Stream& stream) override {
    state_->Opened();
    inner_->OnOpen(stream);
  }
  void OnReceive(Stream& stream, std::string_view bytes) override {
    inner_->OnReceive(stream, bytes);
  }
  void OnReceiveEnd(Stream& stream) override { inner_->OnReceiveEnd(stream); }
  void OnWritable(Stream& stream) override { inner_->OnWritable(stream); }
  void OnDrain(Stream& stream) override {
    state_->Stop();
    inner_->OnDrain(stream);
  }
  void OnClosed(Stream& stream, Error error) override {
    inner_->OnClosed(stream, error);
    state_->Closed();
  }

 private:
  const RefPtr<State> state_;
  const std::unique_ptr<StreamHandler> inner_;
};

void Reconnector::State::Attempt() {
  ++attempts_;
  RefPtr<State> self(this);
  connecting_ = Connect(
      loop_, resolver_, target_, std::make_unique<Handler>(self, factory_()),
      [self](absl::Status status) {
        if (status.ok() || !self->timer_) return;
        if (self->on_failure_) self->on_failure_(status);
        self->Again();
      },
      options_.connect);
}

void Reconnector::State::Closed() {
  if (!timer_ || loop_.ended() || loop_.draining()) return;
  const auto stable = static_cast<std::uint64_t>(options_.stable_after.count());
  if (loop_.now_ms() - opened_ms_ >= stable) backoff_.Reset();
  Again();
}

Reconnector::Reconnector(Loop& loop, Resolver& resolver, std::string target, HandlerFactory factory,
                         Options options, OnFailure on_failure)
    : state_(new State(loop, resolver, std::move(target), std::move(factory), std::move(options),
                       std::move(on_failure))) {
  state_->Start();
}

Reconnector::~Reconnector() { state_->Stop(); }

std::uint64_t Reconnector::attempts() const { return state_->attempts(); }

}  // namespace strata::net
