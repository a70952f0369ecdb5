// A server as its clients see it: bytes in, bytes out.

#include "strata/http/server.h"

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"

namespace strata::http {
namespace {

using net::testing::Pattern;
using testing::Get;
using testing::WireClient;
using testing::WireResponse;
using ServerTest = testing::WireTest;

void Hello(Request&, Response& response) { response.SendText("Hello, World!"); }
void Echo(Request& request, Response& response) { response.Send(request.body()); }

Router HelloRouter() {
  Router router;
  router.Get("/", Hello);
  router.Post("/echo", Echo);
  return router;
}

std::string Post(std::string_view path, std::string_view body) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: test\r\nContent-Length: ", body.size(),
                      "\r\n\r\n", body);
}

// ---- Requests and answers ----------------------------------------------------------------------

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Serve(HelloRouter());
  WireClient client = Connect();
  for (int i = 0; i < 3; ++i) {
    const WireResponse response = client.Ask(Get("/"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "Hello, World!");
    EXPECT_EQ(response.Field("Content-Length"), "13");
    EXPECT_EQ(response.Field("Server"), "strata");
    EXPECT_EQ(response.Field("Date").size(), 29u);
    EXPECT_EQ(response.Field("Connection"), "-");
  }
  EXPECT_EQ(Count(&ServerCounters::requests), 3u);
  EXPECT_EQ(Count(&ServerCounters::connections), 1u);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Router router = HelloRouter();
  router.Get("/n/{n}",
             [](Request& request, Response& response) { response.SendText(request.param("n")); });
  Serve(std::move(router));
  WireClient client = Connect();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += Get(absl::StrCat("/n/", i));
  client.Send(requests);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(client.Read().body, std::to_string(i));
}

TEST_F(ServerTest, ARequestMayComeInPiecesOfAnySize) {
  Serve(HelloRouter());
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nA: b\r\n\r\n";
  const std::string requests = Get("/") + Post("/echo", "a body") + chunked + Get("/");
  for (std::size_t piece : {1u, 2u, 3u, 7u, 50u}) {
    WireClient client = Connect();
    for (std::size_t at = 0; at < requests.size(); at += piece) {
      client.Send(requests.substr(at, piece));
    }
    EXPECT_EQ(client.Read().body, "Hello, World!");
    EXPECT_EQ(client.Read().body, "a body");
    EXPECT_EQ(client.Read().body, "hello, world");
    EXPECT_EQ(client.Read().body, "Hello, World!");
  }
}

TEST_F(ServerTest, HeadIsGetWithoutABody) {
  Serve(HelloRouter());
  WireClient client = Connect();
  const WireResponse response = client.Ask("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Content-Length"), "13");
  EXPECT_EQ(client.Ask(Get("/")).body, "Hello, World!");
}

TEST_F(ServerTest, OptionsTellsTheMethods) {
  Serve(HelloRouter());
  WireClient client = Connect();
  WireResponse response = client.Ask("OPTIONS /echo HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.Field("Allow"), "POST, OPTIONS");
  response = client.Ask("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.Field("Allow"), "GET, HEAD, POST, OPTIONS");
}

TEST_F(ServerTest, WhatIsNotThereSaysSo) {
  Serve(HelloRouter());
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/none")).status, 404);
  WireResponse response = client.Ask("PUT /echo HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(client.Ask("BREW /echo HTTP/1.1\r\nHost: test\r\n\r\n").status, 501);
  EXPECT_EQ(client.Ask("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n").status, 501);
  EXPECT_EQ(client.Ask(Get("/")).status, 200) << "the connection goes on";
}

TEST_F(ServerTest, AnswersHttp10AsThatWants) {
  Serve(HelloRouter());
  {
    WireClient client = Connect();
    const WireResponse response = client.Ask("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(response.body, "Hello, World!");
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_EQ(client.ReadAll(), "");
  }
  WireClient client = Connect();
  for (int i = 0; i < 2; ++i) {
    const WireResponse response = client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.body, "Hello, World!");
    EXPECT_EQ(response.Field("Connection"), "keep-alive");
  }
}

TEST_F(ServerTest, AskedToCloseItCloses) {
  Serve(HelloRouter());
  WireClient client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n" + Get("/"));
  EXPECT_EQ(client.Read().Field("Connection"), "close");
  EXPECT_EQ(client.ReadAll(), "") << "what follows is not answered";
}

TEST_F(ServerTest, ABrokenRuleIsNamedAndEndsTheConnection) {
  Serve(HelloRouter());
  const std::pair<const char*, int> cases[] = {
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417},
  };
  for (const auto& [request, status] : cases) {
    WireClient client = Connect();
    const WireResponse response = client.Ask(request);
    EXPECT_EQ(response.status, status) << request;
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_GT(response.body.size(), 10u);
    EXPECT_EQ(client.ReadAll(), "");
  }
  EXPECT_EQ(Count(&ServerCounters::refused), std::size(cases));
}

TEST_F(ServerTest, TheAnswerToALargeRefusedRequestCanBeRead) {
  Serve(HelloRouter());
  WireClient client = Connect();
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  client.Send(Pattern(3'000'000));
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(ServerTest, AHeadThatIsLateIsToldAndEnded) {
  ServerOptions options;
  options.header_timeout = std::chrono::milliseconds(30);
  Serve(HelloRouter(), std::move(options));
  WireClient client = Connect();
  client.Send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_EQ(Count(&ServerCounters::timeouts), 1u);
}

TEST_F(ServerTest, MostRequestsOfAConnection) {
  ServerOptions options;
  options.max_requests_per_connection = 2;
  Serve(HelloRouter(), std::move(options));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).Field("Connection"), "-");
  EXPECT_EQ(client.Ask(Get("/")).Field("Connection"), "close");
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ServerTest, AFieldThatWouldBreakTheFramingIsNotSent) {
  Router router;
  router.Get("/{kind}", [](Request& request, Response& response) {
    if (request.param("kind") == "value") response.Add("X-A", "a\r\nInjected: b");
    if (request.param("kind") == "name") response.Add("X A", "a");
    if (request.param("kind") == "framing") response.Add("Content-Length", "3");
    if (request.param("kind") == "status") response.set_status(1000);
    response.SendText("text");
  });
  Serve(std::move(router));
  WireClient client = Connect();
  for (const char* kind : {"/value", "/name", "/framing", "/status"}) {
    const WireResponse response = client.Ask(Get(kind));
    EXPECT_EQ(response.status, 500) << kind;
    EXPECT_EQ(response.Field("Injected"), "-");
    EXPECT_EQ(response.body, "");
  }
}

TEST_F(ServerTest, FieldsAreAddedSetAndVaried) {
  Router router;
  router.Get("/", [](Request&, Response& response) {
    response.Add("Set-Cookie", "a=1");
    response.Add("Set-Cookie", "b=2");
    response.Set(FieldId::kCacheControl, "no-store");
    response.Set(FieldId::kCacheControl, "max-age=5");
    response.Set(FieldId::kServer, "mine");
    response.head().Vary("Accept");
    response.head().Vary("accept");
    response.head().Vary("Origin");
    response.SendJson("{}");
  });
  Serve(std::move(router));
  const WireResponse response = Connect().Ask(Get("/"));
  EXPECT_NE(response.head.find("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"), std::string::npos);
  EXPECT_EQ(response.Field("Cache-Control"), "max-age=5");
  EXPECT_EQ(response.head.find("no-store"), std::string::npos);
  EXPECT_EQ(response.Field("Server"), "mine");
  EXPECT_EQ(response.Field("Vary"), "Accept, Origin");
  EXPECT_EQ(response.Field("Content-Type"), "application/json");
}

// ---- Bodies of requests ------------------------------------------------------------------------

TEST_F(ServerTest, BodiesUpToTheLimit) {
  ServerOptions options;
  options.limits.max_body_bytes = 1000;
  Router router = HelloRouter();
  router.Post("/large", Echo, {.max_body_bytes = 100'000});
  Serve(std::move(router), std::move(options));
  const std::string text = Pattern(100'000);
  EXPECT_EQ(Connect().Ask(Post("/echo", text.substr(0, 1000))).body, text.substr(0, 1000));
  EXPECT_EQ(Connect().Ask(Post("/echo", text.substr(0, 1001))).status, 413);
  EXPECT_TRUE(Connect().Ask(Post("/large", text)).body == text);
  EXPECT_EQ(Connect()
                .Ask("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3e9\r\n" +
                     text.substr(0, 1001) + "\r\n0\r\n\r\n")
                .status,
            413);
}

TEST_F(ServerTest, AClientThatAsksIsToldToGoOn) {
  Serve(HelloRouter());
  WireClient client = Connect();
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(client.Ask(head).status, 100);
  EXPECT_EQ(client.Ask("ok").body, "ok");
  client.Send(head + "no");
  EXPECT_EQ(client.Read().body, "no") << "who does not wait is not told";
}

TEST_F(ServerTest, AClientThatAsksAndIsRefusedIsClosed) {
  Serve(HelloRouter());
  WireClient client = Connect();
  const WireResponse response = client.Ask(
      "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.Field("Connection"), "close");
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ServerTest, AnUnreadBodyIsNotTheNextRequest) {
  Serve(HelloRouter());
  WireClient client = Connect();
  const std::string smuggled = Get("/");
  EXPECT_EQ(client.Ask(Post("/none", smuggled)).status, 404);
  EXPECT_EQ(client.Ask(Get("/none")).status, 404) << "the answer to this, and to nothing else";
  client.Send("POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(client.Read().status, 404);
  client.Send("5\r\nhello\r\n0\r\n\r\n" + Get("/"));
  EXPECT_EQ(client.Read().body, "Hello, World!");
}

TEST_F(ServerTest, ALargeUnreadBodyEndsTheConnectionAfterTheAnswer) {
  Serve(HelloRouter());
  WireClient client = Connect();
  client.Send("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n");
  const WireResponse response = client.Read();
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.Field("Connection"), "close");
  WireClient chunked = Connect();
  chunked.Send("POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(chunked.Read().status, 404);
  chunked.Send("61a80\r\n" + Pattern(400'000));
  EXPECT_EQ(chunked.ReadAll(), "");
}

TEST_F(ServerTest, TrailersComeWithTheBody) {
  Router router;
  router.Post("/", [](Request& request, Response& response) {
    response.SendText(
        absl::StrCat(request.body(), ":", request.trailers().Get("X-Sum").value_or("none")));
  });
  Serve(std::move(router));
  EXPECT_EQ(Connect()
                .Ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
                .body,
            "hi:7");
}

TEST_F(ServerTest, ABodyThatComesTooSlowlyEndsTheConnection) {
  ServerOptions options;
  options.min_body_bytes_per_second = 1000;
  options.body_rate_window = std::chrono::milliseconds(30);
  Serve(HelloRouter(), std::move(options));
  WireClient client = Connect();
  client.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
  client.ReadAll();
  EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::closed) == 1; }));
}

// ---- Routes ------------------------------------------------------------------------------------

TEST_F(ServerTest, CapturesAreDecodedAndCannotTraverse) {
  Router router;
  router.Get("/one/{a}/{b}", [](Request& request, Response& response) {
    response.SendText(absl::StrCat(request.param("a"), "|", request.param("b"), "|",
                                   request.param("c"), "|", request.params().size()));
  });
  router.Get("/rest/{path...}", [](Request& request, Response& response) {
    response.SendText(absl::StrCat("[", request.param("path"), "]"));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/one/x%20y/%C3%A9?q=1")).body, "x y|\xC3\xA9||2");
  EXPECT_EQ(client.Ask(Get("/rest/a/b%2Ec")).body, "[a/b.c]");
  EXPECT_EQ(client.Ask(Get("/rest/")).body, "[]");
  EXPECT_EQ(client.Ask(Get("/rest/.hidden/a..b")).body, "[.hidden/a..b]");
  for (const char* path : {"/one/..%2F/b", "/one/a/%2e%2e", "/rest/../x", "/rest/%2e%2e/x",
                           "/rest/a%00b", "/rest/a%5Cb", "/rest/%", "/one/a/%zz"}) {
    EXPECT_EQ(Connect().Ask(Get(path)).status, 400) << path;
  }
}

TEST_F(ServerTest, MiddlewaresGroupsAndHosts) {
  Router router;
  struct User {
    std::string name;
  };
  router.Use([](Request&, Response& response) { response.Add("X-Order", "1"); });
  router.Group("/api", [](Router& api) {
    api.Use([](Request& request, Response& response) {
      response.Add("X-Order", "2");
      if (request.field("X-User")) {
        request.Attach(std::make_shared<const User>(User{std::string(*request.field("X-User"))}));
      } else {
        response.SendError(401);
      }
    });
    api.Get("/who", [](Request& request, Response& response) {
      response.SendText(request.Attached<User>()->name);
    });
    api.Post("/who", Echo);
  });
  router.Get("/open", Hello);
  router.Host("other.example", [](Router& host) {
    host.Get("/open", [](Request&, Response& response) { response.SendText("other"); });
  });
  Serve(std::move(router));
  WireClient client = Connect();
  WireResponse response = client.Ask("GET /api/who HTTP/1.1\r\nHost: a\r\nX-User: ann\r\n\r\n");
  EXPECT_EQ(response.body, "ann");
  EXPECT_NE(response.head.find("X-Order: 1\r\nX-Order: 2\r\n"), std::string::npos);
  EXPECT_EQ(client.Ask(Get("/api/who")).status, 401);
  EXPECT_EQ(client.Ask(Post("/api/who", "a body that nobody reads")).status, 401);
  response = client.Ask(Get("/open"));
  EXPECT_EQ(response.body, "Hello, World!");
  EXPECT_EQ(response.head.find("X-Order: 2"), std::string::npos);
  EXPECT_EQ(client.Ask("GET /open HTTP/1.1\r\nHost: Other.Example:8080\r\n\r\n").body, "other");
}

TEST_F(ServerTest, SomeMiddlewaresRunAlways) {
  Router router;
  router.UseAlways([](Request&, Response& response) { response.Add("X-Always", "yes"); });
  router.Get("/", Hello);
  router.NotFound([](Request& request, Response& response) {
    response.SendText(absl::StrCat("no ", request.path()));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).Field("X-Always"), "yes");
  const WireResponse missing = client.Ask(Get("/x"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, "no /x");
  EXPECT_EQ(missing.Field("X-Always"), "yes");
}

TEST(RouterTest, ErrorsComeOutOfCreate) {
  Router router;
  router.Get("/a", Hello);
  router.Get("/a", Hello);
  const auto server = Server::Create(std::move(router), {.address = "127.0.0.1:0"});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find("/a"), std::string::npos) << server.status();
}

// ---- Answers that come later -------------------------------------------------------------------

TEST_F(ServerTest, AnAnswerMayComeFromAnyThread) {
  Router router;
  std::mutex mutex;
  std::vector<std::thread> threads;
  router.Post("/", [&](Request& request, Response& response) {
    std::lock_guard<std::mutex> lock(mutex);
    threads.emplace_back([responder = response.Defer(), kept = request.Keep()]() mutable {
      responder.Send(Reply(
          201, "text/plain",
          absl::StrCat(kept.path(), " ", kept.body(), " ", kept.field("Host").value_or("?"))));
    });
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Post("/?q", "one") + Post("/", "two") + Post("/", "three"));
  WireResponse response = client.Read();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "/ one test");
  EXPECT_EQ(client.Read().body, "/ two test");
  EXPECT_EQ(client.Read().body, "/ three test");
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ServerTest, AResponderThatIsDroppedAnswers500) {
  Router router;
  router.Get("/dropped", [](Request&, Response& response) { (void)response.Defer(); });
  router.Get("/forgotten", [](Request&, Response&) {});
  router.Get("/twice", [](Request&, Response& response) {
    Responder responder = response.Defer();
    responder.Send(Reply(200, "text/plain", "once"));
    responder.Send(Reply(200, "text/plain", "twice"));
    response.SendText("thrice");
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/dropped")).status, 500);
  EXPECT_EQ(client.Ask(Get("/forgotten")).status, 500);
  EXPECT_EQ(client.Ask(Get("/twice")).body, "once");
  EXPECT_EQ(client.Ask(Get("/forgotten")).status, 500);
}

TEST_F(ServerTest, AClientThatLeavesIsTold) {
  Router router;
  std::promise<Responder> deferred;
  std::promise<void> aborted;
  router.Get("/", [&](Request&, Response& response) {
    Responder responder = response.Defer();
    responder.OnAbort([&] { aborted.set_value(); });
    deferred.set_value(std::move(responder));
  });
  Serve(std::move(router));
  std::optional<WireClient> client(Connect());
  client->Send(Get("/"));
  Responder responder = deferred.get_future().get();
  EXPECT_FALSE(responder.aborted());
  client.reset();
  aborted.get_future().wait();
  EXPECT_TRUE(responder.aborted());
  responder.Send(Reply(200, "text/plain", "to nobody"));
}

TEST_F(ServerTest, AResponderOutlivesTheServer) {
  Router router;
  std::promise<Responder> deferred;
  router.Get("/", [&](Request&, Response& response) { deferred.set_value(response.Defer()); });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/"));
  Responder responder = deferred.get_future().get();
  Stop();
  responder.Send(Reply(200, "text/plain", "to nobody"));
  EXPECT_EQ(client.Read().status, 0);
}

TEST_F(ServerTest, AClientThatEndsItsHalfStillGetsItsAnswers) {
  Router router = HelloRouter();
  std::promise<Responder> deferred;
  router.Get("/later", [&](Request&, Response& response) { deferred.set_value(response.Defer()); });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/later") + Get("/"));
  Responder responder = deferred.get_future().get();
  client.peer().EndSending();
  responder.Send(Reply(200, "text/plain", "late"));
  EXPECT_EQ(client.Read().body, "late");
  EXPECT_EQ(client.Read().body, "Hello, World!");
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(ServerTest, AHandlerMayAnswerAnotherConnectionsRequest) {
  Router router = HelloRouter();
  std::promise<void> waiting;
  std::optional<Responder> held;
  router.Get("/wait", [&](Request&, Response& response) {
    held.emplace(response.Defer());
    waiting.set_value();
  });
  router.Get("/release", [&](Request& request, Response& response) {
    held->Send(Reply(200, "text/plain", "released"));
    response.SendText(request.path());
  });
  Serve(std::move(router));
  WireClient one = Connect();
  one.Send(Get("/wait") + Get("/") + Get("/none"));
  waiting.get_future().wait();
  WireClient two = Connect();
  EXPECT_EQ(two.Ask(Get("/release")).body, "/release");
  EXPECT_EQ(one.Read().body, "released");
  EXPECT_EQ(one.Read().body, "Hello, World!");
  EXPECT_EQ(one.Read().status, 404);
}

TEST_F(ServerTest, WhatFollowsAnOpenRequestIsBounded) {
  Router router;
  std::promise<Responder> deferred;
  router.Get("/", [&](Request&, Response& response) { deferred.set_value(response.Defer()); });
  router.Post("/echo", Echo);
  ServerOptions options;
  options.max_pipelined_bytes = 10'000;
  options.limits.max_body_bytes = 20'000'000;
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  const std::string text = Pattern(10'000'000);
  client.Send(Get("/"));
  Responder responder = deferred.get_future().get();
  std::thread sender([&] { client.Send(Post("/echo", text)); });
  responder.Send(Reply(200, "text/plain", "first"));
  EXPECT_EQ(client.Read().body, "first");
  sender.join();
  EXPECT_TRUE(client.Read().body == text);
}

TEST_F(ServerTest, LargePipelinedAnswersWaitForTheirReader) {
  Router router;
  const auto text = std::make_shared<const std::string>(Pattern(1'000'000));
  std::atomic<int> asked{0};
  router.Get("/", [&](Request&, Response& response) {
    ++asked;
    response.Send(ReplyBody(text));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += Get("/");
  client.Send(requests);
  ASSERT_TRUE(client.Read().body == *text);
  // What was asked for and not read: the system's buffers, and little more.
  EXPECT_LT(asked, 40);
  for (int i = 1; i < 200; ++i) ASSERT_TRUE(client.Read().body == *text);
}

TEST_F(ServerTest, WorkersAnswerAndAreNotOverrun) {
  net::WorkerPool workers({.threads = 1, .max_queued_jobs = 1});
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  Router router;
  router.Post("/", OnWorkers(workers, [gone](const KeptRequest& request) {
                gone.wait();
                return Reply(200, "text/plain", std::string(request.body()));
              }));
  Serve(std::move(router));
  std::vector<WireClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(Connect());
    clients.back().Send(Post("/", std::to_string(i)));
    // One runs, one waits.
    if (i == 0) {
      EXPECT_TRUE(Eventually([&] { return workers.counts().running == 1; }));
    }
  }
  EXPECT_TRUE(Eventually([&] { return workers.counts().refused == 3; }));
  go.set_value();
  int busy = 0;
  for (int i = 0; i < 5; ++i) {
    const WireResponse response = clients[static_cast<std::size_t>(i)].Read();
    if (response.status == 503) {
      ++busy;
      EXPECT_EQ(response.Field("Retry-After"), "1");
    } else {
      EXPECT_EQ(response.body, std::to_string(i));
    }
  }
  EXPECT_EQ(busy, 3);
  Stop();
}

TEST_F(ServerTest, AnAnswerDoesNotWaitForTheWorkersNextJob) {
  net::WorkerPool workers({.threads = 1});
  std::array<std::promise<void>, 2> gates;
  std::array<std::shared_future<void>, 2> open = {gates[0].get_future().share(),
                                                  gates[1].get_future().share()};
  Router router;
  router.Get("/{job}", OnWorkers(workers, [open](const KeptRequest& request) {
               if (request.param("job") == "first") open[0].wait();
               if (request.param("job") == "last") open[1].wait();
               return Reply(200, "text/plain", std::string(request.param("job")));
             }));
  Serve(std::move(router));
  std::vector<WireClient> clients;
  for (const std::string_view job : {"first", "second", "last"}) {
    clients.push_back(Connect());
    clients.back().Send(Get("/" + std::string(job)));
    EXPECT_TRUE(Eventually(
        [&] { return workers.counts().running == 1 && workers.queued() + 1 == clients.size(); }));
  }
  // The worker has a next job each time, and is stuck with the last one.
  gates[0].set_value();
  EXPECT_EQ(clients[0].Read().body, "first");
  EXPECT_EQ(clients[1].Read().body, "second");
  gates[1].set_value();
  EXPECT_EQ(clients[2].Read().body, "last");
  Stop();
}

// ---- Other protocols, and the end ---------------------------------------------------------------

TEST_F(ServerTest, AnUpgradeHandsTheConnectionOver) {
  Router router;
  router.Get("/chat", [](Request&, Response& response) {
    auto handler = std::make_unique<net::testing::TestHandler>();
    handler->on_open = [](net::Stream& stream) { stream.Write("welcome;"); };
    handler->on_receive = [](net::Stream& stream, std::string_view bytes) { stream.Write(bytes); };
    response.Add("X-Mine", "1");
    response.Upgrade("chat", std::move(handler));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  const WireResponse response = client.Ask(
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nearly;");
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.Field("Upgrade"), "chat");
  EXPECT_EQ(response.Field("Connection"), "Upgrade");
  EXPECT_EQ(response.Field("X-Mine"), "1");
  client.Send("late");
  client.peer().EndSending();
  EXPECT_EQ(client.ReadAll(), "welcome;early;late");
  WireClient plain = Connect();
  const WireResponse refused = plain.Ask(Get("/chat"));
  EXPECT_EQ(refused.status, 426);
  EXPECT_EQ(refused.Field("Upgrade"), "chat");
}

TEST_F(ServerTest, ADrainAnswersWhatIsOpenAndClosesWhatIsIdle) {
  ServerOptions options;
  options.drain_grace = std::chrono::milliseconds(20);
  Router router = HelloRouter();
  std::promise<Responder> deferred;
  router.Get("/later", [&](Request&, Response& response) { deferred.set_value(response.Defer()); });
  Serve(std::move(router), std::move(options));
  WireClient idle = Connect();
  EXPECT_EQ(idle.Ask(Get("/")).status, 200);
  WireClient fresh = Connect();
  WireClient busy = Connect();
  busy.Send(Get("/later"));
  Responder responder = deferred.get_future().get();
  std::thread stopper([&] { server().Stop(net::testing::kLong); });
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_EQ(fresh.ReadAll(), "");
  responder.Send(Reply(200, "text/plain", "done"));
  const WireResponse response = busy.Read();
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.Field("Connection"), "close");
  EXPECT_EQ(busy.ReadAll(), "");
  stopper.join();
}

// RFC 9112 section 9.5: the client of an idle connection may have sent a request that has not come.
TEST_F(ServerTest, ADrainAnswersWhatIsOnItsWay) {
  ServerOptions options;
  options.drain_grace = net::testing::kLong;
  Router router = HelloRouter();
  router.Post("/", [](Request& request, Response& response) { response.Send(request.body()); });
  Serve(std::move(router), std::move(options));
  WireClient kept = Connect();
  EXPECT_EQ(kept.Ask(Get("/")).status, 200);
  WireClient fresh = Connect();
  WireClient partial = Connect();
  partial.Send("POST / HT");
  EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::connections) == 3; }));
  net::Loop& loop = server().runtime().loop(0);
  loop.Drain(net::testing::kLong);
  std::promise<void> drains;  // Tasks run in the order in which they were posted.
  EXPECT_EQ(loop.Post([&] { drains.set_value(); }), net::Error::kOk);
  drains.get_future().wait();
  const std::string rest = "TP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
  partial.Send(rest);
  for (WireClient* client : {&kept, &fresh}) client->Send("POST / HT" + rest);
  for (WireClient* client : {&kept, &fresh, &partial}) {
    const WireResponse response = client->Read();
    EXPECT_EQ(response.body, "hi");
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_EQ(client->ReadAll(), "");
  }
}

}  // namespace
}  // namespace strata::http
