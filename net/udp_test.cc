// Datagrams on a loop.

#include <future>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "strata/net/testing/streams.h"
#include "strata/net/udp_socket.h"

namespace strata::net {
namespace {

using testing::LoopThread;

RefPtr<UdpSocket> Bind(Loop& loop, UdpSocket::OnDatagram on_datagram) {
  auto socket = UdpSocket::Bind(loop, "127.0.0.1:0", std::move(on_datagram));
  EXPECT_TRUE(socket.ok()) << socket.status();
  return *socket;
}

TEST(UdpSocketTest, SendsAndAnswers) {
  LoopThread thread;
  std::promise<std::string> answered;
  RefPtr<UdpSocket> server;
  thread.Do([&] {
    server = Bind(thread.loop(), [](UdpSocket& self, std::string_view bytes, const Address& peer) {
      EXPECT_EQ(self.SendTo(std::string(bytes) + " world", peer), Error::kOk);
    });
    RefPtr<UdpSocket> client =
        Bind(thread.loop(), [&](UdpSocket&, std::string_view bytes, const Address& peer) {
          EXPECT_EQ(peer, server->address());
          answered.set_value(std::string(bytes));
        });
    EXPECT_EQ(client->SendTo("hello", server->address()), Error::kOk);
  });
  EXPECT_EQ(answered.get_future().get(), "hello world");
}

TEST(UdpSocketTest, AnEmptyDatagramIsOneToo) {
  LoopThread thread;
  std::promise<std::size_t> size;
  thread.Do([&] {
    RefPtr<UdpSocket> server = Bind(
        thread.loop(),
        [&](UdpSocket&, std::string_view bytes, const Address&) { size.set_value(bytes.size()); });
    EXPECT_EQ(server->SendTo("", server->address()), Error::kOk);
  });
  EXPECT_EQ(size.get_future().get(), 0u);
}

TEST(UdpSocketTest, ClosedInItsCallbackTwiceAndFromAnotherThread) {
  LoopThread thread;
  std::promise<RefPtr<UdpSocket>> closed;
  RefPtr<UdpSocket> other;
  thread.Do([&] {
    RefPtr<UdpSocket> server =
        Bind(thread.loop(), [&](UdpSocket& self, std::string_view, const Address& peer) {
          self.Close();
          self.Close();
          EXPECT_EQ(self.SendTo("late", peer), Error::kClosed);
          closed.set_value(RefPtr<UdpSocket>(&self));
        });
    EXPECT_EQ(server->SendTo("x", server->address()), Error::kOk);
    EXPECT_EQ(server->SendTo("y", server->address()), Error::kOk);
    other = Bind(thread.loop(), [](UdpSocket&, std::string_view, const Address&) { FAIL(); });
  });
  RefPtr<UdpSocket> socket = closed.get_future().get();
  EXPECT_EQ(other->SendTo("x", other->address()), Error::kWrongThread);
  other->Close();
  thread.End();
  EXPECT_EQ(socket->SendTo("x", socket->address()), Error::kClosed);
  other->Close();
}

TEST(UdpSocketTest, ErrorsSayWhatAndWhere) {
  LoopThread thread;
  thread.Do([&] {
    const auto nothing = [](UdpSocket&, std::string_view, const Address&) {};
    auto bad = UdpSocket::Bind(thread.loop(), "nowhere", nothing);
    EXPECT_EQ(bad.status().code(), absl::StatusCode::kInvalidArgument);
    RefPtr<UdpSocket> one = Bind(thread.loop(), nothing);
    auto taken = UdpSocket::Bind(thread.loop(), one->address().ToString(), nothing);
    EXPECT_EQ(taken.status().code(), absl::StatusCode::kAlreadyExists) << taken.status();
    EXPECT_EQ(one->SendTo(std::string(70'000, 'x'), one->address()), Error::kMessageTooLong);
  });
}

}  // namespace
}  // namespace strata::net
