// File: protocol_error.h
//
// What can be wrong with what a peer sends, with the code to close the connection by, and the rule
// that it breaks.
//
//   CloseCodeOf(error);  // CloseCode::kProtocolError
//   TextOf(error);       // "a reserved bit is set"
//   SectionOf(error);    // "RFC 6455 section 5.2"

#ifndef STRATA_WS_PROTOCOL_ERROR_H_
#define STRATA_WS_PROTOCOL_ERROR_H_

#include <cstdint>
#include <string_view>

#include "strata/ws/close_code.h"

namespace strata::ws {

enum class ProtocolError : std::uint8_t {
  kNone,

  // Of a frame's header: 1002.
  kReservedBit,
  kReservedOpcode,
  kFragmentedControl,
  kLongControl,
  kCompressedControl,
  kMaskMissing,
  kMaskForbidden,
  kLengthNotMinimal,
  kLengthTooLarge,

  // Of the order of frames: 1002.
  kContinuationOfNothing,
  kMessageWithinMessage,
  kCompressedContinuation,

  // Of a Close frame: 1002, but 1007 for the text.
  kShortClosePayload,
  kCloseCode,
  kCloseReasonNotUtf8,

  // Of a message's content: 1007.
  kTextNotUtf8,
  kBadDeflate,

  // Beyond this side's limits: 1009, where bytes are counted, else 1008.
  kFrameTooLarge,
  kMessageTooLarge,
  kFragmentsTooLarge,
  kTooManyFragments,
  kInflateRatio,
};

// What to send in the Close frame; kNormal for kNone.
CloseCode CloseCodeOf(ProtocolError error);

// A few lower-case words, fit for a log and for the reason of a Close frame.
std::string_view TextOf(ProtocolError error);

// The rule's place; empty for kNone.
std::string_view SectionOf(ProtocolError error);

}  // namespace strata::ws

#endif  // STRATA_WS_PROTOCOL_ERROR_H_
