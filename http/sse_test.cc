// Events as a client gets them. Sections are of WHATWG's HTML.

#include "strata/http/sse.h"

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
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using testing::Get;
using testing::WireClient;
using testing::WireResponse;
using SseTest = testing::WireTest;

std::string Lines(const Event& event) {
  std::string out;
  return AppendEvent(event, out) ? out : "refused";
}

TEST(EventTest, AnEventHasItsLines) {
  // The examples of section 9.2.6.
  EXPECT_EQ(Lines({.data = "YHOO\n+2\n10"}), "data: YHOO\ndata: +2\ndata: 10\n\n");
  EXPECT_EQ(Lines({.data = "first event", .id = "1"}), "id: 1\ndata: first event\n\n");
  EXPECT_EQ(Lines({.data = "second event", .id = ""}), "id: \ndata: second event\n\n");
  EXPECT_EQ(Lines({.data = " third event"}), "data:  third event\n\n");
  EXPECT_EQ(Lines({.data = ""}), "data: \n\n");
  EXPECT_EQ(Lines({.type = "add", .data = "7", .retry = std::chrono::seconds(2)}),
            "event: add\nretry: 2000\ndata: 7\n\n");
}

TEST(EventTest, EveryEndOfALineBeginsADataLine) {
  EXPECT_EQ(Lines({.data = "a\r\nb\rc\nd\n\re\n"}),
            "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\ndata: \n\n");
}

TEST(EventTest, NothingCanBeInjected) {
  for (const char* bad : {"a\n", "a\ndata: x", "\r", "a\r\n\r\nb"}) {
    EXPECT_EQ(Lines({.type = bad, .data = "x"}), "refused");
    EXPECT_EQ(Lines({.data = "x", .id = bad}), "refused");
  }
  EXPECT_EQ(Lines({.data = "x", .id = std::string_view("a\0b", 3)}), "refused");
  EXPECT_EQ(Lines({.data = "x\n\nevent: y\rid: z"}),
            "data: x\ndata: \ndata: event: y\ndata: id: z\n\n");
}

TEST_F(SseTest, EventsComeFromAnyThread) {
  Router router;
  std::thread sender;
  router.Get("/", [&](Request& request, Response& response) {
    EventStream events(request, response, {.retry = std::chrono::milliseconds(1500)});
    sender = std::thread(
        [events = std::move(events), last = std::string(LastEventId(request))]() mutable {
          EXPECT_EQ(events.Send({.data = last, .id = "8"}), net::Error::kOk);
          EXPECT_EQ(events.Comment("a\nb"), net::Error::kOk);
          EXPECT_EQ(events.Send({.type = "a\nb", .data = ""}), net::Error::kInvalidArgument);
          events.Close();
          EXPECT_TRUE(events.closed());
          EXPECT_EQ(events.Send({.data = "late"}), net::Error::kClosed);
        });
  });
  Serve(std::move(router));
  WireClient client = Connect();
  const WireResponse response = client.Ask("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\n\r\n");
  sender.join();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Content-Type"), "text/event-stream");
  EXPECT_EQ(response.Field("Cache-Control"), "no-store");
  EXPECT_EQ(response.body, "retry: 1500\nid: 8\ndata: 7\n\n: a\n: b\n\n");
}

TEST_F(SseTest, TheExample) {
  struct News {
    std::string text, id;
  };
  struct Hub {
    std::vector<News> Since(std::string_view last) const {
      return last == "7" ? std::vector<News>{{"eighth", "8"}} : std::vector<News>();
    }
    void Add(EventStream stream) { streams.push_back(std::move(stream)); }
    std::vector<EventStream> streams;
  } hub;
  Router router;
  router.Get("/news", [&hub](Request& request, Response& response) {
    EventStream events(request, response, {.retry = std::chrono::seconds(2)});
    for (const News& news : hub.Since(LastEventId(request))) {
      (void)events.Send({.data = news.text, .id = news.id});
    }
    hub.Add(std::move(events));  // And Send() from any thread, later.
  });
  ServerOptions options;
  options.listen.stream.linger_timeout = std::chrono::milliseconds(0);  // Stop() waits for it.
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  client.Send("GET /news HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\n\r\n");
  std::string seen;
  while (seen.find("data: eighth\n") == std::string::npos) seen += client.peer().Receive(1);
  Stop();
}

TEST_F(SseTest, AStreamThatIsDroppedEndsItsBody) {
  Router router;
  router.Get("/", [](Request& request, Response& response) {
    EventStream first(request, response);
    (void)first.Send({.data = "x"});
    EventStream second = std::move(first);
    EXPECT_TRUE(first.closed());
    EXPECT_FALSE(second.closed());
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).body, "data: x\n\n");
  EXPECT_EQ(client.Ask(Get("/")).body, "data: x\n\n") << "the connection goes on";
}

TEST_F(SseTest, HeadHasNoEvents) {
  std::optional<EventStream> events;
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    events.emplace(request, response);
    EXPECT_NE(events->Send({.data = "x"}), net::Error::kOk);
  });
  Serve(std::move(router));
  WireClient client = Connect();
  const WireResponse response = client.Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Content-Type"), "text/event-stream");
  EXPECT_EQ(client.Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  Stop();
}

TEST_F(SseTest, ACommentKeepsItAlive) {
  std::promise<EventStream> made;
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    made.set_value(EventStream(request, response, {.keep_alive = std::chrono::milliseconds(1)}));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/"));
  EventStream events = made.get_future().get();
  std::string seen;
  while (seen.find(":\n\n\r\n3\r\n:\n\n") == std::string::npos) seen += client.peer().Receive(1);
  events.Close();
}

TEST_F(SseTest, TheClientsLeavingIsTold) {
  std::promise<void> told;
  std::promise<EventStream> made;
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    EventStream events(request, response);
    events.OnChange([&] { told.set_value(); });
    made.set_value(std::move(events));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/"));
  EventStream events = made.get_future().get();
  EXPECT_FALSE(events.closed());
  client.peer().Reset();
  told.get_future().wait();
  EXPECT_TRUE(events.closed());
  EXPECT_EQ(events.Send({.data = "x"}), net::Error::kClosed);
}

TEST_F(SseTest, AClientThatDoesNotReadIsTold) {
  std::promise<EventStream> made;
  std::atomic<bool> drained{false};
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    EventStream events(request, response);
    events.OnChange([&] { drained = true; });
    made.set_value(std::move(events));
  });
  ServerOptions options;
  options.max_body_queue_bytes = 1 << 20;
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  client.Send(Get("/"));
  EventStream events = made.get_future().get();
  const std::string data(64 * 1024, 'x');
  net::Error error = net::Error::kOk;
  ASSERT_TRUE(Eventually([&] {
    error = events.Send({.data = data});
    return error != net::Error::kOk;
  }));
  EXPECT_EQ(error, net::Error::kQueueFull);
  EXPECT_LE(events.queued_bytes(), 1100u * 1024) << "but for the framing of chunks";
  // It may have been told while it sent, of what the system took, and has filled the queue since.
  ASSERT_TRUE(Eventually([&] {
    (void)client.peer().Receive(16 * 1024);
    return drained.exchange(false) && events.Send({.data = data}) == net::Error::kOk;
  }));
  client.peer().Close();
  Stop();  // Tells of that end, too.
}

TEST_F(SseTest, ADrainingServerEndsTheStream) {
  std::promise<EventStream> made;
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    made.set_value(EventStream(request, response, {.keep_alive = std::chrono::milliseconds(0)}));
  });
  ServerOptions options;
  options.listen.stream.linger_timeout = std::chrono::milliseconds(0);  // Stop() waits for it.
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  client.Send(Get("/"));
  EventStream events = made.get_future().get();
  server().Stop(std::chrono::hours(1));
  const std::string all = client.ReadAll();
  EXPECT_TRUE(all.ends_with("0\r\n\r\n")) << all;
  EXPECT_TRUE(events.closed());
  EXPECT_EQ(events.Send({.data = "x"}), net::Error::kClosed);
}

TEST_F(SseTest, AStreamMayOutliveItsServer) {
  std::promise<EventStream> made;
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    made.set_value(EventStream(request, response));
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/"));
  EventStream events = made.get_future().get();
  Stop();
  EXPECT_EQ(events.Send({.data = "x"}), net::Error::kClosed);
}

}  // namespace
}  // namespace strata::http
