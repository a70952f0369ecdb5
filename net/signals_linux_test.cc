// Signals on a loop. Those of Windows come from a console, which a test does not have.

#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "strata/net/loop.h"
#include "strata/net/runtime.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using testing::kLong;
using testing::Peer;
using testing::TestHandler;

std::unique_ptr<Loop> NewLoop() {
  absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create({});
  EXPECT_TRUE(loop.ok()) << loop.status();
  return *std::move(loop);
}

TEST(SignalTest, SignalsReachTheLoopAndGoBackToWhatTheyDid) {
  std::atomic<int> before{0};
  static std::atomic<int>* counted;
  counted = &before;
  std::signal(SIGTERM, [](int) { ++*counted; });
  {
    std::unique_ptr<Loop> loop = NewLoop();
    int signals = 0;
    ASSERT_TRUE(loop->OnSignal(SIGTERM, [&] { ++signals; }).ok());
    std::unique_ptr<Loop> other = NewLoop();
    EXPECT_EQ(other->OnSignal(SIGTERM, [] {}).code(), absl::StatusCode::kFailedPrecondition);
    std::raise(SIGTERM);
    while (signals == 0) loop->RunOnce(kLong);
    EXPECT_EQ(signals, 1);
    EXPECT_EQ(before, 0);
  }
  std::raise(SIGTERM);
  EXPECT_EQ(before, 1);
  std::unique_ptr<Loop> next = NewLoop();
  EXPECT_TRUE(next->OnSignal(SIGTERM, [] {}).ok());
  EXPECT_EQ(next->OnSignal(SIGKILL, [] {}).code(), absl::StatusCode::kInvalidArgument);
  next.reset();
  std::signal(SIGTERM, SIG_DFL);
}

TEST(RuntimeTest, RunsUntilASignalAndDrains) {
  auto runtime = Runtime::Create({.loops = 2});
  ASSERT_TRUE(runtime.ok());
  auto listener = TcpListener::Listen(**runtime, "127.0.0.1:0", [] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [](Stream& stream) { stream.Write("hello"); };
    return handler;
  });
  ASSERT_TRUE(listener.ok());
  std::thread client([&] {
    Peer peer((*listener)->address());
    EXPECT_EQ(peer.Receive(5), "hello");
    std::raise(SIGTERM);
    EXPECT_EQ(peer.ReceiveAll(), "");
  });
  EXPECT_TRUE((*runtime)->RunUntilSignal(kLong).ok());
  client.join();
}

}  // namespace
}  // namespace strata::net
