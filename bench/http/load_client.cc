// Load for an HTTP server: connections that each send a request, wait for its response, of which
// every byte but those of the header fields is compared, and send the next.
//
//   load_client --port=N [--connections=N] [--seconds=S] [--warm-up=S]
//               [--path=/] [--post=FILE] [--expect=TEXT | --expect-file=FILE]
//               [--pipeline=N] [--close] [--limit=N] [--tls] [--idle]
//
//   --post       sends the file as a request's body, and expects it back unless told otherwise
//   --pipeline   sends so many requests at once, and waits for all of their responses; what is
//                measured then is the time of all of them
//   --close      one request for each connection, at whose end the server has to close it
//   --limit      ends after so many requests, before the time is up, for --close: each connection
//                of those leaves a trace of a minute in the kernel
//   --idle       sends one request on each connection, and no more
//
// It connects, warms up, waits for all responses, prints "ready", and waits for a line or the end
// of its input; the server has nothing to do meanwhile. Then it measures, waits for all responses
// again, and prints one line of JSON. With --idle it ends there instead.
//
// A wrong byte, an error, an answer that does not come ends it with status 1.

#include "bench/load_client.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/arguments.h"
#include "bench/http/latency_histogram.h"
#include "bench/http/response_reader.h"
#include "bench/http/transport.h"
#include "bench/sockets.h"

namespace bench {
namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr std::size_t kSmallRequests = 16 * 1024;  // An idle socket takes so many bytes at once.
constexpr int kPatienceMs = 60'000;

struct Plan {
  unsigned port;
  unsigned connections;
  std::string requests;  // What a connection sends at once.
  unsigned pipeline;     // How many requests that is.
  std::string body;      // What it expects of each.
  bool close;
  std::uint64_t limit;
  SSL_CTX* tls;  // Null without.
};

struct Connection {
  explicit Connection(Transport connected) : transport(std::move(connected)) {}

  Transport transport;
  ResponseReader reader;
  std::size_t sent = 0;  // Of the plan's requests.
  unsigned owed = 0;     // Responses.
  std::uint64_t began_ns = 0;
};

class Client {
 public:
  explicit Client(const Plan& plan) : plan_(plan), buffer_(kReceiveBytes) {
    expected_.body = plan.body;
    connections_.reserve(plan.connections);
    for (std::uint32_t i = 0; i < plan.connections; ++i) {
      connections_.emplace_back(Connect());
      Watch(i);
    }
  }

  // Lets each connection begin once, and again as long as the time lasts; comes back when all of
  // them have been answered.
  void Run(std::uint64_t ns) {
    histogram_.Clear();
    requests_ = 0;
    resets_ = 0;
    began_ns_ = Now();
    end_ns_ = began_ns_ + ns;
    cpu_ns_ = Now(CLOCK_PROCESS_CPUTIME_ID);
    // The last run has closed all connections, where they are closed.
    const bool connect = plan_.close && ran_;
    ran_ = true;
    for (std::uint32_t i = 0; i < connections_.size(); ++i) {
      connect ? Reconnect(i) : Begin(connections_[i], Now());
    }
    while (active_ > 0) Wait();
    ran_ns_ = Now() - began_ns_;
    cpu_ns_ = Now(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns_;
  }

  void Print() const {
    const auto us = [this](double share) {
      return static_cast<double>(histogram_.Quantile(share)) / 1000;
    };
    std::printf("{\"requests\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
                ", \"p50_us\": %.3f, \"p99_us\": %.3f, \"p999_us\": %.3f, \"resets\": %" PRIu64
                "}\n",
                requests_, ran_ns_, cpu_ns_, us(0.5), us(0.99), us(0.999), resets_);
    std::fflush(stdout);
  }

 private:
  Transport Connect() {
    const int socket = ConnectLoopback(plan_.port, connected_++);
    if (plan_.tls == nullptr) return Transport(socket, nullptr);
    SSL* ssl = SSL_new(plan_.tls);
    SSL_set_connect_state(ssl);
    Transport transport(socket, ssl);
    if (SSL_do_handshake(ssl) != 1) Die("the TLS handshake failed");
    ::fcntl(socket, F_SETFL, O_NONBLOCK);
    return transport;
  }

  // Edge-triggered: a connection that has been read short is not asked about again. An event that
  // says that a new connection may write would be one more for each.
  void Watch(std::uint32_t index) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    if (plan_.requests.size() > kSmallRequests) event.events |= EPOLLOUT;
    event.data.u32 = index;
    const int socket = connections_[index].transport.socket();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) DieOfSystemError("epoll_ctl");
  }

  void Reconnect(std::uint32_t index) {
    const std::uint64_t now = Now();
    connections_[index].transport = Connect();
    Watch(index);
    Begin(connections_[index], now);
  }

  void Wait() {
    const int count =
        ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), kPatienceMs);
    if (count == 0) Die("no answer");
    for (int i = 0; i < count; ++i) Handle(events_[static_cast<std::size_t>(i)].data.u32);
  }

  void Begin(Connection& connection, std::uint64_t now) {
    connection.began_ns = now;
    connection.sent = 0;
    connection.owed = plan_.pipeline;
    ++active_;
    Send(connection);
  }

  void Send(Connection& connection) {
    while (connection.sent < plan_.requests.size()) {
      const ssize_t sent =
          connection.transport.Send(std::string_view(plan_.requests).substr(connection.sent));
      if (sent == kWouldBlock && plan_.requests.size() > kSmallRequests) return;
      if (sent < 0) Die("the server does not take the request");
      connection.sent += static_cast<std::size_t>(sent);
    }
  }

  void Handle(std::uint32_t index) {
    Connection& connection = connections_[index];
    Send(connection);
    for (;;) {
      const ssize_t size = connection.transport.Receive(buffer_.data(), buffer_.size());
      if (size == kWouldBlock) return;
      if (size < 0) return Ended(index, size == kFailed);
      Read(connection, std::string_view(buffer_.data(), static_cast<std::size_t>(size)));
      if (plan_.close) continue;  // Until the end, which has often come along.
      if (connection.owed == 0) return Answered(connection);
      // A short read has emptied the socket. Of TLS it is a record, and the next may be there.
      if (plan_.tls == nullptr && static_cast<std::size_t>(size) < buffer_.size()) return;
    }
  }

  void Read(Connection& connection, std::string_view bytes) {
    const std::optional<unsigned> responses = connection.reader.Read(bytes, expected_);
    if (!responses) Die(expected_.wrong);
    if (*responses > connection.owed) Die("more responses than requests");
    connection.owed -= *responses;
    if (connection.owed > 0) return;
    if (!connection.reader.between_responses()) Die("bytes after the response");
    if (connection.sent < plan_.requests.size()) Die("a response before the request's end");
  }

  // All that was asked has been answered, and the connection stays.
  void Answered(Connection& connection) {
    const std::uint64_t now = Now();
    if (Count(connection, now)) Begin(connection, now);
  }

  // The server has ended the connection. A reset after the response loses nothing, yet is counted.
  void Ended(std::uint32_t index, bool reset) {
    Connection& connection = connections_[index];
    if (!plan_.close || connection.owed > 0) Die("the server ended a connection");
    resets_ += reset;
    if (Count(connection, Now())) {
      Reconnect(index);
    } else {
      connection.transport = Transport(-1, nullptr);
    }
  }

  // Whether the connection is to go on.
  bool Count(Connection& connection, std::uint64_t now) {
    --active_;
    requests_ += plan_.pipeline;
    histogram_.Add(now - connection.began_ns);
    return now < end_ns_ && requests_ + active_ < plan_.limit;
  }

  const Plan& plan_;
  ExpectedResponse expected_;
  std::vector<char> buffer_;
  std::vector<Connection> connections_;
  std::array<epoll_event, 256> events_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  LatencyHistogram histogram_;
  unsigned connected_ = 0;
  std::size_t active_ = 0;  // Connections that wait for a response.
  std::uint64_t requests_ = 0;
  std::uint64_t resets_ = 0;
  std::uint64_t began_ns_ = 0;
  std::uint64_t end_ns_ = 0;
  std::uint64_t ran_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;
  bool ran_ = false;
};

std::string MakeRequest(const Arguments& arguments, std::string_view body) {
  std::string request = arguments.Has("--post") ? "POST " : "GET ";
  request += arguments.Text("--path", "/");
  request += " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load_client\r\nAccept: */*\r\n";
  if (arguments.Has("--close")) request += "Connection: close\r\n";
  if (arguments.Has("--post")) {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return request.append("\r\n").append(body);
}

Plan MakePlan(const Arguments& arguments) {
  const std::string body = arguments.File("--post");
  Plan plan;
  plan.port = arguments.Number("--port", 0);
  plan.connections = arguments.Number("--connections", 64);
  plan.pipeline = arguments.Number("--pipeline", 1);
  plan.close = arguments.Has("--close");
  plan.limit = arguments.Has("--limit") ? arguments.Number("--limit", 0) : ~std::uint64_t{0};
  plan.tls = arguments.Has("--tls") ? MakeTlsContext(TLS_client_method()) : nullptr;
  plan.body = arguments.Has("--expect-file") ? arguments.File("--expect-file")
                                             : arguments.Text("--expect", body);
  const std::string request = MakeRequest(arguments, body);
  for (unsigned i = 0; i < plan.pipeline; ++i) plan.requests += request;
  if (plan.port == 0 || plan.connections == 0 || plan.pipeline == 0) {
    Die("--port, --connections and --pipeline are at least 1");
  }
  if (plan.close && (plan.tls != nullptr || plan.pipeline > 1)) {
    Die("--close goes with neither --tls nor --pipeline");
  }
  return plan;
}

int Main(int argc, char** argv) {
  const Arguments arguments(
      argc, argv,
      {"--port", "--connections", "--seconds", "--warm-up", "--path", "--post", "--expect",
       "--expect-file", "--pipeline", "--close", "--limit", "--tls", "--idle"});
  RaiseDescriptorLimit();
  const Plan plan = MakePlan(arguments);
  Client client(plan);
  RunLoadClient(client, arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
