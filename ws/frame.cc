// Frame headers.

#include "strata/ws/frame.h"

namespace strata::ws {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kRsv2And3 = 0x30;
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7f;

// Lengths of 7 bits that stand for 16 or 64 bits that follow.
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

constexpr bool IsKnown(std::uint8_t opcode) {
  return opcode <= static_cast<std::uint8_t>(Opcode::kBinary) ||
         (opcode >= static_cast<std::uint8_t>(Opcode::kClose) &&
          opcode <= static_cast<std::uint8_t>(Opcode::kPong));
}

std::uint64_t NumberFrom(const char* bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  return number;
}

void NumberTo(std::uint64_t number, std::size_t size, char* bytes) {
  for (std::size_t i = size; i > 0; number >>= 8) bytes[--i] = static_cast<char>(number);
}

ProtocolError CheckFirstByte(std::uint8_t byte, const FrameRules& rules) {
  if ((byte & kRsv2And3) != 0) return ProtocolError::kReservedBit;
  if ((byte & kRsv1) != 0 && !rules.deflate) return ProtocolError::kReservedBit;
  if (!IsKnown(byte & kOpcode)) return ProtocolError::kReservedOpcode;
  const auto opcode = static_cast<Opcode>(byte & kOpcode);
  if (IsControl(opcode)) {
    if ((byte & kFin) == 0) return ProtocolError::kFragmentedControl;
    if ((byte & kRsv1) != 0) return ProtocolError::kCompressedControl;
  } else if (opcode == Opcode::kContinuation && (byte & kRsv1) != 0) {
    return ProtocolError::kCompressedContinuation;
  }
  return ProtocolError::kNone;
}

ProtocolError CheckSecondByte(std::uint8_t byte, Opcode opcode, const FrameRules& rules) {
  const bool masked = (byte & kMasked) != 0;
  if (masked && rules.role == Role::kClient) return ProtocolError::kMaskForbidden;
  if (!masked && rules.role == Role::kServer) return ProtocolError::kMaskMissing;
  if (IsControl(opcode) && (byte & kLength) > kMaxControlBytes) return ProtocolError::kLongControl;
  return ProtocolError::kNone;
}

}  // namespace

HeaderParse DecodeFrameHeader(std::string_view bytes, const FrameRules& rules, FrameHeader* header,
                              ProtocolError* error) {
  *error = ProtocolError::kNone;
  if (bytes.empty()) return HeaderParse::kMore;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  *error = CheckFirstByte(first, rules);
  if (*error != ProtocolError::kNone) return HeaderParse::kBad;
  header->opcode = static_cast<Opcode>(first & kOpcode);
  header->fin = (first & kFin) != 0;
  header->compressed = (first & kRsv1) != 0;

  if (bytes.size() < 2) return HeaderParse::kMore;
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  *error = CheckSecondByte(second, header->opcode, rules);
  if (*error != ProtocolError::kNone) return HeaderParse::kBad;
  header->masked = (second & kMasked) != 0;
  const std::uint8_t length = second & kLength;

  std::size_t size = 2;
  header->payload_bytes = length;
  if (length >= kLength16) {
    const std::size_t extended = length == kLength16 ? 2 : 8;
    if (bytes.size() < size + extended) return HeaderParse::kMore;
    header->payload_bytes = NumberFrom(bytes.data() + size, extended);
    size += extended;
    if (header->payload_bytes >> 63 != 0) *error = ProtocolError::kLengthTooLarge;
    if (header->payload_bytes < (length == kLength16 ? kLength16 : 0x10000)) {
      *error = ProtocolError::kLengthNotMinimal;
    }
    if (*error != ProtocolError::kNone) return HeaderParse::kBad;
  }
  header->key = MaskKey();
  if (header->masked) {
    if (bytes.size() < size + 4) return HeaderParse::kMore;
    header->key = MaskKey::FromBytes(bytes.data() + size);
    size += 4;
  }
  header->size = size;
  return HeaderParse::kDone;
}

std::size_t EncodeFrameHeader(const FrameHeader& header, char* to) {
  const std::uint64_t length = header.payload_bytes;
  const std::uint8_t mask = header.masked ? kMasked : 0;
  to[0] = static_cast<char>((header.fin ? kFin : 0) | (header.compressed ? kRsv1 : 0) |
                            static_cast<std::uint8_t>(header.opcode));
  std::size_t size = 2;
  if (length < kLength16) {
    to[1] = static_cast<char>(mask | length);
  } else if (length <= 0xffff) {
    to[1] = static_cast<char>(mask | kLength16);
    NumberTo(length, 2, to + size);
    size += 2;
  } else {
    to[1] = static_cast<char>(mask | kLength64);
    NumberTo(length, 8, to + size);
    size += 8;
  }
  if (header.masked) {
    header.key.ToBytes(to + size);
    size += 4;
  }
  return size;
}

}  // namespace strata::ws
