#include "strata/ws/testing/decoder_model.h"

#include <cstdint>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

enum class Text { kBad, kCut, kWhole };

// By decoding each character and asking what it is.
Text Judge(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8) return Text::kBad;
    // The lowest and the highest scalar value that begins as the bytes that are there.
    std::uint32_t lowest = size == 1 ? lead : lead & (0x7f >> size);
    std::uint32_t highest = lowest;
    for (std::size_t i = 1; i < size; ++i) {
      const bool there = at + i < text.size();
      const auto byte = there ? static_cast<std::uint8_t>(text[at + i]) : std::uint8_t{0x80};
      if ((byte & 0xc0) != 0x80) return Text::kBad;
      lowest = lowest << 6 | (byte & 0x3f);
      highest = highest << 6 | (there ? byte & 0x3f : 0x3f);
    }
    constexpr std::uint32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (highest < kLowest[size] || lowest > 0x10ffff) return Text::kBad;
    if (lowest >= 0xd800 && highest <= 0xdfff) return Text::kBad;
    if (at + size > text.size()) return Text::kCut;
    at += size;
  }
  return Text::kWhole;
}

class Model {
 public:
  explicit Model(const DecoderOptions& options) : options_(options) {}

  void Add(char byte) {
    if (ended_) return;
    frame_.push_back(byte);
    if (const std::optional<ProtocolError> error = Look()) {
      ended_ = true;
      Tell(ErrorEvent(*error));
    }
  }

  std::string events;

 private:
  std::uint8_t At(std::size_t index) const { return static_cast<std::uint8_t>(frame_[index]); }
  void Tell(const std::string& event) {
    absl::StrAppend(&events, events.empty() ? "" : " ", event);
  }

  // Looks at all that came of the frame.
  std::optional<ProtocolError> Look() {
    const int opcode = At(0) & 15;
    const bool fin = At(0) >= 128;
    const bool control = opcode >= 8;
    if ((At(0) & 0x70) != 0) return ProtocolError::kReservedBit;
    if (!std::set<int>{0, 1, 2, 8, 9, 10}.contains(opcode)) return ProtocolError::kReservedOpcode;
    if (control && !fin) return ProtocolError::kFragmentedControl;
    if (frame_.size() < 2) return std::nullopt;
    const bool masked = At(1) >= 128;
    if (masked != (options_.role == Role::kServer)) {
      return masked ? ProtocolError::kMaskForbidden : ProtocolError::kMaskMissing;
    }
    std::uint64_t length = At(1) & 127;
    if (control && length > 125) return ProtocolError::kLongControl;
    std::size_t header = 2;
    if (length > 125) {
      const std::size_t extended = length == 126 ? 2 : 8;
      header += extended;
      if (frame_.size() < header) return std::nullopt;
      const std::uint64_t least = length == 126 ? 126 : 65536;
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length * 256 + At(2 + i);
      if (length < least) return ProtocolError::kLengthNotMinimal;
      if (length > INT64_MAX) return ProtocolError::kLengthTooLarge;
    }
    const std::size_t key = header;
    if (masked) header += 4;
    if (frame_.size() < header) return std::nullopt;
    if (frame_.size() == header) {
      if (const auto error = Begin(opcode, fin, length)) return error;
    }
    std::string payload = frame_.substr(header);
    if (masked) {
      for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= frame_[key + i % 4];
    }
    return control ? LookAtControl(opcode, payload, length) : LookAtData(fin, payload, length);
  }

  std::optional<ProtocolError> Begin(int opcode, bool fin, std::uint64_t length) {
    if (opcode >= 8) return std::nullopt;
    if (opcode != 0 && within_message_) return ProtocolError::kMessageWithinMessage;
    if (opcode == 0 && !within_message_) return ProtocolError::kContinuationOfNothing;
    if (opcode != 0) {
      text_ = opcode == 1;
      frames_ = 0;
      message_.clear();
    }
    within_message_ = true;
    ++frames_;
    if (length > options_.max_frame_bytes) return ProtocolError::kFrameTooLarge;
    if (frames_ > options_.max_fragments) return ProtocolError::kTooManyFragments;
    const std::uint64_t total = message_.size() + length;
    if (total > options_.max_message_bytes) return ProtocolError::kMessageTooLarge;
    if ((frames_ > 1 || !fin) && total > options_.max_fragmented_bytes) {
      return ProtocolError::kFragmentsTooLarge;
    }
    return std::nullopt;
  }

  std::optional<ProtocolError> LookAtControl(int opcode, const std::string& payload,
                                             std::uint64_t length) {
    if (payload.size() < length) return std::nullopt;
    frame_.clear();
    if (opcode == 9) Tell(PingEvent(payload));
    if (opcode == 10) Tell(PongEvent(payload));
    if (opcode != 8) return std::nullopt;
    if (payload.size() == 1) return ProtocolError::kShortClosePayload;
    int code = 1005;
    if (!payload.empty()) {
      code = static_cast<std::uint8_t>(payload[0]) * 256 + static_cast<std::uint8_t>(payload[1]);
      const bool registered = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
      if (!registered && (code < 3000 || code > 4999)) return ProtocolError::kCloseCode;
      if (Judge(payload.substr(2)) != Text::kWhole) return ProtocolError::kCloseReasonNotUtf8;
    }
    Tell(CloseEvent(code, payload.empty() ? "" : payload.substr(2)));
    ended_ = true;
    return std::nullopt;
  }

  std::optional<ProtocolError> LookAtData(bool fin, const std::string& payload,
                                          std::uint64_t length) {
    const bool last = fin && payload.size() == length;
    const std::string so_far = message_ + payload;
    if (text_) {
      const Text verdict = Judge(so_far);
      if (verdict == Text::kBad || (last && verdict == Text::kCut)) {
        return ProtocolError::kTextNotUtf8;
      }
    }
    if (payload.size() < length) return std::nullopt;
    frame_.clear();
    message_ = so_far;
    if (!last) return std::nullopt;
    Tell(text_ ? TextEvent(message_) : BinaryEvent(message_));
    within_message_ = false;
    return std::nullopt;
  }

  const DecoderOptions options_;
  std::string frame_;
  std::string message_;
  std::uint64_t frames_ = 0;
  bool within_message_ = false;
  bool text_ = false;
  bool ended_ = false;
};

}  // namespace

std::string ModelEvents(std::string_view bytes, const DecoderOptions& options) {
  Model model(options);
  for (const char byte : bytes) model.Add(byte);
  return model.events;
}

}  // namespace strata::ws::wire
