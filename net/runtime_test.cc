// Runtimes, worker pools and watchdogs.

#include "strata/net/runtime.h"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using std::chrono::milliseconds;
using testing::kLong;
using testing::LoopThread;
using testing::Peer;
using testing::TestHandler;

TEST(WorkerPoolTest, ResultComesBackToTheLoop) {
  LoopThread thread;
  WorkerPool pool({.threads = 2, .max_queued_jobs = 4});
  std::promise<int> result;
  std::thread::id worker;
  ASSERT_EQ(pool.Submit(
                thread.loop(),
                [&] {
                  worker = std::this_thread::get_id();
                  return std::make_unique<int>(42);
                },
                [&](std::unique_ptr<int> value) {
                  EXPECT_TRUE(thread.loop().InLoopThread());
                  EXPECT_NE(worker, std::this_thread::get_id());
                  result.set_value(*value);
                }),
            Error::kOk);
  EXPECT_EQ(result.get_future().get(), 42);
}

TEST(WorkerPoolTest, FullQueueRefusesAtOnce) {
  LoopThread thread;
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  std::promise<void> started;
  std::atomic<int> done{0};
  {
    WorkerPool pool({.threads = 1, .max_queued_jobs = 2});
    ASSERT_EQ(pool.Submit([&] {
      started.set_value();
      released.wait();
    }),
              Error::kOk);
    started.get_future().wait();
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(pool.Submit(
                    thread.loop(), [] {}, [&] { ++done; }),
                Error::kOk);
    }
    EXPECT_EQ(pool.Submit(
                  thread.loop(), [] {}, [] { FAIL(); }),
              Error::kQueueFull);
    EXPECT_EQ(pool.counts().queued, 2u);
    EXPECT_EQ(pool.counts().running, 1u);
    EXPECT_EQ(pool.counts().refused, 1u);
    pool.Stop();
    EXPECT_EQ(pool.Submit([] { FAIL(); }), Error::kClosed);
    release.set_value();
  }
  thread.Do([] {});
  EXPECT_EQ(done, 2);  // What was accepted has run.
}

TEST(WorkerPoolTest, ALongJobHoldsUpNoneBehindIt) {
  constexpr int kThreads = 3;
  WorkerPool pool({.threads = kThreads, .max_queued_jobs = 1000});
  for (int round = 0; round < 200; ++round) {
    std::promise<void> go;
    std::shared_future<void> gone = go.get_future().share();
    // All but one of the threads; in one go, so that one is woken for all of them.
    for (int i = 0; i < kThreads - 1; ++i) {
      ASSERT_EQ(pool.Submit([gone] { gone.wait(); }), Error::kOk);
    }
    // The job's own too: it may still be setting it when this thread has gone on.
    auto last = std::make_shared<std::promise<void>>();
    ASSERT_EQ(pool.Submit([last] { last->set_value(); }), Error::kOk);
    ASSERT_EQ(last->get_future().wait_for(kLong), std::future_status::ready) << round;
    go.set_value();
  }
  EXPECT_EQ(pool.queued(), 0u);
}

TEST(WorkerPoolTest, ResultForALoopThatHasEndedIsDropped) {
  auto thread = std::make_unique<LoopThread>();
  auto held = std::make_shared<int>(0);
  std::promise<void> ended;
  {
    WorkerPool pool({.threads = 1, .max_queued_jobs = 1});
    ASSERT_EQ(pool.Submit(
                  thread->loop(), [&ended] { ended.get_future().wait(); }, [held] { FAIL(); }),
              Error::kOk);
    thread.reset();
    ended.set_value();
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(WatchdogTest, ReportsACallbackThatStallsOnceAndByName) {
  LoopThread thread({.name = "the-loop"});
  std::promise<std::string> reported;
  std::atomic<int> reports{0};
  Watchdog watchdog(
      {.bound = milliseconds(20),
       .report =
           [&](const Watchdog::Stall& stall) {
             EXPECT_GE(stall.lasted, milliseconds(20));
             if (++reports == 1) {
               reported.set_value(std::string(stall.loop) + ": " + std::string(stall.callback));
             }
           }},
      {&thread.loop()});
  auto text = reported.get_future();
  // The stall lasts until it was reported, whatever the machine is doing.
  thread.Do([&] { EXPECT_EQ(text.wait_for(kLong), std::future_status::ready); });
  EXPECT_EQ(text.get(), "the-loop: posted task");
  EXPECT_EQ(reports, 1);
}

class RuntimeTest : public ::testing::TestWithParam<bool> {};

TEST_P(RuntimeTest, LoopsShareTheConnections) {
  auto runtime = Runtime::Create({.loops = 3});
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  std::mutex mutex;
  std::set<Loop*> used;
  ListenOptions options;
  options.hand_off = GetParam();
  auto listener = TcpListener::Listen(
      **runtime, "127.0.0.1:0",
      [&] {
        auto handler = std::make_unique<TestHandler>();
        handler->on_receive = [&](Stream& stream, std::string_view bytes) {
          {
            std::lock_guard<std::mutex> lock(mutex);
            used.insert(stream.loop());
          }
          stream.Write(bytes);
        };
        return handler;
      },
      options);
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*runtime)->Start();
  (*runtime)->Start();
  // By a hash of ports three loops of three all get some of 100 connections, unless once in 10^17.
  std::vector<Peer> peers;
  for (int i = 0; i < 100; ++i) peers.emplace_back((*listener)->address());
  for (Peer& peer : peers) {
    peer.Send("x");
    EXPECT_EQ(peer.Receive(1), "x");
  }
  EXPECT_EQ(used.size(), 3u);
  peers.clear();
  (*runtime)->Stop(kLong);
  (*runtime)->Stop(kLong);
}

INSTANTIATE_TEST_SUITE_P(ByPortOrByHand, RuntimeTest, ::testing::Bool());

TEST(RuntimeTest, StoppedWithoutStart) {
  auto runtime = Runtime::Create({.loops = 1});
  ASSERT_TRUE(runtime.ok());
  (*runtime)->Stop(milliseconds(0));
}

}  // namespace
}  // namespace strata::net
