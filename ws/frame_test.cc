// Frame headers: the two directions against each other, and every place where one may be cut.

#include "strata/ws/frame.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::ws {
namespace {

std::vector<FrameHeader> Headers() {
  std::vector<FrameHeader> headers;
  for (const bool masked : {false, true}) {
    for (const Opcode opcode : {Opcode::kContinuation, Opcode::kText, Opcode::kBinary}) {
      for (const std::uint64_t length :
           {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{125}, std::uint64_t{126},
            std::uint64_t{65535}, std::uint64_t{65536}, std::uint64_t{1} << 32,
            (std::uint64_t{1} << 63) - 1}) {
        headers.push_back({.opcode = opcode,
                           .fin = opcode != Opcode::kText,
                           .compressed = opcode == Opcode::kText,
                           .masked = masked,
                           .key = masked ? MaskKey::FromNumber(0x12345678) : MaskKey(),
                           .payload_bytes = length});
      }
    }
    for (const Opcode opcode : {Opcode::kClose, Opcode::kPing, Opcode::kPong}) {
      headers.push_back({.opcode = opcode, .masked = masked, .payload_bytes = 125});
    }
  }
  return headers;
}

FrameRules RulesFor(const FrameHeader& header) {
  return {.role = header.masked ? Role::kServer : Role::kClient, .deflate = true};
}

std::string Encoded(const FrameHeader& header) {
  char bytes[kMaxFrameHeaderBytes];
  return std::string(bytes, EncodeFrameHeader(header, bytes));
}

TEST(FrameHeaderTest, IsReadAsItWasWritten) {
  for (const FrameHeader& header : Headers()) {
    const std::string bytes = Encoded(header);
    EXPECT_EQ(bytes.size(), FrameHeaderBytes(header.payload_bytes, header.masked));
    FrameHeader read;
    ProtocolError error;
    ASSERT_EQ(DecodeFrameHeader(bytes + "payload", RulesFor(header), &read, &error),
              HeaderParse::kDone);
    EXPECT_EQ(error, ProtocolError::kNone);
    EXPECT_EQ(read.opcode, header.opcode);
    EXPECT_EQ(read.fin, header.fin);
    EXPECT_EQ(read.compressed, header.compressed);
    EXPECT_EQ(read.masked, header.masked);
    EXPECT_EQ(read.key, header.key);
    EXPECT_EQ(read.payload_bytes, header.payload_bytes);
    EXPECT_EQ(read.size, bytes.size());
  }
}

TEST(FrameHeaderTest, AsksForMoreWhereverItIsCut) {
  for (const FrameHeader& header : Headers()) {
    const std::string bytes = Encoded(header);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      FrameHeader read;
      ProtocolError error = ProtocolError::kBadDeflate;
      EXPECT_EQ(DecodeFrameHeader(bytes.substr(0, size), RulesFor(header), &read, &error),
                HeaderParse::kMore);
      EXPECT_EQ(error, ProtocolError::kNone);
    }
  }
}

// Section 5.2: every first two bytes, by the rules that concern them.
TEST(FrameHeaderTest, JudgesEveryTwoBytes) {
  for (int first = 0; first < 0x100; ++first) {
    for (int second = 0; second < 0x100; ++second) {
      for (const bool deflate : {false, true}) {
        for (const Role role : {Role::kServer, Role::kClient}) {
          const int opcode = first & 0xf;
          const bool control = opcode >= 8;
          const bool masked = second >= 0x80;
          const bool first_of_message = opcode == 1 || opcode == 2;
          bool good = (first & 0x30) == 0 && (opcode <= 2 || (opcode >= 8 && opcode <= 10));
          if ((first & 0x40) != 0) good = good && deflate && first_of_message;
          if (control) good = good && first >= 0x80 && (second & 0x7f) <= 125;
          good = good && masked == (role == Role::kServer);

          // The shortest lengths that these forms may have.
          std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
          if ((second & 0x7f) == 126) bytes += std::string("\x00\x7e", 2);
          if ((second & 0x7f) == 127) bytes += std::string("\0\0\0\0\0\x01\0\0", 8);
          bytes += "mask";
          FrameHeader header;
          ProtocolError error;
          const HeaderParse parse =
              DecodeFrameHeader(bytes, {.role = role, .deflate = deflate}, &header, &error);
          ASSERT_EQ(parse, good ? HeaderParse::kDone : HeaderParse::kBad)
              << std::hex << first << ' ' << second << ' ' << TextOf(error);
          ASSERT_EQ(error == ProtocolError::kNone, good);
        }
      }
    }
  }
}

TEST(FrameHeaderTest, HasItsLengthInTheShortestForm) {
  EXPECT_EQ(Encoded({.payload_bytes = 125}).substr(1), "\x7d");
  EXPECT_EQ(Encoded({.payload_bytes = 126}).substr(1), std::string("\x7e\x00\x7e", 3));
  EXPECT_EQ(Encoded({.payload_bytes = 65535}).substr(1), "\x7e\xff\xff");
  EXPECT_EQ(Encoded({.payload_bytes = 65536}).substr(1), std::string("\x7f\0\0\0\0\0\x01\0\0", 9));
}

TEST(FrameHeaderTest, HasItsKeyAtItsEnd) {
  const FrameHeader header = {
      .opcode = Opcode::kText, .masked = true, .key = MaskKey::FromBytes("keys")};
  EXPECT_EQ(Encoded(header), "\x81\x80keys");
}

}  // namespace
}  // namespace strata::ws
