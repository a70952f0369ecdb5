// File: sockets.h
//
// What the servers and the load clients of the benchmarks share: they take all descriptors that
// they may, listen on the loopback interface, and connect there without running out of ports.

#ifndef BENCH_SOCKETS_H_
#define BENCH_SOCKETS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bench {

// No benchmark can go on after an error of the system's.
[[noreturn]] inline void DieOfSystemError(const char* what) {
  std::perror(what);
  std::exit(1);
}

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

inline sockaddr_in Loopback(unsigned port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A listening socket that does not block.
inline int Listen(unsigned port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = Loopback(port);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 4096) != 0) {
    DieOfSystemError("listen");
  }
  return listener;
}

// The same on a free port, which is printed as the program's first line.
inline int ListenAndPrintPort() {
  const int listener = Listen(0);
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    DieOfSystemError("getsockname");
  }
  PrintPort(ntohs(address.sin_port));
  return listener;
}

inline void SetNoDelay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// A connected socket, which blocks, and sends at once. A client counts its connections by `number`.
//
// Each client has addresses of its own in the loopback network, so that ports do not run out; the
// port is chosen when the other end is known.
inline int ConnectLoopback(unsigned port, unsigned number) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) DieOfSystemError("socket");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  sockaddr_in from = Loopback(0);
  const auto client = static_cast<unsigned>(::getpid()) % 65'000;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + client * 256 + number / 10'000);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&from), sizeof(from)) != 0) {
    DieOfSystemError("bind");
  }
  const sockaddr_in to = Loopback(port);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    DieOfSystemError("connect");
  }
  SetNoDelay(socket);
  return socket;
}

}  // namespace bench

#endif  // BENCH_SOCKETS_H_
