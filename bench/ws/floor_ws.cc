// The floor: the least that a WebSocket server on epoll can do. It answers one handshake, and of
// frames it knows their heads and their masks. What a server costs is what it adds to this.
//
//   floor_ws [--fan-out [--threads=N]]
//
//   (nothing)     echoes each message, all those of one recv() by one send()
//   --fan-out     sends what has come by one recv() to all connections, by one send() for each
//
// Prints the free port that it takes. A client that does not read ends it: those of the benchmark
// do.

#include <emmintrin.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/arguments.h"
#include "bench/sockets.h"
#include "bench/ws/frames.h"

namespace bench {
namespace {

constexpr std::size_t kReceiveBytes = 512 * 1024;

struct Connection {
  explicit Connection(int descriptor) : socket(descriptor) {}

  const int socket;
  bool open = false;    // Its handshake is done.
  std::string pending;  // A request or a frame that has come in part.
};

// Moves `size` bytes to or before where they are, and takes the mask off.
void Unmask(char* to, const char* from, std::size_t size, std::uint32_t mask) {
  const __m128i masks = _mm_set1_epi32(static_cast<int>(mask));
  for (; size >= sizeof(masks); size -= sizeof(masks)) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(bytes, masks));
    to += sizeof(masks);
    from += sizeof(masks);
  }
  for (; size > 0; --size, mask = mask >> 8 | mask << 24) {
    *to++ = static_cast<char>(*from++ ^ static_cast<char>(mask));
  }
}

class Loop;

// The loops of all threads, each of which has some of the connections.
struct Loops {
  bool fan_out;
  std::vector<std::unique_ptr<Loop>> all;
};

class Loop {
 public:
  explicit Loop(Loops& loops)
      : loops_(loops),
        buffer_(kReceiveBytes),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    Watch(wake_, &wake_connection_, EPOLLIN);
  }

  // From any thread.
  void Add(int socket) {
    auto* connection = new Connection(socket);
    if (loops_.fan_out) {
      std::lock_guard<std::mutex> lock(mutex_);
      connections_.push_back(connection);
    }
    Watch(socket, connection, EPOLLIN | EPOLLRDHUP);
  }
  void Give(std::shared_ptr<const std::string> frames) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      given_.push_back(std::move(frames));
    }
    const std::uint64_t one = 1;
    if (::write(wake_, &one, sizeof(one)) < 0) DieOfSystemError("write");
  }

  // Takes connections for all loops, by turns.
  void Accept(int listener) {
    listener_ = listener;
    Watch(listener, &listener_connection_, EPOLLIN);
  }

  [[noreturn]] void Run() {
    for (;;) {
      const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr);
        if (connection == &listener_connection_) {
          AcceptAll();
        } else if (connection == &wake_connection_) {
          SendGiven();
        } else if (!Serve(*connection)) {
          ::close(connection->socket);
          if (loops_.fan_out) {
            std::lock_guard<std::mutex> lock(mutex_);
            std::erase(connections_, connection);
          }
          delete connection;
        }
      }
    }
  }

 private:
  void Watch(int socket, Connection* connection, std::uint32_t kinds) {
    epoll_event event{};
    event.events = kinds | EPOLLET;
    event.data.ptr = connection;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) DieOfSystemError("epoll_ctl");
  }

  void AcceptAll() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) return;
      SetNoDelay(socket);
      loops_.all[next_++ % loops_.all.size()]->Add(socket);
    }
  }

  // False when the connection is over.
  bool Serve(Connection& connection) {
    for (;;) {
      const std::size_t before = connection.pending.size();
      const std::size_t room = buffer_.size() - before;
      const ssize_t size = ::recv(connection.socket, buffer_.data() + before, room, 0);
      if (size <= 0) return size < 0 && errno == EAGAIN;
      if (before > 0) {
        std::memcpy(buffer_.data(), connection.pending.data(), before);
        connection.pending.clear();
      }
      const std::size_t all = before + static_cast<std::size_t>(size);
      connection.open ? Frames(connection, all) : Handshake(connection, all);
      if (static_cast<std::size_t>(size) < room) return true;
    }
  }

  void Handshake(Connection& connection, std::size_t size) {
    const std::string_view request(buffer_.data(), size);
    if (!request.ends_with("\r\n\r\n")) {
      connection.pending = request;
      return;
    }
    static const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: " +
        std::string(kWsAccept) + "\r\n\r\n";
    connection.open = true;
    Send(connection.socket, answer);
  }

  // All whole frames of the buffer, each to the place of the answer in it.
  void Frames(Connection& connection, std::size_t size) {
    char* const begin = buffer_.data();
    char* const end = begin + size;
    char* in = begin;
    char* out = begin;
    for (;;) {
      const auto left = static_cast<std::size_t>(end - in);
      if (left < 2 + kMaskBytes) break;
      std::size_t head = 2;
      std::uint64_t payload = static_cast<unsigned char>(in[1]) & 0x7f;
      if (payload >= 126) {
        const std::size_t bytes = payload == 126 ? 2 : 8;
        if (left < 2 + bytes + kMaskBytes) break;
        payload = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
          payload = payload << 8 | static_cast<unsigned char>(in[2 + i]);
        }
        head += bytes;
      }
      if (payload > kReceiveBytes) Die("a frame that is too large");
      if (left < head + kMaskBytes + payload) break;
      std::uint32_t mask;
      std::memcpy(&mask, in + head, kMaskBytes);
      const char first = in[0];
      in += head + kMaskBytes;
      // What is sent is shorter by the mask, so it is never ahead of what is read.
      out += WriteHead(out, first, payload);
      Unmask(out, in, payload, mask);
      out += payload;
      in += payload;
    }
    connection.pending.assign(in, end);
    if (out == begin) return;
    const std::string_view answer(begin, static_cast<std::size_t>(out - begin));
    if (!loops_.fan_out) return Send(connection.socket, answer);
    const auto frames = std::make_shared<const std::string>(answer);
    for (const auto& loop : loops_.all) loop->Give(frames);
  }

  void SendGiven() {
    std::uint64_t count;
    if (::read(wake_, &count, sizeof(count)) < 0) return;
    std::vector<std::shared_ptr<const std::string>> given;
    std::lock_guard<std::mutex> lock(mutex_);
    given.swap(given_);
    for (const auto& frames : given) {
      for (const Connection* connection : connections_) Send(connection->socket, *frames);
    }
  }

  static void Send(int socket, std::string_view bytes) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;  // recv() will tell.
    if (sent != static_cast<ssize_t>(bytes.size())) Die("the client does not read");
  }

  [[noreturn]] static void Die(const char* what) {
    std::fprintf(stderr, "floor_ws: %s\n", what);
    std::exit(1);
  }

  Loops& loops_;
  std::vector<char> buffer_;
  std::array<epoll_event, 512> events_;
  const int epoll_;
  const int wake_;
  int listener_ = -1;
  std::size_t next_ = 0;
  Connection wake_connection_{-1};
  Connection listener_connection_{-1};
  std::mutex mutex_;
  std::vector<Connection*> connections_;  // With the mutex, of a fan-out; as the next.
  std::vector<std::shared_ptr<const std::string>> given_;
};

int Main(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"--fan-out", "--threads"});
  RaiseDescriptorLimit();
  Loops loops{arguments.Has("--fan-out"), {}};
  for (unsigned i = 0; i < arguments.Number("--threads", 1); ++i) {
    loops.all.push_back(std::make_unique<Loop>(loops));
  }
  loops.all.front()->Accept(ListenAndPrintPort());
  for (std::size_t i = 1; i < loops.all.size(); ++i) {
    std::thread([&loop = *loops.all[i]] { loop.Run(); }).detach();
  }
  loops.all.front()->Run();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
