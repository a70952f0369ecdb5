// The client that waits, against our own server.

#include "strata/ws/blocking_client.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"
#include "strata/ws/server.h"

namespace strata::ws {
namespace {

using net::testing::Pattern;
using std::chrono::milliseconds;

// Echoes, and does what else it is told.
class Server final : public SocketHandler {
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    if (message == "leave") return socket.Close(static_cast<CloseCode>(4002), "as you wish");
    if (message == "abort") return socket.Abort();
    if (message == "do not read") {
      socket.stream().PauseReceive();
      return;
    }
    if (message == "much") {
      for (int i = 0; i < 1000; ++i) socket.SendBinary(std::string(10'000, static_cast<char>(i)));
      return;
    }
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
};

class BlockingClientTest : public http::testing::WireTest {
 protected:
  BlockingClientTest() {
    http::Router router;
    router.Get("/", WebSocketEndpoint([](http::Request&) { return std::make_unique<Server>(); },
                                      {.subprotocols = {"chat"}}));
    Serve(std::move(router));
  }
  ~BlockingClientTest() override { Stop(); }

  std::unique_ptr<BlockingWebSocket> Open(BlockingWebSocket::Options options = {}) {
    auto socket = BlockingWebSocket::Connect(Url(), options);
    EXPECT_TRUE(socket.ok()) << socket.status();
    return *std::move(socket);
  }

  std::string Url() { return absl::StrCat("ws://127.0.0.1:", server().address().port(), "/"); }

  static std::string Next(BlockingWebSocket& socket) {
    auto message = socket.Receive();
    if (!message.ok()) return message.status().ToString();
    return absl::StrCat(message->text ? "text " : "binary ", message->payload);
  }
};

TEST_F(BlockingClientTest, MessagesGoBothWays) {
  const auto socket = Open({.client = {.subprotocols = {"chat"}}});
  EXPECT_EQ(socket->subprotocol(), "chat");
  EXPECT_TRUE(socket->SendText("Hello").ok());
  EXPECT_EQ(Next(*socket), "text Hello");
  const std::string large = Pattern(3'000'000);
  EXPECT_TRUE(socket->SendBinary(large).ok());
  EXPECT_TRUE(Next(*socket) == "binary " + large);
  EXPECT_EQ(socket->Receive(milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(socket->close_code(), std::nullopt);
  EXPECT_TRUE(socket->SendText("last").ok());
  EXPECT_EQ(Next(*socket), "text last");
  EXPECT_TRUE(socket->Close(static_cast<CloseCode>(4001), "bye").ok());
  EXPECT_EQ(socket->close_code(), static_cast<CloseCode>(4001));
  EXPECT_EQ(socket->SendText("late").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(socket->Receive().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(socket->Close().ok()) << "twice is once";
}

TEST_F(BlockingClientTest, WhatHadComeBeforeTheEndIsReceived) {
  const auto socket = Open();
  for (const char* text : {"one", "two", "leave"}) EXPECT_TRUE(socket->SendText(text).ok());
  EXPECT_TRUE(Eventually([&] { return socket->close_code().has_value(); }));
  EXPECT_EQ(socket->close_code(), static_cast<CloseCode>(4002));
  EXPECT_EQ(socket->close_reason(), "as you wish");
  EXPECT_EQ(Next(*socket), "text one");
  EXPECT_EQ(Next(*socket), "text two");
  EXPECT_EQ(Next(*socket), "UNAVAILABLE: the WebSocket has ended: 4002 as you wish");
}

TEST_F(BlockingClientTest, AnEndWithoutACloseFrameIsAnError) {
  const auto socket = Open();
  EXPECT_TRUE(socket->SendText("abort").ok());
  EXPECT_EQ(socket->Receive().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(socket->Close().code(), absl::StatusCode::kUnavailable);
}

TEST_F(BlockingClientTest, NoConnectionIsAnError) {
  EXPECT_EQ(BlockingWebSocket::Connect("ftp://x/").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(BlockingWebSocket::Connect(Url() + "nowhere").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(BlockingClientTest, ASenderWaitsForThePeer) {
  const auto socket =
      Open({.client = {.socket = {.max_backlog_bytes = 4 << 20}, .deflate = std::nullopt}});
  EXPECT_EQ(socket->SendBinary(std::string((4 << 20) + 1, 'x')).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(socket->SendText("do not read").ok());
  absl::Status status;
  int sent = 0;
  for (; status.ok() && sent < 1000; ++sent) {
    status = socket->SendBinary(std::string(100'000, 'x'), milliseconds(20));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(sent, 1000);
}

TEST_F(BlockingClientTest, ThePeerWaitsForAReceiver) {
  const auto socket = Open({.client = {.deflate = std::nullopt}, .max_received_bytes = 100'000});
  EXPECT_TRUE(socket->SendText("much").ok());
  EXPECT_TRUE(Eventually([&] { return socket->received_bytes() > 100'000; }));
  // What was not held back would be here soon.
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_LT(socket->received_bytes(), 2'000'000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(Next(*socket) == "binary " + std::string(10'000, static_cast<char>(i))) << i;
  }
  EXPECT_TRUE(socket->SendText("much").ok());
  EXPECT_TRUE(Eventually([&] { return socket->received_bytes() > 100'000; }));
  EXPECT_TRUE(socket->Close().ok()) << "behind what nobody will receive";
}

TEST_F(BlockingClientTest, ManyThreadsMayUseIt) {
  const auto socket = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(socket->SendText("x").ok());
        EXPECT_TRUE(socket->Receive().ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // One that waits is told of the end.
  std::thread waits([&] { EXPECT_FALSE(socket->Receive().ok()); });
  EXPECT_TRUE(socket->Close().ok());
  waits.join();
}

}  // namespace
}  // namespace strata::ws
