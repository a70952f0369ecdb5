#include "strata/ws/testing/stress_server.h"

#include <array>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/net/testing/server_test.h"
#include "strata/ws/server.h"

namespace strata::ws::testing {
namespace {

using net::testing::Pattern;

class Echo final : public SocketHandler {
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
};

// Three threads send, ping and close at once, in the middle of a fan-out, while the client does
// what it likes.
class Racer final : public SocketHandler {
 public:
  Racer(Hub& hub, net::WorkerPool& workers) : hub_(hub), workers_(workers) {}

  void OnOpen(Socket& socket) override {
    EXPECT_EQ(hub_.Add(socket)->Subscribe("#", 0), HubResult::kOk);
    for (int i = 0; i < 3; ++i) {
      (void)workers_.Submit([socket = SocketPtr(&socket), i] {
        socket->SendText(absl::StrCat("from ", i));
        socket->Ping("race");
        socket->SendBinary(Pattern(3000));
        socket->Close(static_cast<CloseCode>(4000 + i), "race");
        EXPECT_NE(socket->SendText("late"), SendResult::kQueued);
      });
    }
  }
  void OnMessage(Socket& socket, bool, std::string_view message) override {
    socket.SendText(message);
  }

 private:
  Hub& hub_;
  net::WorkerPool& workers_;
};

// Subscribes to what a client asks for, and tells it what it has lost.
class Reader final : public SocketHandler {
 public:
  explicit Reader(Hub& hub) : hub_(hub) {}

  void OnOpen(Socket& socket) override { subscriber_ = hub_.Add(socket); }
  void OnMessage(Socket& socket, bool, std::string_view message) override {
    if (message == "dropped?") {
      socket.SendBinary(absl::StrCat(subscriber_->dropped()));
    } else if (message == "leave") {
      subscriber_->UnsubscribeAll();
    } else {
      EXPECT_EQ(subscriber_->Subscribe(message, 0), HubResult::kOk);
    }
  }

 private:
  Hub& hub_;
  SubscriberPtr subscriber_;
};

}  // namespace

void Publisher::Run() {
  std::array<std::uint64_t, kTopics> numbers{};
  for (std::mt19937_64 random(7); !end_;) {
    for (std::uint64_t burst = random() % 20; burst > 0; --burst) {
      const std::size_t topic = random() % kTopics;
      std::string text = absl::StrCat("t/", topic, " ", numbers[topic], " ");
      text.append(random() % 4000, '.');
      if (hub_.PublishText(absl::StrCat("t/", topic), text) != HubResult::kOk) continue;
      ++numbers[topic];
      bytes_ += text.size();
    }
    // Time to read it.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

StressServer::StressServer()
    : hub_({.slow_policy = SlowPolicy::kDropOldest, .max_held_messages = 40}),
      strict_hub_({.slow_policy = SlowPolicy::kClose, .max_held_messages = 40}),
      runtime_(*net::Runtime::Create({.loops = 2})) {
  http::Router router;
  EndpointOptions options;
  options.socket.decoder.max_message_bytes = kMaxMessage;
  options.deflate = DeflateParameters{};
  options.socket.close_timeout = std::chrono::seconds(60);
  router.Get("/echo",
             WebSocketEndpoint([](http::Request&) { return std::make_unique<Echo>(); }, options));
  router.Get("/race", WebSocketEndpoint(
                          [this](http::Request&) {
                            return std::make_unique<Racer>(hub_, runtime_->workers());
                          },
                          options));
  router.Get("/hub",
             WebSocketEndpoint([this](http::Request&) { return std::make_unique<Reader>(hub_); },
                               options));
  router.Get(
      "/strict",
      WebSocketEndpoint([this](http::Request&) { return std::make_unique<Reader>(strict_hub_); },
                        options));
  http::ServerOptions server_options;
  server_options.address = "127.0.0.1:0";
  server_options.listen.stream.high_watermark_bytes = 128 << 10;
  auto created = http::Server::Create(*runtime_, std::move(router), std::move(server_options));
  EXPECT_TRUE(created.ok()) << created.status();
  server_ = *std::move(created);
  runtime_->Start();
}

StressServer::~StressServer() { runtime_->Stop(std::chrono::seconds(1)); }

std::uint64_t StressServer::Sum(net::Counter net::LoopCounters::*counter) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < runtime_->loop_count(); ++i) {
    sum += (runtime_->loop(i).counters().*counter).Get();
  }
  return sum;
}

bool StressServer::IsIdle(std::uint64_t connections) const {
  return Sum(&net::LoopCounters::opened) == connections &&
         Sum(&net::LoopCounters::closed) == connections && hub_.counters().subscriptions == 0 &&
         strict_hub_.counters().subscriptions == 0;
}

}  // namespace strata::ws::testing
