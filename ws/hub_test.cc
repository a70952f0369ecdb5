// A hub as clients see it, over a server of two loops.

#include "strata/ws/hub.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/metrics.h"
#include "strata/http/testing/wire.h"
#include "strata/ws/hub_metrics.h"
#include "strata/ws/server.h"
#include "strata/ws/testing/wire.h"
#include "strata/ws/testing/wire_client.h"

namespace strata::ws {
namespace {

class Client : public wire::Client {
 public:
  using wire::Client::Client;

  // The next frame: its payload, or "0x.. payload" if it is no text that came plain; "end" after
  // the last.
  std::string Next() {
    const wire::Received frame = ReadFrame();
    if (frame.first_byte < 0) return "end";
    if (frame.first_byte == (wire::kFin | wire::kText)) return frame.payload;
    return absl::StrCat("0x", absl::Hex(frame.first_byte), " ", frame.payload);
  }

  // Segments with data that have come up to now: on the loopback interface each small write is one.
  std::uint32_t Segments() {
    tcp_info info{};
    socklen_t size = sizeof(info);
    EXPECT_EQ(::getsockopt(peer().native(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_data_segs_in;
  }
};

struct Handler : public SocketHandler {
  std::function<void(Socket&)> on_open;
  void OnOpen(Socket& socket) override { on_open(socket); }
  void OnMessage(Socket&, bool, std::string_view) override {}
};

class HubTest : public http::testing::WireTest {
 protected:
  ~HubTest() override { Stop(); }

  void Start(HubOptions options = {}) {
    hub_ = std::make_unique<Hub>(std::move(options));
    http::ServerOptions server;
    server.runtime.loops = 2;
    Serve(MakeRouter(), std::move(server));
  }

  http::Router MakeRouter() {
    http::Router router;
    EndpointOptions endpoint;
    endpoint.socket.close_timeout = std::chrono::milliseconds(50);
    router.Get("/", WebSocketEndpoint(
                        [this](http::Request&) {
                          auto handler = std::make_unique<Handler>();
                          handler->on_open = [this](Socket& socket) {
                            SubscriberPtr subscriber = hub_->Add(socket);
                            std::lock_guard<std::mutex> lock(mutex_);
                            added_.push_back(std::move(subscriber));
                          };
                          return handler;
                        },
                        endpoint));
    return router;
  }

  struct Member {
    Client client;
    SubscriberPtr subscriber;
  };

  Member Join(std::vector<std::string> filters = {}, std::string_view fields = {}) {
    return JoinAt(server().address(), std::move(filters), fields);
  }

  Member JoinAt(const net::Address& address, std::vector<std::string> filters = {},
                std::string_view fields = {}) {
    Client client(address);
    EXPECT_EQ(client.Upgrade(fields).status, 101);
    SubscriberPtr subscriber;
    EXPECT_TRUE(Eventually([&] {
      std::lock_guard<std::mutex> lock(mutex_);
      if (added_.empty()) return false;
      subscriber = std::move(added_.front());
      added_.pop_front();
      return true;
    }));
    for (const std::string& filter : filters) {
      EXPECT_EQ(subscriber->Subscribe(filter), HubResult::kOk);
    }
    return {std::move(client), std::move(subscriber)};
  }

  // Publishes until the subscriber, whose client does not read, has lost something or is closed.
  // Returns how many it published: each of 10,000 bytes, its number in front.
  int PublishUntilSlow(const Subscriber& subscriber) {
    int count = 0;
    while (subscriber.dropped() == 0 && count < 10'000) {
      EXPECT_EQ(hub_->PublishText("t", Numbered(count++)), HubResult::kOk);
      // No more on the way than the loop has room for.
      EXPECT_TRUE(Eventually([&] {
        const HubCounters counters = hub_->counters();
        return counters.delivered + counters.dropped + subscriber.held_messages() >=
               static_cast<std::uint64_t>(count);
      }));
    }
    EXPECT_LT(count, 10'000);
    return count;
  }

  static std::string Numbered(int number) {
    std::string text = absl::StrCat(number, " ");
    text.resize(10'000, '.');
    return text;
  }

  std::unique_ptr<Hub> hub_;

 private:
  std::mutex mutex_;
  std::deque<SubscriberPtr> added_;
};

TEST_F(HubTest, AMessageGoesToWhoHasSubscribed) {
  Start();
  Member one = Join({"a/b"});
  Member two = Join({"a/+", "#"});
  Member three = Join({"c"});
  EXPECT_EQ(hub_->PublishText("a/b", "first"), HubResult::kOk);
  EXPECT_EQ(hub_->PublishText("c", "second"), HubResult::kOk);
  EXPECT_EQ(hub_->PublishText("a", "third"), HubResult::kOk);
  EXPECT_EQ(one.client.Next(), "first");
  EXPECT_EQ(two.client.Next(), "first") << "once, by two filters";
  EXPECT_EQ(two.client.Next(), "second");
  EXPECT_EQ(two.client.Next(), "third");
  EXPECT_EQ(three.client.Next(), "second");
  EXPECT_EQ(hub_->PublishBinary("a/b", "last"), HubResult::kOk);
  EXPECT_EQ(one.client.Next(), "0x82 last");
}

TEST_F(HubTest, WhatIsNoTopicIsRefused) {
  Start();
  Member member = Join();
  EXPECT_EQ(hub_->PublishText("a/+", "x"), HubResult::kBadTopic);
  EXPECT_EQ(hub_->Publish("a", EncodedMessage()), HubResult::kBadTopic);
  EXPECT_EQ(member.subscriber->Subscribe("a#"), HubResult::kBadTopic);
  EXPECT_EQ(member.subscriber->Unsubscribe(""), HubResult::kBadTopic);
  EXPECT_EQ(hub_->counters().levels, 0u);
}

TEST_F(HubTest, ASubscriptionEnds) {
  Start();
  Member member = Join({"a", "b", "c"});
  EXPECT_EQ(member.subscriber->Unsubscribe("a"), HubResult::kOk);
  EXPECT_EQ(member.subscriber->Unsubscribe("none"), HubResult::kOk);
  hub_->PublishText("a", "1");
  hub_->PublishText("b", "2");
  EXPECT_EQ(member.client.Next(), "2");
  member.subscriber->UnsubscribeAll();
  EXPECT_EQ(member.subscriber->Subscribe("d"), HubResult::kOk);
  hub_->PublishText("c", "3");
  hub_->PublishText("d", "4");
  EXPECT_EQ(member.client.Next(), "4");
}

TEST_F(HubTest, PresenceIsCounted) {
  Start();
  Member one = Join({"a/b", "a/+"});
  {
    Member two = Join({"a/b"});
    EXPECT_EQ(two.subscriber->Subscribe("a/b"), HubResult::kOk) << "twice is once";
    EXPECT_EQ(hub_->CountSubscribers("a/b"), 2u);
    EXPECT_EQ(hub_->CountSubscribers("a/+"), 1u);
    EXPECT_EQ(hub_->CountSubscribers("a"), 0u);
    EXPECT_EQ(hub_->CountReached("a/b"), 3u);
    EXPECT_EQ(hub_->CountReached("a/c"), 1u);
  }
  EXPECT_TRUE(Eventually([&] { return hub_->CountSubscribers("a/b") == 1; }))
      << "a socket that closes has left";
  one.subscriber->UnsubscribeAll();
  EXPECT_EQ(hub_->counters().subscriptions, 0u);
  EXPECT_EQ(hub_->counters().levels, 0u);
}

TEST_F(HubTest, EachPublishersOrderHoldsAndAllSeeTheSame) {
  Start();
  std::vector<Member> members;
  for (int i = 0; i < 4; ++i) members.push_back(Join({"t/#"}));
  std::vector<std::thread> publishers;
  for (int p = 0; p < 3; ++p) {
    publishers.emplace_back([this, p] {
      for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(hub_->PublishText(absl::StrCat("t/", p), absl::StrCat(p, ":", i)),
                  HubResult::kOk);
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  std::vector<std::string> first;
  for (Member& member : members) {
    std::vector<std::string> seen;
    int next[3] = {0, 0, 0};
    for (int i = 0; i < 900; ++i) {
      seen.push_back(member.client.Next());
      const int p = seen.back()[0] - '0';
      ASSERT_EQ(seen.back(), absl::StrCat(p, ":", next[p]++));
    }
    if (first.empty()) first = seen;
    EXPECT_EQ(seen, first);
  }
}

TEST_F(HubTest, CompressedOnceForThoseWhoCanInflate) {
  Start();
  Member plain = Join({"t"});
  Member deflating = Join({"t"}, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  hub_->PublishText("t", std::string(5'000, 'm'));
  EXPECT_EQ(plain.client.Next(), std::string(5'000, 'm'));
  const std::string compressed = deflating.client.Next();
  EXPECT_TRUE(compressed.starts_with("0xc1 "));
  EXPECT_LT(compressed.size(), 200u);
}

TEST_F(HubTest, ABurstOfOneTurnLeavesInOneWriteEach) {
  Start();
  std::vector<Member> members;
  for (int i = 0; i < 100; ++i) members.push_back(Join({"t/+", "u"}));
  // Until they have joined, the loops have other work in which a burst's beginning is taken along.
  hub_->PublishText("u", "start");
  for (Member& member : members) EXPECT_EQ(member.client.Next(), "start");
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> before;
    for (Member& member : members) before.push_back(member.client.Segments());
    Socket& publisher = members[static_cast<std::size_t>(round)].subscriber->socket();
    EXPECT_EQ(publisher.Post([&](Socket&) {
      for (int i = 0; i < 16; ++i) {
        const std::string topic = i < 8 ? absl::StrCat("t/", i % 3) : "u";
        EXPECT_EQ(hub_->PublishText(topic, absl::StrCat(i)), HubResult::kOk);
      }
    }),
              net::Error::kOk);
    for (std::size_t m = 0; m < members.size(); ++m) {
      for (int i = 0; i < 16; ++i) EXPECT_EQ(members[m].client.Next(), absl::StrCat(i));
      EXPECT_EQ(members[m].client.Segments() - before[m], 1u) << m;
    }
  }
}

TEST_F(HubTest, WhatALoopPublishesAtItsEndReachesTheOthers) {
  Start();
  Member stays = Join({"t"});
  http::ServerOptions options;
  options.address = "127.0.0.1:0";
  options.runtime.loops = 1;
  auto other = http::Server::Create(MakeRouter(), std::move(options));
  ASSERT_TRUE(other.ok()) << other.status();
  (*other)->Start();
  {
    Member ends = JoinAt((*other)->address(), {"t"});
    std::atomic<bool> ended{false};
    EXPECT_EQ(ends.subscriber->socket().Post([&](Socket& socket) {
      EXPECT_EQ(hub_->PublishText("t", "the last words"), HubResult::kOk);
      socket.stream().loop()->Stop();
      ended = true;
    }),
              net::Error::kOk);
    EXPECT_TRUE(Eventually([&] { return ended.load(); }));
    other->reset();
  }
  EXPECT_EQ(stays.client.Next(), "the last words");
}

TEST_F(HubTest, ItsFiguresAreOnThePageOfMetrics) {
  HubOptions options;
  options.history_messages = 1;
  Start(std::move(options));
  Member one = Join({"a/b", "a/+"});
  Member two = Join({"a/b"});
  hub_->PublishText("a/b", "text");
  EXPECT_EQ(one.client.Next(), "text");
  EXPECT_EQ(two.client.Next(), "text");
  http::MetricsRegistry registry;
  const auto registration =
      registry.Register([this](http::MetricsPage& page) { ExportHub(page, *hub_, "news"); });
  const std::string page = registry.Render();
  for (std::string_view line : {
           "# TYPE strata_hub_published_total counter\n",
           "strata_hub_published_total{hub=\"news\"} 1\n",
           "strata_hub_refused_total{hub=\"news\"} 0\n",
           "strata_hub_delivered_total{hub=\"news\"} 2\n",
           "strata_hub_dropped_total{hub=\"news\"} 0\n",
           "strata_hub_closed_slow_total{hub=\"news\"} 0\n",
           "# TYPE strata_hub_subscriptions gauge\n",
           "strata_hub_subscriptions{hub=\"news\"} 3\n",
           "strata_hub_levels{hub=\"news\"} 3\n",
           "strata_hub_history_bytes{hub=\"news\"} 137\n",
       }) {
    EXPECT_NE(page.find(line), std::string::npos) << line << page;
  }
}

// ---- History -----------------------------------------------------------------------------------

TEST_F(HubTest, WhoSubscribesLaterGetsTheLastMessages) {
  HubOptions options;
  options.history_messages = 2;
  Start(std::move(options));
  for (int i = 1; i <= 3; ++i) {
    hub_->PublishText("a/x", absl::StrCat("x", i));
    hub_->PublishText("a/y", absl::StrCat("y", i));
  }
  hub_->PublishText("b", "other");
  Member all = Join({"a/+"});
  for (const char* text : {"x2", "y2", "x3", "y3"}) EXPECT_EQ(all.client.Next(), text);
  Member last = Join();
  last.subscriber->Subscribe("a/#", 1);
  Member none = Join();
  none.subscriber->Subscribe("a/x", 0);
  hub_->PublishText("a/x", "x4");
  for (const char* text : {"x3", "y3", "x4"}) EXPECT_EQ(last.client.Next(), text);
  EXPECT_EQ(none.client.Next(), "x4");
  hub_->Forget("a/x");
  Member later = Join({"a/x", "a/y"});
  EXPECT_EQ(later.client.Next(), "y2");
}

TEST_F(HubTest, HistoryIsBoundedInBytes) {
  HubOptions options;
  options.history_messages = 10;
  options.deflate = false;
  options.history_bytes = 3 * (kHistoryOverhead + 1 + 102);
  options.max_history_bytes = 2 * options.history_bytes;
  Start(std::move(options));
  const auto text = [](char c) { return std::string(100, c); };
  for (char c = 'a'; c < 'j'; ++c) hub_->PublishText("x", text(c));
  EXPECT_EQ(hub_->counters().history_bytes, 3 * (kHistoryOverhead + 1 + 102));
  for (char c = 'a'; c < 'j'; ++c) hub_->PublishText("y", text(c));
  hub_->PublishText("z", text('z'));
  Member member = Join({"#"});
  for (char c : {'g', 'h', 'i', 'z'}) EXPECT_EQ(member.client.Next(), text(c));
  hub_->PublishText("y", std::string(1000, 'L'));
  EXPECT_EQ(member.client.Next(), std::string(1000, 'L'));
  EXPECT_EQ(hub_->counters().history_bytes, kHistoryOverhead + 1 + 102) << "too large to keep";
  hub_->Forget("z");
  EXPECT_EQ(hub_->counters().history_bytes, 0u);
}

// ---- Bounds and slow readers --------------------------------------------------------------------

TEST_F(HubTest, FiltersAndLevelsAreBounded) {
  HubOptions options;
  options.max_subscriptions = 2;
  options.max_levels = 5;
  Start(std::move(options));
  Member one = Join({"a/b/c", "a/b/d"});
  EXPECT_EQ(one.subscriber->Subscribe("a"), HubResult::kFull);
  Member two = Join();
  EXPECT_EQ(two.subscriber->Subscribe("x/y"), HubResult::kFull);
  EXPECT_EQ(two.subscriber->Subscribe("x"), HubResult::kOk);
  EXPECT_EQ(hub_->counters().levels, 5u);
}

TEST_F(HubTest, ATopicBeyondTheLevelsIsRefusedAHistory) {
  HubOptions options;
  options.history_messages = 1;
  options.max_levels = 2;
  Start(std::move(options));
  EXPECT_EQ(hub_->PublishText("a/b", "x"), HubResult::kOk);
  EXPECT_EQ(hub_->PublishText("c", "x"), HubResult::kFull);
  EXPECT_EQ(hub_->PublishText("a/b", "y"), HubResult::kOk);
  EXPECT_EQ(hub_->counters().refused, 1u);
  Member member = Join({"a/b"});
  EXPECT_EQ(member.client.Next(), "y");
}

class HubBehindTest : public HubTest, public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(MessagesAndBytes, HubBehindTest, ::testing::Bool());

TEST_P(HubBehindTest, ALoopThatIsBehindRefusesForAll) {
  HubOptions options;
  if (GetParam()) {
    options.max_waiting_messages = 3;
  } else {
    options.max_waiting_bytes = 3 * 3;  // Each has a header of 2.
  }
  Start(std::move(options));
  Member member = Join({"t"});
  // The loop stands still.
  std::atomic<bool> stands{false};
  std::atomic<bool> go{false};
  ASSERT_EQ(member.subscriber->socket().Post([&](Socket&) {
    stands = true;
    while (!go) std::this_thread::yield();
  }),
            net::Error::kOk);
  ASSERT_TRUE(Eventually([&] { return stands.load(); }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(hub_->PublishText("t", "x"), HubResult::kOk);
  EXPECT_EQ(hub_->PublishText("t", "x"), HubResult::kFull);
  EXPECT_EQ(hub_->counters().refused, 1u);
  go = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(member.client.Next(), "x");
}

TEST_F(HubTest, ASlowReaderLosesTheNewest) {
  std::atomic<int> told{0};
  HubOptions options;
  options.slow_policy = SlowPolicy::kDropNewest;
  options.max_held_messages = 5;
  options.deflate = false;
  options.on_slow = [&](Subscriber& subscriber, const SlowEvent& event) {
    EXPECT_EQ(event.topic, "t");
    EXPECT_EQ(event.dropped, subscriber.dropped());
    ++told;
  };
  Start(std::move(options));
  Member member = Join({"t"});
  const int count = PublishUntilSlow(*member.subscriber);
  EXPECT_EQ(member.subscriber->held_messages(), 5u);
  for (int i = 0; i < count - 1; ++i) ASSERT_EQ(member.client.Next(), Numbered(i));
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(Eventually([&] { return member.subscriber->held_messages() == 0; }));
  hub_->PublishText("t", "again");
  EXPECT_EQ(member.client.Next(), "again");
}

TEST_F(HubTest, ASlowReaderLosesTheOldestThatIsHeld) {
  HubOptions options;
  options.slow_policy = SlowPolicy::kDropOldest;
  options.max_held_bytes = 5 * 10'004 + 100;
  options.deflate = false;
  Start(std::move(options));
  Member member = Join({"t"});
  const int count = PublishUntilSlow(*member.subscriber);
  EXPECT_EQ(member.subscriber->held_messages(), 5u);
  hub_->PublishText("t", std::string(60'000, 'L'));  // Larger than all that may be held.
  EXPECT_TRUE(Eventually([&] { return member.subscriber->dropped() == 2; }));
  EXPECT_EQ(member.subscriber->held_messages(), 5u);
  for (int i = 0; i < count; ++i) {
    if (i == count - 6) continue;  // The one that was held the longest.
    ASSERT_EQ(member.client.Next(), Numbered(i));
  }
  ASSERT_TRUE(Eventually([&] { return member.subscriber->held_messages() == 0; }));
  EXPECT_EQ(hub_->counters().dropped, 2u);
}

TEST_F(HubTest, ASlowReaderIsClosedWith1013) {
  std::atomic<int> closes{0};
  HubOptions options;
  options.slow_policy = SlowPolicy::kClose;
  options.max_held_messages = 5;
  options.deflate = false;
  options.on_slow = [&](Subscriber&, const SlowEvent& event) { closes += event.closes; };
  Start(std::move(options));
  Member member = Join({"t"});
  Member other = Join({"u"});
  const int count = PublishUntilSlow(*member.subscriber);
  EXPECT_TRUE(Eventually([&] { return member.subscriber->dropped() == 6; }));
  EXPECT_TRUE(Eventually([&] { return closes == 1; }));
  EXPECT_EQ(hub_->counters().closed_slow, 1u);
  EXPECT_TRUE(Eventually([&] { return hub_->CountSubscribers("t") == 0; }));
  EXPECT_EQ(member.subscriber->Subscribe("t"), HubResult::kClosed);
  EXPECT_EQ(hub_->counters().delivered, static_cast<std::uint64_t>(count - 6));
  hub_->PublishText("u", "unharmed");
  EXPECT_EQ(other.client.Next(), "unharmed");
}

TEST_F(HubTest, ABurstOfMoreThanIsHeldIsNotSlow) {
  HubOptions options;
  options.max_held_messages = 1;
  options.deflate = false;
  Start(std::move(options));
  Member member = Join({"t"});
  std::atomic<int> read{0};
  std::thread reader([&] {
    for (; read < 300; ++read) ASSERT_EQ(member.client.Next(), Numbered(read));
  });
  std::atomic<bool> go{false};
  ASSERT_EQ(member.subscriber->socket().Post([&](Socket&) {
    while (!go) std::this_thread::yield();
  }),
            net::Error::kOk);
  for (int i = 0; i < 20; ++i) hub_->PublishText("t", Numbered(i));
  go = true;
  for (int i = 20; i < 300; ++i) {
    EXPECT_TRUE(Eventually([&] { return read + 20 > i; }));  // Less than the high watermark waits.
    hub_->PublishText("t", Numbered(i));
  }
  reader.join();
  EXPECT_EQ(member.subscriber->dropped(), 0u);
}

// ---- The end -----------------------------------------------------------------------------------

TEST_F(HubTest, HandlesOutliveSocketsLoopsAndTheHub) {
  HubOptions options;
  options.history_messages = 1;
  Start(std::move(options));
  Member gone = Join({"t"});
  Member open = Join({"t"});
  gone.client.peer().Close();
  EXPECT_TRUE(Eventually([&] { return hub_->CountSubscribers("t") == 1; }));
  EXPECT_EQ(gone.subscriber->Subscribe("u"), HubResult::kClosed);
  Stop();
  EXPECT_EQ(hub_->counters().subscriptions, 0u);
  EXPECT_EQ(hub_->PublishText("t", "nobody"), HubResult::kOk);
  EXPECT_EQ(open.subscriber->Subscribe("u"), HubResult::kClosed);
  hub_.reset();
  EXPECT_EQ(open.subscriber->Subscribe("u"), HubResult::kClosed);
  EXPECT_EQ(open.subscriber->Unsubscribe("t"), HubResult::kOk);
  open.subscriber->UnsubscribeAll();
}

TEST_F(HubTest, RacesOfAllThreads) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  HubOptions options;
  options.history_messages = 2;
  Start(std::move(options));
  std::vector<Member> members;
  for (int i = 0; i < 12; ++i) members.push_back(Join());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(seed + t);
      for (int step = 0; step < 2'000; ++step) {
        Subscriber& subscriber = *members[random() % members.size()].subscriber;
        const std::string topic(1, static_cast<char>('a' + random() % 3));
        switch (random() % 8) {
          case 0:
          case 1:
            subscriber.Subscribe(random() % 2 ? topic : "#");
            break;
          case 2:
            subscriber.Unsubscribe(topic);
            break;
          case 3:
            subscriber.UnsubscribeAll();
            break;
          case 4:
            if (step > 1'000 && random() % 16 == 0) subscriber.socket().Close();
            hub_->CountReached(topic);
            break;
          case 5:
            hub_->Forget(topic);
            break;
          default:
            hub_->PublishText(topic, "message");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  members.clear();
  for (const char* topic : {"a", "b", "c"}) hub_->Forget(topic);
  EXPECT_TRUE(Eventually([&] { return hub_->counters().subscriptions == 0; }));
  EXPECT_EQ(hub_->counters().levels, 0u);
  EXPECT_EQ(hub_->counters().history_bytes, 0u);
}

TEST_F(HubTest, SubscribersComeAndGo) {
  Start();
  for (int round = 0; round < 100; ++round) {
    Member member = Join();
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(member.subscriber->Subscribe(absl::StrCat("a/", i)), HubResult::kOk);
    }
    if (round % 2 == 0) member.subscriber->UnsubscribeAll();
  }
  EXPECT_TRUE(Eventually([&] { return hub_->counters().subscriptions == 0; }));
  EXPECT_EQ(hub_->counters().levels, 0u);
}

}  // namespace
}  // namespace strata::ws
