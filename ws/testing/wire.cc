#include "strata/ws/testing/wire.h"

#include <cstdlib>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::ws::wire {
namespace {

constexpr std::string_view kKey = "\x37\xfa\x21\x3d";

std::string ShortestLength(std::uint64_t length, int mask_bit) {
  if (length <= 125) return std::string(1, static_cast<char>(mask_bit | length));
  if (length <= 0xffff) return static_cast<char>(mask_bit | 126) + BigEndian(length, 2);
  return static_cast<char>(mask_bit | 127) + BigEndian(length, 8);
}

// Of long payloads the size and a hash.
std::string Shown(std::string_view bytes) {
  if (bytes.size() <= 64) return absl::CHexEscape(bytes);
  return absl::StrCat(bytes.size(), " bytes #", std::hash<std::string_view>()(bytes));
}

void AddEvent(const DecoderEvent& event, std::string& unfinished,
              std::vector<std::string>& events) {
  switch (event.kind) {
    case DecoderEvent::Kind::kNeedMore:
      return;
    case DecoderEvent::Kind::kMessage:
      events.push_back(event.text ? TextEvent(event.payload) : BinaryEvent(event.payload));
      return;
    case DecoderEvent::Kind::kPart:
      EXPECT_EQ(event.first, unfinished.empty()) << "first part";
      if (event.first) unfinished = event.text ? "t" : "b";
      EXPECT_EQ(unfinished[0], event.text ? 't' : 'b') << "the parts of one message";
      unfinished += event.payload;
      if (!event.last) return;
      unfinished.erase(0, 1);
      events.push_back(event.text ? TextEvent(unfinished) : BinaryEvent(unfinished));
      unfinished.clear();
      return;
    case DecoderEvent::Kind::kPing:
      events.push_back(PingEvent(event.payload));
      return;
    case DecoderEvent::Kind::kPong:
      events.push_back(PongEvent(event.payload));
      return;
    case DecoderEvent::Kind::kClose:
      events.push_back(CloseEvent(static_cast<int>(event.code), event.payload));
      return;
    case DecoderEvent::Kind::kError:
      EXPECT_EQ(event.code, CloseCodeOf(event.error));
      events.push_back(ErrorEvent(event.error));
      return;
  }
}

// In blocks of their own sizes, so that the sanitizers see a read behind an end.
template <typename Input>
void Feed(MessageDecoder& decoder, std::string_view piece, std::string& unfinished,
          std::vector<std::string>& events) {
  const std::unique_ptr<char[]> copy(new char[piece.size()]);
  piece.copy(copy.get(), piece.size());
  Input input(copy.get(), piece.size());
  for (;;) {
    const DecoderEvent event = decoder.Next(&input);
    AddEvent(event, unfinished, events);
    if (event.kind == DecoderEvent::Kind::kNeedMore) break;
  }
  EXPECT_TRUE(input.empty()) << input.size() << " bytes are left";
}

std::vector<std::size_t> PlacesToCut(std::size_t size) {
  std::vector<std::size_t> cuts;
  constexpr std::size_t kAll = 400;
  constexpr std::size_t kAtEnds = 24;
  const std::size_t step = size <= kAll ? 1 : size / 16;
  for (std::size_t cut = 1; cut < size;
       cut += cut < kAtEnds || cut + kAtEnds + step > size ? 1 : step) {
    cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace

std::string BigEndian(std::uint64_t number, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = bytes; i > 0; number >>= 8) text[--i] = static_cast<char>(number);
  return text;
}

std::string FrameWithKey(int first_byte, std::string_view payload, std::string_view key) {
  std::string frame(1, static_cast<char>(first_byte));
  frame += ShortestLength(payload.size(), 0x80);
  frame += key;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  }
  return frame;
}

std::string Frame(int first_byte, std::string_view payload) {
  return FrameWithKey(first_byte, payload, kKey);
}

std::string PlainFrame(int first_byte, std::string_view payload) {
  return static_cast<char>(first_byte) + ShortestLength(payload.size(), 0) + std::string(payload);
}

std::string Header(int first_byte, std::uint64_t length, std::size_t extended_bytes) {
  const std::uint64_t length7 = extended_bytes == 0 ? length : extended_bytes == 2 ? 126 : 127;
  return std::string{static_cast<char>(first_byte), static_cast<char>(0x80 | length7)} +
         BigEndian(length, extended_bytes) + std::string(kKey);
}

std::string ClosePayload(int code, std::string_view reason) {
  return BigEndian(static_cast<std::uint64_t>(code), 2) + std::string(reason);
}

std::string TextEvent(std::string_view message) {
  return absl::StrCat("text(", Shown(message), ")");
}
std::string BinaryEvent(std::string_view message) {
  return absl::StrCat("binary(", Shown(message), ")");
}
std::string PingEvent(std::string_view payload) {
  return absl::StrCat("ping(", Shown(payload), ")");
}
std::string PongEvent(std::string_view payload) {
  return absl::StrCat("pong(", Shown(payload), ")");
}
std::string CloseEvent(int code, std::string_view reason) {
  return absl::StrCat("close(", code, " ", Shown(reason), ")");
}
std::string ErrorEvent(ProtocolError error) {
  return absl::StrCat("error(", static_cast<int>(CloseCodeOf(error)), " ", TextOf(error), ")");
}

std::ostream& operator<<(std::ostream& out, const WireCase& wire_case) {
  return out << "RFC " << wire_case.section << ", " << wire_case.name << ": "
             << Shown(wire_case.bytes);
}

std::string NameOf(const ::testing::TestParamInfo<WireCase>& info) {
  std::string name = absl::StrCat("Rfc", info.param.section, "_", info.param.name);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return absl::StrCat(name, "_", info.index);
}

std::string Decode(MessageDecoder& decoder, std::string_view bytes, const Feeding& feeding) {
  std::string unfinished;
  std::vector<std::string> events;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= feeding.cuts.size(); ++i) {
    const std::size_t to = i < feeding.cuts.size() ? feeding.cuts[i] : bytes.size();
    const std::string_view piece = bytes.substr(from, to - from);
    if (feeding.writable) {
      Feed<std::span<char>>(decoder, piece, unfinished, events);
    } else {
      Feed<std::string_view>(decoder, piece, unfinished, events);
    }
    from = to;
  }
  std::string transcript;
  for (const std::string& event : events) {
    absl::StrAppend(&transcript, transcript.empty() ? "" : " ", event);
  }
  return transcript;
}

std::string Decode(const WireCase& wire_case, const Feeding& feeding, bool in_parts) {
  DecoderOptions options = wire_case.options;
  options.in_parts |= in_parts;
  MessageDecoder decoder(&options, wire_case.inflater ? wire_case.inflater() : nullptr);
  return Decode(decoder, wire_case.bytes, feeding);
}

void ExpectEventsHoweverCut(const WireCase& wire_case) {
  std::vector<std::size_t> every_byte;
  for (std::size_t cut = 1; cut < wire_case.bytes.size(); ++cut) every_byte.push_back(cut);
  // That limit is for messages that are kept.
  const bool same_in_parts =
      wire_case.events.find(TextOf(ProtocolError::kFragmentsTooLarge)) == std::string::npos;
  for (const bool in_parts : {false, true}) {
    if (in_parts && !same_in_parts) break;
    for (const bool writable : {true, false}) {
      SCOPED_TRACE(
          absl::StrCat(in_parts ? "in parts, " : "whole, ", writable ? "in place" : "copied"));
      ASSERT_EQ(Decode(wire_case, {writable, {}}, in_parts), wire_case.events);
      ASSERT_EQ(Decode(wire_case, {writable, every_byte}, in_parts), wire_case.events)
          << "byte by byte";
      for (const std::size_t cut : PlacesToCut(wire_case.bytes.size())) {
        ASSERT_EQ(Decode(wire_case, {writable, {cut}}, in_parts), wire_case.events)
            << "cut at " << cut;
      }
    }
  }
}

}  // namespace strata::ws::wire
