// What the decoder does beside giving the right events: when, in whose memory, and how much of it.

#include "strata/ws/decoder.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

using Kind = DecoderEvent::Kind;

constexpr DecoderOptions kServer;
constexpr DecoderOptions kClient = {.role = Role::kClient};
constexpr DecoderOptions kInParts = {.in_parts = true};

bool IsWithin(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// Gives a piece, and returns the only event; what it lends is the decoder's own memory.
DecoderEvent Give(MessageDecoder& decoder, std::string piece) {
  std::span<char> input(piece);
  const DecoderEvent event = decoder.Next(&input);
  EXPECT_TRUE(input.empty() || event.kind == Kind::kError);
  return event;
}

TEST(DecoderTest, LendsAWholeMessageWhereItLies) {
  MessageDecoder decoder(&kServer);
  std::string bytes = Frame(kFin | kText, "in place") + Frame(kFin | kPing, "too");
  std::span<char> input(bytes);
  DecoderEvent event = decoder.Next(&input);
  EXPECT_EQ(event.kind, Kind::kMessage);
  EXPECT_EQ(event.payload, "in place");
  EXPECT_TRUE(IsWithin(event.payload, bytes));
  event = decoder.Next(&input);
  EXPECT_EQ(event.payload, "too");
  EXPECT_TRUE(IsWithin(event.payload, bytes));
  EXPECT_EQ(decoder.memory_bytes(), 0u);
}

TEST(DecoderTest, LendsAClientWhatItMayNotWriteTo) {
  MessageDecoder decoder(&kClient);
  const std::string bytes = PlainFrame(kFin | kBinary, std::string(70000, 'x'));
  std::string_view input = bytes;
  const DecoderEvent event = decoder.Next(&input);
  EXPECT_EQ(event.payload, std::string(70000, 'x'));
  EXPECT_TRUE(IsWithin(event.payload, bytes));
  EXPECT_EQ(decoder.memory_bytes(), 0u);
}

TEST(DecoderTest, LeavesBytesThatItMayNotWriteTo) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kText, "hidden") + Frame(kFin | kPing, "as well");
  const std::string before = bytes;
  std::string_view input = bytes;
  EXPECT_EQ(decoder.Next(&input).payload, "hidden");
  EXPECT_EQ(decoder.Next(&input).payload, "as well");
  EXPECT_EQ(bytes, before);
}

TEST(DecoderTest, HoldsMemoryOnlyWhileAMessageIsIncomplete) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kText, "a message in two pieces");
  EXPECT_EQ(Give(decoder, bytes.substr(0, 10)).kind, Kind::kNeedMore);
  EXPECT_GT(decoder.memory_bytes(), 0u);
  EXPECT_TRUE(decoder.in_message());
  EXPECT_EQ(Give(decoder, bytes.substr(10)).payload, "a message in two pieces");
  EXPECT_FALSE(decoder.in_message());
  EXPECT_EQ(Give(decoder, "").kind, Kind::kNeedMore);
  EXPECT_EQ(decoder.memory_bytes(), 0u);
}

TEST(DecoderTest, HoldsNothingOfAHeader) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kBinary, std::string(70000, 'x'));
  for (std::size_t i = 0; i < kMaxFrameHeaderBytes; ++i) Give(decoder, bytes.substr(i, 1));
  EXPECT_EQ(decoder.memory_bytes(), 0u);
}

TEST(DecoderTest, HoldsNoMoreThanTwiceWhatCame) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kBinary, std::string(1'000'000, 'x'));
  std::size_t given = 0;
  while (given + 1000 < bytes.size()) {
    Give(decoder, bytes.substr(given, 1000));
    given += 1000;
    ASSERT_LE(decoder.memory_bytes(), 2 * given);
    ASSERT_LE(decoder.memory_bytes(), 1'000'000u);
  }
  EXPECT_EQ(Give(decoder, bytes.substr(given)).payload.size(), 1'000'000u);
}

TEST(DecoderTest, HoldsAPartialControlFrameBehindTheMessage) {
  MessageDecoder decoder(&kServer);
  Give(decoder, Frame(kText, "begun "));
  const std::string ping = Frame(kFin | kPing, "ping");
  Give(decoder, ping.substr(0, 8));
  const DecoderEvent event = Give(decoder, ping.substr(8));
  EXPECT_EQ(event.kind, Kind::kPing);
  EXPECT_EQ(event.payload, "ping");
  EXPECT_EQ(Give(decoder, Frame(kFin, "ended")).payload, "begun ended");
}

TEST(DecoderTest, GivesMemoryBackWithTheEnd) {
  MessageDecoder decoder(&kServer);
  Give(decoder, Frame(kBinary, std::string(5000, 'x')));
  EXPECT_GE(decoder.memory_bytes(), 5000u);
  EXPECT_EQ(Give(decoder, Frame(kFin | kText, "")).kind, Kind::kError);
  EXPECT_EQ(decoder.memory_bytes(), 0u);
  EXPECT_TRUE(decoder.ended());
}

TEST(DecoderTest, GivesMessagesAmidAMessageNoMemoryInParts) {
  MessageDecoder decoder(&kInParts);
  for (int i = 0; i < 100; ++i) {
    std::string bytes = Frame(i == 0 ? kBinary : 0, std::string(1000, 'x'));
    std::span<char> input(bytes);
    const DecoderEvent event = decoder.Next(&input);
    EXPECT_EQ(event.kind, Kind::kPart);
    EXPECT_EQ(event.first, i == 0);
    EXPECT_FALSE(event.last);
    EXPECT_TRUE(IsWithin(event.payload, bytes));
    EXPECT_EQ(decoder.memory_bytes(), 0u);
  }
  const DecoderEvent event = Give(decoder, Frame(kFin, ""));
  EXPECT_EQ(event.kind, Kind::kPart);
  EXPECT_TRUE(event.last);
  EXPECT_EQ(event.payload, "");
}

TEST(DecoderTest, CopiesPartsOfABoundedSize) {
  MessageDecoder decoder(&kInParts);
  const std::string bytes = Frame(kFin | kBinary, std::string(100'000, 'x'));
  std::string_view input = bytes;
  std::size_t received = 0;
  DecoderEvent event;
  while ((event = decoder.Next(&input)).kind == Kind::kPart) {
    EXPECT_LE(decoder.memory_bytes(), 16u << 10);
    EXPECT_EQ(event.first, received == 0);
    received += event.payload.size();
    EXPECT_EQ(event.last, received == 100'000);
  }
  EXPECT_EQ(received, 100'000u);
}

TEST(DecoderTest, GoesOnWhereTheCallerLeftOff) {
  MessageDecoder decoder(&kServer);
  std::string bytes = Frame(kFin | kText, "one") + Frame(kFin | kText, "two");
  std::span<char> input(bytes);
  EXPECT_EQ(decoder.Next(&input).payload, "one");
  EXPECT_EQ(input.size(), Frame(kFin | kText, "two").size());
  // Somewhere else, as bytes that were put aside are.
  std::string kept(input.begin(), input.end());
  std::span<char> rest(kept);
  EXPECT_EQ(decoder.Next(&rest).payload, "two");
}

TEST(DecoderTest, FailsAtTheFirstBadByteOfAText) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kText, "good\xff" + std::string(1000, 'x'));
  EXPECT_EQ(Give(decoder, bytes.substr(0, 12)).kind, Kind::kNeedMore);
  const DecoderEvent event = Give(decoder, bytes.substr(12, 1));
  EXPECT_EQ(event.kind, Kind::kError);
  EXPECT_EQ(event.error, ProtocolError::kTextNotUtf8);
  EXPECT_EQ(event.code, CloseCode::kInvalidPayload);
}

TEST(DecoderTest, FailsAtTheByteOfTheHeaderThatIsWrong) {
  const std::pair<std::string, ProtocolError> headers[] = {
      {"\x83", ProtocolError::kReservedOpcode},
      {"\xc1", ProtocolError::kReservedBit},
      {"\x09", ProtocolError::kFragmentedControl},
      {"\x89\xfe", ProtocolError::kLongControl},
      {"\x81\x05", ProtocolError::kMaskMissing},
      {std::string("\x82\xfe\x00\x7d", 4), ProtocolError::kLengthNotMinimal},
  };
  for (const auto& [header, error] : headers) {
    MessageDecoder decoder(&kServer);
    for (std::size_t i = 0; i + 1 < header.size(); ++i) {
      EXPECT_EQ(Give(decoder, header.substr(i, 1)).kind, Kind::kNeedMore);
    }
    EXPECT_EQ(Give(decoder, header.substr(header.size() - 1)).error, error);
  }
}

TEST(DecoderTest, RefusesALargeFrameBeforeItsPayload) {
  MessageDecoder decoder(&kServer);
  const DecoderEvent event = Give(decoder, Header(kFin | kBinary, (16 << 20) + 1, 8));
  EXPECT_EQ(event.error, ProtocolError::kFrameTooLarge);
  EXPECT_EQ(event.code, CloseCode::kMessageTooBig);
}

TEST(DecoderTest, IsMovedWithWhatItHolds) {
  MessageDecoder decoder(&kServer);
  const std::string bytes = Frame(kFin | kText, "moved along");
  Give(decoder, bytes.substr(0, 9));
  MessageDecoder moved = std::move(decoder);
  EXPECT_EQ(Give(moved, bytes.substr(9)).payload, "moved along");
}

TEST(DecoderTest, NothingInNothingOut) {
  MessageDecoder decoder(&kServer);
  std::span<char> none;
  EXPECT_EQ(decoder.Next(&none).kind, Kind::kNeedMore);
  std::string_view none_either;
  EXPECT_EQ(decoder.Next(&none_either).kind, Kind::kNeedMore);
  EXPECT_FALSE(decoder.in_message());
  EXPECT_FALSE(decoder.ended());
}

}  // namespace
}  // namespace strata::ws::wire
