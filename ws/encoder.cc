// The encoder.

#include "strata/ws/encoder.h"

#include <algorithm>
#include <optional>

namespace strata::ws {
namespace {

// A payload is copied and masked by pieces that stay in the first level cache between the two.
constexpr std::size_t kMaskedPieceBytes = 8 << 10;

// The longest beginning of at most kMaxCloseReasonBytes that cuts no character.
std::string_view CutReason(std::string_view reason) {
  if (reason.size() <= kMaxCloseReasonBytes) return reason;
  std::size_t size = kMaxCloseReasonBytes;
  while (size > 0 && (static_cast<unsigned char>(reason[size]) & 0xc0) == 0x80) --size;
  return reason.substr(0, size);
}

}  // namespace

void MessageEncoder::AddFrame(FrameHeader header, std::string_view payload, std::string* out) {
  header.masked = options_.role == Role::kClient;
  if (header.masked) header.key = (*options_.mask_keys)();
  header.payload_bytes = payload.size();
  char header_bytes[kMaxFrameHeaderBytes];
  out->append(header_bytes, EncodeFrameHeader(header, header_bytes));
  if (!header.masked) {
    out->append(payload);
    return;
  }
  MaskKey key = header.key;
  while (!payload.empty()) {
    const std::string_view piece = payload.substr(0, kMaskedPieceBytes);
    const std::size_t at = out->size();
    out->append(piece);
    key = ApplyMask({out->data() + at, piece.size()}, key);
    payload.remove_prefix(piece.size());
  }
}

void MessageEncoder::Add(Opcode opcode, std::string_view message, std::string* out) {
  FrameHeader header = {.opcode = opcode};
  if (options_.deflater) {
    if (const std::optional<std::string_view> deflated = options_.deflater->Deflate(message)) {
      header.compressed = true;
      message = *deflated;
    }
  }
  const std::size_t most = options_.fragment_bytes == 0 ? message.size() : options_.fragment_bytes;
  do {
    const std::string_view fragment = message.substr(0, most);
    message.remove_prefix(fragment.size());
    header.fin = message.empty();
    AddFrame(header, fragment, out);
    // RFC 7692 section 6.1: the bit is the first frame's alone.
    header = {.opcode = Opcode::kContinuation};
  } while (!message.empty());
}

void MessageEncoder::AddPart(Opcode opcode, std::string_view part, bool last, std::string* out) {
  AddFrame({.opcode = opcode, .fin = last}, part, out);
}

void MessageEncoder::AddControl(Opcode opcode, std::string_view payload, std::string* out) {
  AddFrame({.opcode = opcode}, payload.substr(0, kMaxControlBytes), out);
}

void MessageEncoder::AddClose(CloseCode code, std::string_view reason, std::string* out) {
  if (!IsValidOnWire(code)) return AddControl(Opcode::kClose, {}, out);
  const auto number = static_cast<std::uint16_t>(code);
  std::string payload = {static_cast<char>(number >> 8), static_cast<char>(number)};
  payload += CutReason(reason);
  AddControl(Opcode::kClose, payload, out);
}

EncodedMessage EncodedMessage::Encode(Opcode opcode, std::string_view message,
                                      MessageDeflater* deflater) {
  const auto frame = [opcode](std::string_view payload, bool compressed) {
    char header[kMaxFrameHeaderBytes];
    const std::size_t header_bytes = EncodeFrameHeader(
        {.opcode = opcode, .compressed = compressed, .payload_bytes = payload.size()}, header);
    auto bytes = std::make_shared<std::string>();
    bytes->reserve(header_bytes + payload.size());
    bytes->append(header, header_bytes).append(payload);
    return bytes;
  };
  EncodedMessage encoded;
  encoded.plain_ = frame(message, false);
  encoded.compressed_ = encoded.plain_;
  if (deflater) {
    if (const std::optional<std::string_view> deflated = deflater->Deflate(message)) {
      encoded.compressed_ = frame(*deflated, true);
    }
  }
  return encoded;
}

}  // namespace strata::ws
