// The floor: the least that an echo server on epoll can do, on one thread, with no layer between it
// and the kernel. What a library costs is what it adds to this.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "bench/sockets.h"

namespace {

// A reader that falls behind would have to be waited for; the clients of this benchmark do not.
void Echo(int socket, std::vector<char>& buffer) {
  for (;;) {
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      if (::send(socket, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) {
        ::close(socket);
        return;
      }
      if (static_cast<std::size_t>(size) < buffer.size()) return;
    } else if (size == 0 || errno != EAGAIN) {
      ::close(socket);
      return;
    } else {
      return;
    }
  }
}

void Accept(int listener, int epoll) {
  for (;;) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    bench::SetNoDelay(socket);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    event.data.fd = socket;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  }
}

}  // namespace

int main() {
  bench::RaiseDescriptorLimit();
  const int listener = bench::ListenAndPrintPort();
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = listener;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::vector<char> buffer(128 * 1024);
  std::array<epoll_event, 512> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      socket == listener ? Accept(listener, epoll) : Echo(socket, buffer);
    }
  }
}
