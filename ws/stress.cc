// Stress: a server on two loops against clients of every kind, for a time, by a seed, under faults
// of the system calls. What comes back is compared with a model, and at the end nothing may be
// left: no connection, no subscription, no descriptor, no memory.
//
//   bazel test //ws:stress --test_output=all --test_env=STRATA_STRESS_SECONDS=60
//
// STRATA_STRESS_SECONDS is the time of the first scenario, 4 by default, and
// STRATA_STRESS_CONNECTIONS are those of the second, 2000 by default; STRATA_STRESS_SEED and
// STRATA_NET_FAULT_SEED, printed at the start, repeat a run.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/faults.h"
#include "strata/net/testing/server_test.h"
#include "strata/tests/process.h"
#include "strata/ws/client.h"
#include "strata/ws/hub.h"
#include "strata/ws/testing/stress_server.h"
#include "strata/ws/testing/wire.h"
#include "strata/ws/testing/wire_client.h"

namespace strata::ws {
namespace {

using net::testing::Pattern;
using strata::testing::EnvironmentNumber;
using strata::testing::MemoryInUse;
using strata::testing::OpenDescriptors;
using strata::testing::StressSeed;
using testing::kMaxMessage;
using testing::kTopics;
using testing::Publisher;
using testing::StressServer;
using wire::Frame;
using wire::Received;
using Random = std::mt19937_64;

// ---- The clients -------------------------------------------------------------------------------

struct Seen {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> broken{0};
  std::atomic<std::uint64_t> races{0};
  std::atomic<std::uint64_t> aborted{0};
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> closed_slow{0};
  std::atomic<std::uint64_t> ours{0};
};

void SetOption(wire::Client& client, int level, int option, int value) {
  EXPECT_EQ(::setsockopt(client.peer().native(), level, option, &value, sizeof(value)), 0);
}

// Pieces are not to wait for each other's acknowledgement.
wire::Client ConnectTo(const net::Address& address) {
  wire::Client client(address);
  SetOption(client, IPPROTO_TCP, TCP_NODELAY, 1);
  return client;
}

struct Broken {
  std::string bytes;
  int code;
};

std::vector<Broken> AllBroken() {
  return {
      {wire::PlainFrame(wire::kFin | wire::kText, "no mask"), 1002},
      {Frame(wire::kFin | 0x3, "an opcode of nobody's"), 1002},
      {Frame(wire::kFin | wire::kRsv2 | wire::kText, "a reserved bit"), 1002},
      {Frame(wire::kFin | wire::kContinuation, "of no message"), 1002},
      {Frame(wire::kText, "a") + Frame(wire::kFin | wire::kText, "another inside"), 1002},
      {Frame(wire::kPing, "a ping in parts"), 1002},
      {Frame(wire::kFin | wire::kPing, std::string(126, 'p')), 1002},
      {Frame(wire::kFin | wire::kText, "\xff"), 1007},
      {Frame(wire::kText, "\xe2\x82") + Frame(wire::kFin | wire::kContinuation, "x"), 1007},
      {Frame(wire::kFin | wire::kClose, "1"), 1002},
      {Frame(wire::kFin | wire::kClose, wire::ClosePayload(1005)), 1002},
      {wire::Header(wire::kFin | wire::kBinary, kMaxMessage + 1, 8), 1009},
  };
}

class Client {
 public:
  Client(const net::Address& address, const Publisher& publisher, const Publisher& strict_publisher,
         Random& random, Seen& seen)
      : address_(address),
        publisher_(publisher),
        strict_publisher_(strict_publisher),
        random_(random),
        seen_(seen) {}

  // One connection, of a random kind.
  void Run() {
    ++seen_.connections;
    wire::Client client = ConnectTo(address_);
    switch (random_() % 7) {
      case 0:
      case 1:
        return Echoed(client);
      case 2:
        return Broke(client);
      case 3:
        return Raced(client);
      case 4:
        return Reads(client, false);
      case 5:
        return Reads(client, true);
      default:
        return Aborted(client);
    }
  }

 private:
  bool OneIn(std::uint64_t count) { return random_() % count == 0; }

  static void Open(wire::Client& client, std::string_view path) {
    EXPECT_EQ(client.Upgrade({}, path).status, 101) << path;
  }

  // In pieces of any size.
  void SendPieces(wire::Client& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t size =
          std::min<std::size_t>(bytes.size(), 1 + random_() % (OneIn(2) ? 40 : 60'000));
      client.Send(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
  }

  // A message, in fragments with pings in front of them, and what has to come back.
  std::string Message(std::size_t max_bytes, std::vector<Received>& answers) {
    int opcode = OneIn(2) ? wire::kText : wire::kBinary;
    std::string payload = Pattern(random_() % max_bytes);
    if (opcode == wire::kText) {
      for (char& c : payload) c &= 0x7f;
    }
    const Received echo = {wire::kFin | opcode, payload};
    std::string bytes;
    for (std::string_view rest = payload;;) {
      if (OneIn(4)) {
        answers.push_back({wire::kFin | wire::kPong, Pattern(random_() % 126)});
        bytes += Frame(wire::kFin | wire::kPing, answers.back().payload);
      }
      const std::size_t size = OneIn(2) ? rest.size() : random_() % (rest.size() + 1);
      const bool last = size == rest.size();
      bytes += Frame((last ? wire::kFin : 0) | opcode, rest.substr(0, size));
      if (last) break;
      rest.remove_prefix(size);
      opcode = wire::kContinuation;
    }
    answers.push_back(echo);
    return bytes;
  }

  void Expect(wire::Client& client, const std::vector<Received>& answers) {
    for (const Received& answer : answers) {
      const Received frame = client.ReadFrame();
      EXPECT_EQ(frame.first_byte, answer.first_byte);
      EXPECT_TRUE(frame.payload == answer.payload)
          << frame.payload.size() << " bytes for " << answer.payload.size();
      ++seen_.messages;
    }
  }

  static void ExpectEnd(wire::Client& client) { EXPECT_EQ(client.ReadAll(), ""); }

  // Asks for the end by a code, and gets it back.
  void Leave(wire::Client& client) {
    constexpr std::array<int, 5> kCodes = {1000, 1001, 1011, 3000, 4999};
    const int code = kCodes[random_() % kCodes.size()];
    client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(code, "done")));
    EXPECT_EQ(wire::CodeOf(client.ReadFrame()), code);
    ExpectEnd(client);
  }

  void Echoed(wire::Client& client) {
    Open(client, "/echo");
    for (std::uint64_t count = random_() % 10; count > 0; --count) {
      std::vector<Received> answers;
      if (OneIn(8)) {
        // More than the sockets between hold, up and down at the same time.
        const std::string bytes = Message(kMaxMessage, answers);
        std::thread sender([&] { client.Send(bytes); });
        Expect(client, answers);
        sender.join();
        continue;
      }
      std::string bytes;
      do {
        bytes += Message(20'000, answers);
      } while (bytes.size() < 30'000 && OneIn(2));
      SendPieces(client, bytes);
      Expect(client, answers);
    }
    OneIn(4) ? client.peer().Reset() : Leave(client);
  }

  void Broke(wire::Client& client) {
    ++seen_.broken;
    static const std::vector<Broken> all = AllBroken();
    Open(client, "/echo");
    if (OneIn(2)) {
      std::vector<Received> answers;
      client.Send(Message(1000, answers));
      Expect(client, answers);
    }
    const Broken& broken = all[random_() % all.size()];
    SendPieces(client, broken.bytes);
    EXPECT_EQ(wire::CodeOf(client.ReadFrame()), broken.code);
    ExpectEnd(client);
  }

  // Both sides close, and three threads of the server's among them.
  void Raced(wire::Client& client) {
    ++seen_.races;
    Open(client, "/race");
    if (OneIn(2)) client.Send(Frame(wire::kText, "a message that does not end"));
    if (OneIn(3)) client.Send(Frame(wire::kFin | wire::kPing, "in between"));
    const bool closes = OneIn(2);
    if (closes) client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(1000)));
    std::array<int, 3> messages{};
    for (;;) {
      const Received frame = client.ReadFrame();
      if (frame.first_byte == (wire::kFin | wire::kText)) {
        if (frame.payload.starts_with("t/")) continue;  // Published.
        const int thread = frame.payload.empty() ? 3 : frame.payload.back() - '0';
        ASSERT_LT(thread, 3) << frame.payload;
        EXPECT_EQ(messages[static_cast<std::size_t>(thread)]++, 0);
      } else if (frame.first_byte == (wire::kFin | wire::kBinary)) {
        EXPECT_EQ(frame.payload.size(), 3000u);
      } else if (frame.first_byte == (wire::kFin | wire::kPong)) {
        EXPECT_EQ(frame.payload, "in between");
      } else if (frame.first_byte == (wire::kFin | wire::kPing)) {
        EXPECT_EQ(frame.payload, "race");
      } else {
        const int code = wire::CodeOf(frame);
        EXPECT_TRUE((code >= 4000 && code < 4003) || (closes && code == 1000)) << code;
        break;
      }
    }
    if (!closes) client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(1000)));
    ExpectEnd(client);
  }

  // Subscribes, and reads for a while, or does not.
  void Reads(wire::Client& client, bool strict) {
    Open(client, strict ? "/strict" : "/hub");
    std::string filters;
    for (std::uint64_t count = 1 + random_() % 3; count > 0; --count) {
      constexpr std::array<std::string_view, 5> kFilters = {"t/0", "t/1", "t/+", "#", "nobody"};
      filters += Frame(wire::kFin | wire::kText, kFilters[random_() % kFilters.size()]);
    }
    SendPieces(client, filters);
    if (OneIn(6)) {
      SetOption(client, SOL_SOCKET, SO_RCVBUF, 128 << 10);
      Wait(strict ? strict_publisher_ : publisher_);
    }
    client.Send(Frame(wire::kFin | wire::kText, "dropped?"));
    if (OneIn(8)) return client.peer().Reset();
    std::array<std::int64_t, kTopics> last;
    last.fill(-1);
    std::uint64_t gaps = 0;
    for (int answers = 0; answers < 2;) {
      const Received frame = client.ReadFrame();
      if (frame.first_byte == (wire::kFin | wire::kBinary)) {
        // What is missing was counted before what follows it was sent.
        std::uint64_t dropped = 0;
        EXPECT_TRUE(absl::SimpleAtoi(frame.payload, &dropped));
        EXPECT_LE(gaps, dropped);
        if (++answers == 2) break;
        client.Send(Frame(wire::kFin | wire::kText, "leave") +
                    Frame(wire::kFin | wire::kText, "dropped?"));
        continue;
      }
      if (frame.first_byte == (wire::kFin | wire::kClose)) {
        EXPECT_TRUE(strict) << wire::CodeOf(frame);
        EXPECT_EQ(wire::CodeOf(frame), 1013);
        ++seen_.closed_slow;
        return client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(1000)));
      }
      ASSERT_EQ(frame.first_byte, wire::kFin | wire::kText);
      const std::vector<std::string_view> words = absl::StrSplit(frame.payload, ' ');
      ASSERT_EQ(words.size(), 3u);
      const auto topic = static_cast<std::size_t>(words[0].back() - '0');
      std::int64_t number = 0;
      ASSERT_TRUE(topic < kTopics && absl::SimpleAtoi(words[1], &number)) << words[0];
      if (last[topic] >= 0) {
        ASSERT_GT(number, last[topic]) << "twice, or in another order";
        gaps += static_cast<std::uint64_t>(number - last[topic] - 1);
      }
      last[topic] = number;
      ++seen_.published;
    }
    if (strict) {
      EXPECT_EQ(gaps, 0u) << "a policy that loses nothing silently";
    }
    seen_.lost += gaps;
    if (OneIn(2)) return client.peer().Reset();
    client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(1001)));
    Received frame;
    do {
      frame = client.ReadFrame();
    } while (frame.first_byte == (wire::kFin | wire::kText));
    EXPECT_EQ(wire::CodeOf(frame), 1001);
    ExpectEnd(client);
  }

  // Until more was published than the sockets between hold.
  static void Wait(const Publisher& publisher) {
    const std::uint64_t begin = publisher.bytes();
    for (int i = 0; i < 500 && publisher.bytes() < begin + (6 << 20); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // Goes anywhere inside its handshake or a message.
  void Aborted(wire::Client& client) {
    ++seen_.aborted;
    std::vector<Received> answers;
    std::string bytes = wire::Handshake({}, "/echo");
    if (!OneIn(4)) {
      Open(client, "/echo");
      bytes = Message(60'000, answers);
    }
    client.Send(std::string_view(bytes).substr(0, random_() % bytes.size()));
    if (OneIn(4)) client.peer().EndSending();
    OneIn(2) ? client.peer().Reset() : client.peer().Close();
  }

  const net::Address& address_;
  const Publisher& publisher_;
  const Publisher& strict_publisher_;
  Random& random_;
  Seen& seen_;
};

// Our own client's side, told to a thread.
class Talk final : public SocketHandler {
 public:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    SocketPtr socket;
    std::deque<std::string> received;
    int close_code = 0;

    template <typename Holds>
    bool Wait(Holds holds) {
      std::unique_lock<std::mutex> lock(mutex);
      return changed.wait_for(lock, net::testing::kLong, holds);
    }
  };

  explicit Talk(std::shared_ptr<State> state) : state_(std::move(state)) {}

  void OnOpen(Socket& socket) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->socket = SocketPtr(&socket);
  }
  void OnMessage(Socket&, bool text, std::string_view message) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->received.push_back(absl::StrCat(text ? "t" : "b", message));
    state_->changed.notify_all();
  }
  void OnClosed(Socket&, CloseCode code, std::string_view) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->close_code = static_cast<int>(code);
    state_->changed.notify_all();
  }

 private:
  const std::shared_ptr<State> state_;
};

// One connection by our own client, on a loop, from another thread.
void TalkOnce(net::testing::LoopThread& thread, net::Resolver& resolver,
              const net::Address& address, Random& random, Seen& seen) {
  ++seen.connections;
  ++seen.ours;
  auto state = std::make_shared<Talk::State>();
  ClientOptions options;
  if (random() % 3 == 0) options.deflate.reset();
  if (random() % 3 == 0) options.deflate = DeflateParameters{};
  std::promise<absl::Status> promise;
  auto future = promise.get_future();
  thread.Do([&] {
    ConnectWebSocket(thread.loop(), resolver,
                     absl::StrCat("ws://127.0.0.1:", address.port(), "/echo"),
                     std::make_unique<Talk>(state), options,
                     [promise = std::move(promise)](absl::Status status) mutable {
                       promise.set_value(std::move(status));
                     });
  });
  const absl::Status status = future.get();
  ASSERT_TRUE(status.ok()) << status;
  std::deque<std::string> sent;
  for (std::uint64_t count = random() % 20; count > 0; --count) {
    std::string message = Pattern(random() % (random() % 8 == 0 ? 200'000 : 2'000));
    const bool text = random() % 2 == 0;
    if (text) {
      for (char& c : message) c &= 0x7f;
    }
    EXPECT_LE(text ? state->socket->SendText(message) : state->socket->SendBinary(message),
              SendResult::kBacklog);
    sent.push_back(absl::StrCat(text ? "t" : "b", message));
  }
  EXPECT_TRUE(state->Wait([&] { return state->received.size() >= sent.size(); }));
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    EXPECT_TRUE(state->received == sent);
  }
  seen.messages += sent.size();
  const bool aborts = random() % 4 == 0;
  aborts ? state->socket->Abort() : state->socket->Close(static_cast<CloseCode>(4001), "bye");
  EXPECT_TRUE(state->Wait([&] { return state->close_code != 0; }));
  EXPECT_EQ(state->close_code, aborts ? 1006 : 4001);
}

class WsStress : public http::testing::WireTest {
 protected:
  // Clients on five threads, until the time is over and all their connections are closed.
  static void Load(StressServer& server, std::chrono::milliseconds time, std::uint64_t seed,
                   Seen& seen) {
    const auto end = std::chrono::steady_clock::now() + time;
    const auto goes_on = [end] { return std::chrono::steady_clock::now() < end && !HasFailure(); };
    {
      const Publisher publisher(server.hub());
      const Publisher strict_publisher(server.strict_hub());
      std::vector<std::thread> threads;
      for (std::uint64_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
          Random random(seed + i);
          while (goes_on()) {
            Client(server.address(), publisher, strict_publisher, random, seen).Run();
          }
        });
      }
      threads.emplace_back([&] {
        Random random(seed + 4);
        net::Resolver resolver;
        net::testing::LoopThread thread;
        while (goes_on()) {
          TalkOnce(thread, resolver, server.address(), random, seen);
        }
      });
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_TRUE(Eventually([&] { return server.IsIdle(seen.connections); }))
        << server.Sum(&net::LoopCounters::opened) << " opened, "
        << server.Sum(&net::LoopCounters::closed) << " closed of " << seen.connections;
  }
};

unsigned long long Number(const std::atomic<std::uint64_t>& counter) { return counter.load(); }

TEST_F(WsStress, EveryMessageIsRightAndNothingIsLeft) {
  const std::uint64_t seed = StressSeed();
  const std::chrono::milliseconds time =
      std::chrono::seconds(EnvironmentNumber("STRATA_STRESS_SECONDS", 4));
  const std::size_t descriptors = OpenDescriptors();
  Seen seen;
  {
    StressServer server;
    // What a loop keeps for the next connection is there after the first half.
    Load(server, time / 2, seed, seen);
    const std::size_t before = MemoryInUse();
    Load(server, time / 2, seed + 1000, seen);
    const std::size_t after = MemoryInUse();
    EXPECT_LT(after, before + (4 << 20)) << "memory grows";
    std::printf("%zu bytes in use after half of the time, %zu at the end\n", before, after);
    const HubCounters hub = server.hub().counters();
    const HubCounters strict = server.strict_hub().counters();
    EXPECT_EQ(hub.levels + strict.levels, 0u);
    EXPECT_EQ(strict.closed_slow == 0, strict.dropped == 0);
    EXPECT_GE(hub.dropped, seen.lost);
    EXPECT_GE(strict.closed_slow, seen.closed_slow);
    EXPECT_GE(hub.delivered + strict.delivered, seen.published);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_GT(seen.messages, 0u);
  EXPECT_GT(seen.published, 0u);
  std::printf(
      "%llu connections: %llu broken, %llu raced, %llu aborted, %llu by our client; %llu messages; "
      "%llu published read, %llu lost, %llu readers closed; %llu faults\n",
      Number(seen.connections), Number(seen.broken), Number(seen.races), Number(seen.aborted),
      Number(seen.ours), Number(seen.messages), Number(seen.published), Number(seen.lost),
      Number(seen.closed_slow), static_cast<unsigned long long>(net::testing::FaultCount()));
}

TEST_F(WsStress, ManyConnectsAndClosesLeaveNothing) {
  const std::uint64_t connections = EnvironmentNumber("STRATA_STRESS_CONNECTIONS", 2000);
  const std::size_t descriptors = OpenDescriptors();
  {
    StressServer server;
    std::uint64_t done = 0;
    const auto connect = [&](std::uint64_t count) {
      for (; count > 0; --count, ++done) {
        wire::Client client = ConnectTo(server.address());
        ASSERT_EQ(client.Upgrade({}, done % 2 == 0 ? "/echo" : "/hub").status, 101);
        client.Send(Frame(wire::kFin | wire::kText, "t/0"));
        if (done % 3 == 0) {
          client.peer().Reset();
          continue;
        }
        client.Send(Frame(wire::kFin | wire::kClose, wire::ClosePayload(1000)));
        while (client.ReadFrame().first_byte >= 0) {
        }
      }
      EXPECT_TRUE(Eventually([&] { return server.IsIdle(done); }));
    };
    connect(connections / 4);
    const std::size_t before = MemoryInUse();
    connect(connections - connections / 4);
    // Less than half a byte for each of a hundred thousand.
    EXPECT_LT(MemoryInUse(), before + (32 << 10));
    EXPECT_EQ(server.hub().counters().levels, 0u);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

}  // namespace
}  // namespace strata::ws
