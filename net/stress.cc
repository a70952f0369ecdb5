// Stress: what a loop must survive, for a time, by a seed, under faults of the system calls.
//
//   bazel test //net:stress --test_output=all --test_env=STRATA_STRESS_SECONDS=60
//
// STRATA_STRESS_SECONDS is the time of each scenario, 2 by default; STRATA_STRESS_SEED and
// STRATA_NET_FAULT_SEED, printed at the start, repeat a run.
//
// A loop that silently stops, a known fate of such servers, shows here as a scenario that makes no
// progress: each counts what it did, and prints it.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/connector.h"
#include "strata/net/resolver.h"
#include "strata/net/runtime.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/faults.h"
#include "strata/net/testing/streams.h"
#include "strata/net/timer.h"
#include "strata/tests/process.h"

namespace strata::net {
namespace {

using std::chrono::milliseconds;
using strata::testing::EnvironmentNumber;
using strata::testing::OpenDescriptors;
using strata::testing::StressSeed;
using testing::kLong;
using testing::Peer;

// True until a scenario's time is over.
class Clock {
 public:
  bool Runs() const { return std::chrono::steady_clock::now() < end_; }

 private:
  const std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() +
      std::chrono::seconds(EnvironmentNumber("STRATA_STRESS_SECONDS", 2));
};

void WaitFor(const std::function<bool()>& condition, const char* what) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what << " never came";
    std::this_thread::yield();
  }
}

TEST(NetStress, NoPostIsLost) {
  std::unique_ptr<Runtime> runtime = *Runtime::Create({.loops = 2});
  runtime->Start();
  std::atomic<bool> go{true};
  std::atomic<std::uint64_t> posted{0};
  std::atomic<std::uint64_t> ran{0};
  std::vector<std::thread> posters;
  for (std::uint64_t i = 0; i < 3; ++i) {
    posters.emplace_back([&, i] {
      std::mt19937_64 random(StressSeed() + i);
      while (go) {
        // Bursts and pauses, so that loops fall asleep between posts in all ways.
        for (std::uint64_t left = random() % 64; left > 0; --left) {
          if (runtime->loop(random() % 2).Post([&] { ++ran; }) == Error::kOk) ++posted;
        }
        for (std::uint64_t spin = random() % 2000; spin > 0; --spin) {
          std::atomic_signal_fence(std::memory_order_seq_cst);
        }
      }
    });
  }
  for (const Clock clock; clock.Runs();) std::this_thread::sleep_for(milliseconds(10));
  go = false;
  for (std::thread& poster : posters) poster.join();
  WaitFor([&] { return ran == posted; }, "the last post");
  std::printf("%llu posts\n", static_cast<unsigned long long>(ran.load()));
}

TEST(NetStress, BallsBetweenLoopsNeverRest) {
  std::unique_ptr<Runtime> runtime = *Runtime::Create({.loops = 3});
  runtime->Start();
  std::atomic<bool> go{true};
  std::atomic<std::uint64_t> hits{0};
  std::atomic<int> resting{0};
  constexpr int kBalls = 4;
  std::function<void(std::size_t)> hit = [&](std::size_t to) {
    ++hits;
    if (!go) {
      ++resting;
      return;
    }
    runtime->loop(to).mailbox()->PostAlways([&hit, to] { hit((to + 1) % 3); });
  };
  for (std::size_t i = 0; i < kBalls; ++i) hit(i % 3);
  std::uint64_t before = 0;
  for (const Clock clock; clock.Runs(); before = hits) {
    WaitFor([&] { return hits > before; }, "the next hit");
  }
  go = false;
  WaitFor([&] { return resting == kBalls; }, "the end");
  std::printf("%llu hits\n", static_cast<unsigned long long>(hits.load()));
}

TEST(NetStress, TimersComeWhileOthersGo) {
  std::unique_ptr<Loop> loop = *Loop::Create({});
  std::mt19937_64 random(StressSeed());
  std::uint64_t fired = 0;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10'000; ++i) {
    timers.push_back(std::make_unique<Timer>(*loop, [&, i] {
      ++fired;
      timers[static_cast<std::size_t>(i)]->Arm(milliseconds(1 + random() % 50));
      Timer& other = *timers[random() % timers.size()];
      random() % 4 == 0 ? other.Cancel() : other.Arm(milliseconds(random() % 50));
    }));
    timers.back()->Arm(milliseconds(random() % 50));
  }
  Timer end(*loop, [&] { loop->Stop(); });
  end.Arm(std::chrono::seconds(EnvironmentNumber("STRATA_STRESS_SECONDS", 2)));
  loop->Run();
  EXPECT_GT(fired, 10'000u);
  std::printf("%llu timers\n", static_cast<unsigned long long>(fired));
}

// Connects and closes in all ways, a hundred thousand in a minute or less: no descriptor may be
// left.
TEST(NetStress, ConnectionsLeaveNothingBehind) {
  const std::size_t before = OpenDescriptors();
  std::uint64_t count = 0;
  {
    std::unique_ptr<Runtime> runtime = *Runtime::Create({.loops = 2});
    auto listener = TcpListener::Listen(*runtime, "127.0.0.1:0", [] {
      auto handler = std::make_unique<testing::TestHandler>();
      handler->on_receive = [](Stream& stream, std::string_view bytes) {
        stream.Write(bytes);
        if (bytes[0] == 'c') stream.Close();
        if (bytes[0] == 'a') stream.Abort();
      };
      return handler;
    });
    ASSERT_TRUE(listener.ok());
    runtime->Start();
    std::mt19937_64 random(StressSeed());
    for (const Clock clock; clock.Runs(); ++count) {
      Peer peer((*listener)->address());
      const std::uint64_t how = random();
      if (how & 1) peer.Send((how & 2) ? "c" : (how & 4) ? "a" : "x");
      if ((how & 9) == 9) peer.Receive(1);
      if (how & 16) peer.EndSending();
      if (how & 32) {
        peer.Reset();
      }
    }
    runtime->Stop(milliseconds(200));
  }
  EXPECT_EQ(OpenDescriptors(), before);
  std::printf("%llu connections\n", static_cast<unsigned long long>(count));
}

// What is counted of handlers: each is told of its end once, and destroyed once.
struct Ends {
  std::atomic<std::uint64_t> made{0};
  std::atomic<std::uint64_t> opened{0};
  std::atomic<std::uint64_t> closed{0};
  std::atomic<std::uint64_t> destroyed{0};
};

// Does at random what a handler may do, and more than is wise.
class ChaosHandler final : public StreamHandler {
 public:
  ChaosHandler(Ends& ends, std::uint64_t seed) : ends_(ends), random_(seed) { ++ends_.made; }
  ~ChaosHandler() override { ++ends_.destroyed; }

  void OnOpen(Stream& stream) override {
    opened_ = true;
    ++ends_.opened;
    Act(stream);
  }
  void OnReceive(Stream& stream, std::string_view bytes) override {
    EXPECT_FALSE(closed_);
    if (random_() % 4 == 0) stream.Write(bytes.substr(0, 1000));
    Act(stream);
  }
  void OnWritable(Stream& stream) override { Act(stream); }
  void OnClosed(Stream& stream, Error) override {
    EXPECT_FALSE(std::exchange(closed_, true));
    if (opened_) ++ends_.closed;
    EXPECT_EQ(stream.Write("late"), Error::kClosed);
    stream.Close();
  }

 private:
  void Act(Stream& stream) {
    switch (random_() % 24) {
      case 0:
        return stream.Close();
      case 1:
        return stream.Abort();
      case 2:
        stream.CloseWrite();
        return;
      case 3:
        stream.PauseReceive();
        if (stream.Post([](Stream& self) { self.ResumeReceive(); }) != Error::kOk) stream.Abort();
        return;
      case 4:
        stream.WriteOwned(std::string(random_() % 300'000, 'o'));
        return;
      case 5:
        stream.WriteShared(std::make_shared<const std::string>(random_() % 100'000, 's'));
        return;
      case 6:
        stream.SetIdleTimeout(milliseconds(1 + random_() % 20));
        return;
      case 7:
        stream.SetMinReceiveRate(1000, milliseconds(1 + random_() % 20));
        return;
      case 8: {
        std::thread([held = StreamPtr(&stream), abort = random_() % 2] {
          abort ? held->Abort() : held->Close();
        }).detach();
        return;
      }
      default:
        stream.Write(std::string(random_() % 3000, 'c'));
    }
  }

  Ends& ends_;
  std::mt19937_64 random_;
  bool opened_ = false;
  bool closed_ = false;
};

TEST(NetStress, ChaosEndsEveryStreamOnce) {
  const std::size_t before = OpenDescriptors();
  static Ends ends;  // Detached threads may hold streams for a moment longer than the test.
  testing::SetFatalFaults(200);
  {
    Resolver resolver;
    std::unique_ptr<Runtime> runtime = *Runtime::Create({.loops = 2});
    std::atomic<std::uint64_t> seed{StressSeed()};
    ListenOptions listen;
    listen.stream.high_watermark_bytes = 100'000;
    listen.stream.low_watermark_bytes = 10'000;
    listen.stream.linger_timeout = milliseconds(20);
    listen.stream.send_timeout = milliseconds(200);
    listen.stream.idle_timeout = milliseconds(500);
    auto listener = TcpListener::Listen(
        *runtime, "127.0.0.1:0", [&] { return std::make_unique<ChaosHandler>(ends, ++seed); },
        listen);
    ASSERT_TRUE(listener.ok());
    runtime->Start();
    ConnectOptions connect;
    connect.stream = listen.stream;
    connect.timeout = std::chrono::seconds(2);
    const std::string target = (*listener)->address().ToString();
    std::atomic<std::uint64_t> under_way{0};
    std::uint64_t connects = 0;
    for (const Clock clock; clock.Runs();) {
      if (under_way > 100) {
        std::this_thread::yield();
        continue;
      }
      ++under_way;
      ++connects;
      Loop& loop = runtime->NextLoop();
      loop.mailbox()->PostAlways([&] {
        Connect(
            loop, resolver, target, std::make_unique<ChaosHandler>(ends, ++seed),
            [&](absl::Status) { --under_way; }, connect);
      });
    }
    WaitFor([&] { return under_way == 0; }, "the last connect");
    // The loops still do what they are asked to.
    for (std::size_t i = 0; i < 2; ++i) {
      std::atomic<bool> ran{false};
      EXPECT_EQ(runtime->loop(i).Post([&] { ran = true; }), Error::kOk);
      WaitFor([&] { return ran.load(); }, "a task");
    }
    runtime->Stop(milliseconds(100));
    std::printf("%llu connects, %llu streams, %llu faults\n",
                static_cast<unsigned long long>(connects),
                static_cast<unsigned long long>(ends.opened.load()),
                static_cast<unsigned long long>(testing::FaultCount()));
  }
  testing::SetFatalFaults(0);
  EXPECT_EQ(ends.closed, ends.opened);
  EXPECT_EQ(ends.destroyed, ends.made);
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace strata::net
