// The table of errors.

#include "strata/ws/protocol_error.h"

#include <array>
#include <cstddef>

namespace strata::ws {
namespace {

struct Entry {
  ProtocolError error;
  CloseCode code;
  std::string_view text;
  std::string_view section;
};

constexpr std::array kEntries = {
    Entry{ProtocolError::kNone, CloseCode::kNormal, "no error", ""},
    Entry{ProtocolError::kReservedBit, CloseCode::kProtocolError, "a reserved bit is set",
          "RFC 6455 section 5.2"},
    Entry{ProtocolError::kReservedOpcode, CloseCode::kProtocolError, "a reserved opcode",
          "RFC 6455 section 5.2"},
    Entry{ProtocolError::kFragmentedControl, CloseCode::kProtocolError,
          "a control frame in fragments", "RFC 6455 section 5.5"},
    Entry{ProtocolError::kLongControl, CloseCode::kProtocolError,
          "a control frame of more than 125 bytes", "RFC 6455 section 5.5"},
    Entry{ProtocolError::kCompressedControl, CloseCode::kProtocolError,
          "a control frame with the bit of compression", "RFC 7692 section 6.1"},
    Entry{ProtocolError::kMaskMissing, CloseCode::kProtocolError, "a client's frame without a mask",
          "RFC 6455 section 5.1"},
    Entry{ProtocolError::kMaskForbidden, CloseCode::kProtocolError, "a server's frame with a mask",
          "RFC 6455 section 5.1"},
    Entry{ProtocolError::kLengthNotMinimal, CloseCode::kProtocolError,
          "a length that is not in its shortest form", "RFC 6455 section 5.2"},
    Entry{ProtocolError::kLengthTooLarge, CloseCode::kProtocolError,
          "a length of more than 63 bits", "RFC 6455 section 5.2"},
    Entry{ProtocolError::kContinuationOfNothing, CloseCode::kProtocolError,
          "a continuation of no message", "RFC 6455 section 5.4"},
    Entry{ProtocolError::kMessageWithinMessage, CloseCode::kProtocolError,
          "a message begins within another", "RFC 6455 section 5.4"},
    Entry{ProtocolError::kCompressedContinuation, CloseCode::kProtocolError,
          "a continuation with the bit of compression", "RFC 7692 section 6.1"},
    Entry{ProtocolError::kShortClosePayload, CloseCode::kProtocolError,
          "a close frame with half a code", "RFC 6455 section 5.5.1"},
    Entry{ProtocolError::kCloseCode, CloseCode::kProtocolError, "a close code that may not be sent",
          "RFC 6455 section 7.4"},
    Entry{ProtocolError::kCloseReasonNotUtf8, CloseCode::kInvalidPayload,
          "a close reason that is not UTF-8", "RFC 6455 section 5.5.1"},
    Entry{ProtocolError::kTextNotUtf8, CloseCode::kInvalidPayload, "a text that is not UTF-8",
          "RFC 6455 section 8.1"},
    Entry{ProtocolError::kBadDeflate, CloseCode::kInvalidPayload, "a message that does not inflate",
          "RFC 7692 section 7.2.2"},
    Entry{ProtocolError::kFrameTooLarge, CloseCode::kMessageTooBig, "a frame that is too large",
          "RFC 6455 section 10.4"},
    Entry{ProtocolError::kMessageTooLarge, CloseCode::kMessageTooBig, "a message that is too large",
          "RFC 6455 section 10.4"},
    Entry{ProtocolError::kFragmentsTooLarge, CloseCode::kMessageTooBig,
          "fragments that are too large together", "RFC 6455 section 10.4"},
    Entry{ProtocolError::kTooManyFragments, CloseCode::kPolicyViolation,
          "a message in too many fragments", "RFC 6455 section 10.4"},
    Entry{ProtocolError::kInflateRatio, CloseCode::kPolicyViolation,
          "a message that inflates too much", "RFC 6455 section 10.4"},
};

constexpr bool IsInOrder() {
  for (std::size_t i = 0; i < kEntries.size(); ++i) {
    if (static_cast<std::size_t>(kEntries[i].error) != i) return false;
  }
  return true;
}
static_assert(IsInOrder());
static_assert(kEntries.size() == static_cast<std::size_t>(ProtocolError::kInflateRatio) + 1);

const Entry& EntryOf(ProtocolError error) { return kEntries[static_cast<std::size_t>(error)]; }

}  // namespace

CloseCode CloseCodeOf(ProtocolError error) { return EntryOf(error).code; }
std::string_view TextOf(ProtocolError error) { return EntryOf(error).text; }
std::string_view SectionOf(ProtocolError error) { return EntryOf(error).section; }

}  // namespace strata::ws
