// The client against servers that do wrong, and what a good server never shows.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/client.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/testing/client.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;
using testing::ClientThread;
using testing::RawServer;
using Result = absl::StatusOr<ClientResponse>;

const char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

ClientOptions NoRetries() {
  ClientOptions options;
  options.retry.max_retries = 0;
  return options;
}

// What becomes of a response, and then the end of the connection.
Result Answered(std::string bytes, ClientRequest request = {}) {
  RawServer server(std::move(bytes), true);
  ClientThread client(NoRetries());
  request.url = server.Url();
  Result result = client.Fetch(std::move(request));
  // The end may come after a response that is complete without it.
  EXPECT_TRUE(testing::Eventually([&] { return client.connection_count() == 0; }));
  return result;
}

TEST(ClientFaultTest, TheEndOfTheConnectionCanBeTheEndOfTheBody) {
  EXPECT_EQ(Answered("HTTP/1.1 200 OK\r\n\r\nall there is")->body, "all there is");
  EXPECT_EQ(Answered("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx")->body, "x");
}

TEST(ClientFaultTest, TrailersAreGiven) {
  const Result result = Answered(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 7\r\n\r\n");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->body, "ab");
  EXPECT_EQ(result->trailers.Get("X-Sum"), "7");
}

TEST(ClientFaultTest, ATruncatedBodyIsDataLoss) {
  for (const char* bytes : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n",
           "HTTP/1.1 200 OK\r\nContent-Len",
           "HTTP/1.1 100 Continue\r\n\r\n",
       }) {
    EXPECT_EQ(Answered(bytes).status().code(), absl::StatusCode::kDataLoss) << bytes;
  }
}

TEST(ClientFaultTest, GarbageIsDataLoss) {
  for (const char* bytes : {
           "garbage\r\n\r\n",
           "SSH-2.0-OpenSSH_9.2\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 99 Low\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
           "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
       }) {
    EXPECT_EQ(Answered(bytes).status().code(), absl::StatusCode::kDataLoss) << bytes;
  }
}

TEST(ClientFaultTest, HugeHeadsAreRefused) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&many, "X", i, ": y\r\n");
  for (const std::string& bytes :
       {many, absl::StrCat("HTTP/1.1 200 OK\r\nX: ", std::string(1'000'000, 'x'), "\r\n\r\n"),
        absl::StrCat("HTTP/1.1 200 ", std::string(1'000'000, 'x'), "\r\n\r\n")}) {
    EXPECT_EQ(Answered(bytes).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(ClientFaultTest, InterimResponsesAreSkippedUpToABound) {
  std::string hints;
  for (int i = 0; i < 8; ++i) hints += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  EXPECT_EQ(Answered(hints + kOk)->body, "ok");
  hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  EXPECT_EQ(Answered(hints + kOk).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ClientFaultTest, NoAnswerIsUnavailable) {
  EXPECT_EQ(Answered("").status().code(), absl::StatusCode::kUnavailable);
  RawServer resetting([](net::Stream& stream, const RawServer::Asked&) { stream.Abort(); });
  ClientThread client(NoRetries());
  EXPECT_EQ(client.Get(resetting.Url()).status().code(), absl::StatusCode::kUnavailable);
}

TEST(ClientFaultTest, NobodyThereIsUnavailable) {
  std::string url;
  { url = RawServer("").Url(); }
  ClientThread client(NoRetries());
  const Result result = client.Get(url);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << result.status();
  EXPECT_EQ(client.connection_count(), 0);
}

TEST(ClientFaultTest, ASlowServerRunsIntoTheDeadline) {
  for (const char* bytes : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour"}) {
    RawServer server(bytes);
    ClientOptions options = NoRetries();
    options.timeout = milliseconds(30);
    ClientThread whole(std::move(options));
    EXPECT_EQ(whole.Get(server.Url()).status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(whole.connection_count(), 0);

    options = NoRetries();
    options.idle_timeout = milliseconds(30);
    ClientThread idle(std::move(options));
    EXPECT_EQ(idle.Get(server.Url()).status().code(), absl::StatusCode::kDeadlineExceeded);

    ClientThread patient(NoRetries());
    EXPECT_EQ(patient.Fetch({.url = server.Url(), .timeout = milliseconds(30)}).status().code(),
              absl::StatusCode::kDeadlineExceeded);
  }
}

// ---- Connections that cannot be used again -----------------------------------------------------

TEST(ClientFaultTest, BytesBehindAResponseEndTheConnection) {
  RawServer server(absl::StrCat(kOk, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  ClientThread client(NoRetries());
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(client.connection_count(), 0);
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(ClientFaultTest, BytesThatNobodyAskedForEndTheConnection) {
  RawServer server([](net::Stream& stream, const RawServer::Asked&) {
    stream.Write(kOk);
    (void)stream.Post([](net::Stream& later) {
      later.Write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    });
  });
  ClientThread client;
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_TRUE(testing::Eventually([&] { return client.connection_count() == 0; }));
}

TEST(ClientFaultTest, ConnectionCloseIsHeeded) {
  for (const char* fields : {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"}) {
    RawServer server(absl::StrCat(fields, "Content-Length: 1\r\n\r\nx"));
    ClientThread client;
    EXPECT_EQ(client.Get(server.Url())->body, "x");
    EXPECT_EQ(client.connection_count(), 0);
  }
}

TEST(ClientFaultTest, AnAnswerBeforeTheBodyWasSentEndsTheConnection) {
  RawServer server([](net::Stream& stream, const RawServer::Asked& asked) {
    if (asked.request > 1) return;
    stream.PauseReceive();
    stream.Write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  });
  ClientThread client(NoRetries());
  ClientRequest request{.method = "POST", .url = server.Url()};
  request.open_body = [] {
    return [](std::string& out) {
      out.append(10'000, 'x');
      return Produced::kMore;
    };
  };
  const Result result = client.Fetch(std::move(request));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 413);
  EXPECT_EQ(client.connection_count(), 0);
}

TEST(ClientFaultTest, ABodyThatTheServerRefusesIsNotSent) {
  RawServer server("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  ClientThread client({.expect_continue_bytes = 1, .expect_timeout = std::chrono::hours(1)});
  const Result result = client.Fetch({.method = "POST", .url = server.Url(), .body = "secret"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->status, 403);
  EXPECT_EQ(server.received().find("secret"), std::string::npos);
  EXPECT_EQ(client.connection_count(), 0);
}

TEST(ClientFaultTest, ServersThatDoNotKnowExpectGetTheBodyAllTheSame) {
  // One never says 100; the other does not know the field, and is asked again without it.
  RawServer silent([](net::Stream& stream, const RawServer::Asked& asked) {
    if (asked.bytes.ends_with("body\r\n\r\n")) stream.Write(kOk);
  });
  ClientThread client({.expect_continue_bytes = 1, .expect_timeout = milliseconds(10)});
  const std::string body = "body\r\n\r\n";
  EXPECT_EQ(client.Fetch({.method = "PUT", .url = silent.Url(), .body = body})->body, "ok");

  RawServer refusing([](net::Stream& stream, const RawServer::Asked& asked) {
    stream.Write(asked.bytes.find("Expect:") == std::string::npos
                     ? std::string(kOk)
                     : "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  });
  ClientThread other({.expect_continue_bytes = 1, .expect_timeout = std::chrono::hours(1)});
  EXPECT_EQ(other.Fetch({.method = "PUT", .url = refusing.Url(), .body = body})->body, "ok");
}

// ---- Connections that have become stale --------------------------------------------------------

// Answers the first request of the first connection, and closes at the second.
RawServer::Answer ClosesAtTheSecond() {
  return [](net::Stream& stream, const RawServer::Asked& asked) {
    asked.connection == 1 && asked.request == 2 ? stream.Abort() : (void)stream.Write(kOk);
  };
}

TEST(ClientFaultTest, AStaleConnectionIsReplacedOnce) {
  RawServer server(ClosesAtTheSecond());
  ClientThread client(NoRetries());
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(client.client().counters().retries.Get(), 1);
}

TEST(ClientFaultTest, ButNotForARequestThatMayHaveBeenDone) {
  for (const bool repeatable : {false, true}) {
    RawServer server(ClosesAtTheSecond());
    ClientThread client(NoRetries());
    EXPECT_EQ(client.Get(server.Url())->body, "ok");
    const Result result = client.Fetch(
        {.method = "POST", .url = server.Url(), .body = "once", .repeatable = repeatable});
    EXPECT_EQ(result.ok(), repeatable) << result.status();
    EXPECT_EQ(absl::IsUnavailable(result.status()), !repeatable) << result.status();
  }
}

TEST(ClientFaultTest, ABodyThatCannotBeginAnewIsNotRepeated) {
  RawServer server(ClosesAtTheSecond());
  ClientThread client(NoRetries());
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  int opened = 0;
  ClientRequest request{.method = "PUT", .url = server.Url()};
  request.open_body = [&]() -> BodyProducer {
    if (++opened > 1) return nullptr;
    return [](std::string& out) {
      out += "once";
      return Produced::kEnd;
    };
  };
  EXPECT_EQ(client.Fetch(std::move(request)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(opened, 2);
}

// ---- Retries -----------------------------------------------------------------------------------

ClientOptions FastRetries(int count) {
  ClientOptions options;
  options.retry.max_retries = count;
  options.retry.backoff = {.first = milliseconds(2), .most = milliseconds(10)};
  return options;
}

TEST(ClientFaultTest, FailuresThatMayPassAreTriedAgain) {
  RawServer server([](net::Stream& stream, const RawServer::Asked& asked) {
    asked.connection < 3 ? stream.Abort() : (void)stream.Write(kOk);
  });
  ClientThread client(FastRetries(2));
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(client.client().counters().retries.Get(), 2);
}

TEST(ClientFaultTest, RetriesAreBounded) {
  RawServer server([](net::Stream& stream, const RawServer::Asked&) { stream.Abort(); });
  ClientThread client(FastRetries(3));
  EXPECT_EQ(client.Get(server.Url()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.connections(), 4);
  EXPECT_EQ(client.Fetch({.method = "POST", .url = server.Url()}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.connections(), 5);
}

TEST(ClientFaultTest, OverloadIsTriedAgain) {
  for (const char* after : {"", "Retry-After: 0\r\n", "Retry-After: nonsense\r\n",
                            "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"}) {
    RawServer server([after](net::Stream& stream, const RawServer::Asked& asked) {
      stream.Write(asked.request == 1 ? absl::StrCat("HTTP/1.1 503 Busy\r\n", after,
                                                     "Content-Length: 4\r\n\r\nbusy")
                                      : kOk);
    });
    ClientThread client(FastRetries(2));
    EXPECT_EQ(client.Get(server.Url())->body, "ok") << after;
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(client.Fetch({.method = "POST", .url = server.Url()})->status, 200);
  }
}

TEST(ClientFaultTest, AnOverloadThatLastsIsTheAnswer) {
  RawServer server("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  ClientThread client(FastRetries(2));
  EXPECT_EQ(client.Get(server.Url())->body, "busy");
  EXPECT_EQ(client.client().counters().sent.Get(), 3);

  RawServer later("HTTP/1.1 503 Busy\r\nRetry-After: 100000\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.Get(later.Url())->status, 503);
  EXPECT_EQ(client.client().counters().sent.Get(), 4);
}

// ---- Redirects ---------------------------------------------------------------------------------

// Sends from "/" to a place with a status, and says elsewhere what it was asked.
RawServer::Answer SendsTo(int status, std::function<std::string()> location) {
  return [=](net::Stream& stream, const RawServer::Asked& asked) {
    if (asked.bytes.find(" / HTTP") != std::string::npos) {
      stream.Write(absl::StrCat("HTTP/1.1 ", status, " Go\r\nLocation: ", location(),
                                "\r\nContent-Length: 5\r\n\r\ngo on"));
    } else {
      stream.Write(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", asked.bytes.size(),
                                "\r\n\r\n", asked.bytes));
    }
  };
}

TEST(ClientFaultTest, RedirectsChangeTheMethodAsTheirStatusSays) {
  const struct {
    int status;
    const char* asked;
    const char* then;
  } kCases[] = {{301, "GET", "GET"},   {301, "POST", "GET"},     {301, "PUT", "PUT"},
                {302, "POST", "GET"},  {302, "PUT", "PUT"},      {303, "GET", "GET"},
                {303, "POST", "GET"},  {303, "PUT", "GET"},      {307, "POST", "POST"},
                {308, "POST", "POST"}, {308, "DELETE", "DELETE"}};
  for (const auto& each : kCases) {
    SCOPED_TRACE(absl::StrCat(each.status, " ", each.asked));
    RawServer server(SendsTo(each.status, [] { return "there?q=1#part"; }),
                     RawServer::AnswersTo::kWhole);
    ClientThread client;
    ClientRequest request{.method = each.asked, .url = server.Url(), .body = "body"};
    request.fields.Set("Content-Type", "text/x");
    const Result result = client.Fetch(std::move(request));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->body.starts_with(absl::StrCat(each.then, " /there?q=1 HTTP/1.1\r\n")))
        << result->body;
    const bool has_body = each.status != 303 && each.then == std::string(each.asked);
    EXPECT_EQ(result->body.ends_with("\r\n\r\nbody"), has_body) << result->body;
    EXPECT_EQ(result->body.find("Content-Type") != std::string::npos, has_body);
    EXPECT_EQ(result->redirects, 1);
    EXPECT_EQ(result->url.substr(0, server.Url("/there?q=1").size()), server.Url("/there?q=1"));
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(ClientFaultTest, CredentialsStayWithTheirOrigin) {
  RawServer other(SendsTo(200, [] { return ""; }));
  std::string location;
  RawServer server(SendsTo(302, [&] { return location; }));
  ClientThread client;
  for (const bool away : {false, true}) {
    location = away ? other.Url("/there") : "/there";
    ClientRequest request{.url = server.Url()};
    request.fields.Set("Authorization", "Bearer secret");
    request.fields.Set("Cookie", "secret=1");
    request.fields.Set("X-Other", "kept");
    const Result result = client.Fetch(std::move(request));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->body.find("secret") == std::string::npos, away) << result->body;
    EXPECT_NE(result->body.find("X-Other"), std::string::npos);
  }
}

TEST(ClientFaultTest, RedirectLoopsEnd) {
  RawServer server(SendsTo(302, [] { return "/"; }));
  ClientThread client({.max_redirects = 5});
  EXPECT_EQ(client.Get(server.Url()).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client.client().counters().sent.Get(), 6);
}

TEST(ClientFaultTest, RedirectsAreAnAnswerWhereTheyAreNotFollowed) {
  RawServer server(SendsTo(302, [] { return "/there"; }));
  ClientThread client({.max_redirects = 0});
  EXPECT_EQ(client.Get(server.Url())->status, 302);
  RawServer nowhere("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
  ClientThread follows;
  EXPECT_EQ(follows.Get(nowhere.Url())->status, 302);
}

TEST(ClientFaultTest, RedirectsLeadToHttpAlone) {
  for (const char* location : {"ftp://127.0.0.1/", "javascript:alert(1)", "file:///etc/passwd",
                               "http://user:secret@127.0.0.1/", "http://", "https://127.0.0.1/"}) {
    RawServer server(SendsTo(302, [=] { return location; }));
    ClientThread client;
    EXPECT_EQ(client.Get(server.Url()).status().code(), absl::StatusCode::kInvalidArgument)
        << location;
  }
}

TEST(ClientFaultTest, ARedirectWithAnEndlessBodyIsFollowed) {
  RawServer server([](net::Stream& stream, const RawServer::Asked& asked) {
    stream.Write(
        asked.bytes.find(" / HTTP") != std::string::npos
            ? absl::StrCat("HTTP/1.1 302 Go\r\nLocation: /there\r\n\r\n", std::string(100'000, 'x'))
            : kOk);
  });
  ClientThread client;
  EXPECT_EQ(client.Get(server.Url())->body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

// ---- Proxies and layers ------------------------------------------------------------------------

// In the place of TLS: nothing.
class NoLayer final : public ClientLayer {
 public:
  absl::StatusOr<std::unique_ptr<net::StreamHandler>> Wrap(
      std::string_view host, std::unique_ptr<net::StreamHandler> handler) const override {
    if (host == "refused.test") return absl::InvalidArgumentError("not this one");
    return handler;
  }
  std::string Failure(const net::Stream&) const override { return "nothing"; }
};

ClientOptions Through(const RawServer& proxy) {
  ClientOptions options = NoRetries();
  options.proxy = absl::StrCat("http://user:p%20ss@", proxy.authority());
  options.secure = std::make_shared<NoLayer>();
  return options;
}

const char kCredentials[] = "Proxy-Authorization: Basic dXNlcjpwIHNz\r\n";

TEST(ClientFaultTest, AProxyIsAskedInAbsoluteForm) {
  RawServer proxy(kOk);
  RawServer direct(kOk);
  ClientOptions options = Through(proxy);
  options.no_proxy = {"127.0.0.1", ".test"};
  ClientThread client(std::move(options));
  EXPECT_EQ(client.Get("http://one.invalid/a?b#c")->body, "ok");
  EXPECT_EQ(client.Get("http://two.invalid:81/")->body, "ok");
  EXPECT_EQ(client.Get(direct.Url())->body, "ok");
  EXPECT_TRUE(
      proxy.received().starts_with("GET http://one.invalid/a?b HTTP/1.1\r\nHost: one.invalid\r\n"))
      << proxy.received();
  EXPECT_NE(
      proxy.received().find("GET http://two.invalid:81/ HTTP/1.1\r\nHost: two.invalid:81\r\n"),
      std::string::npos);
  EXPECT_NE(proxy.received().find(kCredentials), std::string::npos) << proxy.received();
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_TRUE(direct.received().starts_with("GET / HTTP/1.1\r\n"));
  EXPECT_EQ(direct.received().find("Proxy"), std::string::npos);
}

TEST(ClientFaultTest, ATunnelLeadsThroughAProxy) {
  RawServer proxy([](net::Stream& stream, const RawServer::Asked& asked) {
    stream.Write(asked.request == 1 ? "HTTP/1.1 103 Hm\r\n\r\nHTTP/1.1 200 Go\r\nX: y\r\n\r\n"
                                    : kOk);
  });
  ClientThread client(Through(proxy));
  for (int i = 0; i < 2; ++i) {
    const Result result = client.Get("https://far.invalid/there");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->body, "ok");
  }
  const std::string received = proxy.received();
  EXPECT_TRUE(received.starts_with("CONNECT far.invalid:443 HTTP/1.1\r\nHost: far.invalid:443\r\n"))
      << received;
  // The proxy's credentials are for the proxy.
  const std::size_t inner = received.find("GET /there HTTP/1.1\r\nHost: far.invalid\r\n");
  ASSERT_NE(inner, std::string::npos) << received;
  EXPECT_LT(received.find(kCredentials), inner);
  EXPECT_EQ(received.find("Proxy", inner), std::string::npos);
  EXPECT_EQ(proxy.connections(), 1);
}

TEST(ClientFaultTest, ATunnelThatIsRefusedIsAnError) {
  const std::pair<const char*, absl::StatusCode> kCases[] = {
      {"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", absl::StatusCode::kPermissionDenied},
      {"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", absl::StatusCode::kUnavailable},
      {"HTTP/1.1 200 Go\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
       absl::StatusCode::kDataLoss},
      {"HTTP/1.1 101 Other\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
       absl::StatusCode::kDataLoss},
      {"garbage\r\n\r\n", absl::StatusCode::kDataLoss},
      {"", absl::StatusCode::kUnavailable},
  };
  for (const auto& [bytes, code] : kCases) {
    RawServer proxy(bytes, true);
    ClientThread client(Through(proxy));
    const Result result = client.Get("https://far.invalid/");
    EXPECT_EQ(result.status().code(), code) << bytes << result.status();
    EXPECT_EQ(client.connection_count(), 0);
  }
  RawServer silent("");
  ClientOptions options = Through(silent);
  options.connect.timeout = milliseconds(30);
  ClientThread client(std::move(options));
  EXPECT_EQ(client.Get("https://far.invalid/").status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(ClientFaultTest, ABadProxyIsAnError) {
  for (const char* proxy : {"nonsense", "https://127.0.0.1:1", "socks5://127.0.0.1:1080"}) {
    ClientOptions options;
    options.proxy = proxy;
    ClientThread client(std::move(options));
    EXPECT_EQ(client.Get("http://127.0.0.1/").status().code(), absl::StatusCode::kInvalidArgument)
        << proxy;
  }
}

TEST(ClientFaultTest, AHostThatTheLayerRefusesIsAnError) {
  ClientOptions options;
  options.secure = std::make_shared<NoLayer>();
  ClientThread client(std::move(options));
  EXPECT_EQ(client.Get("https://refused.test/").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client.connection_count(), 0);
}

TEST(ClientFaultTest, RedirectsFromHttpsToHttpNeedPermission) {
  RawServer plain(kOk);
  RawServer server(SendsTo(302, [&] { return plain.Url(); }));
  for (const bool allowed : {false, true}) {
    ClientOptions options;
    options.secure = std::make_shared<NoLayer>();
    options.allow_redirect_to_http = allowed;
    ClientThread client(std::move(options));
    const Result result = client.Get(absl::StrCat("https://", server.authority(), "/"));
    EXPECT_EQ(result.status().code(),
              allowed ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied);
  }
}

// ---- Decoding ----------------------------------------------------------------------------------

std::string Gzip(std::string_view text) {
  std::string coded;
  EXPECT_EQ(NewGzipCoding().value()->NewEncoder()->Append(text, Encoder::Flush::kFinish, &coded),
            CodingError::kOk);
  return coded;
}

ClientOptions WithGzip() {
  ClientOptions options = NoRetries();
  options.codings = {NewGzipCoding().value(), NewDeflateCoding().value()};
  return options;
}

// Answers with these bytes, said to be of that coding.
class CodedServer {
 public:
  void Say(std::string_view coding, std::string body, int status = 200) {
    head_ = absl::StrCat("HTTP/1.1 ", status, " X\r\nContent-Encoding: ", coding,
                         "\r\nContent-Length: ", body.size(), "\r\n\r\n");
    body_ = std::move(body);
  }
  std::string Url() { return server_.Url(); }
  std::string received() { return server_.received(); }

 private:
  // Not changed while it is asked.
  std::string head_;
  std::string body_;
  RawServer server_{[this](net::Stream& stream, const RawServer::Asked& asked) {
    stream.Write(asked.bytes.starts_with("HEAD ") ? head_ : head_ + body_);
  }};
};

TEST(ClientFaultTest, BodiesAreDecodedWithinTheirBound) {
  CodedServer server;
  ClientOptions options = WithGzip();
  options.max_body_bytes = 100'000;
  ClientThread client(std::move(options));
  const auto code = [&] { return client.Get(server.Url()).status().code(); };

  server.Say("x-gzip", Gzip("Hello, World!"));
  const Result result = client.Get(server.Url());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->body, "Hello, World!");
  EXPECT_NE(server.received().find("Accept-Encoding: gzip, deflate\r\n"), std::string::npos);
  EXPECT_EQ(client.Fetch({.method = "HEAD", .url = server.Url()})->body, "");

  server.Say("gzip", Gzip(std::string(100'000, 'x')));
  EXPECT_EQ(client.Get(server.Url())->body.size(), 100'000);
  server.Say("gzip", Gzip(std::string(100'001, 'x')));
  EXPECT_EQ(code(), absl::StatusCode::kResourceExhausted);
  server.Say("gzip", "no such thing");
  EXPECT_EQ(code(), absl::StatusCode::kDataLoss);
  server.Say("gzip", Gzip("Hello, World!") + "more");
  EXPECT_EQ(code(), absl::StatusCode::kDataLoss);
  const std::string whole = Gzip("Hello, World!");
  server.Say("gzip", whole.substr(0, whole.size() - 1));
  EXPECT_EQ(code(), absl::StatusCode::kDataLoss);
}

TEST(ClientFaultTest, ABombEndsAtItsRatio) {
  CodedServer server;
  server.Say("gzip", Gzip(std::string(10'000'000, 'x')));
  struct Counter final : ResponseReceiver {
    explicit Counter(std::size_t& bytes) : bytes(bytes) {}
    void OnData(std::string_view more, Fetching&) override { bytes += more.size(); }
    std::size_t& bytes;
  };
  std::size_t bytes = 0;
  ClientThread client(WithGzip());
  ClientRequest request{.url = server.Url()};
  request.receiver = std::make_unique<Counter>(bytes);
  EXPECT_EQ(client.Fetch(std::move(request)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(bytes, 1'000'000u);
  EXPECT_LT(bytes, 3'000'000u);
}

TEST(ClientFaultTest, WhatIsNotToBeDecodedStaysAsItIs) {
  CodedServer server;
  ClientThread client(WithGzip());
  for (const char* coding : {"unknown", "gzip, gzip", "identity", ""}) {
    server.Say(coding, "as it is");
    EXPECT_EQ(client.Get(server.Url())->body, "as it is") << coding;
  }
  server.Say("gzip", "a part", 206);
  EXPECT_EQ(client.Get(server.Url())->body, "a part");
  server.Say("gzip", "as asked for");
  ClientRequest request{.url = server.Url()};
  request.fields.Set("accept-encoding", "br, gzip");
  EXPECT_EQ(client.Fetch(std::move(request))->body, "as asked for");
}

TEST(ClientFaultTest, DecodersComeBack) {
  // More responses than there are decoders, that end in each way.
  CodedServer server;
  ClientThread client(WithGzip());
  std::vector<net::RefPtr<Fetching>> held(150);
  for (std::size_t i = 0; i < held.size(); ++i) {
    const bool good = i % 2 == 0;
    server.Say("gzip", good ? Gzip("x") : "bad");
    EXPECT_EQ(client.Begin({.url = server.Url()}, &held[i]).get().status().code(),
              good ? absl::StatusCode::kOk : absl::StatusCode::kDataLoss);
  }
  client.Do([&] { held.clear(); });
}

}  // namespace
}  // namespace strata::http
