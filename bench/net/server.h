// File: server.h
//
// What the servers of this benchmark share: they take all descriptors that they may, listen on a
// free port of the loopback interface, and print it as their first line.

#ifndef BENCH_NET_SERVER_H_
#define BENCH_NET_SERVER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

namespace bench {

inline void RaiseDescriptorLimit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

inline void PrintPort(unsigned port) {
  std::printf("%u\n", port);
  std::fflush(stdout);
}

// A listening socket that does not block.
inline int ListenAndPrintPort() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 4096) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  PrintPort(ntohs(address.sin_port));
  return listener;
}

}  // namespace bench

#endif  // BENCH_NET_SERVER_H_
