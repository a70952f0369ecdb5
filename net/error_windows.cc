// Errors of Windows: Winsock's, and those of the overlapped operations behind them.

#include <winsock2.h>

#include "strata/net/error.h"

namespace strata::net {

Error ErrorFromSystem(int code) {
  switch (code) {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETRESET:
    case WSAESHUTDOWN:
    case WSAENOTCONN:
    case WSAEDISCON:
    case ERROR_NETNAME_DELETED:
    case ERROR_CONNECTION_ABORTED:
      return Error::kReset;
    case WSAECONNREFUSED:
    case ERROR_CONNECTION_REFUSED:
    case ERROR_PORT_UNREACHABLE:
      return Error::kRefused;
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAENETDOWN:
    case WSAEHOSTDOWN:
    case ERROR_NETWORK_UNREACHABLE:
    case ERROR_HOST_UNREACHABLE:
      return Error::kUnreachable;
    case WSAETIMEDOUT:
    case ERROR_SEM_TIMEOUT:
      return Error::kTimedOut;
    case WSAEADDRINUSE:
      return Error::kAddressInUse;
    case WSAEADDRNOTAVAIL:
      return Error::kAddressNotAvailable;
    case WSAEINVAL:
    case WSAENOTSOCK:
      return Error::kInvalidArgument;
    case WSAEAFNOSUPPORT:
    case WSAEOPNOTSUPP:
    case WSAEPROTONOSUPPORT:
    case WSAESOCKTNOSUPPORT:
      return Error::kUnsupported;
    case WSAEACCES:
      return Error::kAccessDenied;
    case WSAEMFILE:
      return Error::kTooManyFiles;
    case WSAENOBUFS:
    case ERROR_NOT_ENOUGH_MEMORY:
      return Error::kNoMemory;
    case WSAEMSGSIZE:
      return Error::kMessageTooLong;
    case WSAEWOULDBLOCK:
      return Error::kWouldBlock;
    case ERROR_OPERATION_ABORTED:
      return Error::kCancelled;
    default:
      return Error::kOther;
  }
}

}  // namespace strata::net
