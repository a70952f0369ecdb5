// Load for an echo server: connections that each send a message, wait for its echo, and send the
// next.
//
//   load_client PORT CONNECTIONS SECONDS [SIZE]   prints the messages echoed, then ends
//   load_client PORT CONNECTIONS idle             connects, prints 0, and holds until its input
//   ends
//
// A wrong byte, an error or an end of a connection ends it with status 1.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bench/sockets.h"

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "load_client: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

class Load {
 public:
  Load(const std::vector<int>& sockets, std::size_t size)
      : sockets_(sockets), message_(size, '\0'), received_(sockets.size()), buffer_(size) {
    for (std::size_t i = 0; i < size; ++i) message_[i] = static_cast<char>('a' + i % 26);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, sockets[i], &event) != 0) Die("epoll_ctl");
    }
  }

  // Returns the number of messages that came back.
  std::uint64_t Run(Clock::duration time) {
    for (const int socket : sockets_) Send(socket);
    const Clock::time_point end = Clock::now() + time;
    while (Clock::now() < end) {
      const int count =
          ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 1000);
      if (count == 0) Die("no echo for a second");
      for (int i = 0; i < count; ++i) Receive(events_[static_cast<std::size_t>(i)].data.u64);
    }
    return messages_;
  }

 private:
  void Send(int socket) {
    if (::send(socket, message_.data(), message_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(message_.size())) {
      Die("send");
    }
  }

  void Receive(std::size_t index) {
    const std::size_t before = received_[index];
    const ssize_t size = ::recv(sockets_[index], buffer_.data(), message_.size() - before, 0);
    if (size <= 0) Die("receive");
    const std::string_view part(buffer_.data(), static_cast<std::size_t>(size));
    if (part != std::string_view(message_).substr(before, part.size())) Die("another message");
    received_[index] = before + part.size();
    if (received_[index] < message_.size()) return;
    received_[index] = 0;
    ++messages_;
    Send(sockets_[index]);
  }

  const std::vector<int>& sockets_;
  std::string message_;
  std::vector<std::size_t> received_;
  std::vector<char> buffer_;
  std::array<epoll_event, 256> events_;
  int epoll_;
  std::uint64_t messages_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: load_client PORT CONNECTIONS SECONDS|idle [SIZE]\n");
    return 2;
  }
  bench::RaiseDescriptorLimit();
  std::vector<int> sockets;
  const auto port = static_cast<unsigned>(std::atoi(argv[1]));
  for (unsigned i = 0; i < static_cast<unsigned>(std::atoi(argv[2])); ++i) {
    sockets.push_back(bench::ConnectLoopback(port, i));
  }
  if (std::string_view(argv[3]) == "idle") {
    bench::PrintPort(0);
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
  }
  Load load(sockets, argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 64);
  const std::chrono::duration<double> seconds(std::atof(argv[3]));
  std::printf("%llu\n", static_cast<unsigned long long>(
                            load.Run(std::chrono::duration_cast<Clock::duration>(seconds))));
  return 0;
}
