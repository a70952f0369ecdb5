#include "strata/http/tls.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/crypto/key.h"
#include "strata/crypto/x509.h"
#include "strata/http/testing/wire.h"
#include "strata/net/connector.h"
#include "strata/net/resolver.h"

namespace strata::http {
namespace {

using net::testing::LoopThread;
using net::testing::TestHandler;
using testing::Get;
using testing::WireResponse;

class TlsTest : public testing::WireTest {
 protected:
  void SetUp() override {
    crypto::PrivateKey key = crypto::PrivateKey::Generate(crypto::KeyType::kP256).value();
    crypto::Certificate certificate =
        crypto::MakeSelfSignedCertificate(key, {.dns_names = {"localhost"}}).value();
    client_ = crypto::TlsClientContext::Create(
                  {.authorities = crypto::TrustStore::FromCertificates({{certificate}}).value(),
                   .alpn = {"http/1.1"}})
                  .value();
    auto identity = crypto::TlsIdentity::Create({std::move(certificate)}, std::move(key)).value();
    server_context_ =
        crypto::TlsServerContext::Create(std::move(identity), {.alpn = {"http/1.1"}}).value();
  }

  void ServeTls(Router router) {
    Serve(std::move(router));
    ASSERT_TRUE(server().Listen("127.0.0.1:0", TlsLayer(server_context_)).ok());
  }

  // What the server sends by TLS to these bytes, up to its end.
  std::string Ask(std::string request) {
    LoopThread thread;
    net::Resolver resolver;
    std::promise<std::string> answered;
    auto handler = std::make_unique<TestHandler>();
    auto all = std::make_shared<std::string>();
    handler->on_open = [request](net::Stream& stream) { stream.Write(request); };
    handler->on_receive = [all](net::Stream&, std::string_view bytes) { all->append(bytes); };
    handler->on_closed = [all, &answered](net::Stream&, net::Error) { answered.set_value(*all); };
    thread.Do([&] {
      net::Connect(thread.loop(), resolver, server().address(1).ToString(),
                   net::ConnectTls(*client_, "localhost", std::move(handler)).value(),
                   [](absl::Status status) { EXPECT_TRUE(status.ok()) << status; });
    });
    return answered.get_future().get();
  }

  std::shared_ptr<crypto::TlsServerContext> server_context_;
  std::shared_ptr<crypto::TlsClientContext> client_;
};

TEST_F(TlsTest, TheSameServerAnswersPlainAndEncrypted) {
  Router router;
  router.Get("/", [](Request& request, Response& response) {
    response.SendText(request.secure() ? "secure" : "plain");
  });
  ServeTls(std::move(router));
  EXPECT_EQ(Connect().Ask(Get("/")).body, "plain");
  const std::string answer =
      Ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
          "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nsecure")) << answer;
  EXPECT_NE(answer.find("secureHTTP/1.1 200 OK"), std::string::npos) << answer;
}

TEST_F(TlsTest, ALargeBodyComesWhole) {
  Router router;
  router.Get("/fixed", [](Request&, Response& response) {
    response.Send(ReplyBody(std::string(5'000'000, 'x')));
  });
  router.Get("/made", [](Request&, Response& response) {
    response.Send(ReplyBody(5'000'000, [n = 0](std::string& out) mutable {
      out.append(50'000, 'x');
      return ++n == 100 ? Produced::kEnd : Produced::kMore;
    }));
  });
  ServeTls(std::move(router));
  for (const char* path : {"/fixed", "/made"}) {
    const std::string answer =
        Ask(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    const std::size_t head = answer.find("\r\n\r\n");
    ASSERT_NE(head, std::string::npos);
    EXPECT_TRUE(answer.substr(head + 4) == std::string(5'000'000, 'x')) << path;
  }
}

TEST_F(TlsTest, PlainRequestsAreSentToHttps) {
  Router router;
  router.UseAlways(RedirectToHttps());
  router.Get("/", [](Request&, Response& response) { response.SendText("secure"); });
  ServeTls(std::move(router));
  const WireResponse response =
      Connect().Ask("GET /a%20b/?q=1 HTTP/1.1\r\nHost: example.com:80\r\n\r\n");
  EXPECT_EQ(response.status, 308);
  EXPECT_EQ(response.Field("Location"), "https://example.com/a%20b/?q=1");
  EXPECT_EQ(Connect().Ask("GET / HTTP/1.0\r\n\r\n").status, 400);
  EXPECT_TRUE(Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ends_with("secure"));
}

TEST_F(TlsTest, TheRedirectMayNameItsHost) {
  Router router;
  router.UseAlways(RedirectToHttps({.host = "www.example.com", .port = 8443, .status = 301}));
  Serve(std::move(router));
  const WireResponse response = Connect().Ask("GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.Field("Location"), "https://www.example.com:8443/x");
}

}  // namespace
}  // namespace strata::http
