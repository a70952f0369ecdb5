// File: decoder.h
//
// The receiving half of a connection, RFC 6455 sections 5 to 7: bytes in, messages and control
// frames out.
//
//   MessageDecoder decoder(&options);
//   DecoderEvent event;
//   while ((event = decoder.Next(&bytes)).kind != DecoderEvent::Kind::kNeedMore) {
//     switch (event.kind) {
//       case DecoderEvent::Kind::kMessage:  // event.payload, event.text
//       case DecoderEvent::Kind::kPing:     // Answer by a pong with event.payload.
//       case DecoderEvent::Kind::kPong:
//       case DecoderEvent::Kind::kClose:    // Answer by a Close with event.code, and close.
//       case DecoderEvent::Kind::kError:    // Send a Close with event.code, and close.
//       ...
//     }
//   }
//
// No I/O and no clock. Bytes come in pieces of any size, and what comes out does not depend on
// where they are cut. Frames, order, UTF-8, close codes and limits are checked as soon as the bytes
// for it are there: text is refused at its first bad byte, a frame that is too large before its
// payload.

#ifndef STRATA_WS_DECODER_H_
#define STRATA_WS_DECODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "strata/ws/byte_buffer_internal.h"
#include "strata/ws/close_code.h"
#include "strata/ws/compression.h"
#include "strata/ws/frame.h"
#include "strata/ws/mask.h"
#include "strata/ws/protocol_error.h"
#include "strata/ws/utf8.h"

namespace strata::ws {

struct DecoderOptions {
  // The side that decodes: a server's decoder wants masked frames.
  Role role = Role::kServer;

  // Messages come in parts, as they arrive, instead of whole. Nothing is buffered then, and
  // max_fragmented_bytes does not count.
  bool in_parts = false;

  // The payload of one frame of a message, as it is on the wire.
  std::uint64_t max_frame_bytes = 16 << 20;

  // A message, after inflating. A compressed one may be no larger on the wire either, but for what
  // DEFLATE adds to data that it cannot compress.
  std::uint64_t max_message_bytes = 16 << 20;

  // What a message may hold in memory that comes in more than one frame, after inflating.
  std::uint64_t max_fragmented_bytes = 16 << 20;

  // The frames of one message, empty ones too.
  std::uint32_t max_fragments = 128 << 10;

  // A message may inflate to this many times the bytes that came of it, counted in steps of 4 KB,
  // once it is larger than inflate_free_bytes. 0 is any number of times: DEFLATE ends at 1032.
  std::uint32_t max_inflate_ratio = 200;
  std::uint64_t inflate_free_bytes = 1 << 20;
};

struct DecoderEvent {
  enum class Kind : std::uint8_t {
    kNeedMore,  // All bytes are taken.
    kMessage,   // A whole message.
    kPart,      // With DecoderOptions::in_parts: some bytes of one, which may cut a character.
    kPing,      // To be answered by a pong with the same payload (section 5.5.2).
    kPong,
    kClose,  // The peer sends nothing more. Nothing is decoded after it.
    kError,  // The peer broke a rule. Nothing is decoded after it.
  };

  Kind kind = Kind::kNeedMore;

  // Of a message or part: text, which is valid UTF-8, or binary.
  bool text = false;

  // Of a part. The last one may be empty.
  bool first = false;
  bool last = false;

  // Of an error: what it is, and CloseCodeOf() it below.
  ProtocolError error = ProtocolError::kNone;

  // Of a Close frame: what it says, or kNoStatus. Of an error: what to send.
  CloseCode code = CloseCode::kNoStatus;

  // The message, the part, what a ping or pong carries (at most kMaxControlBytes), the reason of a
  // Close frame (UTF-8). Valid until the next call of Next(), and no longer than the bytes given to
  // this one.
  std::string_view payload;
};

// It holds memory only while a message or a control frame is incomplete, at most about twice what
// came of it, or what the last event lent. Belongs to one thread at a time.
class MessageDecoder {
 public:
  // The options outlive it, and may serve many. With an inflater, permessage-deflate was agreed on.
  explicit MessageDecoder(const DecoderOptions* options,
                          std::unique_ptr<MessageInflater> inflater = nullptr)
      : options_(options), inflater_(std::move(inflater)) {}

  // Takes bytes from the front of *input and returns the next event, to be called until that is
  // kNeedMore. The caller may leave off before, and go on later with the bytes that are left.
  //
  // The first form unmasks in the bytes' own place, whose values after that are unspecified: then a
  // message that came whole is not copied. The second one copies what is masked.
  DecoderEvent Next(std::span<char>* input);
  DecoderEvent Next(std::string_view* input);

  // Whether a Close frame or an error has come: what follows is taken and dropped.
  bool ended() const { return ended_; }

  // Whether it is between the frames of a message, or within a frame.
  bool in_message() const { return in_message_ || in_frame_; }

  // What it has allocated, its inflater's memory not counted.
  std::size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  struct Input;

  DecoderEvent Decode(Input& input);
  void TakeBackLent();
  DecoderEvent TakeHeader(Input& input);
  ProtocolError BeginFrame(const FrameHeader& header);
  ProtocolError BeginDataFrame(const FrameHeader& header);
  void BeginMessage(const FrameHeader& header);
  std::uint64_t MessageLimit() const;
  ProtocolError CheckMessageBytes() const;

  DecoderEvent TakePayload(Input& input);
  DecoderEvent TakeControl(Input& input);
  DecoderEvent TakeWhole(Input& input);
  DecoderEvent TakePart(Input& input);
  DecoderEvent TakeCompressed(Input& input);
  bool CanLend(const Input& input) const;
  std::string_view UnmaskInPlace(Input& input, std::size_t bytes);
  std::string_view UnmaskToBuffer(Input& input, std::size_t bytes, std::size_t most);
  std::span<char> RoomToInflate(std::size_t input_bytes);
  InflateState InflateSome(Input& input, std::span<char> room, std::size_t* written);
  std::uint64_t InflateLimit() const;
  ProtocolError AddInflated(std::size_t bytes, bool last);
  ProtocolError CheckText(std::string_view piece, bool last);

  DecoderEvent MessageEvent(std::string_view payload);
  DecoderEvent PartEvent(std::string_view payload, bool last);
  DecoderEvent ControlEvent(std::string_view payload);
  DecoderEvent CloseEvent(std::string_view payload);
  DecoderEvent Fail(ProtocolError error);

  const DecoderOptions* options_;
  std::unique_ptr<MessageInflater> inflater_;

  // What came of a message, if it is kept, and behind it what came of a control frame.
  ByteBuffer buffer_;

  // Of the frame: the bytes of its payload to come.
  std::uint64_t frame_left_ = 0;

  // Of the message: its bytes, after inflating, those of a begun frame already counted if it is not
  // compressed; and those on the wire.
  std::uint64_t message_bytes_ = 0;
  std::uint64_t wire_bytes_ = 0;

  // Frames of the message that have begun.
  std::uint32_t fragments_ = 0;

  // For the next byte of the frame.
  MaskKey key_;

  Utf8Validator utf8_;

  // A header that came in parts.
  std::uint8_t header_size_ = 0;
  std::array<char, kMaxFrameHeaderBytes> header_;

  Opcode opcode_ = Opcode::kContinuation;

  // Bytes of a control frame in the buffer.
  std::uint8_t control_bytes_ = 0;

  bool in_frame_ : 1 = false;
  bool fin_ : 1 = false;
  bool in_message_ : 1 = false;
  bool text_ : 1 = false;
  bool compressed_ : 1 = false;
  bool first_part_ : 1 = false;
  bool inflater_full_ : 1 = false;  // It has more to write.
  bool lent_ : 1 = false;           // The last event's payload is the buffer's.
  bool ended_ : 1 = false;
};

static_assert(sizeof(MessageDecoder) <= 80);

}  // namespace strata::ws

#endif  // STRATA_WS_DECODER_H_
