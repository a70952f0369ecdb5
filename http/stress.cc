// Stress: a server on two loops against clients of every kind, for a time, by a seed, under faults
// of the system calls. Each answer is compared with a model, and at the end nothing may be left:
// no connection, no descriptor, no memory.
//
//   bazel test //http:stress --test_output=all --test_env=STRATA_STRESS_SECONDS=60
//
// STRATA_STRESS_SECONDS is the time of the scenario, 4 by default; STRATA_STRESS_SEED and
// STRATA_NET_FAULT_SEED, printed at the start, repeat a run.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/server.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/faults.h"
#include "strata/net/testing/server_test.h"
#include "strata/tests/process.h"

namespace strata::http {
namespace {

using net::testing::Pattern;
using strata::testing::EnvironmentNumber;
using strata::testing::MemoryInUse;
using strata::testing::OpenDescriptors;
using strata::testing::StressSeed;
using testing::WireClient;
using testing::WireResponse;
using Random = std::mt19937_64;

// ---- The server --------------------------------------------------------------------------------

std::size_t SizeOf(const Request& request) {
  std::size_t size = 0;
  EXPECT_TRUE(absl::SimpleAtoi(request.param("size"), &size));
  return size;
}

// Sends the body back as it comes, and pauses the client while it does not read.
class EchoReceiver final : public BodyReceiver {
 public:
  EchoReceiver(Responder responder, BodyControl control)
      : body_(responder.Start(ReplyHead(200))), control_(std::move(control)) {
    body_.OnWritable([control = control_]() mutable { control.Resume(); });
  }
  void OnData(std::string_view bytes) override {
    if (body_.Write(std::string(bytes)) == net::Error::kQueueFull) body_.Abort();
    if (body_.queued_bytes() > 256 * 1024) control_.Pause();
  }
  void OnEnd(const FieldList& trailers) override {
    ReplyHead head;
    if (const auto value = trailers.Get("X-End")) head.Add("X-End", *value);
    body_.Finish(head);
  }

 private:
  BodyWriter body_;
  BodyControl control_;
};

// Pauses at each piece, and lets another thread resume.
class HesitantReceiver final : public BodyReceiver {
 public:
  HesitantReceiver(net::WorkerPool& workers, Responder responder, BodyControl control)
      : workers_(workers), responder_(std::move(responder)), control_(std::move(control)) {}
  void OnData(std::string_view bytes) override {
    size_ += bytes.size();
    control_.Pause();
    if (workers_.Submit([control = control_]() mutable { control.Resume(); }) != net::Error::kOk) {
      control_.Resume();
    }
  }
  void OnEnd(const FieldList&) override {
    responder_.Send(Reply(200, "text/plain", absl::StrCat(size_)));
  }

 private:
  net::WorkerPool& workers_;
  Responder responder_;
  BodyControl control_;
  std::size_t size_ = 0;
};

struct EchoHandler final : public net::StreamHandler {
  void OnReceive(net::Stream& stream, std::string_view bytes) override { stream.Write(bytes); }
};

Router MakeRouter(net::Runtime& runtime) {
  Router router;
  router.Get("/plain", [](Request&, Response& response) { response.SendText("plain"); });
  router.Get("/size/{size}",
             [](Request& request, Response& response) { response.Send(Pattern(SizeOf(request))); });
  router.Post("/echo", [](Request& request, Response& response) { response.Send(request.body()); });
  router.Get("/produced/{size}", [](Request& request, Response& response) {
    auto pattern = std::make_shared<const std::string>(Pattern(SizeOf(request)));
    response.Send(ReplyBody(std::nullopt, [pattern, at = std::size_t{0}](std::string& out) mutable {
      const std::string_view piece = std::string_view(*pattern).substr(at, 20'000);
      out.append(piece);
      at += piece.size();
      return at == pattern->size() ? Produced::kEnd : Produced::kMore;
    }));
  });
  router.Get("/written/{size}", [&runtime](Request& request, Response& response) {
    (void)runtime.workers().Submit(
        [responder = response.Defer(), size = SizeOf(request)]() mutable {
          BodyWriter body = responder.Start(ReplyHead(200));
          const std::string pattern = Pattern(size);
          for (std::size_t at = 0; at < size; at += 5'000) {
            if (body.Write(pattern.substr(at, 5'000)) != net::Error::kOk) return;
          }
          body.Finish();
        });
  });
  router.Get("/deferred/{size}", [&runtime](Request& request, Response& response) {
    // By one loop or the other.
    runtime.NextLoop().mailbox()->PostAlways(
        [responder = response.Defer(), size = SizeOf(request)]() mutable {
          responder.Send(Reply(200, "text/plain", Pattern(size)));
        });
  });
  router.Get("/dropped", [](Request&, Response& response) { (void)response.Defer(); });
  router.Get("/worker/{size}", OnWorkers(runtime.workers(), [](const KeptRequest& request) {
               return Reply(200, "text/plain", Pattern(SizeOf(request)));
             }));
  router.HandleStream(
      Method::kPost, "/stream", [](Request&, Responder responder, BodyControl control) {
        return std::make_unique<EchoReceiver>(std::move(responder), std::move(control));
      });
  router.HandleStream(Method::kPost, "/hesitant",
                      [&runtime](Request&, Responder responder, BodyControl control) {
                        return std::make_unique<HesitantReceiver>(
                            runtime.workers(), std::move(responder), std::move(control));
                      });
  router.Get("/upgrade", [](Request&, Response& response) {
    response.Upgrade("echo", std::make_unique<EchoHandler>());
  });
  return router;
}

// ---- The model ---------------------------------------------------------------------------------

// A request, and what it has to be answered with.
struct Step {
  std::string request;
  int status = 200;
  std::string body = {};
  std::string trailers = {};
  bool any_body = false;
  bool to_head = false;
};

std::string Chunked(Random& random, std::string_view body, std::string_view trailers) {
  std::string text;
  while (!body.empty()) {
    const std::size_t size = std::min<std::size_t>(body.size(), 1 + random() % 9'000);
    // Seldom, for a body may have 4 KiB of them in all.
    text += absl::StrCat(absl::Hex(size), random() % 64 == 0 ? ";name=\"value\"" : "", "\r\n",
                         body.substr(0, size), "\r\n");
    body.remove_prefix(size);
  }
  return absl::StrCat(text, "0\r\n", trailers, "\r\n");
}

Step Upload(Random& random, std::string_view path, std::size_t max_bytes) {
  const std::string body = Pattern(random() % max_bytes);
  const bool streams = path == "/stream";
  Step step{.request = absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: a\r\n"),
            .body = path == "/hesitant" ? absl::StrCat(body.size()) : body};
  if (random() % 2 == 0) {
    step.request += absl::StrCat("Content-Length: ", body.size(), "\r\n\r\n", body);
  } else {
    step.request += "Transfer-Encoding: chunked\r\n\r\n";
    step.request += Chunked(random, body, streams ? "X-End: yes\r\n" : "");
    if (streams) step.trailers = "X-End: yes\n";
  }
  return step;
}

// `max_bytes` bounds bodies, not their heads and framing.
Step RandomStep(Random& random, std::size_t max_bytes) {
  static constexpr std::array<std::string_view, 5> kSized = {"size", "produced", "written",
                                                             "deferred", "worker"};
  const auto get = [](std::string_view method, std::string_view path) {
    return absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  switch (random() % 12) {
    case 0:
      return {.request = get("GET", "/nowhere"), .status = 404, .any_body = true};
    case 1:
      return {.request = get("DELETE", "/plain"), .status = 405, .any_body = true};
    case 2:
      return {.request = get("HEAD", "/size/5000"), .to_head = true};
    case 3:
      return {.request = get("GET", "/dropped"), .status = 500, .any_body = true};
    case 4:
      return Upload(random, "/echo", max_bytes);
    case 5:
      return Upload(random, "/stream", max_bytes);
    case 6:
      return Upload(random, "/hesitant", max_bytes);
    case 7:
    case 8:
      return {.request = get("GET", "/plain"), .body = "plain"};
    default: {
      // One byte at least, for a producer that makes none is none.
      const std::size_t size = 1 + random() % (random() % 8 == 0 ? 20 * max_bytes : max_bytes);
      return {.request = get("GET", absl::StrCat("/", kSized[random() % 5], "/", size)),
              .body = Pattern(size)};
    }
  }
}

struct Broken {
  std::string_view bytes;
  int status;
};
constexpr std::array<Broken, 8> kBroken = {{
    {"nonsense\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET /plain HTTP/1.1\r\n\r\n", 400},
    {"GET /plain HTTP/1.1\nHost: a\n\n", 400},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413},
}};

// ---- The clients -------------------------------------------------------------------------------

struct Seen {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> answers{0};
  std::atomic<std::uint64_t> pipelined{0};
  std::atomic<std::uint64_t> aborted{0};
  std::atomic<std::uint64_t> half_closed{0};
  std::atomic<std::uint64_t> broken{0};
  std::atomic<std::uint64_t> upgraded{0};
};

class Client {
 public:
  Client(const net::Address& address, Random& random, Seen& seen)
      : address_(address), random_(random), seen_(seen) {}

  // One connection, of a random kind.
  void Run() {
    ++seen_.connections;
    switch (random_() % 6) {
      case 0:
        return OneByOne(1 + random_() % 10);
      case 1:
        return Pipelined();
      case 2:
        return Upgraded();
      case 3:
        return Broke();
      case 4:
        return OneByOne(1);
      default:
        return Aborted();
    }
  }

 private:
  void Check(WireClient& client, const Step& step) {
    const WireResponse response = client.Read(step.to_head);
    ++seen_.answers;
    const std::string_view line = std::string_view(step.request).substr(0, 60);
    EXPECT_EQ(response.status, step.status) << line;
    if (step.any_body) return;
    EXPECT_TRUE(response.body == step.body)
        << line << ": " << response.body.size() << " bytes for " << step.body.size();
    EXPECT_EQ(response.trailers, step.trailers) << line;
  }

  // In pieces of any size.
  void SendPieces(WireClient& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t size =
          std::min<std::size_t>(bytes.size(), 1 + random_() % (random_() % 2 == 0 ? 40 : 60'000));
      client.Send(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
  }

  void OneByOne(std::uint64_t count) {
    WireClient client(address_);
    for (; count > 0; --count) {
      const Step step = RandomStep(random_, 60'000);
      if (count == 1 && random_() % 3 == 0) {
        // Up and down at the same time, and more than any buffer between holds.
        const Step large = Upload(random_, "/stream", 6'000'000);
        std::thread sender([&] { client.Send(large.request); });
        Check(client, large);
        sender.join();
      } else {
        SendPieces(client, step.request);
        Check(client, step);
      }
    }
    if (random_() % 4 == 0) client.peer().Reset();
  }

  // All at once, and perhaps the end of the sending with them: the answers still have to come.
  void Pipelined() {
    ++seen_.pipelined;
    WireClient client(address_);
    std::vector<Step> steps;
    std::string bytes;
    // As much as the socket's buffers hold, for nothing is read meanwhile.
    while (bytes.size() < 30'000 && random_() % 50 != 0) {
      steps.push_back(RandomStep(random_, 1'000));
      bytes += steps.back().request;
    }
    SendPieces(client, bytes);
    const bool ends = random_() % 2 == 0;
    if (ends) {
      ++seen_.half_closed;
      client.peer().EndSending();
    }
    for (const Step& step : steps) Check(client, step);
    if (ends) {
      EXPECT_EQ(client.ReadAll(), "");
    }
  }

  void Upgraded() {
    ++seen_.upgraded;
    WireClient client(address_);
    const std::string text = Pattern(random_() % 20'000);
    // The new protocol may begin behind the request.
    SendPieces(client, absl::StrCat("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                                    "Upgrade: echo\r\n\r\n",
                                    text));
    EXPECT_EQ(client.Read().status, 101);
    client.peer().EndSending();
    EXPECT_TRUE(client.ReadAll() == text);
  }

  void Broke() {
    ++seen_.broken;
    WireClient client(address_);
    if (random_() % 2 == 0) {
      const Step step = RandomStep(random_, 1'000);
      client.Send(step.request);
      Check(client, step);
    }
    const Broken& broken = kBroken[random_() % kBroken.size()];
    SendPieces(client, broken.bytes);
    EXPECT_EQ(client.Read().status, broken.status) << broken.bytes;
    bool reset = false;
    EXPECT_EQ(client.ReadAll(&reset), "");
    EXPECT_FALSE(reset) << "the answer may be lost";
  }

  // Goes anywhere inside a request or its answer.
  void Aborted() {
    ++seen_.aborted;
    WireClient client(address_);
    const Step step = RandomStep(random_, 60'000);
    const std::string_view request = step.request;
    client.Send(random_() % 2 == 0 ? request : request.substr(0, random_() % request.size()));
    if (random_() % 4 == 0) client.peer().EndSending();
    if (random_() % 4 == 0) client.Send(RandomStep(random_, 10'000).request);
    // Not more than has to come.
    if (random_() % 4 == 0) std::this_thread::yield();
    random_() % 2 == 0 ? client.peer().Reset() : client.peer().Close();
  }

  const net::Address& address_;
  Random& random_;
  Seen& seen_;
};

std::uint64_t Sum(const Server& server, net::Counter ServerCounters::*counter) {
  std::uint64_t sum = 0;
  for (const ServerCounters* counters : server.counters()) sum += (counters->*counter).Get();
  return sum;
}

class HttpStress : public testing::WireTest {
 protected:
  // Clients on four threads, until the time is over and all their connections are closed.
  void Load(const Server& server, std::chrono::milliseconds time, std::uint64_t seed, Seen& seen) {
    const auto end = std::chrono::steady_clock::now() + time;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Random random(seed + i);
        while (std::chrono::steady_clock::now() < end && !HasFailure()) {
          Client(server.address(), random, seen).Run();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(Eventually([&] {
      return Sum(server, &ServerCounters::connections) == seen.connections &&
             Sum(server, &ServerCounters::closed) == seen.connections;
    })) << Sum(server, &ServerCounters::connections)
        << " opened, " << Sum(server, &ServerCounters::closed) << " closed of " << seen.connections;
  }
};

TEST_F(HttpStress, EveryAnswerIsRightAndNothingIsLeft) {
  const std::uint64_t seed = StressSeed();
  const std::chrono::milliseconds time =
      std::chrono::seconds(EnvironmentNumber("STRATA_STRESS_SECONDS", 4));
  const std::size_t descriptors = OpenDescriptors();
  Seen seen;
  {
    std::unique_ptr<net::Runtime> runtime = *net::Runtime::Create({.loops = 2});
    ServerOptions options;
    options.address = "127.0.0.1:0";
    auto server = Server::Create(*runtime, MakeRouter(*runtime), std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    runtime->Start();
    // What a loop keeps for the next request is there after the first half.
    Load(**server, time / 2, seed, seen);
    const std::size_t before = MemoryInUse();
    Load(**server, time / 2, seed + 1000, seen);
    const std::size_t after = MemoryInUse();
    EXPECT_LT(after, before + (4 << 20)) << "memory grows";
    const auto count = [&](net::Counter ServerCounters::*counter) {
      return static_cast<unsigned long long>(Sum(**server, counter));
    };
    std::printf("%llu connections, %llu requests, %llu refused, %llu aborted, %llu upgrades\n",
                count(&ServerCounters::connections), count(&ServerCounters::requests),
                count(&ServerCounters::refused), count(&ServerCounters::aborted),
                count(&ServerCounters::upgrades));
    std::printf("%zu bytes in use after half of the time, %zu at the end\n", before, after);
    EXPECT_GE(count(&ServerCounters::refused), seen.broken);
    EXPECT_GE(count(&ServerCounters::upgrades), seen.upgraded);
    runtime->Stop(std::chrono::seconds(1));
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_GT(seen.answers, 0u);
  std::printf(
      "%llu answers; connections: %llu pipelined, %llu half-closed, %llu broken, "
      "%llu upgraded, %llu aborted; %llu faults\n",
      static_cast<unsigned long long>(seen.answers.load()),
      static_cast<unsigned long long>(seen.pipelined.load()),
      static_cast<unsigned long long>(seen.half_closed.load()),
      static_cast<unsigned long long>(seen.broken.load()),
      static_cast<unsigned long long>(seen.upgraded.load()),
      static_cast<unsigned long long>(seen.aborted.load()),
      static_cast<unsigned long long>(net::testing::FaultCount()));
}

}  // namespace
}  // namespace strata::http
