// Clients: names, Happy Eyeballs, deadlines, reconnecting.

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/backoff.h"
#include "strata/net/connector.h"
#include "strata/net/reconnector.h"
#include "strata/net/resolver.h"
#include "strata/net/socket_internal.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using std::chrono::milliseconds;
using testing::kLong;
using testing::LoopThread;
using testing::TestHandler;

// A loop with a server that greets.
class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listener = TcpListener::Listen(thread_.loop(), "127.0.0.1:0", [this] {
      auto handler = std::make_unique<TestHandler>();
      handler->on_open = [this](Stream& stream) {
        ++accepted_;
        stream.Write("hello");
        stream.CloseWrite();
      };
      return handler;
    });
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }

  void TearDown() override { thread_.End(); }

  // Connects and returns what `done` was told; all that came goes to `received`.
  absl::Status ConnectTo(std::string target, std::string* received = nullptr,
                         ConnectOptions options = {}) {
    std::promise<absl::Status> connected;
    std::promise<void> closed;
    bool opened = false;
    thread_.Do([&] {
      auto handler = std::make_unique<TestHandler>();
      handler->on_open = [&](Stream& stream) {
        opened = true;
        EXPECT_TRUE(stream.is_open());
      };
      handler->on_receive = [received](Stream&, std::string_view bytes) {
        if (received) *received += bytes;
      };
      handler->on_closed = [&](Stream&, Error) { closed.set_value(); };
      Connect(
          thread_.loop(), resolver_, target, std::move(handler),
          [&](absl::Status status) { connected.set_value(status); }, options);
    });
    absl::Status status = connected.get_future().get();
    EXPECT_EQ(opened, status.ok());
    if (status.ok()) closed.get_future().wait();
    return status;
  }

  std::string port() const { return std::to_string(listener_->address().port()); }

  Resolver resolver_;
  LoopThread thread_;
  std::unique_ptr<TcpListener> listener_;
  int accepted_ = 0;
};

TEST_F(ClientTest, ConnectsByAddress) {
  std::string received;
  EXPECT_TRUE(ConnectTo("127.0.0.1:" + port(), &received).ok());
  EXPECT_EQ(received, "hello");
}

TEST_F(ClientTest, ConnectsByNameToTheFamilyThatAnswers) {
  // localhost is ::1 and 127.0.0.1 on most systems; the server is on the latter alone.
  std::string received;
  absl::Status status = ConnectTo("localhost:" + port(), &received);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(received, "hello");
}

TEST_F(ClientTest, RefusedIsToldWithTheTarget) {
  internal::OpenedSocket free = internal::OpenListener(*Address::Parse("127.0.0.1:0"), {});
  const std::string target = internal::LocalAddress(free.socket).ToString();
  internal::CloseSocket(free.socket);
  absl::Status status = ConnectTo(target);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find(target), std::string_view::npos) << status;
  EXPECT_NE(status.message().find("refused"), std::string_view::npos) << status;
}

TEST_F(ClientTest, BadTargetsAreErrors) {
  for (const std::string target : {"", "nonsense", "127.0.0.1", "host:port", "a b:1"}) {
    EXPECT_EQ(ConnectTo(target).code(), absl::StatusCode::kInvalidArgument) << target;
  }
}

TEST_F(ClientTest, UnknownNameIsAnError) {
  // RFC 6761: nothing is ever found under "invalid". Without a DNS server the answer is another
  // one.
  absl::Status status = ConnectTo("no-such-host.invalid:80");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("no-such-host.invalid"), std::string_view::npos) << status;
}

TEST_F(ClientTest, DeadlineEndsAnAttemptThatGetsNoAnswer) {
  // A listener whose backlog is full answers nothing.
  internal::OpenedSocket full =
      internal::OpenListener(*Address::Parse("127.0.0.1:0"), {.backlog = 0});
  ASSERT_EQ(full.error, Error::kOk);
  const Address address = internal::LocalAddress(full.socket);
  std::vector<internal::OwnedSocket> filling;
  ConnectOptions options;
  options.timeout = milliseconds(200);
  absl::Status status;
  for (int i = 0; i < 10 && status.code() != absl::StatusCode::kDeadlineExceeded; ++i) {
    std::promise<absl::Status> connected;
    thread_.Do([&] {
      Connect(
          thread_.loop(), resolver_, address.ToString(), std::make_unique<TestHandler>(),
          [&](absl::Status s) { connected.set_value(s); }, options);
    });
    status = connected.get_future().get();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  internal::CloseSocket(full.socket);
}

TEST_F(ClientTest, CancelIsToldLaterAndOnce) {
  std::promise<absl::Status> connected;
  bool told = false;
  thread_.Do([&] {
    RefPtr<Connecting> connecting =
        Connect(thread_.loop(), resolver_, "localhost:" + port(), std::make_unique<TestHandler>(),
                [&](absl::Status status) {
                  told = true;
                  connected.set_value(status);
                });
    connecting->Cancel();
    connecting->Cancel();
    EXPECT_FALSE(told);
  });
  EXPECT_EQ(connected.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(ClientTest, LoopThatEndsWhileResolvingDropsAllWithoutACall) {
  auto held = std::make_shared<int>();
  thread_.Do([&] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [held](Stream&) {};
    Connect(thread_.loop(), resolver_, "localhost:" + port(), std::move(handler),
            [held](absl::Status) {});
    thread_.loop().Stop();
  });
  thread_.End();
  // The resolver's workers may still hold the answer's callback, but nothing of the user's.
  EXPECT_EQ(held.use_count(), 1);
}

TEST(InterleaveFamiliesTest, TakesTheFamiliesInTurn) {
  std::vector<Address> addresses;
  for (const char* text : {"[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"}) {
    addresses.push_back(*Address::Parse(text));
  }
  std::string order;
  for (const Address& address : InterleaveFamilies(addresses)) {
    order += address.ToStringWithoutPort() + " ";
  }
  EXPECT_EQ(order, "::1 1.1.1.1 ::2 2.2.2.2 ::3 ");
  EXPECT_TRUE(InterleaveFamilies({}).empty());
}

TEST(ResolverTest, FullQueueRefuses) {
  LoopThread thread;
  Resolver resolver({.threads = 1, .max_queued_jobs = 0});
  EXPECT_EQ(resolver.Resolve(thread.loop(), "localhost", 1, [](Resolver::Result) { FAIL(); }),
            Error::kQueueFull);
  std::promise<Resolver::Result> numeric;
  EXPECT_EQ(resolver.Resolve(thread.loop(), "192.0.2.1", 7,
                             [&](Resolver::Result result) { numeric.set_value(result); }),
            Error::kOk);
  Resolver::Result result = numeric.get_future().get();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->at(0).ToString(), "192.0.2.1:7");
}

TEST(ResolverTest, RefusesNamesThatAreNone) {
  LoopThread thread;
  Resolver resolver;
  for (const std::string& name : {std::string(), std::string(300, 'x'), std::string("a\0b", 3)}) {
    std::promise<Resolver::Result> answer;
    EXPECT_EQ(resolver.Resolve(thread.loop(), name, 7,
                               [&](Resolver::Result result) { answer.set_value(result); }),
              Error::kOk);
    EXPECT_EQ(answer.get_future().get().status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(BackoffTest, DoublesUpToTheMostAndBeginsAnew) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  Backoff backoff({.first = milliseconds(100), .most = milliseconds(1000)}, seed);
  std::int64_t ceiling = 100;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t wait = backoff.Next().count();
    EXPECT_GE(wait, ceiling / 2);
    EXPECT_LE(wait, ceiling);
    ceiling = std::min<std::int64_t>(ceiling * 2, 1000);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 100);
}

TEST_F(ClientTest, ReconnectsAfterEachEndAndStopsWhenDestroyed) {
  std::promise<void> thrice;
  std::unique_ptr<Reconnector> reconnector;
  int greeted = 0;
  Reconnector::Options options;
  options.backoff = {.first = milliseconds(1), .most = milliseconds(4)};
  thread_.Do([&] {
    reconnector = std::make_unique<Reconnector>(
        thread_.loop(), resolver_, "127.0.0.1:" + port(),
        [&] {
          auto handler = std::make_unique<TestHandler>();
          handler->on_closed = [&](Stream&, Error) {
            if (++greeted == 3) thrice.set_value();
          };
          return handler;
        },
        options);
  });
  thrice.get_future().wait();
  const std::uint64_t attempts = thread_.Do([&] {
    const std::uint64_t count = reconnector->attempts();
    reconnector.reset();
    return count;
  });
  EXPECT_GE(attempts, 3u);
}

TEST_F(ClientTest, ReconnectorTellsOfFailuresAndFindsTheServerThatComesBack) {
  const std::string target = listener_->address().ToString();
  listener_->Close();
  thread_.Do([] {});
  thread_.Do([] {});
  std::promise<void> failed;
  std::promise<void> opened;
  int failures = 0;
  std::unique_ptr<Reconnector> reconnector;
  Reconnector::Options options;
  options.backoff = {.first = milliseconds(1), .most = milliseconds(4)};
  thread_.Do([&] {
    reconnector = std::make_unique<Reconnector>(
        thread_.loop(), resolver_, target,
        [&] {
          auto handler = std::make_unique<TestHandler>();
          handler->on_open = [&](Stream&) { opened.set_value(); };
          return handler;
        },
        options,
        [&](const absl::Status& status) {
          EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
          if (++failures == 2) failed.set_value();
        });
  });
  failed.get_future().wait();
  auto again =
      TcpListener::Listen(thread_.loop(), target, [] { return std::make_unique<TestHandler>(); });
  ASSERT_TRUE(again.ok()) << again.status();
  opened.get_future().wait();
  thread_.Do([&] { reconnector.reset(); });
}

}  // namespace
}  // namespace strata::net
