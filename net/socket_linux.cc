// Sockets of Linux; socket_internal.h tells what each function is for.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "strata/net/socket_internal.h"

namespace strata::net::internal {
namespace {

int NativeFamily(Address::Family family) {
  switch (family) {
    case Address::Family::kIpv4:
      return AF_INET;
    case Address::Family::kIpv6:
      return AF_INET6;
    case Address::Family::kUnix:
      return AF_UNIX;
    case Address::Family::kNone:
      break;
  }
  return AF_UNSPEC;
}

OpenedSocket Open(Address::Family family, int type) {
  int socket = ::socket(NativeFamily(family), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return {kNoSocket, ErrorFromSystem(errno)};
  return {socket, Error::kOk};
}

bool SetFlag(int socket, int level, int name, int value) {
  return ::setsockopt(socket, level, name, &value, sizeof(value)) == 0;
}

OpenedSocket Fail(int socket) {
  OpenedSocket failed{kNoSocket, ErrorFromSystem(errno)};
  if (socket >= 0) ::close(socket);
  return failed;
}

bool Bind(int socket, const Address& address) {
  sockaddr_storage storage;
  auto size = static_cast<socklen_t>(address.ToSockaddr(&storage));
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

template <typename Ask>
Address AskAddress(Ask ask, int socket) {
  sockaddr_storage storage;
  socklen_t size = sizeof(storage);
  if (ask(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return Address();
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

void StartSockets() {}

bool HasReusePort() { return true; }

bool AcceptedInherit() { return true; }

OpenedSocket OpenStream(Address::Family family) { return Open(family, SOCK_STREAM); }

OpenedSocket OpenListener(const Address& address, const ListenSettings& settings) {
  OpenedSocket opened = Open(address.family(), SOCK_STREAM);
  if (opened.error != Error::kOk) return opened;
  const bool ip = address.family() != Address::Family::kUnix;
  if (ip && !SetFlag(opened.socket, SOL_SOCKET, SO_REUSEADDR, 1)) return Fail(opened.socket);
  if (ip && settings.no_delay) SetNoDelay(opened.socket, true);
  if (settings.reuse_port && !SetFlag(opened.socket, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return Fail(opened.socket);
  }
  if (address.family() == Address::Family::kIpv6 &&
      !SetFlag(opened.socket, IPPROTO_IPV6, IPV6_V6ONLY, settings.ipv6_only)) {
    return Fail(opened.socket);
  }
  if (!Bind(opened.socket, address) || ::listen(opened.socket, settings.backlog) != 0) {
    return Fail(opened.socket);
  }
  return opened;
}

Error AdoptListener(NativeSocket socket) {
  const auto option = [socket](int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  if (option(SO_ACCEPTCONN) != 1 || option(SO_TYPE) != SOCK_STREAM) return Error::kInvalidArgument;
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) {
    return ErrorFromSystem(errno);
  }
  return Error::kOk;
}

NativeSocket DuplicateSocket(NativeSocket socket) { return ::fcntl(socket, F_DUPFD_CLOEXEC, 0); }

OpenedSocket OpenDatagram(const Address& address, bool bind, bool reuse_port) {
  OpenedSocket opened = Open(address.family(), SOCK_DGRAM);
  if (opened.error != Error::kOk) return opened;
  if (reuse_port && !SetFlag(opened.socket, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return Fail(opened.socket);
  }
  if (bind && !Bind(opened.socket, address)) return Fail(opened.socket);
  return opened;
}

void CloseSocket(NativeSocket socket) {
  // Linux has closed it even if it answers EINTR; to repeat would close another one's.
  ::close(socket);
}

void RemoveStaleUnixSocket(const Address& address) {
  if (address.family() != Address::Family::kUnix || address.path().starts_with('@')) return;
  const std::string path(address.path());
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  OwnedSocket probe(Open(address.family(), SOCK_STREAM).socket);
  if (probe.get() == kNoSocket) return;
  sockaddr_storage storage;
  auto size = static_cast<socklen_t>(address.ToSockaddr(&storage));
  const bool refused =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
      errno == ECONNREFUSED;
  if (refused) ::unlink(path.c_str());
}

void RemoveUnixSocket(const Address& address) {
  if (address.family() != Address::Family::kUnix || address.path().starts_with('@')) return;
  ::unlink(std::string(address.path()).c_str());
}

NativeSocket OpenReserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool ShedConnection(NativeSocket listener, NativeSocket* reserve) {
  if (*reserve == kNoSocket) *reserve = OpenReserve();
  if (*reserve == kNoSocket) return false;
  ::close(*reserve);
  int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket >= 0) ::close(socket);
  *reserve = OpenReserve();
  return socket >= 0;
}

void SetAbortive(NativeSocket socket) {
  linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void ShutdownSend(NativeSocket socket) { ::shutdown(socket, SHUT_WR); }

void SetNoDelay(NativeSocket socket, bool on) { SetFlag(socket, IPPROTO_TCP, TCP_NODELAY, on); }

void SetKeepAlive(NativeSocket socket, std::chrono::seconds idle) {
  if (!SetFlag(socket, SOL_SOCKET, SO_KEEPALIVE, 1)) return;
  SetFlag(socket, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle.count()));
}

bool EndWasReset(NativeSocket) { return false; }

Error TakeError(NativeSocket socket) {
  int code = 0;
  socklen_t size = sizeof(code);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
  return code == 0 ? Error::kOk : ErrorFromSystem(code);
}

Address LocalAddress(NativeSocket socket) { return AskAddress(::getsockname, socket); }

Address PeerAddress(NativeSocket socket) { return AskAddress(::getpeername, socket); }

}  // namespace strata::net::internal
