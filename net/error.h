// File: error.h
//
// What can go wrong with a socket, as a small number: what callbacks and per-message functions
// answer, without an allocation. At the edges it becomes an absl::Status:
//
//   if (error != Error::kOk) return ToStatus(error, "connect to 192.0.2.1:80");

#ifndef STRATA_NET_ERROR_H_
#define STRATA_NET_ERROR_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace strata::net {

enum class Error : std::uint8_t {
  kOk,

  // Of the peer and the way to it.
  kReset,        // The connection was reset, or the peer has closed and bytes were on their way.
  kRefused,      // Nobody listens there.
  kUnreachable,  // No route to the host or network, or it is down.
  kTimedOut,     // A deadline of ours, or the system's retransmissions.
  kTooSlow,      // The peer sent less than the minimum receive rate.
  kBadProxyHeader,
  kTls,           // A handshake or a record that is not good.
  kTlsTruncated,  // The connection has ended, and TLS had not.

  // Of the name or address.
  kNotFound,
  kAddressInUse,
  kAddressNotAvailable,  // Not an address of this machine.
  kInvalidArgument,
  kUnsupported,

  // Of this process and its system.
  kAccessDenied,
  kTooManyFiles,  // No descriptor left, in the process or the system.
  kNoMemory,
  kMessageTooLong,
  kEndOfFile,  // A file is shorter than what was to be sent of it.

  // Of the use of an object.
  kClosed,       // It was closed, or its loop has ended.
  kCancelled,    // Ended from this side: by Abort(), or with the loop.
  kWrongThread,  // Only the loop's thread may do this.
  kQueueFull,
  kWouldBlock,  // Not now; a callback tells when.

  kOther,
};

// "connection reset" and the like: lower case, no period.
std::string_view ErrorName(Error error);

// "WHAT: connection reset", with the code that fits: Unavailable for what may pass (kReset,
// kRefused, kUnreachable), DeadlineExceeded, NotFound, AlreadyExists for kAddressInUse,
// PermissionDenied, ResourceExhausted, InvalidArgument, Unimplemented, FailedPrecondition,
// Cancelled, else Unknown. OK for kOk.
absl::Status ToStatus(Error error, std::string_view what);

// From errno on Linux, and from WSAGetLastError() or GetLastError() on Windows. Never kOk.
Error ErrorFromSystem(int code);

}  // namespace strata::net

#endif  // STRATA_NET_ERROR_H_
