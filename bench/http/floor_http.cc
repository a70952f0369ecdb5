// The floor: the least that an HTTP server on epoll can do, on one thread. It looks for the empty
// line that ends a request, knows nothing else of it, and answers each with the same bytes. What a
// server costs is what it adds to this.
//
//   floor_http [--port=N] [--body=FILE [--type=TYPE]] [--file=FILE] [--echo=BYTES] [--close]
//              [--certificate=FILE --key=FILE]
//
//   --port          without it, prints the free one that it takes
//   (nothing)       answers "Hello, World!"
//   --body          answers the content of a file, from memory
//   --file          answers the content of a file by sendfile()
//   --echo          each request has a body of so many bytes, which is the answer's as it comes
//   --close         ends a connection after its first response
//   --certificate   speaks TLS; not with --file or --echo

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/arguments.h"
#include "bench/http/date.h"
#include "bench/http/transport.h"
#include "bench/sockets.h"

namespace bench {
namespace {

constexpr std::string_view kHello = "Hello, World!";
constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr std::size_t kReceiveBytes = 512 * 1024;
constexpr std::size_t kBatchBytes = 16 * 1024;  // Of responses that leave in one send().

struct Plan {
  std::string head;
  std::string body;  // After the head, from memory.
  int file = -1;     // Or this file.
  std::size_t file_size = 0;
  std::size_t echo = 0;  // Or so many bytes of the request.
  bool close = false;
  SSL_CTX* tls = nullptr;
};

struct Connection {
  explicit Connection(Transport accepted) : transport(std::move(accepted)) {}

  Transport transport;
  std::size_t owed = 0;       // Responses not yet sent entirely.
  std::size_t offset = 0;     // What has been sent of the first of them.
  std::size_t body_left = 0;  // To come of a request's body.
  std::string unsent;         // Of an echo, what the socket did not take.
  std::array<char, 3> tail;   // What may be the begin of an empty line.
  unsigned char tail_size = 0;
  bool watches_writes = false;
};

class Server {
 public:
  Server(unsigned port, const Plan& plan)
      : plan_(plan),
        response_size_(plan.head.size() + plan.body.size() + plan.file_size),
        buffer_(kReceiveBytes),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        listener_(port == 0 ? ListenAndPrintPort() : Listen(port)) {
    const std::string response = plan.head + plan.body;
    batch_ = std::max<std::size_t>(kBatchBytes / response.size(), 1);
    for (std::size_t i = 0; i < batch_; ++i) responses_ += response;
  }

  [[noreturn]] void Run() {
    Watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
    for (;;) {
      const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr);
        if (connection == nullptr) {
          Accept();
        } else if (!Serve(*connection)) {
          delete connection;
        }
      }
    }
  }

 private:
  void Watch(int operation, int socket, Connection* connection, std::uint32_t kinds) {
    epoll_event event{};
    event.events = kinds | EPOLLET;
    event.data.ptr = connection;
    if (::epoll_ctl(epoll_, operation, socket, &event) != 0) DieOfSystemError("epoll_ctl");
  }

  // Most connections never find their socket full, and are spared an event that says it is not.
  void WatchWrites(Connection& connection) {
    if (connection.watches_writes) return;
    connection.watches_writes = true;
    Watch(EPOLL_CTL_MOD, connection.transport.socket(), &connection,
          EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  }

  void Accept() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      SetNoDelay(socket);
      SSL* ssl = plan_.tls == nullptr ? nullptr : SSL_new(plan_.tls);
      if (ssl != nullptr) SSL_set_accept_state(ssl);
      Watch(EPOLL_CTL_ADD, socket, new Connection(Transport(socket, ssl)), EPOLLIN | EPOLLRDHUP);
    }
  }

  // False when the connection is over.
  bool Serve(Connection& connection) {
    if (!Flush(connection)) return false;
    while (connection.owed == 0 && connection.unsent.empty()) {
      // The tail of the last bytes goes in front of these.
      const std::size_t tail = connection.tail_size;
      std::memcpy(buffer_.data(), connection.tail.data(), tail);
      const std::size_t room = buffer_.size() - tail;
      const ssize_t size = connection.transport.Receive(buffer_.data() + tail, room);
      if (size == kWouldBlock) return true;
      if (size < 0) return false;
      connection.tail_size = 0;
      Take(connection, {buffer_.data(), tail + static_cast<std::size_t>(size)});
      if (!Flush(connection)) return false;
      if (IsDrained(connection, static_cast<std::size_t>(size), room)) return true;
    }
    return true;
  }

  // A short read has emptied the socket; and so has one of TLS, which reads ahead more than the
  // one request that a client of the benchmark sends at once.
  bool IsDrained(const Connection& connection, std::size_t size, std::size_t room) const {
    SSL* ssl = connection.transport.ssl();
    return ssl == nullptr ? size < room : SSL_has_pending(ssl) == 0;
  }

  void Take(Connection& connection, std::string_view bytes) {
    while (!bytes.empty()) {
      if (connection.body_left > 0) {
        Echo(connection, {}, bytes);
        continue;
      }
      const void* end = ::memmem(bytes.data(), bytes.size(), kEmptyLine.data(), kEmptyLine.size());
      if (end == nullptr) return KeepTail(connection, bytes);
      bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data()) +
                          kEmptyLine.size());
      if (plan_.echo == 0) {
        ++connection.owed;
      } else {
        connection.body_left = plan_.echo;
        Echo(connection, plan_.head, bytes);
      }
    }
  }

  static void KeepTail(Connection& connection, std::string_view bytes) {
    connection.tail_size =
        static_cast<unsigned char>(std::min(bytes.size(), connection.tail.size()));
    std::memcpy(connection.tail.data(), bytes.data() + bytes.size() - connection.tail_size,
                connection.tail_size);
  }

  // Sends the head, if there is one, and what has come of the body, which is taken off `bytes`.
  void Echo(Connection& connection, std::string_view head, std::string_view& bytes) {
    const std::string_view body = bytes.substr(0, connection.body_left);
    bytes.remove_prefix(body.size());
    connection.body_left -= body.size();
    std::size_t sent = 0;
    if (connection.unsent.empty()) {
      std::array<iovec, 2> parts = {iovec{const_cast<char*>(head.data()), head.size()},
                                    iovec{const_cast<char*>(body.data()), body.size()}};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      const ssize_t size = ::sendmsg(connection.transport.socket(), &message, MSG_NOSIGNAL);
      // What makes it fail is found out again by the next one.
      if (size > 0) sent = static_cast<std::size_t>(size);
    }
    if (sent < head.size()) connection.unsent += head.substr(sent);
    sent -= std::min(sent, head.size());
    connection.unsent += body.substr(sent);
    if (!connection.unsent.empty()) WatchWrites(connection);
  }

  // Sends what is owed, as far as the socket takes it. False when the connection is over.
  bool Flush(Connection& connection) {
    while (!connection.unsent.empty()) {
      const ssize_t sent = connection.transport.Send(connection.unsent);
      if (sent < 0) return sent == kWouldBlock;
      connection.unsent.erase(0, static_cast<std::size_t>(sent));
    }
    while (connection.owed > 0) {
      const ssize_t sent = plan_.file < 0 ? SendBatch(connection) : SendFile(connection);
      if (sent == kWouldBlock) WatchWrites(connection);
      if (sent < 0) return sent == kWouldBlock;
      connection.offset += static_cast<std::size_t>(sent);
      connection.owed -= connection.offset / response_size_;
      connection.offset %= response_size_;
      if (connection.owed == 0 && plan_.close) return false;
    }
    return true;
  }

  ssize_t SendBatch(Connection& connection) {
    const std::size_t size = std::min(connection.owed, batch_) * response_size_;
    return connection.transport.Send(
        std::string_view(responses_).substr(connection.offset, size - connection.offset));
  }

  ssize_t SendFile(Connection& connection) {
    if (connection.offset < plan_.head.size()) {
      return connection.transport.Send(std::string_view(plan_.head).substr(connection.offset),
                                       MSG_MORE);
    }
    auto from = static_cast<off_t>(connection.offset - plan_.head.size());
    const ssize_t sent = ::sendfile(connection.transport.socket(), plan_.file, &from,
                                    response_size_ - connection.offset);
    return sent > 0 ? sent : Transport::SocketError();
  }

  const Plan& plan_;
  const std::size_t response_size_;
  std::size_t batch_;
  std::string responses_;  // batch_ of them.
  std::vector<char> buffer_;
  std::array<epoll_event, 512> events_;
  const int epoll_;
  const int listener_;
};

std::string MakeHead(std::string_view type, std::size_t length, bool close) {
  std::string head = "HTTP/1.1 200 OK\r\nServer: strata\r\nDate: " + HttpDate() + "\r\n";
  head.append("Content-Type: ").append(type).append("\r\n");
  if (close) head += "Connection: close\r\n";
  return head + "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

Plan MakePlan(const Arguments& arguments) {
  Plan plan;
  plan.echo = arguments.Number("--echo", 0);
  plan.close = arguments.Has("--close");
  if (arguments.Has("--file")) {
    plan.file = ::open(arguments.Text("--file").c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (plan.file < 0 || ::fstat(plan.file, &about) != 0) DieOfSystemError("--file");
    plan.file_size = static_cast<std::size_t>(about.st_size);
  } else if (plan.echo == 0) {
    plan.body = arguments.Has("--body") ? arguments.File("--body") : std::string(kHello);
  }
  plan.head = MakeHead(arguments.Text("--type", "text/plain"),
                       plan.body.size() + plan.file_size + plan.echo, plan.close);
  if (arguments.Has("--certificate")) {
    if (plan.file >= 0 || plan.echo > 0) {
      std::fprintf(stderr, "floor_http: TLS goes with neither --file nor --echo\n");
      std::exit(2);
    }
    plan.tls = MakeTlsServerContext(arguments.Text("--certificate"), arguments.Text("--key"));
  }
  return plan;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const bench::Arguments arguments(
      argc, argv,
      {"--port", "--body", "--type", "--file", "--echo", "--close", "--certificate", "--key"});
  bench::RaiseDescriptorLimit();
  const bench::Plan plan = bench::MakePlan(arguments);
  bench::Server(arguments.Number("--port", 0), plan).Run();
}
