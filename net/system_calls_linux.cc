// System calls by number.

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "strata/net/system_calls_internal.h"

// The sanitizers have to see what the kernel writes, and what threads tell each other by sockets.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRATA_NET_BY_C_LIBRARY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRATA_NET_BY_C_LIBRARY 1
#endif
#endif

extern "C" {

#ifdef STRATA_NET_BY_C_LIBRARY

ssize_t strata_net_recv(int socket, void* buffer, std::size_t size) {
  return ::recv(socket, buffer, size, 0);
}

ssize_t strata_net_send(int socket, const void* bytes, std::size_t size) {
  return ::send(socket, bytes, size, MSG_NOSIGNAL);
}

int strata_net_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  return ::epoll_wait(epoll, events, count, timeout_ms);
}

#else

ssize_t strata_net_recv(int socket, void* buffer, std::size_t size) {
  return ::syscall(SYS_recvfrom, socket, buffer, size, 0, nullptr, nullptr);
}

ssize_t strata_net_send(int socket, const void* bytes, std::size_t size) {
  return ::syscall(SYS_sendto, socket, bytes, size, MSG_NOSIGNAL, nullptr, 0);
}

int strata_net_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  return static_cast<int>(::syscall(SYS_epoll_wait, epoll, events, count, timeout_ms));
}

#endif

}  // extern "C"
