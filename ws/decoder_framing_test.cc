// What a frame may be, RFC 6455 sections 5.1, 5.2 and 5.5, on the wire.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

constexpr DecoderOptions kClientSide = {.role = Role::kClient};

// Section 5.7, byte for byte.
void AddExamples(std::vector<WireCase>& cases) {
  using std::string_literals::operator""s;
  cases.push_back({"6455 5.7", "UnmaskedText", "\x81\x05Hello"s, TextEvent("Hello"), kClientSide});
  cases.push_back({"6455 5.7", "MaskedText", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s,
                   TextEvent("Hello")});
  cases.push_back(
      {"6455 5.7", "FragmentedText", "\x01\x03Hel\x80\x02lo"s, TextEvent("Hello"), kClientSide});
  cases.push_back({"6455 5.7", "UnmaskedPing", "\x89\x05Hello"s, PingEvent("Hello"), kClientSide});
  cases.push_back({"6455 5.7", "MaskedPong", "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s,
                   PongEvent("Hello")});
  cases.push_back({"6455 5.7", "Binary256", "\x82\x7e\x01\x00"s + std::string(256, '\xb7'),
                   BinaryEvent(std::string(256, '\xb7')), kClientSide});
  cases.push_back({"6455 5.7", "Binary64K",
                   "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + std::string(65536, '\xb7'),
                   BinaryEvent(std::string(65536, '\xb7')), kClientSide});
}

void AddReservedBits(std::vector<WireCase>& cases) {
  const std::pair<const char*, int> kinds[] = {
      {"Text", kText}, {"Binary", kBinary}, {"Continuation", kContinuation},
      {"Ping", kPing}, {"Pong", kPong},     {"Close", kClose}};
  for (int bits = 1; bits < 8; ++bits) {
    for (const auto& [kind, opcode] : kinds) {
      cases.push_back({"6455 5.2", absl::StrCat("ReservedBits", bits, "Of", kind),
                       Frame(kFin | bits << 4 | opcode, "abc"),
                       ErrorEvent(ProtocolError::kReservedBit)});
    }
  }
  cases.push_back({"6455 5.2", "ReservedBitAfterAMessage",
                   Frame(kFin | kText, "one") + Frame(kFin | kRsv3 | kText, "two"),
                   TextEvent("one") + " " + ErrorEvent(ProtocolError::kReservedBit)});
  cases.push_back({"6455 5.2", "ReservedBitForAClient", PlainFrame(kFin | kRsv1 | kBinary, "x"),
                   ErrorEvent(ProtocolError::kReservedBit), kClientSide});
}

void AddOpcodes(std::vector<WireCase>& cases) {
  for (const int opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf}) {
    for (const char* payload : {"", "data"}) {
      cases.push_back({"6455 5.2", absl::StrCat("ReservedOpcode", opcode, payload),
                       Frame(kFin | opcode, payload), ErrorEvent(ProtocolError::kReservedOpcode)});
    }
    cases.push_back({"6455 5.2", absl::StrCat("ReservedOpcodeWithoutFin", opcode),
                     Frame(opcode, "x"), ErrorEvent(ProtocolError::kReservedOpcode)});
    cases.push_back({"6455 5.2", absl::StrCat("ReservedOpcodeAmidAMessage", opcode),
                     Frame(kText, "x") + Frame(kFin | opcode, ""),
                     ErrorEvent(ProtocolError::kReservedOpcode)});
  }
}

void AddLengths(std::vector<WireCase>& cases) {
  for (const std::size_t size : {0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65535, 65536}) {
    const std::string payload(size, 'x');
    cases.push_back({"6455 5.2", absl::StrCat("TextOf", size), Frame(kFin | kText, payload),
                     TextEvent(payload)});
    cases.push_back({"6455 5.2", absl::StrCat("BinaryOf", size, "ForAClient"),
                     PlainFrame(kFin | kBinary, payload), BinaryEvent(payload), kClientSide});
  }
  const std::pair<std::uint64_t, std::size_t> not_minimal[] = {
      {0, 2}, {1, 2}, {124, 2}, {125, 2}, {0, 8}, {125, 8}, {126, 8}, {127, 8}, {65535, 8}};
  for (const auto& [length, bytes] : not_minimal) {
    cases.push_back({"6455 5.2", absl::StrCat("Length", length, "In", bytes, "Bytes"),
                     Header(kFin | kBinary, length, bytes),
                     ErrorEvent(ProtocolError::kLengthNotMinimal)});
  }
  for (const std::uint64_t length :
       {std::uint64_t{1} << 63, ~std::uint64_t{0}, (std::uint64_t{1} << 63) + 5}) {
    cases.push_back({"6455 5.2", absl::StrCat("Length", length), Header(kFin | kBinary, length, 8),
                     ErrorEvent(ProtocolError::kLengthTooLarge)});
  }
  cases.push_back({"6455 5.2", "LengthOf63Bits", Header(kFin | kBinary, ~std::uint64_t{0} >> 1, 8),
                   ErrorEvent(ProtocolError::kFrameTooLarge)});
}

void AddMasks(std::vector<WireCase>& cases) {
  using std::string_literals::operator""s;
  cases.push_back({"6455 5.3", "KeyOfZeros", FrameWithKey(kFin | kText, "clear", "\0\0\0\0"s),
                   TextEvent("clear")});
  cases.push_back({"6455 5.3", "KeyOfOnes",
                   FrameWithKey(kFin | kText, "inverted", "\xff\xff\xff\xff"),
                   TextEvent("inverted")});
  cases.push_back({"6455 5.3", "KeyWithAZero",
                   FrameWithKey(kFin | kBinary, "partly hidden", "\x01\0\x02\0"s),
                   BinaryEvent("partly hidden")});
  cases.push_back({"6455 5.3", "AnotherKeyForEachFrame",
                   FrameWithKey(kText, "first, ", "abcd") +
                       FrameWithKey(kFin, "second", "\x80...") +
                       FrameWithKey(kFin | kPing, "third", "wxyz"),
                   TextEvent("first, second") + " " + PingEvent("third")});
  cases.push_back(
      {"6455 5.3", "KeyOfAnEmptyFrame", FrameWithKey(kFin | kText, "", "wxyz"), TextEvent("")});
  for (const int opcode : {kText, kBinary, kClose, kPing, kPong}) {
    cases.push_back({"6455 5.1", absl::StrCat("MaskMissing", opcode), PlainFrame(kFin | opcode, ""),
                     ErrorEvent(ProtocolError::kMaskMissing)});
    cases.push_back({"6455 5.1", absl::StrCat("MaskForbidden", opcode), Frame(kFin | opcode, ""),
                     ErrorEvent(ProtocolError::kMaskForbidden), kClientSide});
  }
  cases.push_back({"6455 5.1", "MaskMissingAtTheEndOfAMessage",
                   Frame(kText, "one") + PlainFrame(kFin, "two"),
                   ErrorEvent(ProtocolError::kMaskMissing)});
}

void AddControlFrames(std::vector<WireCase>& cases) {
  const std::string most(125, 'p');
  for (const auto& [name, opcode] : {std::pair("Ping", kPing), std::pair("Pong", kPong)}) {
    const auto event = opcode == kPing ? PingEvent : PongEvent;
    for (const std::size_t size : {0, 1, 4, 124, 125}) {
      cases.push_back({"6455 5.5", absl::StrCat(name, "Of", size),
                       Frame(kFin | opcode, most.substr(0, size)), event(most.substr(0, size))});
    }
    cases.push_back({"6455 5.5", absl::StrCat(name, "OfBinary"),
                     Frame(kFin | opcode, std::string("\0\xff\xfe\xfd\xfc\xfb\0\xff", 8)),
                     event(std::string("\0\xff\xfe\xfd\xfc\xfb\0\xff", 8))});
    cases.push_back(
        {"6455 5.5", absl::StrCat(name, "sInARow"),
         Frame(kFin | opcode, "1") + Frame(kFin | opcode, "2") + Frame(kFin | opcode, "3"),
         event("1") + " " + event("2") + " " + event("3")});
    cases.push_back({"6455 5.5", absl::StrCat(name, "ForAClient"), PlainFrame(kFin | opcode, "srv"),
                     event("srv"), kClientSide});
  }
  for (const int opcode : {kClose, kPing, kPong}) {
    cases.push_back({"6455 5.5", absl::StrCat("LongControl126_", opcode),
                     Frame(kFin | opcode, std::string(126, 'p')),
                     ErrorEvent(ProtocolError::kLongControl)});
    cases.push_back({"6455 5.5", absl::StrCat("LongControl64K_", opcode),
                     Header(kFin | opcode, 65536, 8), ErrorEvent(ProtocolError::kLongControl)});
    cases.push_back({"6455 5.5", absl::StrCat("ControlInLongForm", opcode),
                     Header(kFin | opcode, 5, 2), ErrorEvent(ProtocolError::kLongControl)});
    cases.push_back({"6455 5.5", absl::StrCat("FragmentedControl", opcode), Frame(opcode, "x"),
                     ErrorEvent(ProtocolError::kFragmentedControl)});
    cases.push_back({"6455 5.5", absl::StrCat("FragmentedControlAmidAMessage", opcode),
                     Frame(kText, "x") + Frame(opcode, ""),
                     ErrorEvent(ProtocolError::kFragmentedControl)});
  }
}

std::vector<WireCase> Cases() {
  std::vector<WireCase> cases;
  AddExamples(cases);
  AddReservedBits(cases);
  AddOpcodes(cases);
  AddLengths(cases);
  AddMasks(cases);
  AddControlFrames(cases);
  return cases;
}

class DecoderFramingTest : public ::testing::TestWithParam<WireCase> {};

TEST_P(DecoderFramingTest, GivesTheEventsHoweverCut) { ExpectEventsHoweverCut(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Cases, DecoderFramingTest, ::testing::ValuesIn(Cases()), NameOf);

}  // namespace
}  // namespace strata::ws::wire
