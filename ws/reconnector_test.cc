// A client that comes back.

#include "strata/ws/reconnector.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"
#include "strata/ws/server.h"

namespace strata::ws {
namespace {

using std::chrono::milliseconds;

// Says "hello" when it is open, and tells how often that came back.
class Greeter final : public SocketHandler {
 public:
  explicit Greeter(std::function<void(Socket&)> on_answer) : on_answer_(std::move(on_answer)) {}

  void OnOpen(Socket& socket) override { socket.SendText("hello"); }
  void OnMessage(Socket& socket, bool, std::string_view) override { on_answer_(socket); }

 private:
  const std::function<void(Socket&)> on_answer_;
};

// Answers, and then ends the connection in one way or another.
class Leaver final : public SocketHandler {
  void OnMessage(Socket& socket, bool, std::string_view message) override {
    static std::atomic<int> turn{0};
    socket.SendText(message);
    if (turn++ % 2 == 0) return socket.Close(CloseCode::kGoingAway);
    socket.stream().Close();  // Without a Close frame.
  }
};

class WsReconnectorTest : public http::testing::WireTest {
 protected:
  ~WsReconnectorTest() override { Stop(); }

  // Ends all that calls back into a test, at its end.
  void EndClient() {
    thread_.Do([this] { reconnector_.reset(); });
    thread_.End();
  }

  void StartServer() {
    http::Router router;
    router.Get("/", WebSocketEndpoint([](http::Request&) { return std::make_unique<Leaver>(); }));
    Serve(std::move(router));
  }

  void Begin(std::string url, std::function<void(Socket&)> on_answer,
             Reconnector::OnFailure on_failure = nullptr) {
    thread_.Do([&] {
      reconnector_ = std::make_unique<Reconnector>(
          thread_.loop(), resolver_, std::move(url),
          [on_answer = std::move(on_answer)] { return std::make_unique<Greeter>(on_answer); },
          Reconnector::Options{.backoff = {.first = milliseconds(1), .most = milliseconds(4)}},
          std::move(on_failure));
    });
  }

  net::Resolver resolver_;
  net::testing::LoopThread thread_;
  std::unique_ptr<Reconnector> reconnector_;
};

TEST_F(WsReconnectorTest, ComesBackHoweverTheConnectionEnds) {
  StartServer();
  std::promise<void> often;
  int answers = 0;
  Begin(absl::StrCat("ws://127.0.0.1:", server().address().port(), "/"), [&](Socket&) {
    if (++answers == 5) often.set_value();
  });
  often.get_future().wait();
  EXPECT_GE(thread_.Do([this] { return reconnector_->attempts(); }), 5u);
  EndClient();
}

TEST_F(WsReconnectorTest, TellsOfFailuresUntilItIsDestroyed) {
  StartServer();
  std::promise<void> twice;
  int failures = 0;
  Begin(
      absl::StrCat("ws://127.0.0.1:", server().address().port(), "/none"), [](Socket&) {},
      [&](const absl::Status& status) {
        EXPECT_EQ(AnsweredStatus(status), 404) << status;
        if (++failures != 2) return;
        reconnector_.reset();
        twice.set_value();
      });
  twice.get_future().wait();
  EndClient();
  EXPECT_EQ(failures, 2);
}

TEST_F(WsReconnectorTest, AConnectionOutlivesIt) {
  StartServer();
  std::promise<void> answered;
  Begin(absl::StrCat("ws://127.0.0.1:", server().address().port(), "/"), [&](Socket& socket) {
    reconnector_.reset();
    EXPECT_TRUE(socket.is_open());
    answered.set_value();
  });
  answered.get_future().wait();
  EndClient();
}

}  // namespace
}  // namespace strata::ws
