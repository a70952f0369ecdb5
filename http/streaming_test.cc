// Bodies that are sent, or taken, piece by piece.

#include <atomic>
#include <condition_variable>
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
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"
#include "strata/net/timer.h"
#include "strata/net/worker_pool.h"

namespace strata::http {
namespace {

using net::testing::Pattern;
using testing::Get;
using testing::WireClient;
using testing::WireResponse;
using StreamingTest = testing::WireTest;

void Hello(Request&, Response& response) { response.SendText("Hello, World!"); }

// ---- Sent --------------------------------------------------------------------------------------

TEST_F(StreamingTest, AnyThreadMayWriteABody) {
  Router router;
  std::thread writer;
  router.Get("/", [&](Request&, Response& response) {
    writer = std::thread([responder = response.Defer()]() mutable {
      BodyWriter body = responder.Start(ReplyHead(200));
      for (int i = 0; i < 1000; ++i) EXPECT_EQ(body.Write(absl::StrCat(i, ",")), net::Error::kOk);
      ReplyHead trailers;
      trailers.Add("X-Count", "1000");
      body.Finish(trailers);
      EXPECT_EQ(body.Write("late"), net::Error::kClosed);
    });
  });
  Serve(std::move(router));
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += absl::StrCat(i, ",");
  WireClient client = Connect();
  const WireResponse response = client.Ask(Get("/"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(response.body == expected);
  EXPECT_EQ(response.trailers, "X-Count: 1000\n");
  writer.join();
}

TEST_F(StreamingTest, ABodyOfKnownLengthMustHaveIt) {
  Router router;
  router.Get("/{written}", [](Request& request, Response& response) {
    BodyWriter body = response.Defer().Start(ReplyHead(200), 5);
    (void)body.Write(std::string(request.param("written")));
    body.Finish();
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/exact")).body, "exact");
  EXPECT_EQ(client.Ask(Get("/exact")).Field("Content-Length"), "5");
  EXPECT_EQ(Connect().Ask(Get("/few")).status, 0);
  EXPECT_EQ(Connect().Ask(Get("/toomany")).status, 0);
}

TEST_F(StreamingTest, AWriterThatIsDroppedBreaksTheConnection) {
  Router router;
  router.Get("/", [](Request&, Response& response) {
    BodyWriter body = response.Defer().Start(ReplyHead(200));
    (void)body.Write("half");
  });
  Serve(std::move(router));
  EXPECT_EQ(Connect().Ask(Get("/")).status, 0) << "what came is not whole";
}

TEST_F(StreamingTest, ToHttp10TheEndOfTheConnectionIsTheEnd) {
  Router router;
  router.Get("/", [](Request&, Response& response) {
    BodyWriter body = response.Defer().Start(ReplyHead(200));
    (void)body.Write("one,");
    (void)body.Write("two");
    body.Finish();
  });
  Serve(std::move(router));
  const WireResponse response = Connect().Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response.body, "one,two");
  EXPECT_EQ(response.Field("Connection"), "close");
}

TEST_F(StreamingTest, HeadAsksForNoneOfIt) {
  Router router;
  router.Get("/", [](Request&, Response& response) {
    BodyWriter body = response.Defer().Start(ReplyHead(200));
    (void)body.Write("never seen");
    body.Finish();
  });
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(client.Ask(Get("/")).body, "never seen");
}

TEST_F(StreamingTest, AWriterIsHeldBackByItsReader) {
  constexpr std::size_t kTotal = 30'000'000;
  ServerOptions options;
  options.max_body_queue_bytes = 1'000'000;
  Router router;
  std::thread writer;
  std::atomic<bool> refused{false};
  router.Get("/", [&](Request&, Response& response) {
    Responder responder = response.Defer();
    writer = std::thread([&refused, responder = std::move(responder)]() mutable {
      BodyWriter body = responder.Start(ReplyHead(200));
      const std::string piece = Pattern(50'000);
      for (std::size_t sent = 0; sent < kTotal;) {
        const net::Error error = body.Write(piece);
        if (error == net::Error::kOk) {
          sent += piece.size();
        } else {
          EXPECT_EQ(error, net::Error::kQueueFull);
          // The framing of chunks is not counted beforehand.
          EXPECT_LE(body.queued_bytes(), 1'100'000u);
          refused = true;
          std::this_thread::yield();
        }
      }
      body.Finish();
    });
  });
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  client.Send(Get("/"));
  EXPECT_TRUE(Eventually([&] { return refused.load(); }));
  EXPECT_EQ(client.Read().body.size(), kTotal);
  writer.join();
}

TEST_F(StreamingTest, OnWritableTellsWhenToGoOn) {
  Router router;
  // Writes on the loop until the queue is above the watermark, then waits to be told.
  struct Pump : std::enable_shared_from_this<Pump> {
    std::optional<BodyWriter> body;
    std::size_t left = 10'000'000;
    void Go() {
      while (left > 0 && body->queued_bytes() < 256 * 1024) {
        const std::size_t size = std::min<std::size_t>(left, 100'000);
        ASSERT_EQ(body->Write(std::string(size, 'x')), net::Error::kOk);
        left -= size;
      }
      if (left == 0) std::exchange(body, std::nullopt)->Finish();
    }
  };
  router.Get("/", [](Request&, Response& response) {
    auto pump = std::make_shared<Pump>();
    pump->body.emplace(response.Defer().Start(ReplyHead(200)));
    pump->body->OnWritable([pump] {
      if (pump->body) pump->Go();
    });
    pump->Go();
  });
  Serve(std::move(router));
  EXPECT_EQ(Connect().Ask(Get("/")).body.size(), 10'000'000u);
}

TEST_F(StreamingTest, OnWritableComesToAWriterThatOnlyTheFramingHasFilled) {
  static constexpr std::size_t kHighWatermark = 256 * 1024;
  Router router;
  router.Get("/", [](Request&, Response& response) {
    BodyWriter body = response.Defer().Start(ReplyHead(200));
    EXPECT_EQ(body.Write(std::string(kHighWatermark, 'x')), net::Error::kOk);
    EXPECT_GT(body.queued_bytes(), kHighWatermark);
    body.OnWritable([body]() mutable { body.Finish(); });
  });
  Serve(std::move(router));
  EXPECT_EQ(Connect().Ask(Get("/")).body.size(), kHighWatermark);
}

TEST_F(StreamingTest, OnWritableComesToAWriterThatATimerCalls) {
  // Its bytes leave at the end of a turn in which tasks run before that.
  static constexpr std::size_t kBytes = 300 * 1024;
  Router router;
  std::unique_ptr<net::Timer> timer;
  router.Get("/", [&](Request&, Response& response) {
    net::Loop& loop = response.loop();
    BodyWriter body = response.Defer().Start(ReplyHead(200));
    body.OnWritable([body]() mutable { body.Finish(); });
    timer = std::make_unique<net::Timer>(loop, [&timer, body]() mutable {
      EXPECT_EQ(body.Write(std::string(kBytes, 'x')), net::Error::kOk);
      timer.reset();
    });
    timer->Arm(std::chrono::milliseconds(1));
  });
  Serve(std::move(router));
  EXPECT_EQ(Connect().Ask(Get("/")).body.size(), kBytes);
}

// Between threads. Not std::atomic's own wait(), which was seen to lose wake-ups in mingw's
// library.
class Signal {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void Clear() {
    const std::lock_guard lock(mutex_);
    set_ = false;
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

TEST_F(StreamingTest, AWriterThatIsRefusedIsTold) {
  constexpr std::size_t kTotal = 30'000'000;
  ServerOptions options;
  // Hardly above the watermark, so that often the refused piece alone is what crosses that.
  options.max_body_queue_bytes = options.listen.stream.high_watermark_bytes + 40'000;
  Router router;
  std::thread writer;
  router.Get("/", [&](Request&, Response& response) {
    auto told = std::make_shared<Signal>();
    BodyWriter started = response.Defer().Start(ReplyHead(200));
    started.OnWritable([told] { told->Set(); });
    writer = std::thread([told, body = std::move(started)]() mutable {
      const std::string piece = Pattern(64 * 1024);
      for (std::size_t sent = 0; sent < kTotal;) {
        told->Clear();
        if (body.Write(piece) == net::Error::kOk) {
          sent += piece.size();
        } else if (!body.aborted()) {
          told->Wait();
        }
      }
      body.Finish();
    });
  });
  Serve(std::move(router), std::move(options));
  EXPECT_GE(Connect().Ask(Get("/")).body.size(), kTotal);
  writer.join();
}

TEST_F(StreamingTest, CallbacksGoWithTheirAnswer) {
  // They may own what calls them.
  std::promise<std::weak_ptr<BodyWriter>> writer;
  std::promise<std::weak_ptr<Responder>> responder;
  Router router;
  router.Get("/written/{end}", [&](Request& request, Response& response) {
    auto body = std::make_shared<BodyWriter>(response.Defer().Start(ReplyHead(200)));
    body->OnWritable([body] {});
    EXPECT_EQ(body->Write("x"), net::Error::kOk);
    if (request.param("end") == "whole") body->Finish();
    writer.set_value(body);
  });
  router.Get("/sent/{end}", [&](Request& request, Response& response) {
    auto kept = std::make_shared<Responder>(response.Defer());
    kept->OnAbort([kept] {});
    if (request.param("end") == "whole") kept->Send(Reply(200, "text/plain", "x"));
    responder.set_value(kept);
  });
  Serve(std::move(router));
  for (const bool whole : {true, false}) {
    writer = {};
    responder = {};
    for (const std::string_view path : {"/written", "/sent"}) {
      WireClient client = Connect();
      client.Send(Get(absl::StrCat(path, whole ? "/whole" : "/gone")));
      std::weak_ptr<BodyWriter> kept_writer;
      std::weak_ptr<Responder> kept_responder;
      path == "/written" ? void(kept_writer = writer.get_future().get())
                         : void(kept_responder = responder.get_future().get());
      if (whole) {
        EXPECT_EQ(client.Read().body, "x");
      } else {
        client.peer().Reset();
      }
      EXPECT_TRUE(Eventually([&] { return kept_writer.expired() && kept_responder.expired(); }))
          << path << (whole ? ", whole" : ", gone");
    }
  }
}

TEST_F(StreamingTest, AWriterLearnsThatTheClientIsGone) {
  Router router;
  std::promise<BodyWriter> started;
  router.Get("/", [&](Request&, Response& response) {
    started.set_value(response.Defer().Start(ReplyHead(200)));
  });
  Serve(std::move(router));
  std::optional<WireClient> client(Connect());
  client->Send(Get("/"));
  BodyWriter body = started.get_future().get();
  client->peer().Reset();
  EXPECT_TRUE(Eventually([&] { return body.aborted(); }));
  EXPECT_TRUE(Eventually([&] { return body.Write("x") == net::Error::kClosed; }));
}

TEST_F(StreamingTest, AProducerIsAskedAsTheReaderReads) {
  static constexpr int kPieces = 300;
  std::atomic<int> asked{0};
  Router router;
  router.Get("/{length}", [&](Request& request, Response& response) {
    std::optional<std::uint64_t> length;
    if (request.param("length") == "known") length = kPieces * 100'000;
    response.Send(ReplyBody(length, [&asked, n = 0](std::string& out) mutable {
      ++asked;
      out.append(100'000, static_cast<char>('a' + n % 26));
      return ++n == kPieces ? Produced::kEnd : Produced::kMore;
    }));
  });
  Serve(std::move(router));
  for (const char* path : {"/known", "/unknown"}) {
    asked = 0;
    WireClient client = Connect();
    client.Send(Get(path));
    EXPECT_TRUE(Eventually([&] { return asked > 0; }));
    EXPECT_LT(asked, kPieces) << "nobody has read yet";
    const WireResponse response = client.Read();
    EXPECT_EQ(response.status, 200);
    ASSERT_EQ(response.body.size(), kPieces * 100'000u);
    EXPECT_EQ(response.body[250'000], 'c');
    EXPECT_EQ(client.Ask(Get(path)).body.size(), kPieces * 100'000u) << "the connection goes on";
  }
}

TEST_F(StreamingTest, AProducerThatFailsBreaksTheConnection) {
  Router router;
  router.Get("/fail", [](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, [](std::string& out) {
      out.append("half");
      return Produced::kFail;
    }));
  });
  router.Get("/stuck", [](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, [](std::string&) { return Produced::kMore; }));
  });
  router.Get("/more", [](Request&, Response& response) {
    response.Send(ReplyBody(3, [](std::string& out) {
      out.append("more");
      return Produced::kEnd;
    }));
  });
  Serve(std::move(router));
  for (const char* path : {"/fail", "/stuck", "/more"}) {
    EXPECT_EQ(Connect().Ask(Get(path)).status, 0) << path;
  }
}

TEST_F(StreamingTest, PartsFollowEachOther) {
  Router router;
  router.Get("/", [](Request&, Response& response) {
    ReplyBody body(std::string("one,"));
    body.AddPart(std::make_shared<const std::string>("two,"));
    body.AddPart(std::string(5000, 'x'));
    response.Send(std::move(body));
  });
  Serve(std::move(router));
  EXPECT_TRUE(Connect().Ask(Get("/")).body == "one,two," + std::string(5000, 'x'));
}

// ---- Left to another handler -------------------------------------------------------------------

// The observer of one test: who each answered request was of.
class UserObserver final : public RequestObserver {
 public:
  UserObserver(std::mutex& mutex, std::vector<std::string>& users) : mutex_(mutex), users_(users) {}
  void OnAnswered(const AccessRecord& record) override {
    const std::lock_guard lock(mutex_);
    users_.emplace_back(record.user);
  }

 private:
  std::mutex& mutex_;
  std::vector<std::string>& users_;
};

TEST_F(StreamingTest, AnAnswerMayBeLeftToAHandlerByAnotherThread) {
  net::WorkerPool pool({.threads = 1});
  std::mutex mutex;
  std::vector<std::string> users;
  Router router;
  router.Post("/{name}", [&pool](Request& request, Response& response) {
    response.Set(FieldId::kXRequestId, "before");
    auto responder = std::make_shared<Responder>(response.Defer());
    ASSERT_EQ(pool.Submit([responder, kept = request.Keep()]() mutable {
      kept.Attach(std::make_shared<const RequestUser>(RequestUser{"alice"}));
      responder->Call(std::move(kept), [](Request& request, Response& response) {
        EXPECT_FALSE(response.answered());
        if (request.body() == "none") return;
        response.SendText(absl::StrCat(request.param("name"), ":", request.body(), ":",
                                       request.Attached<RequestUser>()->name));
      });
    }),
              net::Error::kOk);
  });
  ServerOptions options;
  options.observer = [&] { return std::make_unique<UserObserver>(mutex, users); };
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  const auto post = [](std::string_view body) {
    return absl::StrCat("POST /x%20y HTTP/1.1\r\nHost: a\r\nContent-Length: ", body.size(),
                        "\r\n\r\n", body);
  };
  // Pipelined, so that the next one waits for the answer.
  client.Send(absl::StrCat(post("one"), post("none"), post("two")));
  const WireResponse one = client.Read();
  EXPECT_EQ(one.body, "x y:one:alice");
  EXPECT_EQ(one.Field("X-Request-Id"), "before");
  EXPECT_EQ(client.Read().status, 500) << "a handler that does not answer";
  EXPECT_EQ(client.Read().body, "x y:two:alice");
  EXPECT_TRUE(Eventually([&] {
    const std::lock_guard lock(mutex);
    return users == std::vector<std::string>(3, "alice");
  }));
}

TEST_F(StreamingTest, AHandlerThatIsLeftTheAnswerMayDeferItAgain) {
  Router router;
  router.Get("/", [](Request& request, Response& response) {
    response.Defer().Call(request.Keep(), [](Request& request, Response& response) {
      response.Defer().Call(request.Keep(), [](Request&, Response& response) {
        response.Defer().Send(Reply(200, "text/plain", "late"));
      });
    });
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(absl::StrCat(Get("/"), Get("/")));
  EXPECT_EQ(client.Read().body, "late");
  EXPECT_EQ(client.Read().body, "late");
}

TEST_F(StreamingTest, NoHandlerIsCalledForAClientThatIsGone) {
  std::promise<std::pair<Responder, KeptRequest>> deferred;
  std::atomic<bool> called{false};
  Router router;
  router.Get("/", [&](Request& request, Response& response) {
    deferred.set_value({response.Defer(), request.Keep()});
  });
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send(Get("/"));
  auto [responder, request] = deferred.get_future().get();
  client.peer().Reset();
  ASSERT_TRUE(Eventually([&] { return Count(&ServerCounters::closed) == 1; }));
  responder.Call(std::move(request), [&](Request&, Response&) { called = true; });
  WireClient other = Connect();
  other.Send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.Read().status, 404);
  EXPECT_FALSE(called);
}

// ---- Taken -------------------------------------------------------------------------------------

// Counts the bytes, and answers with their number.
class Counting : public BodyReceiver {
 public:
  explicit Counting(Responder responder) : responder_(std::move(responder)) {}
  void OnData(std::string_view bytes) override { bytes_ += bytes.size(); }
  void OnEnd(const FieldList& trailers) override {
    responder_.Send(Reply(200, "text/plain",
                          absl::StrCat(bytes_, " ", trailers.Get("X-Sum").value_or("none"))));
  }

 private:
  Responder responder_;
  std::size_t bytes_ = 0;
};

TEST_F(StreamingTest, ABodyOfAnySizeIsTakenInPieces) {
  Router router;
  router.HandleStream(Method::kPost, "/", [](Request&, Responder responder, BodyControl) {
    return std::make_unique<Counting>(std::move(responder));
  });
  router.Get("/", Hello);
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
  client.Send(Pattern(9'000'000) + Get("/"));
  EXPECT_EQ(client.Read().body, "9000000 none");
  EXPECT_EQ(client.Read().body, "Hello, World!");
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n" +
      Get("/"));
  EXPECT_EQ(client.Read().body, "3 1");
  EXPECT_EQ(client.Read().body, "Hello, World!");
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" + Get("/"));
  EXPECT_EQ(client.Read().body, "0 none");
  EXPECT_EQ(client.Read().body, "Hello, World!");
}

TEST_F(StreamingTest, AReceiverThatPausesStopsItsClient) {
  Router router;
  std::atomic<std::size_t> bytes{0};
  std::promise<BodyControl> paused;
  class Pausing : public BodyReceiver {
   public:
    Pausing(Responder responder, BodyControl control, std::atomic<std::size_t>& bytes,
            std::promise<BodyControl>& paused)
        : responder_(std::move(responder)), control_(control), bytes_(bytes), paused_(paused) {}
    void OnData(std::string_view piece) override {
      const bool first = bytes_.fetch_add(piece.size()) == 0;
      if (!first) return;
      control_.Pause();
      paused_.set_value(control_);
    }
    void OnEnd(const FieldList&) override { responder_.Send(Reply(204)); }

   private:
    Responder responder_;
    BodyControl control_;
    std::atomic<std::size_t>& bytes_;
    std::promise<BodyControl>& paused_;
  };
  router.HandleStream(Method::kPut, "/", [&](Request&, Responder responder, BodyControl control) {
    return std::make_unique<Pausing>(std::move(responder), control, bytes, paused);
  });
  Serve(std::move(router));
  WireClient client = Connect();
  std::thread sender([&] {
    client.Send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    client.Send(Pattern(20'000'000));
  });
  BodyControl control = paused.get_future().get();
  const std::size_t before = bytes;
  EXPECT_LT(before, 1'000'000u);
  EXPECT_EQ(bytes, before);
  control.Resume();
  sender.join();
  EXPECT_EQ(client.Read().status, 204);
  EXPECT_EQ(bytes, 20'000'000u);
}

TEST_F(StreamingTest, AClientMayEndItsHalfWhileTheReceiverPauses) {
  Router router;
  router.Get("/", Hello);
  std::promise<BodyControl> paused;
  class Pausing : public BodyReceiver {
   public:
    Pausing(Responder responder, BodyControl control, std::promise<BodyControl>& paused)
        : responder_(std::move(responder)), control_(control), paused_(paused) {}
    void OnData(std::string_view) override {
      control_.Pause();
      paused_.set_value(control_);
    }
    void OnEnd(const FieldList&) override { responder_.Send(Reply(200, "text/plain", "whole")); }

   private:
    Responder responder_;
    BodyControl control_;
    std::promise<BodyControl>& paused_;
  };
  router.HandleStream(Method::kPost, "/", [&](Request&, Responder responder, BodyControl control) {
    return std::make_unique<Pausing>(std::move(responder), control, paused);
  });
  Serve(std::move(router));
  for (const int length : {4, 5}) {
    paused = {};
    WireClient client = Connect();
    client.Send(
        absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", length, "\r\n\r\nbody"));
    client.peer().EndSending();
    BodyControl control = paused.get_future().get();
    // Some turns of the one loop, in which it sees the end.
    WireClient other = Connect();
    for (int turn = 0; turn < 5; ++turn) {
      other.Send(Get("/"));
      EXPECT_EQ(other.Read().status, 200);
    }
    control.Resume();
    EXPECT_EQ(client.ReadAll().ends_with("whole"), length == 4) << length;
  }
}

TEST_F(StreamingTest, AReceiverIsToldThatTheRestWillNotCome) {
  Router router;
  std::atomic<int> aborted{0};
  class Waiting : public BodyReceiver {
   public:
    Waiting(Responder responder, std::atomic<int>& aborted)
        : responder_(std::move(responder)), aborted_(aborted) {}
    void OnData(std::string_view) override {}
    void OnEnd(const FieldList&) override { ADD_FAILURE(); }
    void OnAbort() override { ++aborted_; }

   private:
    Responder responder_;
    std::atomic<int>& aborted_;
  };
  router.HandleStream(Method::kPost, "/", [&](Request&, Responder responder, BodyControl) {
    return std::make_unique<Waiting>(std::move(responder), aborted);
  });
  Serve(std::move(router));
  {
    WireClient client = Connect();
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  }
  EXPECT_TRUE(Eventually([&] { return aborted == 1; }));
  WireClient client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_TRUE(Eventually([&] { return aborted == 2; }));
}

TEST_F(StreamingTest, AnEarlyAnswerDropsTheRest) {
  Router router;
  router.HandleStream(Method::kPost, "/", [](Request&, Responder responder, BodyControl) {
    responder.Send(Reply(403, "text/plain", "no"));
    return std::unique_ptr<BodyReceiver>();
  });
  router.Get("/", Hello);
  Serve(std::move(router));
  WireClient client = Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.Read().status, 403);
  client.Send("12345" + Get("/"));
  EXPECT_EQ(client.Read().body, "Hello, World!");
}

}  // namespace
}  // namespace strata::http
