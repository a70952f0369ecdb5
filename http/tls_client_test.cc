// The client by TLS.

#include "strata/http/tls_client.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/crypto/key.h"
#include "strata/crypto/x509.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"
#include "strata/http/tls.h"
#include "strata/net/testing/server_test.h"

namespace strata::http {
namespace {

using testing::ClientThread;

class TlsClientTest : public testing::WireTest {
 protected:
  // A server whose certificate, for "localhost", is that of the authority.
  void SetUp() override {
    crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyType::kP256).value();
    certificate_ = std::make_unique<crypto::Certificate>(
        crypto::MakeSelfSignedCertificate(key, {.dns_names = {"localhost"}}).value());
    auto identity = crypto::TlsIdentity::Create({*certificate_}, std::move(key)).value();
    Router router;
    router.Get("/", [](Request& request, Response& response) {
      response.SendText(request.secure() ? "secure" : "plain");
    });
    router.Post("/", [](Request& request, Response& response) { response.Send(request.body()); });
    Serve(std::move(router));
    ASSERT_TRUE(server()
                    .Listen("127.0.0.1:0",
                            TlsLayer(crypto::TlsServerContext::Create(std::move(identity)).value()))
                    .ok());
  }

  std::string Url(std::string_view host) const {
    return absl::StrCat("https://", host, ":", server_->address(1).port(), "/");
  }

  ClientOptions Trusting() {
    return {
        .secure = TlsClientLayer(
            crypto::TlsClientContext::Create(
                {.authorities = crypto::TrustStore::FromCertificates({{*certificate_}}).value()})
                .value())};
  }

  std::unique_ptr<crypto::Certificate> certificate_;
};

TEST_F(TlsClientTest, FetchesByTlsAndKeepsTheConnection) {
  ClientThread client(Trusting());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Get(Url("localhost"));
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->body, "secure");
  }
  EXPECT_EQ(Count(&ServerCounters::connections), 1);
}

TEST_F(TlsClientTest, LargeBodiesGoBothWays) {
  ClientThread client(Trusting());
  const std::string body = net::testing::Pattern(900'000);
  const auto response = client.Fetch({.method = "POST", .url = Url("localhost"), .body = body});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->body == body);
}

TEST_F(TlsClientTest, ACertificateForAnotherHostIsRefused) {
  ClientThread client(Trusting());
  const auto response = client.Get(Url("127.0.0.1"));
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnauthenticated) << response.status();
  EXPECT_EQ(Count(&ServerCounters::requests), 0);
}

TEST_F(TlsClientTest, ByDefaultAnUnknownAuthorityIsRefused) {
  ClientThread client({.secure = TlsClientLayer(crypto::TlsClientContext::Create().value())});
  const auto response = client.Get(Url("localhost"));
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnauthenticated) << response.status();
  EXPECT_EQ(client.client().counters().retries.Get(), 0);
}

}  // namespace
}  // namespace strata::http
