// A WebSocket endpoint as clients see it: bytes of the handshake and of frames.

#include "strata/ws/server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"
#include "strata/ws/testing/wire.h"
#include "strata/ws/testing/wire_client.h"

namespace strata::ws {
namespace {

using http::testing::WireResponse;
using net::testing::Pattern;

using wire::CodeOf;
using wire::Frame;
using wire::Handshake;
using wire::Received;
using WsClient = wire::Client;

std::string Text(std::string_view payload) { return Frame(wire::kFin | wire::kText, payload); }
std::string CloseFrame(int code, std::string_view reason = {}) {
  return Frame(wire::kFin | wire::kClose, wire::ClosePayload(code, reason));
}

// A handler of functions.
struct TestSocket : public SocketHandler {
  std::function<void(Socket&)> on_open;
  std::function<void(Socket&, bool, std::string_view)> on_message;
  std::function<void(Socket&)> on_writable;
  std::function<void(Socket&, CloseCode, std::string_view)> on_closed;

  void OnOpen(Socket& socket) override {
    if (on_open) on_open(socket);
  }
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    if (on_message) return on_message(socket, text, message);
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
  void OnWritable(Socket& socket) override {
    if (on_writable) on_writable(socket);
  }
  void OnClosed(Socket& socket, CloseCode code, std::string_view reason) override {
    if (on_closed) on_closed(socket, code, reason);
  }
};

class WsServerTest : public http::testing::WireTest {
 protected:
  ~WsServerTest() override { Stop(); }  // What is recorded stays until then.

  // Records how each connection ended.
  void Start(std::function<void(TestSocket&)> prepare = {}, EndpointOptions options = {},
             http::ServerOptions server = {}) {
    http::Router router;
    router.Get("/", WebSocketEndpoint(
                        [this, prepare](http::Request&) {
                          auto handler = std::make_unique<TestSocket>();
                          if (prepare) prepare(*handler);
                          handler->on_closed = [this](Socket&, CloseCode code,
                                                      std::string_view reason) {
                            std::lock_guard<std::mutex> lock(mutex_);
                            ends_.push_back(absl::StrCat(static_cast<int>(code), " ", reason));
                          };
                          return handler;
                        },
                        std::move(options)));
    Serve(std::move(router), std::move(server));
  }

  WsClient Open(std::string_view fields = {}) {
    WsClient client(server().address());
    EXPECT_EQ(client.Upgrade(fields).status, 101);
    return client;
  }

  std::string NextEnd() {
    EXPECT_TRUE(Eventually([this] {
      std::lock_guard<std::mutex> lock(mutex_);
      return !ends_.empty();
    }));
    std::lock_guard<std::mutex> lock(mutex_);
    if (ends_.empty()) return "none";
    std::string end = ends_.front();
    ends_.erase(ends_.begin());
    return end;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> ends_;
};

// ---- The handshake -----------------------------------------------------------------------------

TEST_F(WsServerTest, TheHandshakeIsAnsweredAsTheStandardSays) {
  Start();
  WsClient client(server().address());
  const WireResponse response = client.Upgrade();
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.Field("Upgrade"), "websocket");
  EXPECT_EQ(response.Field("Connection"), "Upgrade");
  EXPECT_EQ(response.Field("Sec-WebSocket-Accept"), wire::kSampleAccept);
  EXPECT_EQ(response.Field("Sec-WebSocket-Protocol"), "-");
  EXPECT_EQ(response.Field("Sec-WebSocket-Extensions"), "-");
}

TEST_F(WsServerTest, WhatIsNoHandshakeIsRefused) {
  Start();
  const auto status = [&](std::string_view request) {
    return WsClient(server().address()).Ask(request).status;
  };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 426);
  const std::string base =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(status(base + "\r\n"), 426);
  EXPECT_EQ(status(base + "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " + wire::kSampleKey +
                   "\r\n\r\n"),
            426);
  EXPECT_EQ(status(base + "Sec-WebSocket-Version: 13\r\n\r\n"), 400);
  EXPECT_EQ(status(base + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                   std::string(wire::kSampleKey) + "\r\n\r\n"),
            426);
  EXPECT_EQ(status(Handshake("Sec-WebSocket-Protocol: a, a\r\n")), 400);
  EXPECT_EQ(status(Handshake("Sec-WebSocket-Extensions: ;;\r\n")), 400);
}

TEST_F(WsServerTest, PagesOfOtherOriginsMayNotConnect) {
  Start();
  const auto status = [&](std::string_view origin) {
    return WsClient(server().address())
        .Ask(Handshake(absl::StrCat("Origin: ", origin, "\r\n")))
        .status;
  };
  EXPECT_EQ(status("http://test"), 101);
  EXPECT_EQ(status("http://evil.example"), 403);
  EXPECT_EQ(status("https://test"), 403) << "another scheme is another origin";
  EXPECT_EQ(status("null"), 403);
}

TEST_F(WsServerTest, OriginsThatAreNamedMay) {
  EndpointOptions options;
  options.origins = {"https://app.example"};
  Start({}, std::move(options));
  EXPECT_EQ(WsClient(server().address()).Upgrade("Origin: https://app.example\r\n").status, 101);
  EXPECT_EQ(WsClient(server().address()).Upgrade("Origin: http://test\r\n").status, 403);
}

TEST_F(WsServerTest, TheClientsFirstSubprotocolThatIsSpokenIsChosen) {
  EndpointOptions options;
  options.subprotocols = {"one", "two"};
  std::promise<std::string> seen;
  Start(
      [&](TestSocket& socket) {
        socket.on_open = [&](Socket& open) { seen.set_value(open.subprotocol()); };
      },
      std::move(options));
  WsClient client(server().address());
  EXPECT_EQ(client.Upgrade("Sec-WebSocket-Protocol: three\r\nSec-WebSocket-Protocol: two, one\r\n")
                .Field("Sec-WebSocket-Protocol"),
            "two");
  EXPECT_EQ(seen.get_future().get(), "two");
}

// ---- Messages ----------------------------------------------------------------------------------

TEST_F(WsServerTest, MessagesOfAllSizesComeBack) {
  Start();
  WsClient client = Open();
  for (const std::size_t size : {0u, 1u, 125u, 126u, 2048u, 2049u, 65535u, 65536u, 1000000u}) {
    const std::string message = Pattern(size);
    client.Send(Frame(0x82, message));
    const Received received = client.ReadFrame();
    EXPECT_EQ(received.first_byte, 0x82);
    EXPECT_TRUE(received.payload == message) << size;
  }
  client.Send(Text("h\xC3\xA9llo"));
  EXPECT_EQ(client.ReadFrame().payload, "h\xC3\xA9llo");
}

TEST_F(WsServerTest, BytesBehindTheHandshakeAreTheFirstFrame) {
  Start();
  WsClient client(server().address());
  client.Send(Handshake() + Text("early"));
  EXPECT_EQ(client.Read().status, 101);
  // The answer and the echo may have come in one piece.
  client.Send(CloseFrame(1000));
  const std::string rest = client.ReadAll();
  EXPECT_EQ(rest, std::string("\x81\x05") + "early" + std::string("\x88\x02\x03\xE8", 4));
}

TEST_F(WsServerTest, FragmentsPingsAndPiecesOfAnySize) {
  Start();
  const std::string frames = Frame(0x01, "one ") + Frame(0x89, "ping") + Frame(0x00, "two ") +
                             Frame(0x80, "three") + Frame(0x8A, "unasked");
  for (std::size_t piece : {1u, 3u, 1000u}) {
    WsClient client = Open();
    for (std::size_t at = 0; at < frames.size(); at += piece) {
      client.Send(frames.substr(at, piece));
    }
    Received received = client.ReadFrame();
    EXPECT_EQ(received.first_byte, 0x8A);
    EXPECT_EQ(received.payload, "ping");
    received = client.ReadFrame();
    EXPECT_EQ(received.first_byte, 0x81);
    EXPECT_EQ(received.payload, "one two three");
  }
}

TEST_F(WsServerTest, CompressedMessagesOfEveryAgreement) {
  for (const char* offer :
       {"permessage-deflate", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9"}) {
    EndpointOptions options;
    options.deflate = DeflateParameters{};
    Start({}, std::move(options));
    WsClient client(server().address());
    const WireResponse response =
        client.Upgrade(absl::StrCat("Sec-WebSocket-Extensions: ", offer, "\r\n"));
    EXPECT_TRUE(response.Field("Sec-WebSocket-Extensions").starts_with("permessage-deflate"));
    // "Hello" as RFC 7692 section 7.2.3.1 compresses it.
    client.Send(Frame(0xC1, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)));
    EXPECT_EQ(client.ReadFrame().payload, "Hello");
    // What repeats itself comes back smaller.
    client.Send(Text(std::string(10'000, 'x')));
    const Received received = client.ReadFrame();
    EXPECT_EQ(received.first_byte, 0xC1);
    EXPECT_LT(received.payload.size(), 200u);
    Stop();
  }
}

TEST_F(WsServerTest, AMessageForManyIsSharedWithWhoDeflatesAndWhoDoesNot) {
  std::mutex mutex;
  std::vector<SocketPtr> sockets;
  Start([&](TestSocket& handler) {
    handler.on_open = [&](Socket& socket) {
      std::lock_guard<std::mutex> lock(mutex);
      sockets.emplace_back(&socket);
    };
  });
  WsClient plain = Open();
  WsClient deflating = Open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  EXPECT_TRUE(Eventually([&] {
    std::lock_guard<std::mutex> lock(mutex);
    return sockets.size() == 2;
  }));
  DeflatePool pool;
  const auto deflater =
      MakeDeflater({.server_no_context_takeover = true, .client_no_context_takeover = true},
                   Role::kServer, &pool);
  const EncodedMessage message = EncodedMessage::Text(std::string(5'000, 'm'), deflater.get());
  for (const SocketPtr& socket : sockets) EXPECT_EQ(socket->Send(message), SendResult::kQueued);
  EXPECT_EQ(plain.ReadFrame().payload, std::string(5'000, 'm'));
  EXPECT_EQ(deflating.ReadFrame().first_byte, 0xC1);
}

TEST_F(WsServerTest, APeerWithAContextOrASmallWindowGetsTheSharedMessagePlain) {
  DeflatePool pool;
  const auto deflater = MakeDeflater({.server_no_context_takeover = true}, Role::kServer, &pool);
  const EncodedMessage message = EncodedMessage::Text(std::string(5'000, 'm'), deflater.get());
  for (const char* offer : {"permessage-deflate", "permessage-deflate; server_max_window_bits=9"}) {
    EndpointOptions options;
    options.deflate->server_no_context_takeover = offer != std::string_view("permessage-deflate");
    Start([&](TestSocket& handler) { handler.on_open = [&](Socket& s) { s.Send(message); }; },
          std::move(options));
    WsClient client = Open(absl::StrCat("Sec-WebSocket-Extensions: ", offer, "\r\n"));
    const Received received = client.ReadFrame();
    EXPECT_EQ(received.first_byte, 0x81) << offer;
    EXPECT_EQ(received.payload, std::string(5'000, 'm'));
    Stop();
  }
}

TEST_F(WsServerTest, ABrokenRuleIsNamedByItsCode) {
  EndpointOptions options;
  options.socket.decoder.max_message_bytes = 1000;
  Start({}, std::move(options));
  const std::pair<std::string, int> cases[] = {
      {std::string("\x81\x05hello", 7), 1002},      // Not masked.
      {Frame(0x83, "x"), 1002},                     // An opcode that is none.
      {Frame(0xC1, "x"), 1002},                     // RSV1 without an extension.
      {Frame(0x80, "x"), 1002},                     // A continuation of nothing.
      {Frame(0x09, "x"), 1002},                     // A ping in fragments.
      {Text("\xFF"), 1007},                         // No UTF-8.
      {Frame(0x82, std::string(1001, 'x')), 1009},  // Too large.
      {CloseFrame(1005), 1002},                     // A code that is never sent.
      {Frame(0x88, "x"), 1002},                     // Half a code.
  };
  for (const auto& [frame, code] : cases) {
    WsClient client = Open();
    client.Send(frame);
    EXPECT_EQ(CodeOf(client.ReadFrame()), code);
    EXPECT_EQ(client.ReadFrame().first_byte, -1);
    EXPECT_TRUE(NextEnd().starts_with(absl::StrCat(code, " ")));
  }
}

// ---- Sending from anywhere, and slow readers ----------------------------------------------------

TEST_F(WsServerTest, AnyThreadMaySend) {
  std::promise<SocketPtr> opened;
  Start([&](TestSocket& handler) {
    handler.on_open = [&](Socket& socket) { opened.set_value(SocketPtr(&socket)); };
  });
  WsClient client = Open();
  SocketPtr socket = opened.get_future().get();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([socket, t] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(socket->SendText(absl::StrCat(t, ":", i)), SendResult::kQueued);
      }
    });
  }
  int next[3] = {0, 0, 0};
  for (int i = 0; i < 300; ++i) {
    const std::string text = client.ReadFrame().payload;
    const int t = text[0] - '0';
    EXPECT_EQ(text, absl::StrCat(t, ":", next[t]++)) << "each thread's messages in its order";
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(WsServerTest, APeerThatDoesNotReadIsToldOfAndBounded) {
  std::atomic<int> writable{0};
  std::promise<SocketPtr> opened;
  EndpointOptions options;
  options.socket.max_backlog_bytes = 2'000'000;
  Start(
      [&](TestSocket& handler) {
        handler.on_open = [&](Socket& socket) { opened.set_value(SocketPtr(&socket)); };
        handler.on_writable = [&](Socket&) { ++writable; };
      },
      std::move(options));
  WsClient client = Open();
  SocketPtr socket = opened.get_future().get();
  const std::string message = Pattern(100'000);
  int taken = 0;
  bool backlog = false;
  SendResult result;
  while ((result = socket->SendBinary(message)) != SendResult::kRefused) {
    ASSERT_NE(result, SendResult::kClosed);
    backlog |= result == SendResult::kBacklog;
    ++taken;
    EXPECT_LE(socket->backlog_bytes(), 2'100'000u);
  }
  EXPECT_TRUE(backlog);
  for (int i = 0; i < taken; ++i) ASSERT_TRUE(client.ReadFrame().payload == message) << i;
  EXPECT_TRUE(Eventually([&] { return writable > 0; }));
  EXPECT_NE(socket->SendBinary("again"), SendResult::kRefused);
}

TEST_F(WsServerTest, ABurstOnTheLoopIsToldWhenItHasLeft) {
  std::atomic<int> writable{0};
  Start([&](TestSocket& handler) {
    handler.on_open = [&](Socket& socket) {
      while (socket.SendBinary(Pattern(50'000)) != SendResult::kBacklog) {
      }
    };
    handler.on_writable = [&](Socket& socket) {
      ++writable;
      socket.Close();
    };
  });
  WsClient client = Open();
  Received received;
  while ((received = client.ReadFrame()).first_byte == 0x82) {
  }
  EXPECT_EQ(CodeOf(received), 1000);
  EXPECT_EQ(writable, 1);
}

// The queue is above the high watermark before the end of the turn alone, and by its end empty.
TEST_F(WsServerTest, ABurstThatLeavesWithItsTurnIsToldToo) {
  http::ServerOptions server;
  server.listen.stream.high_watermark_bytes = 1000;
  server.listen.stream.low_watermark_bytes = 500;
  Start(
      [&](TestSocket& handler) {
        handler.on_message = [&](Socket& socket, bool, std::string_view) {
          EXPECT_EQ(socket.SendBinary(Pattern(900)), SendResult::kQueued);
          EXPECT_EQ(socket.SendBinary(Pattern(900)), SendResult::kBacklog);
        };
        handler.on_writable = [&](Socket& socket) { socket.Close(); };
      },
      {}, std::move(server));
  WsClient client = Open();
  client.Send(Text("go"));
  EXPECT_EQ(client.ReadFrame().payload.size(), 900u);
  EXPECT_EQ(client.ReadFrame().payload.size(), 900u);
  EXPECT_EQ(CodeOf(client.ReadFrame()), 1000);
}

// What waits for the loop is more than the high watermark; what it writes of that is not.
TEST_F(WsServerTest, ABacklogThatDeflatesIsToldToo) {
  http::ServerOptions server;
  server.listen.stream.high_watermark_bytes = 10'000;
  server.listen.stream.low_watermark_bytes = 5'000;
  std::promise<SocketPtr> stopped;
  std::promise<void> posted;
  EndpointOptions options;
  options.deflate = DeflateParameters{};
  Start(
      [&](TestSocket& handler) {
        handler.on_message = [&](Socket& socket, bool, std::string_view) {
          stopped.set_value(SocketPtr(&socket));
          posted.get_future().wait();
        };
        handler.on_writable = [&](Socket& socket) { socket.Close(); };
      },
      std::move(options), std::move(server));
  WsClient client = Open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  client.Send(Text("stop"));
  SocketPtr socket = stopped.get_future().get();
  EXPECT_EQ(socket->SendText(std::string(100'000, 'm')), SendResult::kBacklog);
  posted.set_value();
  EXPECT_EQ(client.ReadFrame().first_byte, 0xC1);
  EXPECT_EQ(CodeOf(client.ReadFrame()), 1000);
}

// ---- The end -----------------------------------------------------------------------------------

TEST_F(WsServerTest, TheClientsCloseIsAnsweredAndTold) {
  Start();
  {
    WsClient client = Open();
    client.Send(CloseFrame(4001, "bye") + Text("late"));
    EXPECT_EQ(CodeOf(client.ReadFrame()), 4001);
    EXPECT_EQ(client.ReadFrame().first_byte, -1);
    EXPECT_EQ(NextEnd(), "4001 bye");
  }
  WsClient client = Open();
  client.Send(Frame(0x88, ""));
  EXPECT_EQ(CodeOf(client.ReadFrame()), 1005);
  EXPECT_EQ(NextEnd(), "1005 ");
}

TEST_F(WsServerTest, OurCloseWaitsForTheClients) {
  std::promise<SocketPtr> opened;
  Start([&](TestSocket& handler) {
    handler.on_open = [&](Socket& socket) { opened.set_value(SocketPtr(&socket)); };
  });
  WsClient client = Open();
  SocketPtr socket = opened.get_future().get();
  socket->Close(CloseCode::kPolicyViolation, "enough");
  socket->Close(CloseCode::kNormal, "twice");
  EXPECT_EQ(socket->SendText("late"), SendResult::kClosed);
  const Received received = client.ReadFrame();
  EXPECT_EQ(CodeOf(received), 1008);
  EXPECT_EQ(received.payload.substr(2), "enough");
  client.Send(Text("still here") + CloseFrame(1008, "enough"));
  EXPECT_EQ(client.ReadFrame().first_byte, -1);
  EXPECT_EQ(NextEnd(), "1008 enough");
  EXPECT_EQ(socket->SendText("later"), SendResult::kClosed);
}

TEST_F(WsServerTest, AClientThatDoesNotAnswerACloseIsEnded) {
  EndpointOptions options;
  options.socket.close_timeout = std::chrono::milliseconds(20);
  Start([](TestSocket& handler) { handler.on_open = [](Socket& socket) { socket.Close(); }; },
        std::move(options));
  WsClient client = Open();
  EXPECT_EQ(CodeOf(client.ReadFrame()), 1000);
  client.ReadAll();
  EXPECT_EQ(NextEnd(), "1006 ");
}

TEST_F(WsServerTest, ASilentClientIsPingedAndThenEnded) {
  EndpointOptions options;
  options.socket.ping_interval = std::chrono::milliseconds(20);
  options.socket.pong_timeout = std::chrono::milliseconds(20);
  Start({}, std::move(options));
  WsClient client = Open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ReadFrame().first_byte, 0x89);
    client.Send(Frame(0x8A, ""));
  }
  EXPECT_EQ(client.ReadFrame().first_byte, 0x89);
  EXPECT_EQ(client.ReadFrame().first_byte, -1);
  EXPECT_EQ(NextEnd(), "1006 ");
}

TEST_F(WsServerTest, AClientThatIsGoneIsAbnormal) {
  Start();
  { WsClient client = Open(); }
  EXPECT_EQ(NextEnd(), "1006 ");
}

TEST_F(WsServerTest, ADrainSaysGoingAway) {
  Start();
  WsClient client = Open();
  std::thread stopper([&] { server().Stop(net::testing::kLong); });
  EXPECT_EQ(CodeOf(client.ReadFrame()), 1001);
  client.Send(CloseFrame(1001));
  EXPECT_EQ(client.ReadFrame().first_byte, -1);
  stopper.join();
  EXPECT_EQ(NextEnd().substr(0, 4), "1001");
}

TEST_F(WsServerTest, HandlesOutliveTheServer) {
  std::promise<SocketPtr> opened;
  Start([&](TestSocket& handler) {
    handler.on_open = [&](Socket& socket) { opened.set_value(SocketPtr(&socket)); };
  });
  WsClient client = Open();
  SocketPtr socket = opened.get_future().get();
  Stop();
  EXPECT_EQ(socket->SendText("late"), SendResult::kClosed);
  socket->Close();
  socket->Abort();
}

}  // namespace
}  // namespace strata::ws
