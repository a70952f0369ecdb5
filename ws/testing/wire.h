// Frames as bytes, written by hand and not by the library's own encoder, and what a decoder makes
// of bytes, as text.

#ifndef STRATA_WS_TESTING_WIRE_H_
#define STRATA_WS_TESTING_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/decoder.h"

namespace strata::ws::wire {

// First bytes of frames.
inline constexpr int kFin = 0x80;
inline constexpr int kRsv1 = 0x40;
inline constexpr int kRsv2 = 0x20;
inline constexpr int kRsv3 = 0x10;
inline constexpr int kContinuation = 0x0;
inline constexpr int kText = 0x1;
inline constexpr int kBinary = 0x2;
inline constexpr int kClose = 0x8;
inline constexpr int kPing = 0x9;
inline constexpr int kPong = 0xa;

// A number in network order.
std::string BigEndian(std::uint64_t number, std::size_t bytes);

// A client's frame, masked by a key that has no zero in it.
std::string Frame(int first_byte, std::string_view payload);

// The same with the key chosen, of four bytes.
std::string FrameWithKey(int first_byte, std::string_view payload, std::string_view key);

// A server's frame.
std::string PlainFrame(int first_byte, std::string_view payload);

// Only the header of a client's frame, with a length in any form: of 0 bytes (7 bits), 2 or 8.
std::string Header(int first_byte, std::uint64_t length, std::size_t extended_bytes);

// The payload of a Close frame.
std::string ClosePayload(int code, std::string_view reason = "");

// What is in a transcript.
std::string TextEvent(std::string_view message);
std::string BinaryEvent(std::string_view message);
std::string PingEvent(std::string_view payload);
std::string PongEvent(std::string_view payload);
std::string CloseEvent(int code, std::string_view reason = "");
std::string ErrorEvent(ProtocolError error);

// Bytes, and the events that are to come of them.
struct WireCase {
  const char* section;  // "6455 5.2", of the RFC.
  std::string name;
  std::string bytes;
  std::string events;
  DecoderOptions options = {};
  std::function<std::unique_ptr<MessageInflater>()> inflater = nullptr;
};
std::ostream& operator<<(std::ostream& out, const WireCase& wire_case);

// "Rfc6455_5_2_name", for a parameterized test.
std::string NameOf(const ::testing::TestParamInfo<WireCase>& info);

// How bytes are given to a decoder.
struct Feeding {
  bool writable = true;
  std::vector<std::size_t> cuts;  // Offsets in rising order.
};

// The events of all bytes, separated by blanks. Parts are put together to messages; a message that
// is not complete leaves nothing.
std::string Decode(MessageDecoder& decoder, std::string_view bytes, const Feeding& feeding);

// The same by a decoder of its own.
std::string Decode(const WireCase& wire_case, const Feeding& feeding, bool in_parts = false);

// Whole, byte by byte, and cut in two everywhere, or, in long inputs, at many places; in messages
// and in parts; in place and copied: always the same events.
void ExpectEventsHoweverCut(const WireCase& wire_case);

}  // namespace strata::ws::wire

#endif  // STRATA_WS_TESTING_WIRE_H_
