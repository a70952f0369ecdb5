// What a server does with proxies, limits, bans and observers, and the middlewares around handlers.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/middleware.h"
#include "strata/http/server.h"
#include "strata/http/server_metrics.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using testing::Get;
using testing::WireClient;
using testing::WireResponse;
using ServerOptionsTest = testing::WireTest;

void Who(Request& request, Response& response) {
  response.SendText(absl::StrCat(request.client().ToStringWithoutPort(),
                                 request.secure() ? " secure" : " plain"));
}

Router WhoRouter() {
  Router router;
  router.Get("/", Who);
  return router;
}

TEST_F(ServerOptionsTest, TrustedProxiesSayWhoTheClientIs) {
  ServerOptions options;
  options.trusted_proxies = *NetworkSet::Parse("127.0.0.0/8");
  Serve(WhoRouter(), std::move(options));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).body, "127.0.0.1 plain");
  EXPECT_EQ(client
                .Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n"
                     "X-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n\r\n")
                .body,
            "192.0.2.7 secure")
      << "the last that is not trusted, whatever stands before it";
  EXPECT_EQ(client
                .Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
                     "X-Forwarded-For: 127.0.0.2\r\n\r\n")
                .body,
            "192.0.2.7 plain")
      << "lines are one list";
}

TEST_F(ServerOptionsTest, NobodyElseIsBelieved) {
  Serve(WhoRouter());
  EXPECT_EQ(Connect()
                .Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"
                     "X-Forwarded-Proto: https\r\n\r\n")
                .body,
            "127.0.0.1 plain");
}

TEST_F(ServerOptionsTest, ForwardedCountsWhereProxiesWriteThat) {
  ServerOptions options;
  options.trusted_proxies = *NetworkSet::Parse("127.0.0.1");
  options.forwarded_by = ServerOptions::ForwardedBy::kForwarded;
  Serve(WhoRouter(), std::move(options));
  EXPECT_EQ(Connect()
                .Ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n"
                     "Forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n\r\n")
                .body,
            "2001:db8::1 secure");
}

TEST_F(ServerOptionsTest, ConnectionsBeyondTheLimitAreTold) {
  ServerOptions options;
  options.connection_limits = std::make_shared<ConnectionLimits>(
      ConnectionLimits::Options{.max_connections = 10, .max_per_client = 2});
  const auto limits = options.connection_limits;
  Serve(WhoRouter(), std::move(options));
  std::optional<WireClient> first(Connect());
  WireClient second = Connect();
  EXPECT_EQ(first->Ask(Get("/")).status, 200);
  EXPECT_EQ(second.Ask(Get("/")).status, 200);
  const WireResponse refused = Connect().Ask(Get("/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Field("Retry-After"), "1");
  first.reset();
  EXPECT_TRUE(Eventually([&] { return limits->counts().open == 1; }));
  EXPECT_EQ(Connect().Ask(Get("/")).status, 200);
  EXPECT_EQ(Count(&ServerCounters::turned_away), 1u);
  Stop();
}

TEST_F(ServerOptionsTest, WhoBreaksRulesAgainAndAgainIsBanned) {
  ServerOptions options;
  options.bans = *BanList::Create({.strikes = 3});
  const auto bans = options.bans;
  Serve(WhoRouter(), std::move(options));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Connect().Ask("nonsense\r\n\r\n").status, 400);
  bool reset = false;
  Connect().ReadAll(&reset);
  EXPECT_TRUE(reset);
  EXPECT_TRUE(bans->Lift(*net::Address::Parse("127.0.0.1:1"), std::chrono::steady_clock::now()));
  EXPECT_EQ(Connect().Ask(Get("/")).status, 200);
}

// What an observer was told, in words.
class Recorder : public RequestObserver {
 public:
  Recorder(std::mutex& mutex, std::vector<std::string>& lines) : mutex_(mutex), lines_(lines) {}
  void OnAnswered(const AccessRecord& record) override {
    std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(absl::StrCat(record.method, " ", record.target, " ", record.protocol, " ",
                                  record.status, " ", record.bytes, " ", record.user_agent));
    EXPECT_GE(record.duration.count(), 0);
    EXPECT_EQ(record.peer->ToStringWithoutPort(), "127.0.0.1");
  }

 private:
  std::mutex& mutex_;
  std::vector<std::string>& lines_;
};

TEST_F(ServerOptionsTest, AnObserverIsToldOfEveryAnswer) {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::optional<Responder> held;
  std::atomic<bool> waiting{false};
  Router router = WhoRouter();
  router.Get("/later", [&](Request&, Response& response) {
    held.emplace(response.Defer());
    waiting = true;
  });
  router.Get("/made", [](Request&, Response& response) {
    response.Send(ReplyBody(std::nullopt, [](std::string& out) {
      out = "12345";
      return Produced::kEnd;
    }));
  });
  ServerOptions options;
  options.observer = [&] { return std::make_unique<Recorder>(mutex, lines); };
  Serve(std::move(router), std::move(options));
  WireClient client = Connect();
  const auto ask = [&](std::string_view start) {
    return client.Ask(absl::StrCat(start, "\r\nHost: a\r\nUser-Agent: test\r\n\r\n"));
  };
  ask("GET /?q HTTP/1.1");
  ask("HEAD / HTTP/1.1");
  ask("GET /none HTTP/1.1");
  EXPECT_EQ(ask("GET /made HTTP/1.1").body, "12345");
  client.Send("GET /later HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return waiting.load(); }));
  held->Send(Reply(202, "text/plain", "late"));
  EXPECT_EQ(client.Read().status, 202);
  client.Ask("bad\r\n\r\n");
  Stop();
  const std::vector<std::string> expected = {
      "GET /?q HTTP/1.1 200 15 test", "HEAD / HTTP/1.1 200 0 test",
      "GET /none HTTP/1.1 404 14 test", "GET /made HTTP/1.1 200 5 test",
      "GET /later HTTP/1.1 202 4 test"};
  ASSERT_EQ(lines.size(), expected.size() + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(lines[i], expected[i]);
  EXPECT_TRUE(lines.back().starts_with("  HTTP/1.1 400 ")) << lines.back();
}

TEST_F(ServerOptionsTest, MetricsAreOnAPage) {
  MetricsRegistry registry;
  Router router = WhoRouter();
  router.Get("/metrics", ServeMetrics(registry));
  router.Get("/healthz", ServeHealth());
  Serve(std::move(router));
  auto registration =
      registry.Register([this](MetricsPage& page) { ExportServer(page, server()); });
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/healthz")).body, "ok\n");
  client.Ask(Get("/none"));
  const WireResponse response = client.Ask(Get("/metrics"));
  EXPECT_EQ(response.Field("Content-Type"), kMetricsContentType);
  for (const char* line : {"strata_http_requests_total 3\n", "strata_http_open_connections 1\n",
                           "strata_http_responses_total{class=\"2xx\"} 1\n",
                           "strata_http_responses_total{class=\"4xx\"} 1\n",
                           "strata_http_request_seconds_count 2\n"}) {
    EXPECT_NE(response.body.find(line), std::string::npos) << line << response.body;
  }
}

TEST_F(ServerOptionsTest, WhoAsksTooOftenWaits) {
  Router router;
  router.Use(LimitRate(*RateLimiter::Create({.per_second = 0.01, .burst = 2})));
  router.Get("/", Who);
  Serve(std::move(router));
  WireClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
  const WireResponse refused = client.Ask(Get("/"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Field("Retry-After"), "100");
}

TEST_F(ServerOptionsTest, KeysHaveLimitsOfTheirOwn) {
  Router router;
  router.Use(LimitRateByKey(
      *RateLimiter::Create({.per_second = 0.01, .burst = 1}),
      [](const Request& request) { return std::string(request.field("X-Key").value_or("")); }));
  router.Get("/", Who);
  Serve(std::move(router));
  WireClient client = Connect();
  const auto ask = [&](std::string_view key) {
    return client.Ask(absl::StrCat("GET / HTTP/1.1\r\nHost: a\r\nX-Key: ", key, "\r\n\r\n")).status;
  };
  EXPECT_EQ(ask("one"), 200);
  EXPECT_EQ(ask("one"), 429);
  EXPECT_EQ(ask("two"), 200);
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
}

TEST_F(ServerOptionsTest, OriginsAreAnsweredAndPreflighted) {
  Router router;
  router.UseAlways(AllowOrigins(*CorsPolicy::Create(
      {.origins = {"https://a.example"}, .methods = {"GET", "PUT"}, .headers = {"x-own"}})));
  router.Get("/", Who);
  Serve(std::move(router));
  WireClient client = Connect();
  WireResponse response =
      client.Ask("GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Access-Control-Allow-Origin"), "https://a.example");
  response = client.Ask("GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://b.example\r\n\r\n");
  EXPECT_EQ(response.Field("Access-Control-Allow-Origin"), "-");
  EXPECT_NE(response.Field("Vary").find("Origin"), std::string::npos);
  response = client.Ask(
      "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n"
      "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-own\r\n\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_NE(response.Field("Access-Control-Allow-Methods").find("PUT"), std::string::npos);
  response = client.Ask(
      "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://b.example\r\n"
      "Access-Control-Request-Method: PUT\r\n\r\n");
  EXPECT_EQ(response.status, 403);
}

TEST_F(ServerOptionsTest, EveryAnswerIsSecuredAndNamed) {
  Router router;
  router.UseAlways(AddSecurityHeaders(*SecurityHeaders::Create({})));
  router.UseAlways(NameRequests());
  router.Group("/trusting", [](Router& group) {
    group.Use(NameRequests(/*take_over=*/true));
    group.Get("/", Who);
  });
  Serve(std::move(router));
  WireClient client = Connect();
  const WireResponse one = client.Ask(Get("/none"));
  EXPECT_EQ(one.status, 404);
  EXPECT_EQ(one.Field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(one.Field("Strict-Transport-Security"), "-") << "the connection is plain";
  EXPECT_EQ(one.Field("X-Request-Id").size(), 32u);
  EXPECT_NE(client.Ask(Get("/none")).Field("X-Request-Id"), one.Field("X-Request-Id"));
  const auto ask = [&](std::string_view path) {
    return client
        .Ask(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n"))
        .Field("X-Request-Id");
  };
  EXPECT_EQ(ask("/trusting/"), "mine-1");
  EXPECT_NE(ask("/none"), "mine-1");
}

}  // namespace
}  // namespace strata::http
