// File: encoder.h
//
// The sending half of a connection, RFC 6455 sections 5 and 6: messages and control frames in,
// bytes out.
//
//   std::string out;
//   MessageEncoder encoder({.role = Role::kServer});
//   encoder.AddText("Hello", &out);
//   encoder.AddClose(CloseCode::kNormal, "done", &out);
//
// A message for many connections is encoded once, and its bytes are shared:
//
//   EncodedMessage message = EncodedMessage::Text("Hello", deflater);
//   stream.WriteShared(message.plain());

#ifndef STRATA_WS_ENCODER_H_
#define STRATA_WS_ENCODER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "strata/ws/close_code.h"
#include "strata/ws/compression.h"
#include "strata/ws/frame.h"
#include "strata/ws/mask.h"

namespace strata::ws {

// Gives the key of each frame that a client sends. Keys must not be predictable for whoever chooses
// the payload (RFC 6455 section 10.3): from the system's random numbers, or a generator for
// cryptography that these seed.
using MaskKeyGenerator = absl::AnyInvocable<MaskKey()>;

struct EncoderOptions {
  // The side that encodes: a client masks.
  Role role = Role::kServer;

  // For a client, whom it serves for all its frames; not owned. A server needs none.
  MaskKeyGenerator* mask_keys = nullptr;

  // A message goes in frames of at most this many bytes of payload. 0: in one frame.
  std::size_t fragment_bytes = 0;

  // Compresses messages where that is worthwhile, if permessage-deflate was agreed on; not owned.
  MessageDeflater* deflater = nullptr;
};

// What a Close frame has room for beside its code.
inline constexpr std::size_t kMaxCloseReasonBytes = kMaxControlBytes - 2;

// Appends frames to strings. Belongs to one thread at a time.
//
// Without this, a server sends a message as the bytes of EncodeFrameHeader() and the message's own.
class MessageEncoder {
 public:
  explicit MessageEncoder(const EncoderOptions& options) : options_(options) {}

  // A whole message. It is up to the caller that text is UTF-8.
  void AddText(std::string_view message, std::string* out) { Add(Opcode::kText, message, out); }
  void AddBinary(std::string_view message, std::string* out) { Add(Opcode::kBinary, message, out); }

  // A message whose end is not known when it begins: each part is a frame of its own, the first one
  // with kText or kBinary, the others with kContinuation. Between them no other message may be
  // added, but control frames may. It is not compressed.
  void AddPart(Opcode opcode, std::string_view part, bool last, std::string* out);

  // Of at most kMaxControlBytes; what is more is cut off.
  void AddPing(std::string_view payload, std::string* out) {
    AddControl(Opcode::kPing, payload, out);
  }
  void AddPong(std::string_view payload, std::string* out) {
    AddControl(Opcode::kPong, payload, out);
  }

  // A code that may not be sent (IsValidOnWire()), as kNoStatus, makes an empty frame, without the
  // reason. A reason that is longer than kMaxCloseReasonBytes is cut off after a whole character.
  void AddClose(CloseCode code, std::string_view reason, std::string* out);

 private:
  void Add(Opcode opcode, std::string_view message, std::string* out);
  void AddControl(Opcode opcode, std::string_view payload, std::string* out);
  void AddFrame(FrameHeader header, std::string_view payload, std::string* out);

  EncoderOptions options_;
};

// A message as a server sends it to any number of connections: one frame, encoded once, and once
// more compressed. A handle of two shared pointers, to be copied; its bytes never change, and any
// thread may read them.
class EncodedMessage {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  // Empty: both pointers null.
  EncodedMessage() = default;

  // A deflater that takes no context over, for its message has to stand for itself; or none.
  static EncodedMessage Text(std::string_view message, MessageDeflater* deflater = nullptr) {
    return Encode(Opcode::kText, message, deflater);
  }
  static EncodedMessage Binary(std::string_view message, MessageDeflater* deflater = nullptr) {
    return Encode(Opcode::kBinary, message, deflater);
  }

  // For every connection.
  const Bytes& plain() const { return plain_; }

  // For connections that have agreed on permessage-deflate, with a window for the server's messages
  // that is not smaller than the deflater's, and whose own messages take no context over: a
  // compressor that does would not know of this message, while its peer's inflater would. The plain
  // one if compression was not worthwhile.
  const Bytes& compressed() const { return compressed_; }

 private:
  static EncodedMessage Encode(Opcode opcode, std::string_view message, MessageDeflater* deflater);

  Bytes plain_;
  Bytes compressed_;
};

}  // namespace strata::ws

#endif  // STRATA_WS_ENCODER_H_
