// What a poller promises, on both systems: poller.h is the specification.

#include "strata/net/poller.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/socket_internal.h"
#include "strata/net/testing/streams.h"

namespace strata::net {
namespace {

using testing::kLong;
using testing::Peer;

struct TestStream final : StreamSocket {
  std::function<void(std::string_view)> on_received;
  std::function<void(std::size_t)> on_sent;
  std::function<void()> on_end;
  std::string received;
  std::vector<Error> ends;
  std::vector<Error> connects;
  std::vector<Error> send_errors;
  int detached = 0;

  void OnConnected(Error error) override { connects.push_back(error); }
  void OnReceived(std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    EXPECT_EQ(detached, 0);
    received += bytes;
    if (on_received) on_received(bytes);
  }
  void OnReceiveEnd(Error error) override {
    ends.push_back(error);
    if (on_end) on_end();
  }
  void OnSent(std::size_t bytes, Error error) override {
    if (error != Error::kOk) send_errors.push_back(error);
    if (on_sent) on_sent(bytes);
  }
  void OnDetached() override { ++detached; }
};

struct TestListener final : ListenSocket {
  std::function<void(NativeSocket)> on_accepted;
  int failed = 0;
  int detached = 0;

  void OnAccepted(NativeSocket socket, const Address&) override { on_accepted(socket); }
  void OnAcceptFailed(Error) override { ++failed; }
  void OnDetached() override { ++detached; }
};

struct TestDatagram final : DatagramSocket {
  std::vector<std::string> received;
  int detached = 0;

  void OnReceivedFrom(std::string_view bytes, const Address&, bool) override {
    received.emplace_back(bytes);
  }
  void OnDatagramError(Error) override {}
  void OnSendReady() override {}
  void OnDetached() override { ++detached; }
};

class PollerTest : public ::testing::Test {
 protected:
  void SetUp() override { MakePoller({}); }

  void MakePoller(const Poller::Options& options) {
    absl::StatusOr<std::unique_ptr<Poller>> poller = Poller::Create(options);
    ASSERT_TRUE(poller.ok()) << poller.status();
    poller_ = *std::move(poller);
  }

  // Waits until `condition` holds.
  void Until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never came";
      poller_->Wait(100);
    }
  }

  // A listening socket on which `stream` is to be the next connection accepted.
  Address Listen() {
    internal::OpenedSocket opened = internal::OpenListener(*Address::Parse("127.0.0.1:0"), {});
    EXPECT_EQ(opened.error, Error::kOk);
    const Address address = internal::LocalAddress(opened.socket);
    EXPECT_EQ(poller_->AttachListener(listener_, opened.socket), Error::kOk);
    listener_.on_accepted = [this](NativeSocket socket) { accepted_.emplace_back(socket); };
    poller_->StartAccept(listener_);
    return address;
  }

  // Connects a peer to a stream of the poller's.
  Peer ConnectPeer(TestStream& stream) {
    if (listener_.native() == kNoSocket) address_ = Listen();
    Peer peer(address_);
    Until([&] { return !accepted_.empty(); });
    EXPECT_EQ(poller_->AttachStream(stream, accepted_.back().Release()), Error::kOk);
    accepted_.pop_back();
    return peer;
  }

  // Detaches and waits for the poller to let go.
  void Release(TestStream& stream) {
    poller_->Detach(stream);
    Until([&] { return stream.detached == 1; });
  }

  void TearDown() override {
    if (listener_.native() != kNoSocket) {
      poller_->Detach(listener_);
      Until([&] { return listener_.detached == 1; });
    }
  }

  std::unique_ptr<Poller> poller_;
  TestListener listener_;
  Address address_;
  std::vector<internal::OwnedSocket> accepted_;
};

TEST_F(PollerTest, RefusesOptionsWithoutBounds) {
  std::vector<Poller::Options> bad(3);
  bad[0].receive_buffer_bytes = 0;
  bad[1].max_events = 0;
  bad[2].max_accepts = 0;
  for (const Poller::Options& options : bad) {
    EXPECT_EQ(Poller::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  }
#ifdef _WIN32
  const Poller::Backend other = Poller::Backend::kEpoll;
#else
  const Poller::Backend other = Poller::Backend::kIocp;
#endif
  EXPECT_EQ(Poller::Create({.backend = other}).status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(PollerTest, WakeEndsTheWaitUnderWayOrTheNext) {
  poller_->Wake();
  poller_->Wake();
  poller_->Wait(-1);
  for (int i = 0; i < 300; ++i) {
    std::thread waker([&] { poller_->Wake(); });
    poller_->Wait(-1);
    waker.join();
    poller_->Wait(0);  // What is left of a wake-up that came early.
  }
}

TEST_F(PollerTest, NothingIsReceivedBeforeItIsAskedForAndAllAfter) {
  TestStream stream;
  Peer peer = ConnectPeer(stream);
  peer.Send("hello");
  for (int i = 0; i < 5; ++i) poller_->Wait(1);
  EXPECT_EQ(stream.received, "");
  poller_->StartReceive(stream);
  poller_->StartReceive(stream);
  Until([&] { return stream.received == "hello"; });
  Release(stream);
}

TEST_F(PollerTest, EndBehindBytesIsSeenWhateverTheBuffer) {
  MakePoller({.receive_buffer_bytes = 16});
  for (const std::size_t size : {1u, 15u, 16u, 17u, 31u, 32u, 33u, 64u, 65u, 1000u}) {
    TestStream stream;
    Peer peer = ConnectPeer(stream);
    peer.Send(std::string(size, 'x'));
    peer.EndSending();
    poller_->StartReceive(stream);
    Until([&] { return !stream.ends.empty(); });
    EXPECT_EQ(stream.received.size(), size);
    EXPECT_EQ(stream.ends, std::vector<Error>{Error::kOk});
    poller_->StartReceive(stream);  // There is no more to come.
    poller_->Wait(0);
    EXPECT_EQ(stream.ends.size(), 1u);
    Release(stream);
  }
}

TEST_F(PollerTest, StoppedInACallbackItStopsAndGoesOnLater) {
  MakePoller({.receive_buffer_bytes = 4});
  TestStream stream;
  Peer peer = ConnectPeer(stream);
  stream.on_received = [&](std::string_view) { poller_->StopReceive(stream); };
  peer.Send("0123456789abcdef");
  for (const std::size_t size : {4u, 8u, 12u, 16u}) {
    poller_->StartReceive(stream);
    Until([&] { return stream.received.size() >= size; });
    poller_->Wait(0);
    EXPECT_EQ(stream.received.size(), size);
  }
  Release(stream);
}

TEST_F(PollerTest, AStreamThatAlwaysHasMoreStarvesNoOther) {
  MakePoller({.receive_buffer_bytes = 8});
  TestStream endless;
  TestStream other;
  Peer one = ConnectPeer(endless);
  Peer two = ConnectPeer(other);
  poller_->StartReceive(endless);
  poller_->StartReceive(other);
  one.Send(std::string(200'000, 'x'));
  two.Send("y");
  Until([&] { return other.received == "y"; });
  EXPECT_LT(endless.received.size(), 200'000u);
  Until([&] { return endless.received.size() == 200'000u; });
  Release(endless);
  Release(other);
}

TEST_F(PollerTest, SendsTheRestAsThePeerTakesIt) {
  TestStream stream;
  Peer peer = ConnectPeer(stream);
  const std::string text(30'000'000, 's');
  std::size_t sent = 0;
  bool pending = false;
  const auto send = [&] {
    while (!pending && sent < text.size()) {
      const IoSlice slice{text.data() + sent, text.size() - sent};
      Poller::SendResult result = poller_->Send(stream, std::span(&slice, 1));
      ASSERT_EQ(result.error, Error::kOk);
      pending = result.bytes < slice.size;
      sent += result.bytes;
    }
  };
  stream.on_sent = [&](std::size_t bytes) {
    pending = false;
    sent += bytes;
    send();
  };
  send();
  EXPECT_TRUE(pending);
  std::size_t received = 0;
  std::thread reader([&] { received = peer.Receive(text.size()).size(); });
  Until([&] { return sent == text.size() && !pending; });
  reader.join();
  EXPECT_EQ(received, text.size());
  EXPECT_TRUE(stream.send_errors.empty());
  Release(stream);
}

TEST_F(PollerTest, SlicesLeaveInTheirOrder) {
  TestStream stream;
  Peer peer = ConnectPeer(stream);
  std::vector<IoSlice> slices = {{"one ", 4}, {"two ", 4}, {"three", 5}};
  while (!slices.empty()) {
    std::size_t more = 0;
    bool told = false;
    stream.on_sent = [&](std::size_t bytes) {
      more = bytes;
      told = true;
    };
    const Poller::SendResult result = poller_->Send(stream, slices);
    ASSERT_EQ(result.error, Error::kOk);
    std::size_t sent = result.bytes;
    std::size_t wanted = 0;
    for (const IoSlice& slice : slices) wanted += slice.size;
    if (sent < wanted) {
      Until([&] { return told; });
      sent += more;
    }
    while (!slices.empty() && sent >= slices[0].size) {
      sent -= slices[0].size;
      slices.erase(slices.begin());
    }
    if (!slices.empty()) slices[0] = {slices[0].data + sent, slices[0].size - sent};
  }
  EXPECT_EQ(peer.Receive(13), "one two three");
  Release(stream);
}

TEST_F(PollerTest, DetachedInItsCallbackItIsNeverCalledAgain) {
  MakePoller({.receive_buffer_bytes = 2});
  for (const bool at_end : {false, true}) {
    TestStream stream;
    Peer peer = ConnectPeer(stream);
    const auto detach = [&] {
      poller_->Detach(stream);
      poller_->Detach(stream);
      EXPECT_EQ(stream.detached, 0);  // Later.
    };
    if (at_end) {
      stream.on_end = detach;
    } else {
      stream.on_received = [&](std::string_view) { detach(); };
    }
    poller_->StartReceive(stream);
    peer.Send("01");
    if (at_end) {
      peer.EndSending();
    } else {
      peer.Send("2345");
    }
    Until([&] { return stream.detached == 1; });
    for (int i = 0; i < 3; ++i) poller_->Wait(0);
    EXPECT_EQ(stream.detached, 1);
    EXPECT_EQ(stream.received.size(), 2u);
    EXPECT_EQ(stream.native(), kNoSocket);
  }
}

// Of two streams with events in one batch each wants the other's end.
TEST_F(PollerTest, DetachedByAnotherOfTheSameBatch) {
  TestStream one;
  TestStream two;
  Peer first = ConnectPeer(one);
  Peer second = ConnectPeer(two);
  one.on_received = [&](std::string_view) { poller_->Detach(two); };
  two.on_received = [&](std::string_view) { poller_->Detach(one); };
  poller_->StartReceive(one);
  poller_->StartReceive(two);
  poller_->Wait(0);
  first.Send("x");
  second.Send("x");
  Until([&] { return one.detached + two.detached == 1; });
  EXPECT_EQ(one.received.size() + two.received.size(), 1u);
  TestStream& left = one.detached ? two : one;
  Release(left);
}

TEST_F(PollerTest, PeersResetIsOne) {
  TestStream stream;
  Peer peer = ConnectPeer(stream);
  poller_->StartReceive(stream);
  poller_->Wait(0);
  peer.Reset();
  Until([&] { return !stream.ends.empty(); });
  EXPECT_EQ(stream.ends, std::vector<Error>{Error::kReset});
  Release(stream);
}

TEST_F(PollerTest, ConnectsOrIsRefused) {
  const Address address = Listen();
  for (const bool refused : {false, true}) {
    if (refused) {
      poller_->Detach(listener_);
      Until([&] { return listener_.detached == 1; });
      accepted_.clear();
    }
    TestStream stream;
    internal::OpenedSocket opened = internal::OpenStream(Address::Family::kIpv4);
    ASSERT_EQ(poller_->AttachStream(stream, opened.socket), Error::kOk);
    ASSERT_EQ(poller_->Connect(stream, address), Error::kOk);
    Until([&] { return !stream.connects.empty(); });
    EXPECT_EQ(stream.connects, std::vector<Error>{refused ? Error::kRefused : Error::kOk});
    Release(stream);
  }
}

TEST_F(PollerTest, AcceptsMoreThanOneRoundTakes) {
  MakePoller({.max_accepts = 2});
  const Address address = Listen();
  std::vector<Peer> peers;
  for (int i = 0; i < 20; ++i) peers.emplace_back(address);
  Until([&] { return accepted_.size() == 20; });
  EXPECT_EQ(listener_.failed, 0);
}

TEST_F(PollerTest, ListenerDetachedInItsCallback) {
  const Address address = Listen();
  listener_.on_accepted = [&](NativeSocket socket) {
    accepted_.emplace_back(socket);
    poller_->Detach(listener_);
  };
  Peer one(address);
  Peer two(address);
  Until([&] { return listener_.detached == 1; });
  EXPECT_EQ(accepted_.size(), 1u);
}

TEST_F(PollerTest, DatagramsComeWhole) {
  TestDatagram one;
  TestDatagram two;
  for (TestDatagram* each : {&one, &two}) {
    internal::OpenedSocket opened =
        internal::OpenDatagram(*Address::Parse("127.0.0.1:0"), true, false);
    ASSERT_EQ(opened.error, Error::kOk);
    ASSERT_EQ(poller_->AttachDatagram(*each, opened.socket), Error::kOk);
  }
  poller_->StartReceive(two);
  const Address to = internal::LocalAddress(two.native());
  for (const std::string& bytes : {std::string("first"), std::string(), std::string(1400, 'x')}) {
    EXPECT_EQ(poller_->SendTo(one, bytes, to), Error::kOk);
  }
  Until([&] { return two.received.size() == 3; });
  EXPECT_EQ(two.received, (std::vector<std::string>{"first", "", std::string(1400, 'x')}));
  for (TestDatagram* each : {&one, &two}) {
    poller_->Detach(*each);
    Until([&] { return each->detached == 1; });
  }
}

}  // namespace
}  // namespace strata::net
