// The encoder: its bytes, and what a decoder makes of them.

#include "strata/ws/encoder.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

// As a peer of `role` sees it.
std::string Seen(Role role, const std::string& bytes) {
  WireCase wire_case = {.section = "", .name = "", .bytes = bytes, .events = ""};
  wire_case.options.role = role;
  return Decode(wire_case, Feeding());
}

// Keys in a known order.
MaskKeyGenerator Keys() {
  return [next = std::uint32_t{0x01020304}]() mutable {
    next = next * 2654435761u + 12345;
    return MaskKey::FromNumber(next);
  };
}

// Takes "pressed" for "compressed", and leaves all else.
class FakeDeflater final : public MessageDeflater {
 public:
  std::optional<std::string_view> Deflate(std::string_view message) override {
    ++calls;
    if (!message.starts_with("com")) return std::nullopt;
    return message.substr(3);
  }
  int calls = 0;
};

TEST(EncoderTest, AServersFramesAreNotMasked) {
  MessageEncoder encoder({.role = Role::kServer});
  std::string out;
  encoder.AddText("Hello", &out);
  EXPECT_EQ(out, "\x81\x05Hello");
  out.clear();
  encoder.AddBinary(std::string("\0\1", 2), &out);
  EXPECT_EQ(out, std::string("\x82\x02\0\1", 4));
}

TEST(EncoderTest, AppendsToWhatIsThere) {
  MessageEncoder encoder({});
  std::string out = "before";
  encoder.AddPing("p", &out);
  encoder.AddPong("q", &out);
  EXPECT_EQ(out, "before\x89\x01p\x8a\x01q");
}

TEST(EncoderTest, AClientsFramesAreMaskedByAKeyEach) {
  MaskKeyGenerator keys = [key = 'a']() mutable {
    const char c = key++;
    return MaskKey::FromBytes(std::string(4, c).c_str());
  };
  MessageEncoder encoder({.role = Role::kClient, .mask_keys = &keys});
  std::string out;
  encoder.AddText("aaaaa", &out);
  encoder.AddPing("", &out);
  encoder.AddClose(CloseCode::kNoStatus, "", &out);
  EXPECT_EQ(out, std::string("\x81\x85"
                             "aaaa\0\0\0\0\0"
                             "\x89\x80"
                             "bbbb"
                             "\x88\x80"
                             "cccc",
                             23));
}

TEST(EncoderTest, LargeMessagesOfBothSidesAreReadAsTheyWere) {
  MaskKeyGenerator keys = Keys();
  for (const std::size_t size : {0, 1, 125, 126, 8191, 8192, 8193, 65535, 65536, 300'001}) {
    std::string message(size, 'x');
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 131 >> 3);
    std::string out;
    MessageEncoder({.role = Role::kClient, .mask_keys = &keys}).AddBinary(message, &out);
    EXPECT_EQ(Seen(Role::kServer, out), BinaryEvent(message)) << size;
    out.clear();
    MessageEncoder({.role = Role::kServer}).AddBinary(message, &out);
    EXPECT_EQ(Seen(Role::kClient, out), BinaryEvent(message)) << size;
  }
}

TEST(EncoderTest, FragmentsAMessage) {
  MessageEncoder encoder({.fragment_bytes = 4});
  std::string out;
  encoder.AddText("123456789", &out);
  EXPECT_EQ(out, std::string("\x01\x04") + "1234" + std::string("\x00\x04", 2) + "5678" +
                     "\x80\x01" + "9");
  out.clear();
  encoder.AddText("1234", &out);
  EXPECT_EQ(out,
            "\x81\x04"
            "1234");
  out.clear();
  encoder.AddText("", &out);
  EXPECT_EQ(out, std::string("\x81\x00", 2));
}

TEST(EncoderTest, AddsAMessageInParts) {
  MaskKeyGenerator keys = Keys();
  for (const Role role : {Role::kServer, Role::kClient}) {
    MessageEncoder encoder({.role = role, .mask_keys = &keys});
    std::string out;
    encoder.AddPart(Opcode::kText, "one ", false, &out);
    encoder.AddPing("amid", &out);
    encoder.AddPart(Opcode::kContinuation, "", false, &out);
    encoder.AddPart(Opcode::kContinuation, "two", true, &out);
    EXPECT_EQ(Seen(role == Role::kServer ? Role::kClient : Role::kServer, out),
              PingEvent("amid") + " " + TextEvent("one two"));
  }
}

TEST(EncoderTest, CutsALongPing) {
  MessageEncoder encoder({});
  std::string out;
  encoder.AddPing(std::string(126, 'p'), &out);
  EXPECT_EQ(Seen(Role::kClient, out), PingEvent(std::string(125, 'p')));
}

TEST(EncoderTest, SendsACloseCodeWithItsReason) {
  MessageEncoder encoder({});
  std::string out;
  encoder.AddClose(CloseCode::kGoingAway, "bye", &out);
  EXPECT_EQ(out,
            "\x88\x05\x03\xe9"
            "bye");
  out.clear();
  encoder.AddClose(static_cast<CloseCode>(4321), "", &out);
  EXPECT_EQ(Seen(Role::kClient, out), CloseEvent(4321));
}

TEST(EncoderTest, SendsNoCodeThatMayNotBeSent) {
  MessageEncoder encoder({});
  for (const int code : {0, 1004, 1005, 1006, 1015, 2000, 5000}) {
    std::string out;
    encoder.AddClose(static_cast<CloseCode>(code), "reason", &out);
    EXPECT_EQ(out, std::string("\x88\x00", 2)) << code;
  }
}

TEST(EncoderTest, CutsALongReasonAfterACharacter) {
  MessageEncoder encoder({});
  std::string euros;
  for (int i = 0; i < 50; ++i) euros += "\xe2\x82\xac";
  for (std::size_t before = 0; before < 4; ++before) {
    std::string out;
    const std::string reason = std::string(before, 'x') + euros;
    encoder.AddClose(CloseCode::kNormal, reason, &out);
    const std::size_t size = before + (123 - before) / 3 * 3;
    EXPECT_EQ(Seen(Role::kClient, out), CloseEvent(1000, reason.substr(0, size)));
  }
  std::string out;
  encoder.AddClose(CloseCode::kNormal, std::string(123, 'y'), &out);
  EXPECT_EQ(Seen(Role::kClient, out), CloseEvent(1000, std::string(123, 'y')));
}

TEST(EncoderTest, SetsTheBitOfACompressedMessageOnItsFirstFrame) {
  FakeDeflater deflater;
  MessageEncoder encoder({.fragment_bytes = 4, .deflater = &deflater});
  std::string out;
  encoder.AddText("compressed", &out);
  EXPECT_EQ(out, std::string("\x41\x04pres") + "\x80\x03sed");
  out.clear();
  encoder.AddText("raw", &out);
  EXPECT_EQ(out, "\x81\x03raw");
}

TEST(EncodedMessageTest, IsOneFrameEncodedOnce) {
  const EncodedMessage message = EncodedMessage::Text("Hello");
  EXPECT_EQ(*message.plain(), "\x81\x05Hello");
  EXPECT_EQ(message.compressed(), message.plain());
  const EncodedMessage copy = message;
  EXPECT_EQ(copy.plain().get(), message.plain().get());
  EXPECT_EQ(*EncodedMessage::Binary("b").plain(),
            "\x82\x01"
            "b");
}

TEST(EncodedMessageTest, IsCompressedOnceWhereThatIsWorthwhile) {
  FakeDeflater deflater;
  const EncodedMessage message = EncodedMessage::Text("compressed", &deflater);
  EXPECT_EQ(*message.plain(),
            "\x81\x0a"
            "compressed");
  EXPECT_EQ(*message.compressed(), "\xc1\x07pressed");
  EXPECT_EQ(deflater.calls, 1);
  const EncodedMessage raw = EncodedMessage::Text("raw", &deflater);
  EXPECT_EQ(raw.compressed(), raw.plain());
}

TEST(EncodedMessageTest, HasNothingByDefault) {
  EXPECT_EQ(EncodedMessage().plain(), nullptr);
  EXPECT_EQ(EncodedMessage().compressed(), nullptr);
}

}  // namespace
}  // namespace strata::ws::wire
