// Load for a WebSocket server: connections that each send messages and compare every byte of what
// comes back.
//
//   load_client --port=N [--connections=N] [--seconds=S] [--warm-up=S]
//               [--size=125] [--burst=1] [--fan-out | --idle] [--deflate] [--path=/]
//
//   --size      bytes of a message
//   --burst     so many messages are sent at once, and then all of their answers waited for
//   --fan-out   the first connection alone sends, and all of them get it
//   --deflate   asks for permessage-deflate without context takeover, and has to get it; with
//               --idle alone, for the messages are not inflated here
//   --idle      sends one message on each connection, and no more
//
// It connects, warms up, waits for all answers, prints "ready", and waits for a line or the end of
// its input; the server has nothing to do meanwhile. Then it measures, waits for all answers again,
// and prints one line of JSON: the messages received, and the segments that they came in, which is
// how often the server has written. With --idle it ends there instead.
//
// A wrong byte, an error, an answer that does not come ends it with status 1.

#include "bench/load_client.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/arguments.h"
#include "bench/sockets.h"
#include "bench/ws/frames.h"
#include "bench/ws/segments.h"

namespace bench {
namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr int kPatienceMs = 60'000;

struct Plan {
  unsigned port;
  unsigned connections;
  std::string request;   // Of the handshake.
  std::string messages;  // What a connection sends at once.
  std::string answers;   // What a connection then gets.
  unsigned burst;
  bool fan_out;
  bool deflate;
};

struct Connection {
  int socket;
  std::size_t to_send = 0;  // Bytes.
  std::size_t to_get = 0;
};

class Client {
 public:
  explicit Client(const Plan& plan) : plan_(plan), buffer_(kReceiveBytes) {
    for (std::uint32_t i = 0; i < plan.connections; ++i) {
      connections_.push_back({.socket = ConnectLoopback(plan.port, i)});
      Handshake(connections_.back().socket);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET;
      event.data.u32 = i;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back().socket, &event) != 0) {
        DieOfSystemError("epoll_ctl");
      }
    }
  }

  // At least once for each connection, and again as long as the time lasts; comes back when all is
  // answered.
  void Run(std::uint64_t ns) {
    messages_ = 0;
    const std::uint64_t segments = Segments();
    const std::uint64_t began = Now();
    end_ns_ = began + ns;
    if (plan_.fan_out) {
      do {
        for (Connection& connection : connections_) connection.to_get = plan_.answers.size();
        active_ = connections_.size();
        connections_[0].to_send = plan_.messages.size();
        Send(connections_[0]);
        while (active_ > 0) Wait();
      } while (Now() < end_ns_);
    } else {
      for (Connection& connection : connections_) Begin(connection);
      while (active_ > 0) Wait();
    }
    ran_ns_ = Now() - began;
    segments_ = Segments() - segments;
  }

  void Print() const {
    std::printf("{\"messages\": %" PRIu64 ", \"segments\": %" PRIu64 ", \"ns\": %" PRIu64 "}\n",
                messages_, segments_, ran_ns_);
    std::fflush(stdout);
  }

 private:
  // While the socket blocks.
  void Handshake(int socket) {
    if (::send(socket, plan_.request.data(), plan_.request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(plan_.request.size())) {
      DieOfSystemError("send");
    }
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      char byte;
      if (::recv(socket, &byte, 1, 0) != 1) Die("no answer to the handshake");
      answer.push_back(byte);
    }
    if (!answer.starts_with("HTTP/1.1 101 ") || answer.find(kWsAccept) == std::string::npos ||
        (answer.find("permessage-deflate") != std::string::npos) != plan_.deflate) {
      Die("a wrong answer to the handshake");
    }
  }

  std::uint64_t Segments() const {
    std::uint64_t segments = 0;
    for (const Connection& connection : connections_) segments += DataSegments(connection.socket);
    return segments;
  }

  void Wait() {
    const int count =
        ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), kPatienceMs);
    if (count == 0) Die("no answer");
    for (int i = 0; i < count; ++i) {
      Handle(connections_[events_[static_cast<std::size_t>(i)].data.u32]);
    }
  }

  void Begin(Connection& connection) {
    ++active_;
    connection.to_send = plan_.messages.size();
    connection.to_get = plan_.answers.size();
    Send(connection);
  }

  void Send(Connection& connection) {
    while (connection.to_send > 0) {
      const char* from = plan_.messages.data() + plan_.messages.size() - connection.to_send;
      const ssize_t sent =
          ::send(connection.socket, from, connection.to_send, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) Die("the server does not take the message");
      connection.to_send -= static_cast<std::size_t>(sent);
    }
  }

  void Handle(Connection& connection) {
    Send(connection);
    for (;;) {
      const ssize_t size = ::recv(connection.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) Die("the server ended a connection");
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
      if (bytes.size() > connection.to_get) Die("more than was sent");
      if (bytes != std::string_view(plan_.answers)
                       .substr(plan_.answers.size() - connection.to_get, bytes.size())) {
        Die("wrong bytes");
      }
      connection.to_get -= bytes.size();
      if (connection.to_get == 0) {
        --active_;
        messages_ += plan_.burst;
        if (!plan_.fan_out && Now() < end_ns_) Begin(connection);
      }
      // A short read has emptied the socket.
      if (bytes.size() < buffer_.size()) return;
    }
  }

  const Plan& plan_;
  std::vector<char> buffer_;
  std::vector<Connection> connections_;
  std::array<epoll_event, 256> events_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::size_t active_ = 0;  // Connections that wait for an answer.
  std::uint64_t messages_ = 0;
  std::uint64_t segments_ = 0;
  std::uint64_t end_ns_ = 0;
  std::uint64_t ran_ns_ = 0;
};

Plan MakePlan(const Arguments& arguments) {
  Plan plan;
  plan.port = arguments.Number("--port", 0);
  plan.connections = arguments.Number("--connections", 64);
  plan.burst = arguments.Number("--burst", 1);
  plan.fan_out = arguments.Has("--fan-out");
  plan.deflate = arguments.Has("--deflate");
  if (plan.port == 0 || plan.connections == 0 || plan.burst == 0) {
    Die("--port, --connections and --burst are at least 1");
  }
  plan.request = "GET " + arguments.Text("--path", "/") +
                 " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                 std::string(kWsKey) + "\r\n";
  if (plan.deflate) {
    plan.request +=
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";
  }
  plan.request += "\r\n";
  // Each message is another one.
  std::uint32_t state = 1;
  for (unsigned i = 0; i < plan.burst; ++i) {
    std::string payload;
    for (unsigned at = 0; at < arguments.Number("--size", 125); ++at) {
      state = state * 1664525 + 1013904223;
      payload.push_back(static_cast<char>('a' + (state >> 24) % 26));
    }
    plan.messages += ClientFrame(payload);
    plan.answers += ServerFrame(payload);
  }
  return plan;
}

int Main(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            {"--port", "--connections", "--seconds", "--warm-up", "--size",
                             "--burst", "--fan-out", "--idle", "--deflate", "--path"});
  RaiseDescriptorLimit();
  const Plan plan = MakePlan(arguments);
  Client client(plan);
  RunLoadClient(client, arguments);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
