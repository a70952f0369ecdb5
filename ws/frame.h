// File: frame.h
//
// The header of a frame, RFC 6455 section 5.2: read from bytes and written to them.
//
//   FrameHeader header;
//   switch (DecodeFrameHeader(bytes, rules, &header, &error)) {
//     case HeaderParse::kDone:  // header.size bytes were the header, the payload follows.
//     case HeaderParse::kMore:  // Call again with more bytes, from the beginning.
//     case HeaderParse::kBad:   // error says what is wrong.
//   }
//
// Without state: as a header is at most kMaxFrameHeaderBytes, a caller that gets it in parts keeps
// these. Each rule is checked as soon as the bytes it needs are there.

#ifndef STRATA_WS_FRAME_H_
#define STRATA_WS_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "strata/ws/mask.h"
#include "strata/ws/protocol_error.h"

namespace strata::ws {

// Which side a codec is on. A client masks what it sends, and a server does not (section 5.1).
enum class Role : std::uint8_t { kServer, kClient };

// Section 11.8. Those with the bit 8 are control frames (section 5.5).
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

constexpr bool IsControl(Opcode opcode) { return (static_cast<std::uint8_t>(opcode) & 0x8) != 0; }

// What a control frame carries at most (section 5.5).
inline constexpr std::size_t kMaxControlBytes = 125;

// Two bytes, eight of an extended length, four of a key.
inline constexpr std::size_t kMaxFrameHeaderBytes = 14;

struct FrameHeader {
  Opcode opcode = Opcode::kContinuation;

  // The last frame of its message.
  bool fin = true;

  // RSV1, which permessage-deflate sets on the first frame of a compressed message (RFC 7692
  // section 6). RSV2 and RSV3 mean nothing and are never set.
  bool compressed = false;

  // The key is sent, and the payload is masked by it, also by a key of zeros.
  bool masked = false;
  MaskKey key = {};

  // Less than 2^63.
  std::uint64_t payload_bytes = 0;

  // Of the header itself. DecodeFrameHeader() sets it.
  std::size_t size = 0;
};

// What a peer's frames have to be.
struct FrameRules {
  // Of the one who reads: a server wants masked frames, a client frames that are not.
  Role role = Role::kServer;

  // Whether permessage-deflate was agreed on. Without it RSV1 may not be set.
  bool deflate = false;
};

enum class HeaderParse { kDone, kMore, kBad };

// Reads the header at the beginning of `bytes`. What is wrong with a bad one goes to *error:
// reserved bits and opcodes, control frames that are fragmented, compressed or too long, lengths of
// 64 bits or not in their shortest form, masks that are missing or forbidden. kNone otherwise.
HeaderParse DecodeFrameHeader(std::string_view bytes, const FrameRules& rules, FrameHeader* header,
                              ProtocolError* error);

// Writes the header to `to`, which has room for kMaxFrameHeaderBytes, with the length in its
// shortest form. Returns its size. header.size is not looked at.
std::size_t EncodeFrameHeader(const FrameHeader& header, char* to);

// What EncodeFrameHeader() will return.
constexpr std::size_t FrameHeaderBytes(std::uint64_t payload_bytes, bool masked) {
  return (payload_bytes <= 125 ? 2 : payload_bytes <= 0xffff ? 4 : 10) + (masked ? 4 : 0);
}

}  // namespace strata::ws

#endif  // STRATA_WS_FRAME_H_
