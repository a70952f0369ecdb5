// The client's handshake, against our own endpoint and against servers that say what they must not.

#include "strata/ws/client.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"
#include "strata/ws/handshake.h"
#include "strata/ws/server.h"

namespace strata::ws {
namespace {

using http::testing::RawServer;
using net::testing::Pattern;

// What a client's handler was told, in words.
class Log {
 public:
  void Add(std::string line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }

  // The next line, or "nothing" after as long as a test may wait.
  std::string Next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, net::testing::kLong, [this] { return !lines_.empty(); })) {
      return "nothing";
    }
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
};

class LoggingHandler final : public SocketHandler {
 public:
  LoggingHandler(std::shared_ptr<Log> log, std::function<void(Socket&)> on_open)
      : log_(std::move(log)), on_open_(std::move(on_open)) {}
  ~LoggingHandler() override { log_->Add("destroyed"); }

  void OnOpen(Socket& socket) override {
    log_->Add(absl::StrCat("open", socket.deflates() ? " deflate" : "",
                           socket.subprotocol().empty() ? "" : " ", socket.subprotocol()));
    if (on_open_) on_open_(socket);
  }
  void OnMessage(Socket&, bool text, std::string_view message) override {
    log_->Add(absl::StrCat(text ? "text " : "binary ", message));
  }
  void OnPong(Socket&, std::string_view payload) override {
    log_->Add(absl::StrCat("pong ", payload));
  }
  void OnClosed(Socket&, CloseCode code, std::string_view reason) override {
    log_->Add(absl::StrCat("closed ", static_cast<int>(code), " ", reason));
  }

 private:
  const std::shared_ptr<Log> log_;
  const std::function<void(Socket&)> on_open_;
};

class EchoHandler final : public SocketHandler {
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    if (message == "close") return socket.Close(static_cast<CloseCode>(4000), "as you wish");
    if (message == "abort") return socket.Abort();
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
};

class WsClientTest : public http::testing::WireTest {
 protected:
  ~WsClientTest() override {
    thread_.End();
    Stop();
  }

  void StartEcho(EndpointOptions options = {}) {
    http::Router router;
    router.Get("/chat",
               WebSocketEndpoint([](http::Request&) { return std::make_unique<EchoHandler>(); },
                                 std::move(options)));
    router.Get("/moved", [](http::Request&, http::Response& response) {
      response.Set(http::FieldId::kLocation, "/chat");
      response.SendError(302);
    });
    router.Get("/field", WebSocketEndpoint(
                             [](http::Request& request) {
                               const bool good =
                                   request.field("X-Token") == "secret" &&
                                   request.field(http::FieldId::kOrigin) == "https://example.com";
                               return good ? std::make_unique<EchoHandler>() : nullptr;
                             },
                             {.origins = {"https://example.com"}}));
    Serve(std::move(router));
  }

  std::string Url(std::string_view path = "/chat") const {
    return absl::StrCat("ws://127.0.0.1:", server_->address().port(), path);
  }

  // Connects, and waits for `done`.
  absl::Status Connect(std::string_view url, const ClientOptions& options = {},
                       std::function<void(Socket&)> on_open = {}) {
    return Begin(url, options, std::move(on_open)).get();
  }

  std::future<absl::Status> Begin(std::string_view url, const ClientOptions& options = {},
                                  std::function<void(Socket&)> on_open = {},
                                  net::RefPtr<net::Connecting>* connecting = nullptr) {
    log_ = std::make_shared<Log>();
    std::promise<absl::Status> promise;
    auto future = promise.get_future();
    thread_.Do([&] {
      auto handle = ConnectWebSocket(
          thread_.loop(), resolver_, url,
          std::make_unique<LoggingHandler>(log_,
                                           [this, on_open = std::move(on_open)](Socket& socket) {
                                             socket_ = SocketPtr(&socket);
                                             if (on_open) on_open(socket);
                                           }),
          options, [promise = std::move(promise)](absl::Status status) mutable {
            promise.set_value(std::move(status));
          });
      if (connecting) *connecting = std::move(handle);
    });
    return future;
  }

  std::string Next() { return log_->Next(); }

  net::Resolver resolver_;
  net::testing::LoopThread thread_;
  std::shared_ptr<Log> log_;
  SocketPtr socket_;
};

// ---- A good server -----------------------------------------------------------------------------

TEST_F(WsClientTest, MessagesGoBothWays) {
  StartEcho();
  ASSERT_TRUE(Connect(Url()).ok());
  EXPECT_EQ(Next(), "open deflate");
  EXPECT_EQ(socket_->SendText("Hello"), SendResult::kQueued);
  EXPECT_EQ(Next(), "text Hello");
  const std::string large = Pattern(300'000);
  socket_->SendBinary(large);
  EXPECT_TRUE(Next() == "binary " + large);
  socket_->Ping("there?");
  EXPECT_EQ(Next(), "pong there?");
  socket_->Close(CloseCode::kNormal, "bye");
  EXPECT_EQ(Next(), "closed 1000 ");
  EXPECT_EQ(Next(), "destroyed");
  EXPECT_EQ(socket_->SendText("late"), SendResult::kClosed);
}

TEST_F(WsClientTest, TheServersCloseIsTold) {
  StartEcho();
  ASSERT_TRUE(Connect(Url()).ok());
  EXPECT_EQ(Next(), "open deflate");
  socket_->SendText("close");
  EXPECT_EQ(Next(), "closed 4000 as you wish");
}

TEST_F(WsClientTest, AResetIsAnAbnormalEnd) {
  StartEcho();
  ASSERT_TRUE(Connect(Url()).ok());
  EXPECT_EQ(Next(), "open deflate");
  socket_->SendText("abort");
  EXPECT_EQ(Next(), "closed 1006 ");
}

TEST_F(WsClientTest, WithoutDeflateNoneIsUsed) {
  StartEcho();
  ASSERT_TRUE(Connect(Url(), {.deflate = std::nullopt}).ok());
  EXPECT_EQ(Next(), "open");
}

TEST_F(WsClientTest, DeflateWithContextKeepsIt) {
  StartEcho({.deflate = DeflateParameters{}});
  ASSERT_TRUE(Connect(Url(), {.deflate = DeflateParameters{}}).ok());
  EXPECT_EQ(Next(), "open deflate");
  for (int i = 0; i < 3; ++i) {
    socket_->SendText("the same words, again and again, again and again, again and again");
    EXPECT_EQ(Next(), "text the same words, again and again, again and again, again and again");
  }
}

TEST_F(WsClientTest, ThePoolOfALoopIsShared) {
  StartEcho();
  auto pool = std::make_shared<DeflatePool>();
  const std::string text(5000, 'x');
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Connect(Url(), {.deflate_pool = pool}).ok());
    EXPECT_EQ(Next(), "open deflate");
    socket_->SendText(text);
    EXPECT_TRUE(Next() == "text " + text);
  }
  EXPECT_EQ(thread_.Do([&] { return pool->idle_inflaters(); }), 1);
}

TEST_F(WsClientTest, TheFirstSubprotocolThatTheServerHasIsAgreedOn) {
  StartEcho({.subprotocols = {"b", "c"}});
  ASSERT_TRUE(Connect(Url(), {.subprotocols = {"a", "c", "b"}, .deflate = std::nullopt}).ok());
  EXPECT_EQ(Next(), "open c");
  ASSERT_TRUE(Connect(Url(), {.subprotocols = {"a"}, .deflate = std::nullopt}).ok());
  EXPECT_EQ(Next(), "open");
}

TEST_F(WsClientTest, FieldsAndOriginAreSent) {
  StartEcho();
  EXPECT_TRUE(
      Connect(Url("/field"), {.fields = {{"X-Token", "secret"}}, .origin = "https://example.com"})
          .ok());
  const absl::Status other =
      Connect(Url("/field"), {.fields = {{"X-Token", "secret"}}, .origin = "https://else.com"});
  EXPECT_EQ(AnsweredStatus(other), 403);
  EXPECT_EQ(
      Connect(Url("/field"), {.fields = {{"X-Token", "guess"}}, .origin = "https://example.com"})
          .code(),
      absl::StatusCode::kPermissionDenied);
}

TEST_F(WsClientTest, ARefusalHasTheServersStatus) {
  StartEcho();
  const absl::Status none = Connect(Url("/none"));
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound) << none;
  EXPECT_EQ(AnsweredStatus(none), 404);
  EXPECT_EQ(Next(), "destroyed");
  const absl::Status moved = Connect(Url("/moved"));
  EXPECT_EQ(moved.code(), absl::StatusCode::kFailedPrecondition) << moved;
  EXPECT_EQ(AnsweredStatus(moved), 302);
  EXPECT_NE(moved.message().find("/chat"), std::string_view::npos) << moved;
}

TEST_F(WsClientTest, AClosingInOnOpenIsACloseHandshake) {
  StartEcho();
  ASSERT_TRUE(Connect(Url(), {}, [](Socket& socket) { socket.Close(); }).ok());
  EXPECT_EQ(Next(), "open deflate");
  EXPECT_EQ(Next(), "closed 1000 ");
}

TEST_F(WsClientTest, AnAbortInOnOpenIsAnEnd) {
  StartEcho();
  ASSERT_TRUE(Connect(Url(), {}, [](Socket& socket) { socket.Abort(); }).ok());
  EXPECT_EQ(Next(), "open deflate");
  EXPECT_EQ(Next(), "closed 1006 ");
}

TEST_F(WsClientTest, BothSidesMayCloseAtOnce) {
  StartEcho();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Connect(Url()).ok());
    EXPECT_EQ(Next(), "open deflate");
    socket_->SendText("close");
    if (i % 2 == 0) std::this_thread::yield();
    socket_->Close();
    EXPECT_TRUE(Next().starts_with("closed "));
    EXPECT_EQ(Next(), "destroyed");
  }
}

// ---- A server of others' -----------------------------------------------------------------------

// Debian's python3-websockets.
TEST_F(WsClientTest, AServerOfOthersAgrees) {
  std::FILE* const server =
      ::popen("exec timeout 60 /usr/bin/python3 -B ws/testing/python_server.py", "r");
  ASSERT_NE(server, nullptr);
  int port = 0;
  ASSERT_EQ(std::fscanf(server, "%d", &port), 1);
  const std::string url = absl::StrCat("ws://127.0.0.1:", port, "/");
  const ClientOptions pooled = {.subprotocols = {"echo"}};
  ClientOptions kept = pooled;
  kept.deflate = DeflateParameters{};
  ClientOptions plain = pooled;
  plain.deflate.reset();
  for (const ClientOptions& options : {pooled, kept, plain}) {
    ASSERT_TRUE(Connect(url, options).ok());
    EXPECT_EQ(Next(), options.deflate ? "open deflate echo" : "open echo");
    for (std::size_t size : {0, 1, 125, 126, 65'535, 65'536, 300'000}) {
      std::string text = Pattern(size);
      socket_->SendBinary(text);
      EXPECT_TRUE(Next() == "binary " + text) << size;
      for (char& c : text) c &= 0x7f;
      socket_->SendText(text);
      EXPECT_TRUE(Next() == "text " + text) << size;
    }
    socket_->SendText("ping");
    EXPECT_EQ(Next(), "text pong");
    socket_->Ping("ours");
    EXPECT_EQ(Next(), "pong ours");
    socket_->Close(static_cast<CloseCode>(4001), "bye");
    EXPECT_EQ(Next(), "closed 4001 bye");
  }
  ASSERT_TRUE(Connect(url, plain).ok());
  EXPECT_EQ(Next(), "open echo");
  socket_->SendText("leave");
  EXPECT_EQ(Next(), "closed 4002 as you wish");
  ASSERT_TRUE(Connect(url, plain).ok());
  EXPECT_EQ(Next(), "open echo");
  socket_->SendText("end");
  EXPECT_EQ(Next(), "closed 1001 ");
  EXPECT_EQ(::pclose(server), 0);
}

// ---- A server of bytes -------------------------------------------------------------------------

// The key of a client's request.
std::string KeyOf(std::string_view request) {
  constexpr std::string_view kName = "Sec-WebSocket-Key: ";
  const std::size_t at = request.find(kName);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = request.substr(at + kName.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

constexpr char kGood[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ACCEPT\r\n\r\n";

// Answers with `text`, in which ACCEPT stands for what belongs to the client's key.
RawServer::Answer Scripted(std::string text) {
  return [text = std::move(text)](net::Stream& stream, const RawServer::Asked& asked) {
    stream.Write(absl::StrReplaceAll(text, {{"ACCEPT", WebSocketAccept(KeyOf(asked.bytes))}}));
  };
}

std::string WsUrl(const RawServer& server, std::string_view path = "/") {
  return absl::StrCat("ws://", server.authority(), path);
}

TEST_F(WsClientTest, TheRequestIsThatOfTheStandard) {
  RawServer server(Scripted(kGood));
  ASSERT_TRUE(Connect(WsUrl(server, "/a?b=c"), {.fields = {{"Cookie", "a=b"}},
                                                .origin = "https://example.com",
                                                .subprotocols = {"x", "y"}})
                  .ok());
  const std::string request = server.received();
  const std::string key = KeyOf(request);
  EXPECT_TRUE(IsValidWebSocketKey(key)) << key;
  EXPECT_EQ(
      request,
      absl::StrCat("GET /a?b=c HTTP/1.1\r\nHost: ", server.authority(),
                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ", key,
                   "\r\nSec-WebSocket-Version: 13\r\nOrigin: https://example.com\r\n"
                   "Sec-WebSocket-Protocol: x, y\r\nSec-WebSocket-Extensions: ",
                   DeflateOffer(*ClientOptions().deflate), "\r\nCookie: a=b\r\n\r\n"));
}

TEST_F(WsClientTest, EachHandshakeHasAKeyOfItsOwn) {
  std::mutex mutex;
  std::vector<std::string> keys;
  RawServer server([&](net::Stream& stream, const RawServer::Asked& asked) {
    {
      const std::scoped_lock lock(mutex);
      keys.push_back(KeyOf(asked.bytes));
    }
    Scripted(kGood)(stream, asked);
  });
  ASSERT_TRUE(Connect(WsUrl(server)).ok());
  ASSERT_TRUE(Connect(WsUrl(server)).ok());
  const std::scoped_lock lock(mutex);
  EXPECT_NE(keys.at(0), keys.at(1));
}

TEST_F(WsClientTest, FramesAreMaskedEachByAKeyOfItsOwn) {
  RawServer server(Scripted(kGood));
  ASSERT_TRUE(Connect(WsUrl(server), {.deflate = std::nullopt}).ok());
  const std::size_t head = server.received().size();
  for (int i = 0; i < 300; ++i) socket_->SendText("abcd");
  ASSERT_TRUE(Eventually([&] { return server.received().size() >= head + 300 * 10; }));
  const std::string frames = server.received().substr(head);
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) {
    const std::string frame = frames.substr(static_cast<std::size_t>(i) * 10, 10);
    ASSERT_EQ(frame.substr(0, 2), "\x81\x84");
    std::string text;
    for (std::size_t j = 0; j < 4; ++j) text += static_cast<char>(frame[2 + j] ^ frame[6 + j]);
    ASSERT_EQ(text, "abcd");
    keys.push_back(frame.substr(2, 4));
  }
  // Of 300 keys of 32 bits two are equal once in 100,000 runs; three never.
  std::sort(keys.begin(), keys.end());
  EXPECT_GE(std::unique(keys.begin(), keys.end()) - keys.begin(), 299);
}

TEST_F(WsClientTest, WhatComesBehindTheAnswerIsForTheSocket) {
  RawServer server(Scripted(std::string(kGood) + "\x81\x05Hello" + "\x88\x02\x03\xe8"));
  ASSERT_TRUE(Connect(WsUrl(server)).ok());
  EXPECT_EQ(Next(), "open");
  EXPECT_EQ(Next(), "text Hello");
  EXPECT_EQ(Next(), "closed 1000 ");
}

TEST_F(WsClientTest, AnAnswerMayComeByteByByte) {
  RawServer server([](net::Stream& stream, const RawServer::Asked& asked) {
    const std::string all =
        absl::StrReplaceAll(kGood, {{"ACCEPT", WebSocketAccept(KeyOf(asked.bytes))}}) +
        "\x81\x02Hi";
    auto next = std::make_shared<std::function<void(net::Stream&, std::size_t)>>();
    *next = [all, weak = std::weak_ptr(next)](net::Stream& to, std::size_t at) {
      if (at == all.size()) return;
      to.Write(std::string_view(all).substr(at, 1));
      (void)to.Post([again = weak.lock(), at](net::Stream& later) { (*again)(later, at + 1); });
    };
    (*next)(stream, 0);
  });
  ASSERT_TRUE(Connect(WsUrl(server)).ok());
  EXPECT_EQ(Next(), "open");
  EXPECT_EQ(Next(), "text Hi");
}

TEST_F(WsClientTest, AMaskedFrameOfAServerIsAnError) {
  RawServer server(Scripted(std::string(kGood) + std::string("\x81\x81\0\0\0\0x", 7)));
  ASSERT_TRUE(Connect(WsUrl(server)).ok());
  EXPECT_EQ(Next(), "open");
  EXPECT_TRUE(Next().starts_with("closed 1002 "));
}

TEST_F(WsClientTest, InterimResponsesArePassedOver) {
  const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  RawServer server(Scripted(early + early + kGood));
  EXPECT_TRUE(Connect(WsUrl(server)).ok());
  const absl::Status status = Connect(WsUrl(server), {.max_interim_responses = 1});
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(WsClientTest, NamesAndTokensOfTheAnswerMayBeInAnyCase) {
  RawServer server(
      Scripted("HTTP/1.1 101 \r\nUPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"
               "sec-websocket-accept: ACCEPT\r\n\r\n"));
  EXPECT_TRUE(Connect(WsUrl(server)).ok());
}

// Each of the rules of RFC 6455 section 4.1, broken.
TEST_F(WsClientTest, AnAnswerThatBreaksARuleIsRefused) {
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string accept = "Sec-WebSocket-Accept: ACCEPT\r\n";
  const auto answer = [](const std::vector<std::string>& lines) {
    std::string all = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const std::string& line : lines) all += line;
    return all + "\r\n";
  };
  const std::string extensions = "Sec-WebSocket-Extensions: ";
  const std::vector<std::string> bad = {
      "nonsense\r\n\r\n",
      "HTTP/1.0 101 Switching Protocols\r\n" + upgrade + connection + accept + "\r\n",
      answer({connection, accept}),
      answer({"Upgrade: h2c\r\n", connection, accept}),
      answer({"Upgrade: websocket, h2c\r\n", connection, accept}),
      answer({upgrade, upgrade, connection, accept}),
      answer({upgrade, accept}),
      answer({upgrade, "Connection: close\r\n", accept}),
      answer({upgrade, connection}),
      answer({upgrade, connection, "Sec-WebSocket-Accept: \r\n"}),
      answer({upgrade, connection, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"}),
      answer({upgrade, connection, "Sec-WebSocket-Accept: ACCEPTx\r\n"}),
      answer({upgrade, connection, accept, accept}),
      answer({upgrade, connection, accept, "Sec-WebSocket-Protocol: z\r\n"}),
      answer({upgrade, connection, accept, "Sec-WebSocket-Protocol: A\r\n"}),
      answer({upgrade, connection, accept, "Sec-WebSocket-Protocol: a, b\r\n"}),
      answer({upgrade, connection, accept, "Sec-WebSocket-Protocol: \r\n"}),
      answer({upgrade, connection, accept, "Sec-WebSocket-Protocol: a\r\n",
              "Sec-WebSocket-Protocol: a\r\n"}),
      answer({upgrade, connection, accept, extensions, "x-unknown\r\n"}),
      answer({upgrade, connection, accept, extensions, "permessage-deflate, x-unknown\r\n"}),
      answer({upgrade, connection, accept, extensions,
              "permessage-deflate; server_no_context_takeover\r\n", extensions,
              "permessage-deflate; server_no_context_takeover\r\n"}),
      // Asked not to, it wants to keep a context.
      answer({upgrade, connection, accept, extensions, "permessage-deflate\r\n"}),
      answer({upgrade, connection, accept, extensions, "permessage-deflate; mystery\r\n"}),
  };
  for (const std::string& text : bad) {
    RawServer server(Scripted(text));
    const absl::Status status = Connect(WsUrl(server), {.subprotocols = {"a", "b"}});
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text << status;
    EXPECT_EQ(AnsweredStatus(status), 0);
    EXPECT_EQ(Next(), "destroyed");
  }
}

TEST_F(WsClientTest, DeflateThatWasNotOfferedIsRefused) {
  RawServer server(Scripted(absl::StrReplaceAll(
      kGood, {{"Upgrade: web", "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: web"}})));
  const absl::Status status = Connect(WsUrl(server), {.deflate = std::nullopt});
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST_F(WsClientTest, EachStatusHasItsCode) {
  const std::vector<std::pair<int, absl::StatusCode>> statuses = {
      {200, absl::StatusCode::kFailedPrecondition}, {301, absl::StatusCode::kFailedPrecondition},
      {400, absl::StatusCode::kFailedPrecondition}, {401, absl::StatusCode::kUnauthenticated},
      {403, absl::StatusCode::kPermissionDenied},   {404, absl::StatusCode::kNotFound},
      {429, absl::StatusCode::kUnavailable},        {500, absl::StatusCode::kFailedPrecondition},
      {503, absl::StatusCode::kUnavailable},
  };
  for (const auto& [status, code] : statuses) {
    // Whatever the size of the body, it is not waited for.
    RawServer server(
        absl::StrCat("HTTP/1.1 ", status, " Sorry\r\nContent-Length: 99999999999\r\n\r\nx"));
    const absl::Status got = Connect(WsUrl(server));
    EXPECT_EQ(got.code(), code) << got;
    EXPECT_EQ(AnsweredStatus(got), status);
  }
}

TEST_F(WsClientTest, AHeadHasABound) {
  RawServer lines("HTTP/1.1 101 " + std::string(9000, 'x'));
  EXPECT_EQ(Connect(WsUrl(lines)).code(), absl::StatusCode::kDataLoss);
  RawServer fields("HTTP/1.1 101 Yes\r\nX: " + std::string(40'000, 'x'));
  EXPECT_EQ(Connect(WsUrl(fields)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(WsClientTest, AServerThatEndsBeforeItsAnswerIsUnavailable) {
  for (const char* text : {"", "HTTP/1.1 101 Switch"}) {
    RawServer server(text, true);
    const absl::Status status = Connect(WsUrl(server));
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  }
}

TEST_F(WsClientTest, AServerThatSaysNothingIsGivenUp) {
  RawServer server([](net::Stream&, const RawServer::Asked&) {});
  const absl::Status status = Connect(WsUrl(server), {.timeout = std::chrono::milliseconds(20)});
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(Next(), "destroyed");
}

TEST_F(WsClientTest, NobodyListeningIsUnavailable) {
  std::string url;
  {
    RawServer server("");
    url = WsUrl(server);
  }
  EXPECT_EQ(Connect(url).code(), absl::StatusCode::kUnavailable);
}

TEST_F(WsClientTest, AHandshakeCanBeCancelled) {
  std::promise<void> asked;
  RawServer server([&](net::Stream&, const RawServer::Asked&) { asked.set_value(); });
  net::RefPtr<net::Connecting> connecting;
  auto done = Begin(WsUrl(server), {}, {}, &connecting);
  asked.get_future().wait();
  thread_.Do([&] { connecting->Cancel(); });
  EXPECT_EQ(done.get().code(), absl::StatusCode::kCancelled);
  thread_.Do([&] { connecting->Cancel(); });
}

TEST_F(WsClientTest, ALoopThatEndsFirstEndsTheHandshakeWithoutACall) {
  std::promise<void> asked;
  RawServer server([&](net::Stream&, const RawServer::Asked&) { asked.set_value(); });
  net::RefPtr<net::Connecting> connecting;
  auto done = Begin(WsUrl(server), {}, {}, &connecting);
  asked.get_future().wait();
  thread_.End();
  EXPECT_EQ(Next(), "destroyed");
  EXPECT_THROW(done.get(), std::future_error);
}

TEST_F(WsClientTest, ADrainingLoopGivesUp) {
  std::promise<void> asked;
  RawServer server([&](net::Stream&, const RawServer::Asked&) { asked.set_value(); });
  auto done = Begin(WsUrl(server));
  asked.get_future().wait();
  thread_.loop().Drain(net::testing::kLong);
  EXPECT_EQ(done.get().code(), absl::StatusCode::kCancelled);
}

// ---- What cannot be sent -----------------------------------------------------------------------

TEST_F(WsClientTest, WhatCannotBeSentIsRefused) {
  RawServer server(Scripted(kGood));
  const std::string url = WsUrl(server);
  const auto refused = [&](const std::string& to, const ClientOptions& options) {
    const absl::Status status = Connect(to, options);
    return status.code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused("", {}));
  EXPECT_TRUE(refused("http://127.0.0.1/", {}));
  EXPECT_TRUE(refused(url + "#part", {}));
  EXPECT_TRUE(refused(url + "#", {}));
  EXPECT_TRUE(refused("ws://user:word@127.0.0.1/", {}));
  EXPECT_TRUE(refused("wss://127.0.0.1/", {}));
  EXPECT_TRUE(refused(url, {.fields = {{"X", "a\r\nB: c"}}}));
  EXPECT_TRUE(refused(url, {.fields = {{"X:", "a"}}}));
  EXPECT_TRUE(refused(url, {.fields = {{"", "a"}}}));
  for (const char* name : {"Host", "connection", "Upgrade", "Origin", "Content-Length",
                           "Transfer-Encoding", "SEC-WEBSOCKET-KEY", "Sec-WebSocket-Else"}) {
    EXPECT_TRUE(refused(url, {.fields = {{name, "a"}}})) << name;
  }
  EXPECT_TRUE(refused(url, {.origin = "a\nb"}));
  EXPECT_TRUE(refused(url, {.subprotocols = {"a b"}}));
  EXPECT_TRUE(refused(url, {.subprotocols = {""}}));
  EXPECT_TRUE(refused(url, {.subprotocols = {"a", "b", "a"}}));
  EXPECT_TRUE(refused(url, {.proxy = "https://127.0.0.1:1"}));
  EXPECT_TRUE(refused(url, {.proxy = "127.0.0.1:1"}));
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= kMaxSubprotocols; ++i) many.push_back(absl::StrCat("p", i));
  EXPECT_TRUE(refused(url, {.subprotocols = many}));
  EXPECT_EQ(server.connections(), 0);
}

// ---- Proxies -----------------------------------------------------------------------------------

TEST_F(WsClientTest, AProxyIsAskedForATunnel) {
  RawServer proxy([](net::Stream& stream, const RawServer::Asked& asked) {
    if (asked.request == 1) {
      stream.Write("HTTP/1.1 200 Connected\r\n\r\n");
    } else {
      Scripted(std::string(kGood) + "\x81\x02Hi")(stream, asked);
    }
  });
  ASSERT_TRUE(Connect("ws://chat.example/room",
                      {.proxy = absl::StrCat("http://me:p%40ss@", proxy.authority())})
                  .ok());
  EXPECT_EQ(Next(), "open");
  EXPECT_EQ(Next(), "text Hi");
  const std::string received = proxy.received();
  EXPECT_TRUE(
      received.starts_with("CONNECT chat.example:80 HTTP/1.1\r\nHost: chat.example:80\r\n"
                           "Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\nGET /room "
                           "HTTP/1.1\r\nHost: chat.example\r\n"))
      << received;
}

TEST_F(WsClientTest, AProxysFaultsAreErrors) {
  const std::vector<std::pair<std::string, absl::StatusCode>> answers = {
      {"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", absl::StatusCode::kPermissionDenied},
      {"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", absl::StatusCode::kUnavailable},
      {"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n", absl::StatusCode::kFailedPrecondition},
      {"HTTP/1.1 200 Yes\r\n\r\nHTTP/1.1 101 Yes\r\n", absl::StatusCode::kDataLoss},
      {"nonsense\r\n\r\n", absl::StatusCode::kDataLoss},
  };
  for (const auto& [text, code] : answers) {
    RawServer proxy(text);
    const absl::Status status =
        Connect("ws://chat.example/", {.proxy = absl::StrCat("http://", proxy.authority())});
    EXPECT_EQ(status.code(), code) << text << status;
    EXPECT_EQ(proxy.received().find("GET"), std::string::npos);
  }
}

}  // namespace
}  // namespace strata::ws
