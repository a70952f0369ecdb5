// Streams over TCP, as a server has them: against peers of plain blocking sockets.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/socket_internal.h"
#include "strata/net/stream.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/server_test.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using testing::Echo;
using testing::kLong;
using testing::LoopThread;
using testing::Pattern;
using testing::Peer;
using testing::TestHandler;
using TcpTest = testing::ServerTest;

TEST_F(TcpTest, EchoesAndEndsInOrder) {
  Listen(Echo);
  Peer peer(address());
  ASSERT_TRUE(peer.Send("hello"));
  EXPECT_EQ(peer.Receive(5), "hello");
  peer.EndSending();
  EXPECT_EQ(peer.ReceiveAll(), "");
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, ManyBytesComeBackWholeWhateverTheBuffers) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 64 * 1024;
  options.stream.low_watermark_bytes = 16 * 1024;
  Listen(Echo, options);
  Peer peer(address());
  const std::string sent = Pattern(5'000'000);
  std::thread sender([&] {
    EXPECT_TRUE(peer.Send(sent));
    peer.EndSending();
  });
  const std::string received = peer.ReceiveAll();
  sender.join();
  EXPECT_TRUE(received == sent) << received.size();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, WritesOfOneCallbackKeepTheirOrderWhateverTheirKind) {
  const auto shared = std::make_shared<const std::string>(Pattern(10'000));
  const std::string owned = Pattern(7'000);
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.Write("one,"), Error::kOk);
      EXPECT_EQ(stream.WriteOwned(owned), Error::kOk);
      EXPECT_EQ(stream.Write(",two,"), Error::kOk);
      EXPECT_EQ(stream.WriteShared(shared), Error::kOk);
      EXPECT_EQ(stream.WriteOwned(",three"), Error::kOk);
      EXPECT_EQ(stream.WriteShared(nullptr), Error::kInvalidArgument);
      stream.Close();
    };
  });
  Peer peer(address());
  EXPECT_EQ(peer.ReceiveAll(), "one," + owned + ",two," + *shared + ",three");
}

TEST_F(TcpTest, ReservedRoomIsSentInItsPlace) {
  // Of all sizes, so that chunks are left with room that is too small.
  std::string expected;
  std::promise<void> written;
  ListenOptions options;
  options.stream.max_queued_bytes = 5'000'000;
  Listen(
      [&](TestHandler& handler) {
        handler.on_open = [&](Stream& stream) {
          for (std::size_t i = 1; i <= 200; ++i) {
            const std::string piece = Pattern(i * 37);
            const std::span<char> room = stream.Reserve(piece.size() + i);
            ASSERT_EQ(room.size(), piece.size() + i);
            std::copy(piece.begin(), piece.end(), room.begin());
            stream.Commit(piece.size());
            EXPECT_EQ(stream.Write("|"), Error::kOk);
            expected += piece + "|";
            EXPECT_EQ(stream.queued_bytes(), expected.size());
          }
          EXPECT_TRUE(stream.Reserve(0).empty());
          EXPECT_TRUE(stream.Reserve(1'000'000).empty()) << "not in one piece";
          EXPECT_EQ(stream.Write(std::string(5'000'000 - expected.size(), 'x')), Error::kOk);
          EXPECT_TRUE(stream.Reserve(1).empty()) << "the queue is full";
          stream.Close();
          EXPECT_TRUE(stream.Reserve(1).empty()) << "closed";
          written.set_value();
        };
      },
      options);
  Peer peer(address());
  written.get_future().wait();
  EXPECT_TRUE(peer.ReceiveAll().starts_with(expected));
}

TEST_F(TcpTest, CloseSendsAllThatIsQueuedToASlowReader) {
  const std::string text = Pattern(20'000'000);
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.WriteOwned(text), Error::kOk);
      stream.Close();
      EXPECT_EQ(stream.Write("late"), Error::kClosed);
      EXPECT_FALSE(stream.is_open());
    };
  });
  Peer peer(address());
  bool reset = true;
  EXPECT_TRUE(peer.ReceiveAll(&reset) == text);
  EXPECT_FALSE(reset);
  peer.Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, CloseWithUnreadBytesStillDeliversTheAnswer) {
  Listen([](TestHandler& handler) {
    handler.on_receive = [](Stream& stream, std::string_view) {
      stream.Write("refused");
      stream.Close();
    };
  });
  Peer peer(address());
  // More than is read before the answer: a close() now would be a reset.
  std::thread sender([&] { peer.Send(Pattern(3'000'000)); });
  bool reset = true;
  EXPECT_EQ(peer.ReceiveAll(&reset), "refused");
  EXPECT_FALSE(reset);
  sender.join();
  peer.Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, LingeringHasABound) {
  ListenOptions options;
  options.stream.linger_timeout = std::chrono::milliseconds(50);
  Listen([](TestHandler& handler) { handler.on_open = [](Stream& stream) { stream.Close(); }; },
         options);
  Peer peer(address());
  EXPECT_EQ(NextEnd(), Error::kTimedOut);  // Though the peer has never closed.
}

TEST_F(TcpTest, CloseAfterSendingDoesNotWaitForThePeer) {
  const std::string text = Pattern(5'000'000);
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      EXPECT_EQ(stream.WriteOwned(text), Error::kOk);
      stream.CloseAfterSending();
      EXPECT_EQ(stream.Write("late"), Error::kClosed);
    };
  });
  Peer peer(address());
  EXPECT_TRUE(peer.ReceiveAll() == text);
  EXPECT_EQ(NextEnd(), Error::kOk) << "while the peer is still open";
}

TEST_F(TcpTest, HalfClosedPeerStillGetsItsAnswer) {
  std::string all;
  Listen([&](TestHandler& handler) {
    handler.on_receive = [&](Stream&, std::string_view bytes) { all += bytes; };
    handler.on_receive_end = [&](Stream& stream) {
      stream.WriteOwned("got " + std::to_string(all.size()));
      stream.Close();
    };
  });
  Peer peer(address());
  peer.Send(Pattern(300'000));
  peer.EndSending();
  EXPECT_EQ(peer.ReceiveAll(), "got 300000");
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, CloseWriteEndsOneHalfOnly) {
  std::promise<std::string> heard;
  Listen([&](TestHandler& handler) {
    handler.on_open = [](Stream& stream) {
      stream.Write("bye");
      EXPECT_EQ(stream.CloseWrite(), Error::kOk);
      EXPECT_EQ(stream.Write("late"), Error::kClosed);
      EXPECT_TRUE(stream.is_open());
    };
    handler.on_receive = [&, all = std::string()](Stream&, std::string_view bytes) mutable {
      all += bytes;
      if (all.ends_with("here")) heard.set_value(all);
    };
  });
  Peer peer(address());
  EXPECT_EQ(peer.ReceiveAll(), "bye");
  peer.Send("still here");
  EXPECT_EQ(heard.get_future().get(), "still here");
  peer.EndSending();
  EXPECT_EQ(NextEnd(), Error::kOk);
}

TEST_F(TcpTest, AbortResets) {
  Listen([](TestHandler& handler) {
    handler.on_receive = [](Stream& stream, std::string_view) { stream.Abort(); };
  });
  Peer peer(address());
  peer.Send("x");
  bool reset = false;
  peer.ReceiveAll(&reset);
  EXPECT_TRUE(reset);
  EXPECT_EQ(NextEnd(), Error::kCancelled);
}

TEST_F(TcpTest, ResetOfThePeerIsTold) {
  std::promise<void> opened;
  Listen([&](TestHandler& handler) {
    handler.on_receive = [&](Stream&, std::string_view) { opened.set_value(); };
  });
  Peer peer(address());
  peer.Send("x");
  opened.get_future().wait();
  peer.Reset();
  EXPECT_EQ(NextEnd(), Error::kReset);
}

TEST_F(TcpTest, PausedBytesComeAfterResume) {
  std::promise<StreamPtr> opened;
  std::string all;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      stream.PauseReceive();
      opened.set_value(StreamPtr(&stream));
    };
    handler.on_receive = [&](Stream& stream, std::string_view bytes) {
      all += bytes;
      stream.PauseReceive();  // One round at a time.
      EXPECT_EQ(stream.Post([](Stream& self) { self.ResumeReceive(); }), Error::kOk);
    };
    handler.on_receive_end = [&](Stream& stream) {
      stream.WriteOwned(std::to_string(all.size()));
      stream.Close();
    };
  });
  Peer peer(address());
  StreamPtr stream = opened.get_future().get();
  std::thread sender([&] {
    peer.Send(Pattern(1'000'000));
    peer.EndSending();
  });
  EXPECT_EQ(stream->Post([](Stream& self) { EXPECT_EQ(self.ResumeReceive(), Error::kOk); }),
            Error::kOk);
  EXPECT_EQ(peer.ReceiveAll(), "1000000");
  sender.join();
}

TEST_F(TcpTest, WatermarksStopAndStartTheWriter) {
  std::promise<void> full;
  std::atomic<int> writable{0};
  ListenOptions options;
  options.stream.high_watermark_bytes = 100'000;
  options.stream.low_watermark_bytes = 10'000;
  options.stream.max_queued_bytes = 30'000'000;
  std::size_t queued = 0;
  Listen(
      [&](TestHandler& handler) {
        handler.on_open = [&](Stream& stream) {
          const std::string part = Pattern(50'000);
          Error error;
          while ((error = stream.Write(part)) == Error::kOk) queued += part.size();
          EXPECT_EQ(error, Error::kQueueFull);
          EXPECT_EQ(stream.queued_bytes(), queued);
          full.set_value();
        };
        handler.on_writable = [&](Stream& stream) {
          ++writable;
          EXPECT_LE(stream.queued_bytes(), 10'000u);
          stream.Close();
        };
      },
      options);
  Peer peer(address());
  full.get_future().wait();
  EXPECT_EQ(peer.ReceiveAll().size(), queued);
  EXPECT_EQ(writable, 1);
}

// Above the high watermark before the end of the turn alone; and again, from within OnWritable().
TEST_F(TcpTest, ABurstThatLeavesWithItsTurnIsToldToo) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 1000;
  options.stream.low_watermark_bytes = 500;
  std::atomic<int> writable{0};
  Listen(
      [&](TestHandler& handler) {
        handler.on_receive = [&](Stream& stream, std::string_view) { stream.Write(Pattern(1001)); };
        handler.on_writable = [&](Stream& stream) {
          EXPECT_LE(stream.queued_bytes(), 500u);
          if (++writable == 3) return stream.Close();
          stream.Write(Pattern(450));
          EXPECT_LE(stream.queued_bytes(), 1000u);
          stream.Write(Pattern(551));
        };
      },
      options);
  Peer peer(address());
  peer.Send("go");
  EXPECT_EQ(peer.ReceiveAll().size(), 3003u);
  EXPECT_EQ(writable, 3);
}

// A look at the queue in one turn finds another burst than a look in the next.
TEST_F(TcpTest, BurstsOfTurnAfterTurnAreToldToo) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 1000;
  options.stream.low_watermark_bytes = 500;
  std::mutex mutex;
  std::condition_variable changed;
  int writable = 0;
  std::promise<StreamPtr> opened;
  Listen(
      [&](TestHandler& handler) {
        handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
        handler.on_writable = [&](Stream&) {
          const std::lock_guard lock(mutex);
          ++writable;
          changed.notify_one();
        };
      },
      options);
  Peer peer(address());
  const StreamPtr stream = opened.get_future().get();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(stream->Post([](Stream& self) { self.Write(Pattern(1001)); }), Error::kOk);
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kLong, [&] { return writable == i + 1; })) << i;
  }
  stream->Close();
  EXPECT_EQ(peer.ReceiveAll().size(), 100'100u);
}

TEST_F(TcpTest, AReaderOfOneByteAtATimeStopsTheEchoNotTheServer) {
  ListenOptions options;
  options.stream.high_watermark_bytes = 32 * 1024;
  options.stream.low_watermark_bytes = 8 * 1024;
  std::atomic<std::size_t> most{0};
  Listen(
      [&](TestHandler& handler) {
        handler.on_receive = [&](Stream& stream, std::string_view bytes) {
          stream.Write(bytes);
          most = std::max(most.load(), stream.queued_bytes());
        };
      },
      options);
  Peer slow(address());
  const std::string sent = Pattern(30'000'000);
  std::thread sender([&] { EXPECT_TRUE(slow.Send(sent)); });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(slow.Receive(1), sent.substr(static_cast<size_t>(i), 1));
  Peer other(address());
  other.Send("hello");
  EXPECT_EQ(other.Receive(5), "hello");
  EXPECT_TRUE(slow.Receive(sent.size() - 100) == sent.substr(100));
  sender.join();
  // One receive above the watermark, and no more.
  EXPECT_LE(most, 32 * 1024 + Loop::Options().poller.receive_buffer_bytes);
}

TEST_F(TcpTest, IdleStreamTimesOut) {
  ListenOptions options;
  options.stream.idle_timeout = std::chrono::milliseconds(30);
  Listen(Echo, options);
  Peer peer(address());
  EXPECT_EQ(NextEnd(), Error::kTimedOut);
}

TEST_F(TcpTest, PeerThatDoesNotReadTimesOut) {
  ListenOptions options;
  options.stream.idle_timeout = {};
  options.stream.send_timeout = std::chrono::milliseconds(50);
  Listen(
      [](TestHandler& handler) {
        handler.on_open = [](Stream& stream) { stream.WriteOwned(Pattern(30'000'000)); };
      },
      options);
  Peer peer(address());
  EXPECT_EQ(NextEnd(), Error::kTimedOut);
}

TEST_F(TcpTest, SlowSenderIsEnded) {
  ListenOptions options;
  options.stream.idle_timeout = {};
  Listen(
      [](TestHandler& handler) {
        handler.on_open = [](Stream& stream) {
          EXPECT_EQ(stream.SetMinReceiveRate(1000, std::chrono::milliseconds(50)), Error::kOk);
        };
      },
      options);
  Peer peer(address());
  peer.Send("0123456789");  // 50 were due.
  EXPECT_EQ(NextEnd(), Error::kTooSlow);
}

TEST_F(TcpTest, MinReceiveRateCanBeWithdrawn) {
  std::promise<void> opened;
  Listen([&](TestHandler& handler) {
    Echo(handler);
    handler.on_open = [&](Stream& stream) {
      stream.SetMinReceiveRate(1000, std::chrono::milliseconds(20));
      stream.SetMinReceiveRate(0, {});
      stream.SetIdleTimeout(std::chrono::milliseconds(100));
    };
  });
  Peer peer(address());
  EXPECT_EQ(NextEnd(), Error::kTimedOut);  // And not kTooSlow before.
}

TEST_F(TcpTest, MinReceiveRateDoesNotCountWhileReceivingIsPaused) {
  for (const bool paused_first : {false, true}) {
    Listen([&](TestHandler& handler) {
      handler.on_open = [&](Stream& stream) {
        if (paused_first) stream.PauseReceive();
        stream.SetMinReceiveRate(1000, std::chrono::milliseconds(20));
        stream.PauseReceive();
        stream.SetIdleTimeout(std::chrono::milliseconds(200));
      };
    });
    Peer peer(address());
    EXPECT_EQ(NextEnd(), Error::kTimedOut);  // And not kTooSlow before.
  }
}

TEST_F(TcpTest, MinReceiveRateCountsAgainOnceReceivingGoesOn) {
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) {
      stream.SetMinReceiveRate(1000, std::chrono::milliseconds(20));
      stream.PauseReceive();
      EXPECT_EQ(stream.Post([](Stream& self) { self.ResumeReceive(); }), Error::kOk);
    };
  });
  Peer peer(address());
  EXPECT_EQ(NextEnd(), Error::kTooSlow);
}

TEST_F(TcpTest, ClosedFromAnotherThreadTwiceAndAfterTheEnd) {
  std::promise<StreamPtr> opened;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
  });
  Peer peer(address());
  StreamPtr stream = opened.get_future().get();
  EXPECT_EQ(stream->Write("no"), Error::kWrongThread);
  EXPECT_EQ(stream->PauseReceive(), Error::kWrongThread);
  EXPECT_FALSE(stream->is_open());
  stream->Close();
  stream->Close();
  EXPECT_EQ(peer.ReceiveAll(), "");
  peer.Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
  stream->Close();
  stream->Abort();
  thread_.Do([stream] {
    EXPECT_EQ(stream->Write("late"), Error::kClosed);
    EXPECT_EQ(stream->SetHandler(std::make_unique<TestHandler>()), Error::kClosed);
    EXPECT_EQ(stream->ResumeReceive(), Error::kClosed);
    EXPECT_EQ(stream->local_address().family(), Address::Family::kNone);
  });
}

TEST_F(TcpTest, HandleOutlivesItsLoop) {
  std::promise<StreamPtr> opened;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
  });
  Peer peer(address());
  StreamPtr stream = opened.get_future().get();
  thread_.End();
  EXPECT_EQ(NextEnd(), Error::kCancelled);
  EXPECT_EQ(stream->Write("late"), Error::kClosed);
  EXPECT_EQ(stream->Post([](Stream&) { ADD_FAILURE() << "ran"; }), Error::kClosed);
  stream->Close();
  stream->Abort();
}

TEST_F(TcpTest, CloseInEveryCallback) {
  for (const bool abort : {false, true}) {
    for (int where = 0; where < 4; ++where) {
      SCOPED_TRACE(where);
      Listen([abort, where](TestHandler& handler) {
        const auto end = [abort](Stream& stream) { abort ? stream.Abort() : stream.Close(); };
        if (where == 0) handler.on_open = end;
        if (where == 1)
          handler.on_receive = [end](Stream& stream, std::string_view) { end(stream); };
        if (where == 2) handler.on_receive_end = end;
        if (where == 3) {
          handler.on_closed = [end](Stream& stream, Error) {
            end(stream);
            EXPECT_EQ(stream.Write("late"), Error::kClosed);
          };
        }
      });
      Peer peer(address());
      peer.Send("x");
      peer.EndSending();
      peer.ReceiveAll();
      peer.Close();
      NextEnd();
    }
  }
}

TEST_F(TcpTest, AnotherHandlerTakesOver) {
  Listen([](TestHandler& handler) {
    handler.on_receive = [](Stream& stream, std::string_view) {
      auto second = std::make_unique<TestHandler>();
      second->on_receive = [](Stream& self, std::string_view bytes) {
        self.WriteOwned("second " + std::string(bytes));
        self.Close();
      };
      EXPECT_EQ(stream.SetHandler(std::move(second)), Error::kOk);
      stream.Write("first ");
    };
  });
  Peer peer(address());
  peer.Send("a");
  EXPECT_EQ(peer.Receive(6), "first ");
  peer.Send("b");
  EXPECT_EQ(peer.ReceiveAll(), "second b");
}

TEST_F(TcpTest, DrainFinishesWhatIsUnderWay) {
  std::promise<StreamPtr> opened;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
    handler.on_drain = [](Stream& stream) {
      stream.WriteOwned(Pattern(1'000'000));
      stream.Close();
    };
  });
  Peer peer(address());
  opened.get_future().wait();
  thread_.loop().Drain(kLong);
  EXPECT_EQ(peer.ReceiveAll().size(), 1'000'000u);
  peer.Close();
  EXPECT_EQ(NextEnd(), Error::kOk);
  thread_.End();
}

TEST_F(TcpTest, DrainAbortsAfterItsGrace) {
  std::promise<StreamPtr> opened;
  Listen([&](TestHandler& handler) {
    handler.on_open = [&](Stream& stream) { opened.set_value(StreamPtr(&stream)); };
    handler.on_drain = [](Stream&) {};  // Stays.
  });
  Peer peer(address());
  opened.get_future().wait();
  thread_.loop().Drain(std::chrono::milliseconds(20));
  EXPECT_EQ(NextEnd(), Error::kCancelled);
  thread_.End();
}

TEST_F(TcpTest, AddressesOfBothEnds) {
  Listen([](TestHandler& handler) {
    handler.on_open = [](Stream& stream) {
      stream.WriteOwned(stream.local_address().ToString() + " " + stream.peer_address().ToString());
      stream.Close();
    };
  });
  Peer peer(address());
  EXPECT_EQ(peer.ReceiveAll(), internal::PeerAddress(peer.native()).ToString() + " " +
                                   internal::LocalAddress(peer.native()).ToString());
}

TEST_F(TcpTest, ConnectionsBeyondTheMostAreClosedAtOnce) {
  ListenOptions options;
  options.max_connections = 2;
  Listen(Echo, options);
  Peer one(address());
  Peer two(address());
  for (Peer* peer : {&one, &two}) {
    peer->Send("x");
    EXPECT_EQ(peer->Receive(1), "x");
  }
  Peer three(address());
  EXPECT_EQ(three.ReceiveAll(), "");
  one.EndSending();
  EXPECT_EQ(one.ReceiveAll(), "");
  EXPECT_EQ(NextEnd(), Error::kOk);
  Peer four(address());
  four.Send("x");
  EXPECT_EQ(four.Receive(1), "x");
}

// A stream that always has more is left for others after some receives; one that ends in just that
// receive must not be come back to.
TEST(ReceiveRoundTest, EndInAnyReceiveOfARound) {
  Loop::Options options;
  options.poller.receive_buffer_bytes = 8;
  LoopThread thread(std::move(options));
  for (int end_at = 1; end_at <= 10; ++end_at) {
    std::promise<Error> closed;
    auto listener = TcpListener::Listen(thread.loop(), "127.0.0.1:0", [&] {
      auto handler = std::make_unique<TestHandler>();
      handler->on_receive = [end_at, received = 0](Stream& stream, std::string_view) mutable {
        if (++received == end_at) stream.Abort();
      };
      handler->on_closed = [&](Stream& stream, Error error) {
        EXPECT_EQ(stream.Write("late"), Error::kClosed);
        closed.set_value(error);
      };
      return handler;
    });
    ASSERT_TRUE(listener.ok());
    Peer peer((*listener)->address());
    peer.Send(std::string(1000, 'x'));
    EXPECT_EQ(closed.get_future().get(), Error::kCancelled);
    thread.Do([] {});
  }
}

TEST(TcpListenerTest, ErrorsSayWhatAndWhere) {
  LoopThread thread;
  const auto make = [] { return std::make_unique<TestHandler>(); };
  auto first = TcpListener::Listen(thread.loop(), "127.0.0.1:0", make);
  ASSERT_TRUE(first.ok());
  const std::string taken = (*first)->address().ToString();
  auto second = TcpListener::Listen(thread.loop(), taken, make);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.status().message().find(taken), std::string_view::npos) << second.status();
  EXPECT_EQ(TcpListener::Listen(thread.loop(), "localhost", make).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(TcpListener::Listen(thread.loop(), "192.0.2.1:0", make).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TcpListenerTest, PortIsFreeAfterClose) {
  LoopThread thread;
  const auto make = [] { return std::make_unique<TestHandler>(); };
  auto first = TcpListener::Listen(thread.loop(), "127.0.0.1:0", make);
  ASSERT_TRUE(first.ok());
  const std::string address = (*first)->address().ToString();
  (*first)->Close();
  (*first)->Close();
  thread.Do([] {});  // The loop has closed it by the end of the turn after this one.
  thread.Do([] {});
  EXPECT_TRUE(TcpListener::Listen(thread.loop(), address, make).ok());
}

TEST(TcpListenerTest, DualStackServesBothFamilies) {
  LoopThread thread;
  auto listener = TcpListener::Listen(thread.loop(), "[::]:0", [] {
    auto handler = std::make_unique<TestHandler>();
    handler->on_open = [](Stream& stream) {
      stream.WriteOwned(stream.peer_address().Unmapped().ToStringWithoutPort());
      stream.Close();
    };
    return handler;
  });
  ASSERT_TRUE(listener.ok()) << listener.status();
  const std::string port = std::to_string((*listener)->address().port());
  EXPECT_EQ(Peer(*Address::Parse("127.0.0.1:" + port)).ReceiveAll(), "127.0.0.1");
  EXPECT_EQ(Peer(*Address::Parse("[::1]:" + port)).ReceiveAll(), "::1");
}

}  // namespace
}  // namespace strata::net
