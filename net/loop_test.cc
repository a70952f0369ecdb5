// Loops: tasks of other threads, timers, stopping, draining, and callbacks that misbehave.

#include "strata/net/loop.h"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/testing/streams.h"
#include "strata/net/timer.h"

namespace strata::net {
namespace {

using std::chrono::milliseconds;
using testing::kLong;
using testing::LoopThread;

std::unique_ptr<Loop> NewLoop(Loop::Options options = {}) {
  absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(std::move(options));
  EXPECT_TRUE(loop.ok()) << loop.status();
  return *std::move(loop);
}

TEST(LoopTest, TasksOfOneThreadRunInTheirOrder) {
  LoopThread thread;
  std::vector<int> ran;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(thread.loop().Post([&ran, i] { ran.push_back(i); }), Error::kOk);
  }
  thread.Do([] {});
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[static_cast<std::size_t>(i)], i);
}

TEST(LoopTest, NoTaskOfManyThreadsIsLost) {
  LoopThread thread;
  constexpr int kThreads = 4;
  constexpr int kTasks = 50'000;
  std::atomic<int> ran{0};
  std::promise<void> all;
  std::vector<std::thread> posters;
  for (int i = 0; i < kThreads; ++i) {
    posters.emplace_back([&] {
      for (int j = 0; j < kTasks; ++j) {
        ASSERT_EQ(thread.loop().Post([&] {
          if (++ran == kThreads * kTasks) all.set_value();
        }),
                  Error::kOk);
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(all.get_future().wait_for(kLong), std::future_status::ready);
}

// A task is posted when the loop has just run the one before: as it falls asleep, or just has. One
// wake-up that is lost stops the play.
TEST(LoopTest, PingPongBetweenTwoLoopsNeverStops) {
  LoopThread one;
  LoopThread two;
  const std::vector<RefPtr<Mailbox>> mailboxes = {one.loop().mailbox(), two.loop().mailbox()};
  std::promise<void> done;
  int left = 30'000;
  std::function<void()> hit = [&] {
    if (--left == 0) return done.set_value();
    // Held, for the other loop may end as soon as it has run the task, before Post() returns.
    const RefPtr<Mailbox> other = mailboxes[one.loop().InLoopThread() ? 1 : 0];
    EXPECT_EQ(other->Post([&] { hit(); }), Error::kOk);
  };
  EXPECT_EQ(one.loop().Post([&] { hit(); }), Error::kOk);
  EXPECT_EQ(done.get_future().wait_for(kLong), std::future_status::ready) << left << " left";
}

TEST(LoopTest, FullQueueRefusesAndRecovers) {
  Loop::Options options;
  options.max_posted_tasks = 3;
  std::unique_ptr<Loop> loop = NewLoop(std::move(options));
  int ran = 0;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(loop->Post([&] { ++ran; }), Error::kOk);
  EXPECT_EQ(loop->Post([&] { ++ran; }), Error::kQueueFull);
  loop->RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(loop->Post([&] { ++ran; }), Error::kOk);
  loop->RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 4);
}

TEST(LoopTest, TasksThatDidNotRunAreDestroyedWithTheLoop) {
  std::unique_ptr<Loop> loop = NewLoop();
  auto held = std::make_shared<int>(1);
  EXPECT_EQ(loop->Post([held] { FAIL(); }), Error::kOk);
  RefPtr<Mailbox> mailbox = loop->mailbox();
  loop.reset();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(mailbox->Post([held] { FAIL(); }), Error::kClosed);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(mailbox->closed());
}

TEST(LoopTest, TaskMayPostAndRunsInTheNextTurn) {
  std::unique_ptr<Loop> loop = NewLoop();
  int ran = 0;
  EXPECT_EQ(loop->Post([&] {
    ++ran;
    EXPECT_EQ(loop->Post([&] { ++ran; }), Error::kOk);
  }),
            Error::kOk);
  loop->RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 1);
  loop->RunOnce(milliseconds(0));
  EXPECT_EQ(ran, 2);
}

TEST(LoopTest, WhatIsToBeFlushedMayBeSoBeforeTheEndOfTheTurn) {
  class Member final : public LoopMember {
   public:
    int flushed = 0;

   private:
    void OnDrain() override {}
    void OnLoopEnd() override {}
    void OnFlush() override { ++flushed; }
  };
  const std::unique_ptr<Loop> loop = NewLoop();
  Member early;
  Member late;
  loop->Add(early);
  loop->Add(late);
  ASSERT_EQ(loop->Post([&] {
    loop->FlushLater(early);
    loop->Flush();
    EXPECT_EQ(early.flushed, 1);
    loop->FlushLater(late);
    EXPECT_EQ(late.flushed, 0);
  }),
            Error::kOk);
  loop->RunOnce(milliseconds(0));
  EXPECT_EQ(early.flushed, 1);
  EXPECT_EQ(late.flushed, 1);
  loop->Remove(early);
  loop->Remove(late);
}

TEST(LoopTest, WhatIsExpectedIsFoundByALoopThatIsNotWoken) {
  LoopThread thread;
  std::promise<void> ran;
  thread.Do([&] { thread.loop().mailbox()->Expect(thread.loop().now_ms()); });
  // Asleep by now, or soon; it is not told.
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(thread.loop().mailbox()->PostExpected([&] { ran.set_value(); }, /*more=*/true),
            Error::kOk);
  EXPECT_EQ(ran.get_future().wait_for(kLong), std::future_status::ready);
  // Nothing is expected any more: it sleeps as long as nobody wakes it.
  thread.Do([&] {
    EXPECT_EQ(thread.loop().mailbox()->LookAfterMs(thread.loop().now_ms()), std::nullopt);
  });
}

TEST(LoopTest, WhatIsExpectedWaitsAsLongAgainAtMost) {
  std::unique_ptr<Loop> loop = NewLoop();
  Mailbox& mailbox = *loop->mailbox();
  EXPECT_EQ(mailbox.LookAfterMs(100), std::nullopt);
  mailbox.Expect(100);
  EXPECT_EQ(mailbox.LookAfterMs(100), 1u);
  EXPECT_EQ(mailbox.LookAfterMs(101), 1u);
  EXPECT_EQ(mailbox.LookAfterMs(150), 50u);
  mailbox.Expect(150);
  EXPECT_EQ(mailbox.LookAfterMs(160), 10u);
  mailbox.ExpectNot();
  mailbox.ExpectNot();
  EXPECT_EQ(mailbox.LookAfterMs(200), std::nullopt);
}

TEST(LoopTest, StopBeforeRunEndsItsFirstTurn) {
  std::unique_ptr<Loop> loop = NewLoop();
  loop->Stop();
  loop->Stop();
  loop->Run();
  // And the loop can run again.
  std::thread stopper([&] { loop->Stop(); });
  loop->Run();
  stopper.join();
}

TEST(LoopTest, DrainOfAnIdleLoopEndsRun) {
  std::unique_ptr<Loop> loop = NewLoop();
  loop->Drain(kLong);
  loop->Run();
}

TEST(TimerTest, FiresAfterItsDelayInOrder) {
  std::unique_ptr<Loop> loop = NewLoop();
  std::vector<int> fired;
  const auto begin = std::chrono::steady_clock::now();
  Timer late(*loop, [&] {
    fired.push_back(2);
    loop->Stop();
  });
  Timer early(*loop, [&] { fired.push_back(1); });
  loop->UpdateNow();
  late.Arm(milliseconds(20));
  early.Arm(milliseconds(10));
  loop->Run();
  EXPECT_EQ(fired, (std::vector<int>{1, 2}));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
}

TEST(TimerTest, CancelAndDestructionMeanNoCallback) {
  std::unique_ptr<Loop> loop = NewLoop();
  Timer cancelled(*loop, [] { FAIL(); });
  cancelled.Arm(milliseconds(1));
  EXPECT_TRUE(cancelled.armed());
  cancelled.Cancel();
  auto destroyed = std::make_unique<Timer>(*loop, [] { FAIL(); });
  destroyed->Arm(milliseconds(1));
  destroyed.reset();
  Timer end(*loop, [&] { loop->Stop(); });
  end.Arm(milliseconds(5));
  loop->Run();
}

TEST(TimerTest, RepeatsByArmingItself) {
  std::unique_ptr<Loop> loop = NewLoop();
  int fired = 0;
  Timer* self = nullptr;
  Timer timer(*loop, [&] { ++fired == 3 ? loop->Stop() : self->Arm(milliseconds(0)); });
  self = &timer;
  timer.Arm(milliseconds(-5));
  loop->Run();
  EXPECT_EQ(fired, 3);
}

TEST(TimerTest, MayDestroyItselfAndStillUseItsCaptures) {
  std::unique_ptr<Loop> loop = NewLoop();
  std::unique_ptr<Timer> timer;
  auto text = std::make_shared<std::string>("alive");
  timer = std::make_unique<Timer>(*loop, [&, text] {
    timer.reset();
    EXPECT_EQ(*text, "alive");
    loop->Stop();
  });
  timer->Arm(milliseconds(1));
  loop->Run();
}

TEST(TimerTest, AMillionArmedAndCancelledLeaveNothing) {
  std::unique_ptr<Loop> loop = NewLoop();
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 1'000'000; ++i) {
    timers.push_back(std::make_unique<Timer>(*loop, [] { FAIL(); }));
    timers.back()->Arm(std::chrono::hours(1 + i % 1000));
  }
  loop->RunOnce(milliseconds(0));
  timers.clear();
  EXPECT_EQ(loop->timers().NextExpiry(), std::nullopt);
}

TEST(LoopDeathTest, CallbackThatThrowsEndsTheProgramByName) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        std::unique_ptr<Loop> loop = NewLoop();
        (void)loop->Post([] { throw std::runtime_error("too much"); });
        loop->RunOnce(milliseconds(0));
      },
      "callback \"posted task\" threw: too much");
}

}  // namespace
}  // namespace strata::net
