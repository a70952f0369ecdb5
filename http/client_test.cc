// The client against our own server.

#include "strata/http/client.h"

#include <algorithm>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/blocking_client.h"
#include "strata/http/cookie_jar.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"

namespace strata::http {
namespace {

using net::testing::Pattern;
using testing::ClientThread;
using Response_ = absl::StatusOr<ClientResponse>;

void Echo(Request& request, Response& response) { response.SendText(request.body()); }

class ClientTest : public testing::WireTest {
 protected:
  std::string Url(std::string_view path) const {
    return absl::StrCat("http://", server_->address().ToString(), path);
  }
};

// Made of pieces of a text.
BodyProducer Pieces(std::string text, std::size_t piece_bytes) {
  return [text = std::move(text), piece_bytes, at = std::size_t{0}](std::string& out) mutable {
    out += text.substr(at, piece_bytes);
    at += piece_bytes;
    return at < text.size() ? Produced::kMore : Produced::kEnd;
  };
}

TEST_F(ClientTest, FetchesAnAnswerWithItsFields) {
  Router router;
  router.Get("/hello", [](Request& request, Response& response) {
    response.Add("X-Asked-By", request.head().fields.Get(FieldId::kUserAgent).value_or("-"));
    response.SendText("Hello, World!");
  });
  Serve(std::move(router));
  ClientThread client({.user_agent = "test/1"});
  const Response_ response = client.Get(Url("/hello"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->reason, "OK");
  EXPECT_EQ(response->body, "Hello, World!");
  EXPECT_EQ(response->fields.Get("x-asked-by"), "test/1");
  EXPECT_EQ(response->url, Url("/hello"));
}

TEST_F(ClientTest, AnyStatusIsAnAnswer) {
  Serve(Router());
  ClientThread client;
  const Response_ response = client.Get(Url("/nowhere"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 404);
}

TEST_F(ClientTest, SendsABody) {
  Router router;
  router.Post("/", Echo);
  Serve(std::move(router));
  ClientThread client;
  const std::string body = Pattern(600'000);
  const Response_ response = client.Fetch({.method = "POST", .url = Url("/"), .body = body});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->body == body);
}

TEST_F(ClientTest, SendsABodyThatIsMadeOnTheWay) {
  Router router;
  router.Post("/", Echo);
  Serve(std::move(router));
  ClientThread client;
  const std::string body = Pattern(900'000);
  for (const bool with_length : {false, true}) {
    ClientRequest request{.method = "POST", .url = Url("/")};
    request.open_body = [&] { return Pieces(body, 10'000); };
    if (with_length) request.body_length = body.size();
    const Response_ response = client.Fetch(std::move(request));
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_TRUE(response->body == body);
  }
  EXPECT_EQ(client.idle_count(), 1);
}

TEST_F(ClientTest, ABodyThatCannotBeMadeIsAnError) {
  Router router;
  router.Post("/", Echo);
  Serve(std::move(router));
  ClientThread client;
  for (const std::uint64_t length : {4, 6}) {
    ClientRequest request{.method = "POST", .url = Url("/")};
    request.open_body = [] { return Pieces("12345", 2); };
    request.body_length = length;
    EXPECT_EQ(client.Fetch(std::move(request)).status().code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(client.connection_count(), 0);
}

TEST_F(ClientTest, KeepsTheConnectionForTheNextRequest) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("again"); });
  Serve(std::move(router));
  ClientThread client;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.Get(Url("/"))->body, "again");
  EXPECT_EQ(Count(&ServerCounters::connections), 1);
  EXPECT_EQ(client.client().counters().reused.Get(), 9);
}

TEST_F(ClientTest, AConnectionIsClosedWhenItWasNotUsedForLong) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  ClientThread client({.keep_alive = std::chrono::milliseconds(20)});
  EXPECT_TRUE(client.Get(Url("/")).ok());
  EXPECT_TRUE(Eventually([&] { return client.connection_count() == 0; }));
}

TEST_F(ClientTest, HeadHasNoBody) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("unseen"); });
  Serve(std::move(router));
  ClientThread client;
  const Response_ response = client.Fetch({.method = "HEAD", .url = Url("/")});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->fields.Get("Content-Length"), "6");
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(client.Get(Url("/"))->body, "unseen");
  EXPECT_EQ(Count(&ServerCounters::connections), 1);
}

TEST_F(ClientTest, NoMoreConnectionsToAHostThanAllowed) {
  std::mutex mutex;
  std::vector<Responder> held;
  Router router;
  router.Get("/", [&](Request&, Response& response) {
    const std::scoped_lock lock(mutex);
    held.push_back(response.Defer());
  });
  Serve(std::move(router));
  ClientThread client({.max_connections_per_host = 3});
  std::vector<std::future<Response_>> answers;
  for (int i = 0; i < 12; ++i) answers.push_back(client.Begin({.url = Url("/")}));
  for (int answered = 0; answered < 12;) {
    EXPECT_TRUE(Eventually([&] {
      const std::scoped_lock lock(mutex);
      return held.size() == 3;
    }));
    const std::scoped_lock lock(mutex);
    for (Responder& responder : held) responder.Send(Reply(200, "text/plain", "x"));
    answered += 3;
    held.clear();
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(Count(&ServerCounters::connections), 3);
}

TEST_F(ClientTest, ConnectionsInAllAreBoundedToo) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  testing::RawServer other("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny");
  ClientThread client({.max_connections = 1});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.Get(Url("/"))->body, "x");
    EXPECT_EQ(client.Get(other.Url())->body, "y");
    EXPECT_EQ(client.connection_count(), 1);
  }
  // Both at once: one waits for the other to be done.
  auto one = client.Begin({.url = Url("/")});
  auto another = client.Begin({.url = other.Url()});
  EXPECT_EQ(one.get()->body, "x");
  EXPECT_EQ(another.get()->body, "y");
}

TEST_F(ClientTest, RequestsThatWaitAreBounded) {
  Router router;
  std::vector<Responder> held;
  router.Get("/", [&](Request&, Response& response) { held.push_back(response.Defer()); });
  Serve(std::move(router));
  ClientThread client({.max_connections_per_host = 1, .max_waiting_requests = 1});
  auto first = client.Begin({.url = Url("/")});
  auto second = client.Begin({.url = Url("/")});
  EXPECT_EQ(client.Get(Url("/")).status().code(), absl::StatusCode::kResourceExhausted);
  client.End();
  EXPECT_EQ(first.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(second.get().status().code(), absl::StatusCode::kCancelled);
  Stop();
}

// Collects, and pauses after each piece until it is told to go on.
struct Collector final : ResponseReceiver {
  void OnHead(const ClientResponse& head, Fetching&) override { status = head.status; }
  void OnData(std::string_view bytes, Fetching& fetching) override {
    EXPECT_FALSE(paused);
    body += bytes;
    if (!pause) return;
    fetching.Pause();
    paused = true;
  }

  std::string& body;
  bool pause;
  bool paused = false;
  int status = 0;

  Collector(std::string& body, bool pause) : body(body), pause(pause) {}
};

TEST_F(ClientTest, GivesABodyToAReceiver) {
  const std::string body = Pattern(20'000'000);
  Router router;
  router.Get("/", [&](Request&, Response& response) { response.Send(ReplyBody(body)); });
  Serve(std::move(router));
  ClientThread client;
  std::string received;
  ClientRequest request{.url = Url("/")};
  request.receiver = std::make_unique<Collector>(received, false);
  const Response_ response = client.Fetch(std::move(request));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(received == body);
  EXPECT_EQ(response->body, "");
}

TEST_F(ClientTest, AReceiverCanPause) {
  const std::string body = Pattern(2'000'000);
  Router router;
  router.Get("/length", [&](Request&, Response& response) { response.Send(ReplyBody(body)); });
  router.Get("/chunks", [&](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, Pieces(body, 5'000)));
  });
  Serve(std::move(router));
  for (const std::string path : {"/length", "/chunks"}) {
    ClientThread client;
    std::string received;
    auto collector = std::make_unique<Collector>(received, true);
    Collector& seen = *collector;
    ClientRequest request{.url = Url(path)};
    request.receiver = std::move(collector);
    net::RefPtr<Fetching> fetching;
    auto answer = client.Begin(std::move(request), &fetching);
    int pauses = 0;
    while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      client.Do([&] {
        if (answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready) return;
        if (!seen.paused) return;
        ++pauses;
        seen.paused = false;
        fetching->Resume();
      });
    }
    const Response_ response = answer.get();
    EXPECT_TRUE(response.ok()) << response.status();
    EXPECT_TRUE(received == body) << path << ": " << received.size();
    EXPECT_GT(pauses, 5);
    client.Do([&] { fetching = nullptr; });
  }
}

TEST_F(ClientTest, ABodyThatIsTooLargeIsAnError) {
  Router router;
  router.Get("/length", [](Request&, Response& response) { response.Send(std::string(101, 'x')); });
  router.Get("/chunks", [](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, Pieces(std::string(101, 'x'), 10)));
  });
  router.Get("/fits", [](Request&, Response& response) { response.Send(std::string(100, 'x')); });
  Serve(std::move(router));
  ClientThread client({.max_body_bytes = 100});
  EXPECT_EQ(client.Get(Url("/fits"))->body.size(), 100);
  for (const char* path : {"/length", "/chunks"}) {
    EXPECT_EQ(client.Get(Url(path)).status().code(), absl::StatusCode::kResourceExhausted) << path;
  }
  EXPECT_EQ(client.Fetch({.url = Url("/chunks"), .max_body_bytes = 101})->body.size(), 101);
}

TEST_F(ClientTest, CancelledRequestsEndWithTheirConnection) {
  Router router;
  std::vector<Responder> held;
  router.Get("/", [&](Request&, Response& response) { held.push_back(response.Defer()); });
  Serve(std::move(router));
  ClientThread client;
  net::RefPtr<Fetching> fetching;
  auto answer = client.Begin({.url = Url("/")}, &fetching);
  EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::requests) == 1; }));
  client.Do([&] {
    fetching->Cancel();
    fetching->Cancel();
  });
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client.connection_count(), 0);
  client.Do([&] { fetching = nullptr; });
  Stop();
}

TEST_F(ClientTest, AReceiverMayCancel) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.Send(Pattern(1'000'000)); });
  Serve(std::move(router));
  struct Canceller final : ResponseReceiver {
    void OnData(std::string_view, Fetching& fetching) override {
      ++calls;
      fetching.Cancel();
    }
    explicit Canceller(int& calls) : calls(calls) {}
    int& calls;
  };
  ClientThread client;
  int calls = 0;
  ClientRequest request{.url = Url("/")};
  request.receiver = std::make_unique<Canceller>(calls);
  EXPECT_EQ(client.Fetch(std::move(request)).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(ClientTest, ExpectsToContinueWithALargeBody) {
  Router router;
  router.Post("/", [](Request& request, Response& response) {
    response.SendText(
        absl::StrCat(request.head().expect_continue ? "asked " : "sent ", request.body().size()));
  });
  Serve(std::move(router));
  ClientThread client({.expect_continue_bytes = 1000, .expect_timeout = std::chrono::hours(1)});
  EXPECT_EQ(client.Fetch({.method = "POST", .url = Url("/"), .body = Pattern(999)})->body,
            "sent 999");
  EXPECT_EQ(client.Fetch({.method = "POST", .url = Url("/"), .body = Pattern(50'000)})->body,
            "asked 50000");
  EXPECT_EQ(client.idle_count(), 1);
}

TEST_F(ClientTest, ACallbackMayFetch) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  ClientThread client;
  std::promise<int> done;
  int left = 5;
  std::function<void()> fetch = [&] {
    client.client().Fetch({.url = Url("/")}, [&](Response_ response) {
      EXPECT_TRUE(response.ok()) << response.status();
      --left > 0 ? fetch() : done.set_value(0);
    });
  };
  client.Do([&] { fetch(); });
  done.get_future().get();
  EXPECT_EQ(Count(&ServerCounters::connections), 1);
}

TEST_F(ClientTest, CookiesGoBackToWhoSetThem) {
  Router router;
  router.Get("/login", [](Request&, Response& response) {
    response.Add("Set-Cookie", "id=7; Path=/");
    response.Add("Set-Cookie", "deep=1; Path=/deep");
    response.Add("Set-Cookie", "other=1; Domain=other.test");
    response.Set(FieldId::kLocation, "/seen");
    response.set_status(302);
    response.SendNothing();
  });
  router.Get("/away", [](Request& request, Response& response) {
    response.Add("Set-Cookie", "away=1; Path=/seen");
    const std::string port(request.authority().substr(request.authority().rfind(':')));
    response.Set(FieldId::kLocation, absl::StrCat("http://localhost", port, "/seen"));
    response.set_status(302);
    response.SendNothing();
  });
  const auto echo = [](Request& request, Response& response) {
    response.SendText(request.field(FieldId::kCookie).value_or("none"));
  };
  router.Get("/seen", echo);
  router.Get("/deep/seen", echo);
  Serve(std::move(router));
  auto jar = std::make_shared<CookieJar>();
  {
    ClientThread client({.cookies = jar});
    EXPECT_EQ(client.Get(Url("/seen"))->body, "none");
    // The redirect's cookie is there for where it leads to.
    EXPECT_EQ(client.Get(Url("/login"))->body, "id=7");
    EXPECT_EQ(client.Get(Url("/deep/seen"))->body, "deep=1; id=7");
    ClientRequest own{.url = Url("/seen")};
    own.fields.Set("cookie", "own=1");
    EXPECT_EQ(client.Fetch(std::move(own))->body, "own=1");
    EXPECT_EQ(client.Get(Url("/away"))->body, "none");
  }
  EXPECT_EQ(jar->size(), 3);
  ClientThread another({.cookies = jar});
  EXPECT_EQ(another.Get(Url("/seen"))->body, "away=1; id=7");
  ClientThread without;
  EXPECT_EQ(without.Get(Url("/seen"))->body, "none");
}

TEST_F(ClientTest, ABlockingOneWaits) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("got"); });
  router.Post("/", [](Request& request, Response& response) {
    response.SendText(
        absl::StrCat(request.field(FieldId::kContentType).value_or("-"), " ", request.body()));
  });
  Serve(std::move(router));
  BlockingClient client;
  EXPECT_EQ(client.Get(Url("/"))->body, "got");
  EXPECT_EQ(client.Post(Url("/"), "text/csv", "a,b")->body, "text/csv a,b");
  EXPECT_EQ(client.Get("nonsense").status().code(), absl::StatusCode::kInvalidArgument);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) EXPECT_EQ(client.Get(Url("/"))->body, "got");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(Count(&ServerCounters::connections), 4);
}

TEST_F(ClientTest, ABlockingOneDoesNotWaitForItself) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  struct Asker final : ResponseReceiver {
    Asker(BlockingClient& client, std::string url) : client(client), url(std::move(url)) {}
    void OnData(std::string_view, Fetching&) override {
      EXPECT_EQ(client.Get(url).status().code(), absl::StatusCode::kFailedPrecondition);
    }
    BlockingClient& client;
    std::string url;
  };
  BlockingClient client;
  ClientRequest request{.url = Url("/")};
  request.receiver = std::make_unique<Asker>(client, Url("/"));
  EXPECT_TRUE(client.Fetch(std::move(request)).ok());
}

TEST_F(ClientTest, ABlockingOneEndsWithItsRequests) {
  Router router;
  std::vector<Responder> held;
  router.Get("/", [&](Request&, Response& response) { held.push_back(response.Defer()); });
  Serve(std::move(router));
  auto client = std::make_unique<BlockingClient>();
  std::thread waiter([client = client.get(), url = Url("/")] {
    EXPECT_EQ(client->Get(url).status().code(), absl::StatusCode::kCancelled);
  });
  EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::requests) == 1; }));
  client.reset();
  waiter.join();
  Stop();
}

TEST_F(ClientTest, WhatCannotBeSentIsNotSent) {
  Router router;
  router.Get("/", [](Request&, Response& response) { response.SendText("x"); });
  Serve(std::move(router));
  ClientThread client;
  const auto expect_refused = [&](ClientRequest request) {
    const Response_ response = client.Fetch(std::move(request));
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument) << response.status();
  };
  const auto with_field = [&](std::string_view name, std::string_view value) {
    ClientRequest request{.url = Url("/")};
    request.fields.Add(name, value);
    return request;
  };
  expect_refused({.url = "nonsense"});
  expect_refused({.url = "ftp://127.0.0.1/"});
  expect_refused({.url = "http://user:secret@127.0.0.1/"});
  expect_refused({.url = "https://127.0.0.1/"});  // No layer for it.
  expect_refused({.url = Url("/a b")});
  expect_refused({.method = "CONNECT", .url = Url("/")});
  expect_refused({.method = "GET / HTTP/1.1\r\nX: ", .url = Url("/")});
  expect_refused({.method = "", .url = Url("/")});
  expect_refused(with_field("X", "a\r\nInjected: b"));
  expect_refused(with_field("X\r\nInjected", "b"));
  expect_refused(with_field("X", std::string_view("\0", 1)));
  for (const char* own : {"Host", "Content-Length", "transfer-encoding", "Connection", "Upgrade"}) {
    expect_refused(with_field(own, "1"));
  }
  EXPECT_EQ(Count(&ServerCounters::requests), 0);
  EXPECT_EQ(client.connection_count(), 0);
}

}  // namespace
}  // namespace strata::http
