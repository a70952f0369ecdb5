// File: native_socket.h
//
// What the system calls a socket and a file, without the system's headers: those of Windows define
// names such as min and ERROR as macros, which no user of these libraries should meet. Only code
// that makes system calls of its own needs these types.

#ifndef STRATA_NET_NATIVE_SOCKET_H_
#define STRATA_NET_NATIVE_SOCKET_H_

#include <cstdint>

namespace strata::net {

#ifdef _WIN32
using NativeSocket = std::uintptr_t;  // SOCKET
using NativeFile = void*;             // HANDLE
#else
using NativeSocket = int;  // A descriptor.
using NativeFile = int;    // A descriptor.
#endif

// No socket: -1, which is INVALID_SOCKET on Windows.
inline constexpr NativeSocket kNoSocket = static_cast<NativeSocket>(-1);

}  // namespace strata::net

#endif  // STRATA_NET_NATIVE_SOCKET_H_
