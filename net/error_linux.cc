// Errors of Linux.

#include <cerrno>

#include "strata/net/error.h"

namespace strata::net {

Error ErrorFromSystem(int code) {
  switch (code) {
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ECONNABORTED:
      return Error::kReset;
    case ECONNREFUSED:
      return Error::kRefused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return Error::kUnreachable;
    case ETIMEDOUT:
      return Error::kTimedOut;
    case ENOENT:
      return Error::kNotFound;
    case EADDRINUSE:
      return Error::kAddressInUse;
    case EADDRNOTAVAIL:
      return Error::kAddressNotAvailable;
    case EINVAL:
      return Error::kInvalidArgument;
    case EAFNOSUPPORT:
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case ENOSYS:
      return Error::kUnsupported;
    case EACCES:
    case EPERM:
      return Error::kAccessDenied;
    case EMFILE:
    case ENFILE:
      return Error::kTooManyFiles;
    case ENOMEM:
    case ENOBUFS:
      return Error::kNoMemory;
    case EMSGSIZE:
      return Error::kMessageTooLong;
    case EAGAIN:
      return Error::kWouldBlock;
    default:
      return Error::kOther;
  }
}

}  // namespace strata::net
