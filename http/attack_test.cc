// What clients of bad will send, or do not: each is answered or cut off in its time, holds no more
// memory than its share, and leaves nothing behind; others are served meanwhile.

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/tests/process.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;
using strata::testing::MemoryInUse;
using strata::testing::OpenDescriptors;
using testing::Get;
using testing::WireClient;
using testing::WireResponse;

constexpr std::size_t kMiB = 1 << 20;

// Sends `piece` again and again behind `begin`, until `bytes` are sent or the connection is gone.
class Flood {
 public:
  Flood(WireClient& client, std::string_view begin, std::string_view piece, std::size_t bytes) {
    std::string block;
    while (block.size() < 64 * 1024) block += piece;
    thread_ =
        std::thread([this, &client, begin = std::string(begin), block = std::move(block), bytes] {
          client.Send(begin);
          for (std::size_t sent = 0; sent < bytes; sent += block.size()) {
            if (!client.peer().Send(block)) return;
          }
          all_sent_ = true;
        });
  }
  ~Flood() { Wait(); }

  void Wait() {
    if (thread_.joinable()) thread_.join();
  }
  bool all_sent() const { return all_sent_; }

 private:
  std::atomic<bool> all_sent_{false};
  std::thread thread_;
};

class AttackTest : public testing::WireTest {
 protected:
  // A server with a short patience. GET / is "hello", POST / takes a body.
  void Start(ServerOptions options = {}) {
    Router router;
    router.Get("/", [](Request&, Response& response) { response.SendText("hello"); });
    router.Post("/", [](Request& request, Response& response) {
      response.SendText(absl::StrCat(request.body().size()));
    });
    router.HandleStream(Method::kPost, "/stream", [](Request&, Responder responder, BodyControl) {
      struct Receiver final : BodyReceiver {
        explicit Receiver(Responder taken) : responder(std::move(taken)) {}
        void OnData(std::string_view bytes) override { size += bytes.size(); }
        void OnEnd(const FieldList&) override {
          responder.Send(Reply(200, "text/plain", absl::StrCat(size)));
        }
        Responder responder;
        std::size_t size = 0;
      };
      return std::make_unique<Receiver>(std::move(responder));
    });
    options.listen.stream.linger_timeout = milliseconds(300);
    Serve(std::move(router), std::move(options));
    ASSERT_EQ(Connect().Ask(Get("/")).body, "hello");
  }

  // 100 MB of `piece` behind `begin` are answered with `status` long before their end, and hold
  // next to no memory.
  void ExpectRefused(std::string_view begin, std::string_view piece, int status) {
    const std::size_t before = MemoryInUse();
    WireClient client = Connect();
    {
      Flood flood(client, begin, piece, 100 * kMiB);
      EXPECT_EQ(client.Read().status, status);
      EXPECT_EQ(client.ReadAll(), "");
      EXPECT_LT(MemoryInUse(), before + kMiB);
      client.peer().EndSending();
    }
    EXPECT_EQ(Connect().Ask(Get("/")).body, "hello");
  }

  bool AllClosed(std::uint64_t connections) {
    return Eventually([&] {
      return Count(&ServerCounters::connections) == connections &&
             Count(&ServerCounters::closed) == connections;
    });
  }
};

// ---- Slow --------------------------------------------------------------------------------------

TEST_F(AttackTest, Slowloris) {
  constexpr std::size_t kClients = 200;
  ServerOptions options;
  options.header_timeout = milliseconds(500);
  Start(std::move(options));
  std::vector<WireClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(Connect());
    clients.back().Send("GET / HTTP/1.1\r\nHost: a\r\n");
  }
  // A byte now and then does not buy more time.
  std::uint64_t served = 0;
  const auto end = std::chrono::steady_clock::now() + net::testing::kLong;
  while (Count(&ServerCounters::timeouts) < kClients && !HasFailure()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    for (WireClient& client : clients) client.Send("X");
    EXPECT_EQ(Connect().Ask(Get("/")).body, "hello") << "others are served meanwhile";
    ++served;
  }
  EXPECT_GT(served, 0u);
  for (WireClient& client : clients) {
    EXPECT_EQ(client.Read().status, 408);
    client.peer().Close();
  }
  EXPECT_TRUE(AllClosed(kClients + served + 1));
}

TEST_F(AttackTest, ASlowBody) {
  ServerOptions options;
  options.min_body_bytes_per_second = 100'000;
  options.body_rate_window = milliseconds(200);
  Start(std::move(options));
  for (const std::string_view path : {"/", "/stream"}) {
    WireClient client = Connect();
    client.Send(
        absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
    // A byte at a time, of which there are never enough.
    EXPECT_TRUE(Eventually([&] {
      std::this_thread::sleep_for(milliseconds(1));
      return !client.peer().Send("x");
    }));
  }
}

TEST_F(AttackTest, AReaderThatDoesNotRead) {
  static constexpr std::size_t kPiece = 64 * 1024;
  std::atomic<std::size_t> made{0};
  Router router;
  router.Get("/endless", [&made](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, [&made](std::string& out) {
      made += kPiece;
      out.append(kPiece, 'x');
      return Produced::kMore;
    }));
  });
  router.Get("/fixed", [&made](Request&, Response& response) {
    made += kPiece;
    response.Send(std::string(kPiece, 'x'));
  });
  ServerOptions options;
  options.listen.stream.send_timeout = milliseconds(500);
  Serve(std::move(router), std::move(options));
  std::uint64_t connections = 0;
  for (const std::string_view path : {"/endless", "/fixed"}) {
    made = 0;
    WireClient client = Connect();
    const int size = 4096;
    ::setsockopt(client.peer().native(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    // Many of them: the answers to those behind wait too, and are not made meanwhile.
    std::string requests;
    for (int i = 0; i < 1000; ++i) requests += Get(path);
    client.Send(requests);
    EXPECT_TRUE(AllClosed(++connections)) << "it is cut off";
    EXPECT_GT(made, kPiece);
    // What the socket holds, by the system's tcp_wmem, and the queue.
    EXPECT_LT(made, 16 * kMiB) << path;
  }
}

TEST_F(AttackTest, AConnectionWithoutARequest) {
  ServerOptions options;
  options.listen.stream.idle_timeout = milliseconds(300);
  Start(std::move(options));
  std::vector<WireClient> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(Connect());
  EXPECT_TRUE(AllClosed(101));
}

// ---- Large -------------------------------------------------------------------------------------

TEST_F(AttackTest, AHeaderOf100Megabytes) {
  Start();
  ExpectRefused("GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", 431);
}

TEST_F(AttackTest, ANameOf100Megabytes) {
  Start();
  ExpectRefused("GET / HTTP/1.1\r\nHost: a\r\nX", "x", 431);
}

TEST_F(AttackTest, ATargetOf100Megabytes) {
  Start();
  ExpectRefused("GET /", "x", 414);
}

TEST_F(AttackTest, AMillionHeaders) {
  Start();
  ExpectRefused("GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 431);
}

TEST_F(AttackTest, EmptyLines) {
  Start();
  ExpectRefused("", "\r\n", 400);
}

TEST_F(AttackTest, ChunkSizes) {
  Start();
  const std::string_view head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  ExpectRefused(head, "0", 400);
  ExpectRefused(head, "f", 400);
}

TEST_F(AttackTest, ChunkExtensions) {
  Start();
  for (const std::string_view path : {"/", "/stream"}) {
    const std::string head = absl::StrCat("POST ", path,
                                          " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                                          "\r\n");
    ExpectRefused(absl::StrCat(head, "1;a="), "x", 400);
    ExpectRefused(head, "1;a=bcdefghijklmnopqrstuvwxyz\r\nx\r\n", 400);
  }
}

TEST_F(AttackTest, ChunksOfOneByte) {
  ServerOptions options;
  options.limits.max_body_bytes = 100'000;
  Start(std::move(options));
  ExpectRefused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
                413);
}

TEST_F(AttackTest, Trailers) {
  Start();
  const std::string_view head =
      "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  ExpectRefused(head, "X: y\r\n", 431);
  ExpectRefused(absl::StrCat(head, "X: "), "x", 431);
}

TEST_F(AttackTest, Bombs) {
  ServerOptions options;
  options.compression.codings = {NewGzipCoding().value()};
  options.decompress_requests = true;
  Start(std::move(options));
  std::string bomb;
  ASSERT_EQ(NewGzipCoding().value()->NewEncoder()->Append(std::string(64 * kMiB, 'x'),
                                                          Encoder::Flush::kFinish, &bomb),
            CodingError::kOk);
  const std::size_t before = MemoryInUse();
  for (const std::string_view path : {"/", "/stream"}) {
    WireClient client = Connect();
    client.Send(absl::StrCat("POST ", path,
                             " HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
                             "Content-Length: ",
                             bomb.size(), "\r\n\r\n", bomb));
    EXPECT_EQ(client.Read().status, 413);
    EXPECT_LT(MemoryInUse(), before + 2 * kMiB);
  }
}

// Which nobody wants. What is sent while the server lingers is dropped too, but not for long.
TEST_F(AttackTest, ABodyWithoutAnEnd) {
  ServerOptions options;
  options.limits.max_body_bytes = kUnlimitedBody;
  Start(std::move(options));
  WireClient client = Connect();
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  Flood flood(client, "POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
              chunk, std::size_t{4} << 30);
  EXPECT_EQ(client.Read().status, 404);
  EXPECT_EQ(client.ReadAll(), "");
  flood.Wait();
  EXPECT_FALSE(flood.all_sent());
}

// They wait, and not in the server's memory, for the answer before them.
TEST_F(AttackTest, RequestsBehindOneThatWaits) {
  constexpr std::size_t kBytes = 64 * kMiB;
  std::promise<Responder> deferred;
  Router router;
  router.Get("/later", [&](Request&, Response& response) { deferred.set_value(response.Defer()); });
  router.Get("/", [](Request&, Response& response) { response.SendText("hello"); });
  Serve(std::move(router));
  const std::string request =
      absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nX: ", std::string(30'000, 'x'), "\r\n\r\n");
  const std::size_t before = MemoryInUse();
  WireClient client = Connect();
  Flood flood(client, Get("/later"), request, kBytes);
  Responder responder = deferred.get_future().get();
  // Time enough for all to be read, if it were.
  for (int i = 0; i < 500 && !flood.all_sent(); ++i) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_FALSE(flood.all_sent());
  EXPECT_LT(MemoryInUse(), before + kMiB);
  responder.Send(Reply(200, "text/plain", "at last"));
  EXPECT_EQ(client.Read().body, "at last");
  for (std::size_t read = 0; read < kBytes; read += request.size()) {
    ASSERT_EQ(client.Read().body, "hello");
  }
}

// Who only announces a body gets no memory for it.
TEST_F(AttackTest, BodiesThatAreOnlyAnnounced) {
  constexpr std::size_t kClients = 100;
  Start();
  std::vector<WireClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(Connect());
  const std::size_t before = MemoryInUse();
  for (WireClient& client : clients) {
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
                std::string(100, 'x'));
  }
  EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::requests) == kClients + 1; }));
  EXPECT_LT(MemoryInUse(), before + 4 * kMiB);
}

// ---- Many --------------------------------------------------------------------------------------

// What a thousand requests under way at once have taken is given back, but for what a few need.
TEST_F(AttackTest, ManyAtOnceLeaveLittle) {
  constexpr std::size_t kClients = 1000;
  constexpr std::size_t kBodyBytes = 100'000;
  Start();
  const std::size_t before = MemoryInUse();
  {
    std::vector<WireClient> clients;
    const std::string half(kBodyBytes / 2, 'x');
    for (std::size_t i = 0; i < kClients; ++i) {
      clients.push_back(Connect());
      clients.back().Send(absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", kBodyBytes,
                                       "\r\n\r\n", half));
    }
    EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::requests) == kClients + 1; }));
    for (WireClient& client : clients) {
      client.Send(half);
      EXPECT_EQ(client.Read().body, absl::StrCat(kBodyBytes));
    }
  }
  EXPECT_TRUE(AllClosed(kClients + 1));
  EXPECT_LT(MemoryInUse(), before + 2 * kMiB);
}

TEST_F(AttackTest, TenThousandConnectionsUnderLoad) {
  const std::size_t descriptors = OpenDescriptors();
  ServerOptions options;
  options.runtime.loops = 2;
  Start(std::move(options));
  std::atomic<bool> go{true};
  std::atomic<std::uint64_t> connections{1};
  std::thread load([&] {
    WireClient client = Connect();
    ++connections;
    while (go && !HasFailure()) EXPECT_EQ(client.Ask(Get("/")).body, "hello");
  });
  const auto open_and_close = [&](int count) {
    for (int i = 0; i < count && !HasFailure(); ++i, ++connections) {
      WireClient client = Connect();
      switch (i % 5) {
        case 0:
          EXPECT_EQ(client.Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").body,
                    "hello");
          break;
        case 1:
          EXPECT_EQ(client.Ask(Get("/")).body, "hello");
          break;
        case 2:
          client.Send("GET / HT");
          break;
        case 3:
          client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf");
          break;
        default:
          break;
      }
      if (i % 2 == 0) client.peer().Reset();
    }
    // All but the load's.
    EXPECT_TRUE(Eventually([&] { return Count(&ServerCounters::closed) + 1 == connections; }));
  };
  open_and_close(1'000);
  const std::size_t before = MemoryInUse();
  open_and_close(10'000);
  EXPECT_LT(MemoryInUse(), before + kMiB);
  go = false;
  load.join();
  EXPECT_TRUE(AllClosed(connections));
  Stop();
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

}  // namespace
}  // namespace strata::http
