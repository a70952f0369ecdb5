// File: close_code.h
//
// Why a connection was closed: the status codes of RFC 6455 section 7.4.1 and those registered
// since (IANA, "WebSocket Close Code Number Registry"), and which of them may travel in a Close
// frame.
//
//   if (IsValidOnWire(code)) ...
//   CloseCodeName(CloseCode::kGoingAway);  // "going away"
//
// A code is any number of 16 bits: an application has its own from 4000 to 4999, a library or
// framework registers some from 3000 to 3999.

#ifndef STRATA_WS_CLOSE_CODE_H_
#define STRATA_WS_CLOSE_CODE_H_

#include <cstdint>
#include <string_view>

namespace strata::ws {

enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,  // A server shuts down, a browser leaves the page.
  kProtocolError = 1002,
  kUnsupportedData = 1003,     // A kind of message that the receiver does not take.
  kNoStatus = 1005,            // Never sent: a Close frame without a code came.
  kAbnormal = 1006,            // Never sent: the connection ended without a Close frame.
  kInvalidPayload = 1007,      // Text that is not UTF-8, data that does not inflate.
  kPolicyViolation = 1008,     // Where no other code fits.
  kMessageTooBig = 1009,       // More than the receiver takes.
  kMandatoryExtension = 1010,  // From a client: the server did not agree to an extension.
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
  kBadGateway = 1014,
  kTlsHandshake = 1015,  // Never sent: the TLS handshake failed.
};

// Whether a Close frame may carry it (sections 7.4.1 and 7.4.2). Not so are 1004, which has no
// meaning yet, 1005, 1006 and 1015, which only tell an application what it has not received, those
// up to 2999 that nobody has registered, and what is outside of 1000 to 4999. The same holds for
// sending and receiving.
constexpr bool IsValidOnWire(std::uint16_t code) {
  if (code >= 1000 && code <= 1014) return code != 1004 && code != 1005 && code != 1006;
  return code >= 3000 && code <= 4999;
}
constexpr bool IsValidOnWire(CloseCode code) {
  return IsValidOnWire(static_cast<std::uint16_t>(code));
}

// A few lower-case words; "library", "application" or "unknown" for a code that has no name here.
constexpr std::string_view CloseCodeName(CloseCode code) {
  switch (code) {
    case CloseCode::kNormal:
      return "normal";
    case CloseCode::kGoingAway:
      return "going away";
    case CloseCode::kProtocolError:
      return "protocol error";
    case CloseCode::kUnsupportedData:
      return "unsupported data";
    case CloseCode::kNoStatus:
      return "no status";
    case CloseCode::kAbnormal:
      return "abnormal";
    case CloseCode::kInvalidPayload:
      return "invalid payload";
    case CloseCode::kPolicyViolation:
      return "policy violation";
    case CloseCode::kMessageTooBig:
      return "message too big";
    case CloseCode::kMandatoryExtension:
      return "mandatory extension";
    case CloseCode::kInternalError:
      return "internal error";
    case CloseCode::kServiceRestart:
      return "service restart";
    case CloseCode::kTryAgainLater:
      return "try again later";
    case CloseCode::kBadGateway:
      return "bad gateway";
    case CloseCode::kTlsHandshake:
      return "TLS handshake";
  }
  const auto number = static_cast<std::uint16_t>(code);
  if (number >= 3000 && number <= 3999) return "library";
  if (number >= 4000 && number <= 4999) return "application";
  return "unknown";
}

}  // namespace strata::ws

#endif  // STRATA_WS_CLOSE_CODE_H_
