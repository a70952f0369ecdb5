// The decoder.
//
// A call goes through headers and payloads until there is an event or no byte left. What a frame or
// message is about stays in the decoder from call to call; bytes do only where a message is wanted
// whole and has not come in one piece.

#include "strata/ws/decoder.h"

#include <algorithm>
#include <cstring>

namespace strata::ws {
namespace {

using Kind = DecoderEvent::Kind;

// What a part holds at most that does not lie in the bytes given: one that was inflated, or copied
// to be unmasked.
constexpr std::size_t kPartBytes = 16 << 10;

// Compressed bytes are inflated in steps that end where this many came of the message, or the bytes
// given do. A step is unmasked on the stack.
constexpr std::size_t kInflateStep = 4 << 10;

// What a message may be larger on the wire than after inflating: DEFLATE's fixed codes make nine
// bits of a byte at most, and a block has a few more.
constexpr std::uint64_t DeflateOverhead(std::uint64_t bytes) { return bytes / 8 + 64; }

}  // namespace

struct MessageDecoder::Input {
  const char* at;
  const char* end;
  bool writable;

  std::size_t left() const { return static_cast<std::size_t>(end - at); }
};

DecoderEvent MessageDecoder::Next(std::span<char>* input) {
  Input bytes = {input->data(), input->data() + input->size(), true};
  const DecoderEvent event = Decode(bytes);
  *input = input->last(bytes.left());
  return event;
}

DecoderEvent MessageDecoder::Next(std::string_view* input) {
  Input bytes = {input->data(), input->data() + input->size(), false};
  const DecoderEvent event = Decode(bytes);
  input->remove_prefix(input->size() - bytes.left());
  return event;
}

DecoderEvent MessageDecoder::Decode(Input& input) {
  TakeBackLent();
  while (!ended_) {
    DecoderEvent event = in_frame_ ? DecoderEvent() : TakeHeader(input);
    if (event.kind == Kind::kNeedMore && in_frame_) event = TakePayload(input);
    if (event.kind != Kind::kNeedMore) return event;
    if (input.left() == 0) return event;
  }
  input.at = input.end;
  return {};
}

// The memory of the last event. Behind a control frame's bytes there are none, before them those of
// the message that it came amid.
void MessageDecoder::TakeBackLent() {
  if (!lent_) return;
  lent_ = false;
  buffer_.Resize(control_bytes_ != 0 ? buffer_.size() - control_bytes_ : 0);
  control_bytes_ = 0;
  if (buffer_.empty()) buffer_.Free();
}

DecoderEvent MessageDecoder::TakeHeader(Input& input) {
  if (input.left() == 0) return {};
  const FrameRules rules = {.role = options_->role, .deflate = inflater_ != nullptr};
  FrameHeader header;
  ProtocolError error;
  HeaderParse parse;
  if (header_size_ == 0) {
    parse = DecodeFrameHeader({input.at, input.left()}, rules, &header, &error);
  } else {
    const std::size_t added = std::min(input.left(), header_.size() - header_size_);
    std::memcpy(header_.data() + header_size_, input.at, added);
    parse = DecodeFrameHeader({header_.data(), header_size_ + added}, rules, &header, &error);
  }
  switch (parse) {
    case HeaderParse::kBad:
      return Fail(error);
    case HeaderParse::kMore:
      // What is kept of it already has been copied above with the rest.
      if (header_size_ == 0) std::memcpy(header_.data(), input.at, input.left());
      header_size_ = static_cast<std::uint8_t>(header_size_ + input.left());
      input.at = input.end;
      return {};
    case HeaderParse::kDone:
      input.at += header.size - header_size_;
      header_size_ = 0;
      error = BeginFrame(header);
      return error == ProtocolError::kNone ? DecoderEvent() : Fail(error);
  }
  return {};
}

ProtocolError MessageDecoder::BeginFrame(const FrameHeader& header) {
  in_frame_ = true;
  opcode_ = header.opcode;
  key_ = header.key;
  frame_left_ = header.payload_bytes;
  return IsControl(opcode_) ? ProtocolError::kNone : BeginDataFrame(header);
}

void MessageDecoder::BeginMessage(const FrameHeader& header) {
  in_message_ = true;
  text_ = header.opcode == Opcode::kText;
  compressed_ = header.compressed;
  first_part_ = true;
  fragments_ = 0;
  message_bytes_ = 0;
  wire_bytes_ = 0;
  utf8_.Reset();
}

ProtocolError MessageDecoder::BeginDataFrame(const FrameHeader& header) {
  // Section 5.4: a message's first frame has its opcode, and those after it have none.
  if (in_message_ && opcode_ != Opcode::kContinuation) return ProtocolError::kMessageWithinMessage;
  if (!in_message_ && opcode_ == Opcode::kContinuation) {
    return ProtocolError::kContinuationOfNothing;
  }
  if (!in_message_) BeginMessage(header);
  fin_ = header.fin;

  // What the frame says of itself is enough to refuse it.
  if (frame_left_ > options_->max_frame_bytes) return ProtocolError::kFrameTooLarge;
  if (fragments_ == options_->max_fragments) return ProtocolError::kTooManyFragments;
  ++fragments_;
  // No sum overflows: a frame has less than 2^63 bytes, and a sum beyond the limit ends it all.
  wire_bytes_ += frame_left_;
  if (compressed_) {
    const std::uint64_t limit = options_->max_message_bytes;
    return wire_bytes_ > limit && wire_bytes_ - limit > DeflateOverhead(limit)
               ? ProtocolError::kMessageTooLarge
               : ProtocolError::kNone;
  }
  message_bytes_ = wire_bytes_;
  return CheckMessageBytes();
}

std::uint64_t MessageDecoder::MessageLimit() const {
  const bool fragmented = fragments_ > 1 || !fin_;
  if (!fragmented || options_->in_parts) return options_->max_message_bytes;
  return std::min(options_->max_message_bytes, options_->max_fragmented_bytes);
}

ProtocolError MessageDecoder::CheckMessageBytes() const {
  if (message_bytes_ <= MessageLimit()) return ProtocolError::kNone;
  return message_bytes_ > options_->max_message_bytes ? ProtocolError::kMessageTooLarge
                                                      : ProtocolError::kFragmentsTooLarge;
}

DecoderEvent MessageDecoder::TakePayload(Input& input) {
  if (IsControl(opcode_)) return TakeControl(input);
  if (compressed_) return TakeCompressed(input);
  return options_->in_parts ? TakePart(input) : TakeWhole(input);
}

// Whether the payload can be lent where it lies.
bool MessageDecoder::CanLend(const Input& input) const {
  return input.writable || options_->role == Role::kClient;
}

// Takes the next bytes of the frame, which CanLend().
std::string_view MessageDecoder::UnmaskInPlace(Input& input, std::size_t bytes) {
  const std::string_view payload(input.at, bytes);
  // What a client gets is not masked, and may not be writable.
  if (options_->role == Role::kServer) {
    key_ = ApplyMask({const_cast<char*>(input.at), bytes}, key_);
  }
  input.at += bytes;
  frame_left_ -= bytes;
  return payload;
}

// Takes the next bytes of the frame into the buffer, which may come to hold `most`.
std::string_view MessageDecoder::UnmaskToBuffer(Input& input, std::size_t bytes, std::size_t most) {
  const std::size_t before = buffer_.size();
  buffer_.Reserve(before + bytes, most);
  char* const to = buffer_.data() + before;
  // A client's key is of zeros.
  key_ = CopyMasked(to, input.at, bytes, key_);
  buffer_.Resize(before + bytes);
  input.at += bytes;
  frame_left_ -= bytes;
  return {to, bytes};
}

DecoderEvent MessageDecoder::TakeControl(Input& input) {
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, input.left()));
  if (control_bytes_ == 0 && bytes == frame_left_ && (bytes == 0 || CanLend(input))) {
    in_frame_ = false;
    return ControlEvent(UnmaskInPlace(input, bytes));
  }
  UnmaskToBuffer(input, bytes, buffer_.size() + kMaxControlBytes);
  control_bytes_ = static_cast<std::uint8_t>(control_bytes_ + bytes);
  if (frame_left_ != 0) return {};
  in_frame_ = false;
  lent_ = true;
  return ControlEvent({buffer_.data() + buffer_.size() - control_bytes_, control_bytes_});
}

DecoderEvent MessageDecoder::TakeWhole(Input& input) {
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, input.left()));
  const bool last = bytes == frame_left_ && fin_;
  if (last && bytes == message_bytes_ && (bytes == 0 || CanLend(input))) {
    const std::string_view message = UnmaskInPlace(input, bytes);
    const ProtocolError error = CheckText(message, true);
    return error == ProtocolError::kNone ? MessageEvent(message) : Fail(error);
  }
  // The bytes that are known to come are the most there is a use for.
  const std::string_view piece =
      UnmaskToBuffer(input, bytes, fin_ ? message_bytes_ : options_->max_message_bytes);
  const ProtocolError error = CheckText(piece, last);
  if (error != ProtocolError::kNone) return Fail(error);
  if (last) {
    lent_ = true;
    return MessageEvent({buffer_.data(), buffer_.size()});
  }
  in_frame_ = frame_left_ != 0;
  return {};
}

DecoderEvent MessageDecoder::TakePart(Input& input) {
  auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, input.left()));
  std::string_view part;
  if (bytes == 0 || CanLend(input)) {
    part = UnmaskInPlace(input, bytes);
  } else {
    bytes = std::min(bytes, kPartBytes);
    part = UnmaskToBuffer(input, bytes, kPartBytes);
    lent_ = true;
  }
  in_frame_ = frame_left_ != 0;
  const bool last = !in_frame_ && fin_;
  const ProtocolError error = CheckText(part, last);
  if (error != ProtocolError::kNone) return Fail(error);
  if (part.empty() && !last) return {};
  return PartEvent(part, last);
}

// Inflates until an event, or until all bytes are taken. In parts, what is inflated becomes one
// when it fills kPartBytes, and when no more can be had from the bytes or the frame.
DecoderEvent MessageDecoder::TakeCompressed(Input& input) {
  bool last = false;
  while (!last) {
    const bool finish = frame_left_ == 0 && fin_;
    if (!finish && !inflater_full_ && (frame_left_ == 0 || input.left() == 0)) break;
    const std::span<char> room = RoomToInflate(input.left());
    std::size_t written = 0;
    const InflateState state =
        finish ? inflater_->Finish(room, &written) : InflateSome(input, room, &written);
    inflater_full_ = state == InflateState::kFull;
    last = finish && state == InflateState::kDone;
    ProtocolError error = AddInflated(written, last);
    if (error == ProtocolError::kNone && state == InflateState::kBad) {
      error = ProtocolError::kBadDeflate;
    }
    if (error != ProtocolError::kNone) return Fail(error);
    if (options_->in_parts && buffer_.size() == kPartBytes) break;
  }
  in_frame_ = frame_left_ != 0 || inflater_full_ || (fin_ && !last);
  if (options_->in_parts ? buffer_.empty() && !last : !last) return {};
  lent_ = true;
  const std::string_view inflated(buffer_.data(), buffer_.size());
  return options_->in_parts ? PartEvent(inflated, last) : MessageEvent(inflated);
}

// The free part of the buffer, made larger if there is none. A byte more than the limit is enough
// to find a message too large.
std::span<char> MessageDecoder::RoomToInflate(std::size_t input_bytes) {
  constexpr std::size_t kMinRoom = 512;
  constexpr std::size_t kUsualRatio = 4;
  if (buffer_.size() == buffer_.capacity()) {
    const std::size_t limit = std::min<std::uint64_t>(MessageLimit(), SIZE_MAX / 2);
    const std::size_t most = options_->in_parts ? kPartBytes : limit + 1;
    const std::size_t guess = std::max(kMinRoom, kUsualRatio * std::min(input_bytes, kPartBytes));
    buffer_.Reserve(std::min(buffer_.empty() ? guess : buffer_.size() + 1, most), most);
  }
  return {buffer_.data() + buffer_.size(), buffer_.capacity() - buffer_.size()};
}

InflateState MessageDecoder::InflateSome(Input& input, std::span<char> room, std::size_t* written) {
  const std::uint64_t step = kInflateStep - (wire_bytes_ - frame_left_) % kInflateStep;
  std::string_view some(input.at, std::min<std::uint64_t>({frame_left_, input.left(), step}));
  std::array<char, kInflateStep> unmasked;
  if (options_->role == Role::kServer) {
    // Not in place: the inflater may not take all of it this time.
    CopyMasked(unmasked.data(), some.data(), some.size(), key_);
    some = {unmasked.data(), some.size()};
  }
  const std::size_t given = some.size();
  const InflateState state = inflater_->Inflate(&some, room, written);
  const std::size_t taken = given - some.size();
  key_ = key_.After(taken);
  input.at += taken;
  frame_left_ -= taken;
  return state;
}

// What may have come of the message by now. The bytes on the wire count as whole steps: within one,
// it is the same number, so that it does not matter how the bytes were cut.
std::uint64_t MessageDecoder::InflateLimit() const {
  const std::uint64_t ratio = options_->max_inflate_ratio;
  const std::uint64_t steps = (wire_bytes_ - frame_left_ + kInflateStep - 1) / kInflateStep;
  if (ratio == 0 || steps > UINT64_MAX / kInflateStep / ratio) return UINT64_MAX;
  return std::max(options_->inflate_free_bytes, steps * kInflateStep * ratio);
}

// Takes what was inflated behind the buffer's end into it. Text is looked at up to the limit first,
// so that of two errors it is the same one however the bytes were cut.
ProtocolError MessageDecoder::AddInflated(std::size_t bytes, bool last) {
  const std::string_view piece(buffer_.data() + buffer_.size(), bytes);
  buffer_.Resize(buffer_.size() + bytes);
  const std::uint64_t limit = std::min(MessageLimit(), InflateLimit());
  const std::uint64_t within = std::min<std::uint64_t>(bytes, limit - message_bytes_);
  message_bytes_ += bytes;
  const ProtocolError error = CheckText(piece.substr(0, within), last && within == bytes);
  if (error != ProtocolError::kNone || message_bytes_ <= limit) return error;
  return limit == MessageLimit() ? CheckMessageBytes() : ProtocolError::kInflateRatio;
}

// A piece of the message; the last one ends it.
ProtocolError MessageDecoder::CheckText(std::string_view piece, bool last) {
  if (!text_) return ProtocolError::kNone;
  const bool valid = utf8_.Add(piece) == piece.size() && (!last || utf8_.IsComplete());
  return valid ? ProtocolError::kNone : ProtocolError::kTextNotUtf8;
}

DecoderEvent MessageDecoder::MessageEvent(std::string_view payload) {
  in_frame_ = false;
  in_message_ = false;
  DecoderEvent event;
  event.kind = Kind::kMessage;
  event.text = text_;
  event.payload = payload;
  return event;
}

DecoderEvent MessageDecoder::PartEvent(std::string_view payload, bool last) {
  if (last) in_message_ = false;
  DecoderEvent event;
  event.kind = Kind::kPart;
  event.text = text_;
  event.first = first_part_;
  event.last = last;
  event.payload = payload;
  first_part_ = false;
  return event;
}

DecoderEvent MessageDecoder::ControlEvent(std::string_view payload) {
  if (opcode_ == Opcode::kClose) return CloseEvent(payload);
  DecoderEvent event;
  event.kind = opcode_ == Opcode::kPing ? Kind::kPing : Kind::kPong;
  event.payload = payload;
  return event;
}

// Sections 5.5.1 and 7.4.
DecoderEvent MessageDecoder::CloseEvent(std::string_view payload) {
  DecoderEvent event;
  event.kind = Kind::kClose;
  if (payload.size() == 1) return Fail(ProtocolError::kShortClosePayload);
  if (!payload.empty()) {
    const auto code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                                 static_cast<std::uint8_t>(payload[1]));
    if (!IsValidOnWire(code)) return Fail(ProtocolError::kCloseCode);
    event.code = static_cast<CloseCode>(code);
    event.payload = payload.substr(2);
    if (!IsValidUtf8(event.payload)) return Fail(ProtocolError::kCloseReasonNotUtf8);
  }
  ended_ = true;
  inflater_.reset();
  return event;
}

DecoderEvent MessageDecoder::Fail(ProtocolError error) {
  ended_ = true;
  inflater_.reset();
  buffer_.Free();
  lent_ = false;
  DecoderEvent event;
  event.kind = Kind::kError;
  event.error = error;
  event.code = CloseCodeOf(error);
  return event;
}

}  // namespace strata::ws
