// wss: the client by TLS.

#include "strata/http/tls.h"

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/crypto/key.h"
#include "strata/crypto/x509.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"
#include "strata/http/tls_client.h"
#include "strata/ws/client.h"
#include "strata/ws/server.h"

namespace strata::ws {
namespace {

using http::testing::RawServer;

class EchoHandler final : public SocketHandler {
  void OnMessage(Socket& socket, bool text, std::string_view message) override {
    text ? socket.SendText(message) : socket.SendBinary(message);
  }
};

// Sends a text, and closes when it has come back.
class AskOnce final : public SocketHandler {
 public:
  AskOnce(std::string text, std::promise<std::string> answer)
      : text_(std::move(text)), answer_(std::move(answer)) {}

  void OnOpen(Socket& socket) override { socket.SendText(text_); }
  void OnMessage(Socket& socket, bool, std::string_view message) override {
    got_ = message;
    socket.Close();
  }
  void OnClosed(Socket&, CloseCode code, std::string_view) override {
    answer_.set_value(absl::StrCat(static_cast<int>(code), " ", got_));
  }

 private:
  const std::string text_;
  std::promise<std::string> answer_;
  std::string got_;
};

class WsTlsTest : public http::testing::WireTest {
 protected:
  // A server whose certificate, for "localhost", is that of the authority.
  void SetUp() override {
    crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyType::kP256).value();
    certificate_ = std::make_unique<crypto::Certificate>(
        crypto::MakeSelfSignedCertificate(key, {.dns_names = {"localhost"}}).value());
    auto identity = crypto::TlsIdentity::Create({*certificate_}, std::move(key)).value();
    http::Router router;
    router.Get("/", WebSocketEndpoint([](http::Request& request) -> std::unique_ptr<SocketHandler> {
                 if (!request.secure()) return nullptr;
                 return std::make_unique<EchoHandler>();
               }));
    Serve(std::move(router));
    auto context = crypto::TlsServerContext::Create(std::move(identity)).value();
    ASSERT_TRUE(server().Listen("127.0.0.1:0", http::TlsLayer(std::move(context))).ok());
  }

  void TearDown() override { thread_.End(); }

  std::string Url(std::string_view host) const {
    return absl::StrCat("wss://", host, ":", server_->address(1).port(), "/");
  }

  ClientOptions Trusting() {
    return {
        .secure = http::TlsClientLayer(
            crypto::TlsClientContext::Create(
                {.authorities = crypto::TrustStore::FromCertificates({{*certificate_}}).value()})
                .value())};
  }

  absl::Status Connect(std::string_view url, const ClientOptions& options) {
    std::promise<std::string> answer;
    answer_ = answer.get_future();
    std::promise<absl::Status> done;
    auto status = done.get_future();
    thread_.Do([&] {
      ConnectWebSocket(
          thread_.loop(), resolver_, url,
          std::make_unique<AskOnce>(std::string(100'000, 'x'), std::move(answer)), options,
          [done = std::move(done)](absl::Status s) mutable { done.set_value(std::move(s)); });
    });
    return status.get();
  }

  net::Resolver resolver_;
  net::testing::LoopThread thread_;
  std::future<std::string> answer_;
  std::unique_ptr<crypto::Certificate> certificate_;
};

TEST_F(WsTlsTest, MessagesGoBothWays) {
  const absl::Status status = Connect(Url("localhost"), Trusting());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(answer_.get() == "1000 " + std::string(100'000, 'x'));
}

TEST_F(WsTlsTest, ACertificateForAnotherHostIsRefused) {
  const absl::Status status = Connect(Url("127.0.0.1"), Trusting());
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  EXPECT_EQ(Count(&http::ServerCounters::requests), 0);
}

TEST_F(WsTlsTest, ByDefaultAnUnknownAuthorityIsRefused) {
  const auto layer = http::TlsClientLayer(crypto::TlsClientContext::Create().value());
  const absl::Status status = Connect(Url("localhost"), {.secure = layer});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
}

TEST_F(WsTlsTest, AServerThatIsSilentInTheHandshakeOfTlsIsGivenUp) {
  RawServer server([](net::Stream&, const RawServer::Asked&) {});
  ClientOptions options = Trusting();
  options.timeout = std::chrono::milliseconds(20);
  const absl::Status status = Connect(absl::StrCat("wss://", server.authority()), options);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(WsTlsTest, AProxyIsTunnelledThrough) {
  std::promise<std::string> head;
  RawServer proxy([&](net::Stream& stream, const RawServer::Asked& asked) {
    head.set_value(asked.bytes);
    stream.Write("HTTP/1.1 200 OK\r\n\r\n");
    stream.Close();
  });
  ClientOptions options = Trusting();
  options.proxy = absl::StrCat("http://", proxy.authority());
  const absl::Status status = Connect("wss://chat.example/room", options);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(head.get_future().get(),
            "CONNECT chat.example:443 HTTP/1.1\r\nHost: chat.example:443\r\n\r\n");
  // After that, nothing is in the clear.
  EXPECT_EQ(proxy.received().find("/room"), std::string::npos);
}

}  // namespace
}  // namespace strata::ws
