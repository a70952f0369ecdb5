// File: socket_internal.h
//
// System calls on sockets under one set of names for Linux and Windows; socket_linux.cc and
// socket_windows.cc have the two. Sockets made here do not block and are closed on exec.

#ifndef STRATA_NET_SOCKET_INTERNAL_H_
#define STRATA_NET_SOCKET_INTERNAL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/native_socket.h"

namespace strata::net::internal {

struct OpenedSocket {
  NativeSocket socket = kNoSocket;
  Error error = Error::kOk;
};

struct ListenSettings {
  int backlog = 1024;
  bool reuse_port = false;  // SO_REUSEPORT; kUnsupported where there is none.
  bool ipv6_only = false;   // For an IPv6 address: not IPv4 too.
  bool no_delay = false;    // TCP_NODELAY of what is accepted, if AcceptedInherit().
};

// Before the first socket of a process; those that open one here do so themselves.
void StartSockets();

// Whether several sockets can listen on one port and share its connections.
bool HasReusePort();

// Whether accepted sockets have the options of their listener, which saves a call for each.
bool AcceptedInherit();

// A stream socket of the address's family, not yet connected.
OpenedSocket OpenStream(Address::Family family);

// A socket that listens. SO_REUSEADDR is set on Linux; on Windows SO_EXCLUSIVEADDRUSE, for there
// the other means that two programs may listen at once. The file of a Unix path must not be there.
OpenedSocket OpenListener(const Address& address, const ListenSettings& settings);

// Makes a socket of this process's, which has to listen for streams already, like those above. An
// error leaves it as it is: kInvalidArgument if it does not listen; kUnsupported on Windows.
Error AdoptListener(NativeSocket socket);

// Another descriptor for the same socket, closed on exec. kNoSocket if there is none to be had.
NativeSocket DuplicateSocket(NativeSocket socket);

// A datagram socket bound to an address; to none (an unbound one) if `bind` is false.
OpenedSocket OpenDatagram(const Address& address, bool bind, bool reuse_port);

void CloseSocket(NativeSocket socket);

// Removes the file of a Unix socket that nobody listens on any more, left by a program that
// crashed.
void RemoveStaleUnixSocket(const Address& address);

// Removes the file of a Unix socket; nothing for another address.
void RemoveUnixSocket(const Address& address);

// A descriptor kept for the time when there is no other one; kNoSocket if there is none even now.
NativeSocket OpenReserve();

// Closes the reserve, accepts a waiting connection on the descriptor so freed and closes it, and
// opens the reserve again. False if none waited, or if there is no reserve.
bool ShedConnection(NativeSocket listener, NativeSocket* reserve);

// Owns a socket.
class OwnedSocket {
 public:
  explicit OwnedSocket(NativeSocket socket) : socket_(socket) {}
  OwnedSocket(OwnedSocket&& other) noexcept : socket_(other.Release()) {}
  OwnedSocket& operator=(OwnedSocket&&) = delete;
  ~OwnedSocket() {
    if (socket_ != kNoSocket) CloseSocket(socket_);
  }

  NativeSocket get() const { return socket_; }
  NativeSocket Release() { return std::exchange(socket_, kNoSocket); }

 private:
  NativeSocket socket_;
};

// Makes CloseSocket() send a reset and forget what is unsent.
void SetAbortive(NativeSocket socket);

// No more will be sent: the peer reads an end.
void ShutdownSend(NativeSocket socket);

void SetNoDelay(NativeSocket socket, bool on);
void SetKeepAlive(NativeSocket socket, std::chrono::seconds idle);

// After an end was received, of a connection whose own half is open: whether the end was a reset. A
// system that tells a reset as an error has none to find here.
bool EndWasReset(NativeSocket socket);

// The pending error of a socket, cleared by asking.
Error TakeError(NativeSocket socket);

// The two ends; an Address() of no family if the system does not tell.
Address LocalAddress(NativeSocket socket);
Address PeerAddress(NativeSocket socket);

}  // namespace strata::net::internal

#endif  // STRATA_NET_SOCKET_INTERNAL_H_
