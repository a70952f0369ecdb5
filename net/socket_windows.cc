// Sockets of Windows; socket_internal.h tells what each function is for.

#include <winsock2.h>

// After Winsock.
#include <mstcpip.h>
#include <ws2tcpip.h>

#include "strata/net/socket_internal.h"

namespace strata::net::internal {
namespace {

OpenedSocket Failure() { return {kNoSocket, ErrorFromSystem(::WSAGetLastError())}; }

OpenedSocket Open(Address::Family family, int type) {
  StartSockets();
  if (family == Address::Family::kUnix) return {kNoSocket, Error::kUnsupported};
  const int native = family == Address::Family::kIpv6 ? AF_INET6 : AF_INET;
  SOCKET socket =
      ::WSASocketW(native, type, 0, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return Failure();
  u_long on = 1;
  ::ioctlsocket(socket, FIONBIO, &on);
  return {socket, Error::kOk};
}

bool SetFlag(NativeSocket socket, int level, int name, int value) {
  return ::setsockopt(socket, level, name, reinterpret_cast<const char*>(&value), sizeof(value)) ==
         0;
}

OpenedSocket Fail(NativeSocket socket) {
  OpenedSocket failed = Failure();
  ::closesocket(socket);
  return failed;
}

bool Bind(NativeSocket socket, const Address& address) {
  sockaddr_storage storage;
  const auto size = static_cast<int>(address.ToSockaddr(&storage));
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

template <typename Ask>
Address AskAddress(Ask ask, NativeSocket socket) {
  sockaddr_storage storage;
  int size = sizeof(storage);
  if (ask(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return Address();
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage),
                               static_cast<std::size_t>(size));
}

}  // namespace

void StartSockets() {
  // Never ended: sockets may live as long as the process.
  [[maybe_unused]] static const int started = [] {
    WSADATA data;
    return ::WSAStartup(MAKEWORD(2, 2), &data);
  }();
}

bool HasReusePort() { return false; }

bool AcceptedInherit() { return false; }

OpenedSocket OpenStream(Address::Family family) { return Open(family, SOCK_STREAM); }

OpenedSocket OpenListener(const Address& address, const ListenSettings& settings) {
  if (settings.reuse_port) return {kNoSocket, Error::kUnsupported};
  OpenedSocket opened = Open(address.family(), SOCK_STREAM);
  if (opened.error != Error::kOk) return opened;
  SetFlag(opened.socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
  if (address.family() == Address::Family::kIpv6 &&
      !SetFlag(opened.socket, IPPROTO_IPV6, IPV6_V6ONLY, settings.ipv6_only)) {
    return Fail(opened.socket);
  }
  if (!Bind(opened.socket, address) || ::listen(opened.socket, settings.backlog) != 0) {
    return Fail(opened.socket);
  }
  return opened;
}

Error AdoptListener(NativeSocket) { return Error::kUnsupported; }

NativeSocket DuplicateSocket(NativeSocket) { return kNoSocket; }

OpenedSocket OpenDatagram(const Address& address, bool bind, bool reuse_port) {
  if (reuse_port) return {kNoSocket, Error::kUnsupported};
  OpenedSocket opened = Open(address.family(), SOCK_DGRAM);
  if (opened.error != Error::kOk) return opened;
  if (bind && !Bind(opened.socket, address)) return Fail(opened.socket);
  return opened;
}

void CloseSocket(NativeSocket socket) { ::closesocket(socket); }

// There are no files of Unix sockets here, and Windows has no small limit of handles to keep a
// reserve for.
void RemoveStaleUnixSocket(const Address&) {}
void RemoveUnixSocket(const Address&) {}
NativeSocket OpenReserve() { return kNoSocket; }
bool ShedConnection(NativeSocket, NativeSocket*) { return false; }

void SetAbortive(NativeSocket socket) {
  linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&none), sizeof(none));
}

void ShutdownSend(NativeSocket socket) { ::shutdown(socket, SD_SEND); }

void SetNoDelay(NativeSocket socket, bool on) { SetFlag(socket, IPPROTO_TCP, TCP_NODELAY, on); }

void SetKeepAlive(NativeSocket socket, std::chrono::seconds idle) {
  tcp_keepalive settings{};
  settings.onoff = 1;
  settings.keepalivetime =
      static_cast<ULONG>(std::chrono::duration_cast<std::chrono::milliseconds>(idle).count());
  settings.keepaliveinterval = 1000;
  DWORD bytes = 0;
  ::WSAIoctl(socket, SIO_KEEPALIVE_VALS, &settings, sizeof(settings), nullptr, 0, &bytes, nullptr,
             nullptr);
}

// Wine 8 takes the error to itself if a reset comes while a receive waits, and the next receive
// reads an end; but there is no peer any more.
bool EndWasReset(NativeSocket socket) {
  return PeerAddress(socket).family() == Address::Family::kNone;
}

Error TakeError(NativeSocket socket) {
  int code = 0;
  int size = sizeof(code);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&code), &size) != 0) {
    code = ::WSAGetLastError();
  }
  return code == 0 ? Error::kOk : ErrorFromSystem(code);
}

Address LocalAddress(NativeSocket socket) { return AskAddress(::getsockname, socket); }

Address PeerAddress(NativeSocket socket) { return AskAddress(::getpeername, socket); }

}  // namespace strata::net::internal
