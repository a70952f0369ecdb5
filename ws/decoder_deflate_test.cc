// Compressed messages, RFC 7692, on the wire.

#include <zlib.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/ws/deflate.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

using std::string_literals::operator""s;

constexpr int kCompressed = kFin | kRsv1;
constexpr DecoderOptions kClientSide = {.role = Role::kClient};

// The other side's compressor: zlib itself, with the context kept.
class Compressor {
 public:
  explicit Compressor(int window_bits = 15, int level = 9) {
    EXPECT_EQ(deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
  }
  ~Compressor() { deflateEnd(&stream_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // A message as section 7.2.1 has it.
  std::string Message(std::string_view message) {
    std::string out = Flushed(message, Z_SYNC_FLUSH);
    EXPECT_TRUE(out.ends_with("\0\0\xff\xff"s));
    return out.substr(0, out.size() - 4);
  }

  std::string Flushed(std::string_view message, int flush) {
    std::string out(message.size() + message.size() / 8 + 100, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    EXPECT_NE(stream_.avail_out, 0u);
    return out.substr(0, out.size() - stream_.avail_out);
  }

 private:
  z_stream stream_ = {};
};

std::string Compressed(std::string_view message) { return Compressor().Message(message); }

std::string RandomBytes(std::size_t size, std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string Repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// Adds cases for one agreement; the pool has no end.
class Cases {
 public:
  Cases(std::vector<WireCase>& cases, const DeflateParameters& agreed)
      : cases_(cases), agreed_(agreed) {}

  void Add(const char* section, std::string name, std::string bytes, std::string events,
           const DecoderOptions& options = {}) {
    static DeflatePool& pool = *new DeflatePool;
    const auto make = [agreed = agreed_, role = options.role] {
      return MakeInflater(agreed, role, &pool);
    };
    name += agreed_.client_no_context_takeover ? "Shared" : "Kept";
    cases_.push_back(
        {section, std::move(name), std::move(bytes), std::move(events), options, make});
  }

 private:
  std::vector<WireCase>& cases_;
  const DeflateParameters agreed_;
};

// Section 7.2.3, byte for byte.
void AddExamples(Cases cases) {
  const std::string hello = TextEvent("Hello");
  cases.Add("7692 7.2.3.1", "OneBlock", "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"s, hello,
            kClientSide);
  cases.Add("7692 7.2.3.1", "OneBlockInTwoFrames", "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"s,
            hello, kClientSide);
  cases.Add("7692 7.2.3.3", "BlockWithoutCompression", "\xc1\x0b\x00\x05\x00\xfa\xffHello\x00"s,
            hello, kClientSide);
  cases.Add("7692 7.2.3.4", "FinalBlock", "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, hello,
            kClientSide);
  cases.Add("7692 7.2.3.4", "FinalBlockAndNothingBehind", "\xc1\x07\xf3\x48\xcd\xc9\xc9\x07\x00"s,
            hello, kClientSide);
  cases.Add("7692 7.2.3.5", "TwoBlocks",
            "\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s, hello, kClientSide);
  cases.Add("7692 7.2.3.6", "EmptyMessage", "\xc1\x01\x00"s, TextEvent(""), kClientSide);
}

void AddMessages(Cases cases) {
  const std::string greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  cases.Add("7692 6.2", "Text", Frame(kCompressed | kText, Compressed(greek)), TextEvent(greek));
  const std::string bytes = RandomBytes(300);
  cases.Add("7692 6.2", "Binary", Frame(kCompressed | kBinary, Compressed(bytes)),
            BinaryEvent(bytes));
  cases.Add("7692 6.2", "NoByteAtAll", Frame(kCompressed | kText, ""), TextEvent(""));
  cases.Add("7692 6.2", "NoByteInFragments", Frame(kRsv1 | kText, "") + Frame(kFin, ""),
            TextEvent(""));
  cases.Add("7692 6", "PlainOnesStayAllowed",
            Frame(kFin | kText, "plain") + Frame(kCompressed | kText, Compressed("squeezed")) +
                Frame(kFin | kBinary, "plain"),
            TextEvent("plain") + " " + TextEvent("squeezed") + " " + BinaryEvent("plain"));
  const std::string squeezed = Compressed("in fragments of a byte each");
  std::string fragments = Frame(kRsv1 | kText, squeezed.substr(0, 1));
  for (std::size_t i = 1; i < squeezed.size(); ++i) fragments += Frame(0, squeezed.substr(i, 1));
  cases.Add("7692 6.1", "FragmentsOfAByte", fragments + Frame(kFin, ""),
            TextEvent("in fragments of a byte each"));
  cases.Add("7692 6.1", "PingBetweenFragments",
            Frame(kRsv1 | kText, squeezed.substr(0, 7)) + Frame(kFin | kPing, "ping") +
                Frame(0, "") + Frame(kFin, squeezed.substr(7)),
            PingEvent("ping") + " " + TextEvent("in fragments of a byte each"));
  cases.Add("7692 6.1", "NeverEnds", Frame(kRsv1 | kText, squeezed), "");
  for (const std::size_t size : {511, 512, 513, 16384, 16385, 33000}) {
    const std::string zeros(size, '\0');
    cases.Add("7692 6.2", absl::StrCat("ZerosOf", size),
              Frame(kCompressed | kBinary, Compressed(zeros)), BinaryEvent(zeros));
    const std::string random = RandomBytes(size, static_cast<std::uint32_t>(size));
    cases.Add("7692 6.2", absl::StrCat("RandomOf", size),
              Frame(kCompressed | kBinary, Compressed(random)), BinaryEvent(random));
  }
  const std::string text = Repeated("{\"key\": \"v\xc3\xa4lue\", \"n\": 12345}, ", 700);
  for (int level = 0; level <= 9; ++level) {
    Compressor compressor(15, level);
    cases.Add("7692 7.2.1", absl::StrCat("Level", level),
              Frame(kCompressed | kText, compressor.Message(text)), TextEvent(text));
  }
  Compressor flushing;
  std::string whole = flushing.Flushed("one, ", Z_SYNC_FLUSH);
  whole += flushing.Flushed("two, ", Z_FULL_FLUSH);
  whole += flushing.Flushed("three, ", Z_PARTIAL_FLUSH);
  whole += flushing.Message("four");
  cases.Add("7692 7.2.1", "FlushesWithin", Frame(kCompressed | kText, whole),
            TextEvent("one, two, three, four"));
  Compressor first;
  const std::string final_block = first.Flushed("final, ", Z_FINISH);
  cases.Add("7692 7.2.1", "BlocksAfterAFinalOne",
            Frame(kCompressed | kText, final_block + Compressed("and more")),
            TextEvent("final, and more"));
}

void AddTakeover(std::vector<WireCase>& all) {
  Cases kept(all, {});
  Cases shared(all, {.server_no_context_takeover = true, .client_no_context_takeover = true});
  const std::string bad = ErrorEvent(ProtocolError::kBadDeflate);
  // Section 7.2.3.2: the second one refers to the first.
  const std::string hellos = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00"s;
  kept.Add("7692 7.2.3.2", "SecondRefersToFirst", hellos,
           TextEvent("Hello") + " " + TextEvent("Hello"), kClientSide);
  shared.Add("7692 7.1.1.1", "SecondMayNotReferToFirst", hellos, TextEvent("Hello") + " " + bad,
             kClientSide);
  Compressor compressor;
  std::string bytes;
  std::string events;
  const std::string message = RandomBytes(400);
  for (int i = 0; i < 4; ++i) {
    bytes += Frame(kCompressed | kBinary, compressor.Message(message));
    absl::StrAppend(&events, i == 0 ? "" : " ", BinaryEvent(message));
    // A plain message is no part of the context (section 7.2.1), nor are control frames.
    bytes += Frame(kFin | kText, "plain") + Frame(kFin | kPing, "p");
    absl::StrAppend(&events, " ", TextEvent("plain"), " ", PingEvent("p"));
  }
  kept.Add("7692 7.2.2", "FourRepeated", bytes, events);
  kept.Add("7692 7.2.2", "ContextAfterAFinalBlock",
           "\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\xc1\x05\xf2\x00\x11\x00\x00"s,
           TextEvent("Hello") + " " + TextEvent("Hello"), kClientSide);
  std::string alone;
  std::string alone_events;
  for (int i = 0; i < 3; ++i) {
    alone += Frame(kCompressed | kBinary, Compressed(message));
    absl::StrAppend(&alone_events, i == 0 ? "" : " ", BinaryEvent(message));
  }
  shared.Add("7692 7.1.1.2", "EachStandsForItself", alone, alone_events);
  kept.Add("7692 7.1.1.2", "EachStandsForItself", alone, alone_events);

  // One direction's agreement says nothing about the other one's.
  Cases server_shares(all, {.server_no_context_takeover = true});
  server_shares.Add("7692 7.1.1.1", "ClientKeepsIfOnlyTheServerDoesNot", bytes, events);
  server_shares.Add("7692 7.1.1.1", "ServerDoesNot", hellos, TextEvent("Hello") + " " + bad,
                    kClientSide);
}

// A message as far back in the window as each size allows, and none further.
void AddWindows(std::vector<WireCase>& all) {
  for (std::uint8_t bits = 8; bits <= 15; ++bits) {
    Cases client(all, {.client_max_window_bits = bits});
    Cases server(all, {.server_max_window_bits = bits});
    // zlib deflates with 9 bits and more, of which 262 bytes are its own.
    if (bits == 8) {
      const std::string message = RandomBytes(200) + RandomBytes(200);
      Compressor compressor(9);
      const std::string frame = compressor.Message(message);
      client.Add("7692 7.1.2.2", "ClientWindow8", Frame(kCompressed | kBinary, frame),
                 BinaryEvent(message));
      server.Add("7692 7.1.2.1", "ServerWindow8", PlainFrame(kCompressed | kBinary, frame),
                 BinaryEvent(message), kClientSide);
      continue;
    }
    Compressor compressor(bits);
    const std::string message = RandomBytes((std::size_t{1} << bits) - 262, bits);
    std::string frames;
    std::string plain_frames;
    for (int i = 0; i < 2; ++i) {
      const std::string compressed = compressor.Message(message);
      // The second refers to the first.
      EXPECT_EQ(compressed.size() < message.size() / 4, i == 1);
      frames += Frame(kCompressed | kBinary, compressed);
      plain_frames += PlainFrame(kCompressed | kBinary, compressed);
    }
    const std::string events = BinaryEvent(message) + " " + BinaryEvent(message);
    client.Add("7692 7.1.2.2", absl::StrCat("ClientWindow", bits), frames, events);
    server.Add("7692 7.1.2.1", absl::StrCat("ServerWindow", bits), plain_frames, events,
               kClientSide);
  }
}

void AddBits(Cases cases) {
  for (const int opcode : {kPing, kPong, kClose}) {
    cases.Add("7692 6.1", absl::StrCat("CompressedControl", opcode),
              Frame(kCompressed | opcode, ""), ErrorEvent(ProtocolError::kCompressedControl));
  }
  cases.Add("7692 6.1", "CompressedContinuation",
            Frame(kRsv1 | kText, Compressed("a")) + Frame(kCompressed, ""),
            ErrorEvent(ProtocolError::kCompressedContinuation));
  cases.Add("7692 6.1", "CompressedContinuationOfAPlainMessage",
            Frame(kText, "a") + Frame(kCompressed, ""),
            ErrorEvent(ProtocolError::kCompressedContinuation));
  for (const int bits : {kRsv2, kRsv3, kRsv1 | kRsv2, kRsv1 | kRsv3, kRsv2 | kRsv3}) {
    cases.Add("7692 6", absl::StrCat("OtherReservedBits", bits), Frame(kFin | bits | kText, "x"),
              ErrorEvent(ProtocolError::kReservedBit));
  }
  cases.Add("7692 6", "ReservedOpcode", Frame(kCompressed | 3, ""),
            ErrorEvent(ProtocolError::kReservedOpcode));
}

void AddBadStreams(Cases cases) {
  const std::string bad = ErrorEvent(ProtocolError::kBadDeflate);
  const std::pair<const char*, std::string> streams[] = {
      {"ReservedBlockType", "\x07\x00"s},
      {"BlockLengthNotItsComplement", "\x00\x05\x00\x00\x00Hello\x00"s},
      {"DistanceBeforeTheBeginning", "\xf2\x00\x11\x00\x00"s},
      {"CutWithinABlock", "\xf2\x48\xcd"s},
      {"CutWithinAStoredBlock", "\x00\x05\x00\xfa\xffHel"s},
      {"CutWithinAStoredHeader", "\x00\x05"s},
      {"TailNotTakenOff", "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff"s},
      {"BadCodeLengths", "\x04\xff\xff\xff\xff\xff\xff\xff"s},
      {"BadAfterAFinalBlock", "\xf3\x48\xcd\xc9\xc9\x07\x00\xff\xff"s},
      {"RandomBytes", "\xff" + RandomBytes(100)},
      {"OneBits", "\xff\xff\xff\xff"s},
  };
  for (const auto& [name, stream] : streams) {
    cases.Add("7692 7.2.2", name, Frame(kCompressed | kBinary, stream), bad);
    cases.Add(
        "7692 7.2.2", absl::StrCat(name, "InFragments"),
        Frame(kRsv1 | kBinary, stream.substr(0, 1)) + Frame(0, stream.substr(1)) + Frame(kFin, ""),
        bad);
    // After a good one there may be something at that distance.
    if (name == "DistanceBeforeTheBeginning"s) continue;
    cases.Add("7692 7.2.2", absl::StrCat(name, "AfterAGoodOne"),
              Frame(kCompressed | kText, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s) +
                  Frame(kCompressed | kBinary, stream),
              TextEvent("Hello") + " " + bad);
  }
}

void AddTexts(Cases cases) {
  const std::string error = ErrorEvent(ProtocolError::kTextNotUtf8);
  for (const std::string text : {"\xff", "ok \xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    cases.Add("6455 8.1", absl::StrCat("BadText", text.size()),
              Frame(kCompressed | kText, Compressed("good " + text + " more")), error);
    cases.Add("6455 8.1", absl::StrCat("BadTextOfAnEndlessMessage", text.size()),
              Frame(kRsv1 | kText, Compressed("good " + text + " more")), error);
    cases.Add("6455 5.6", absl::StrCat("GoodBinary", text.size()),
              Frame(kCompressed | kBinary, Compressed(text)), BinaryEvent(text));
  }
  for (const std::string cut : {"\xc3", "\xe2\x82", "\xf0\x9f\x98"}) {
    cases.Add("6455 8.1", absl::StrCat("EndsWithinACharacter", cut.size()),
              Frame(kCompressed | kText, Compressed("text " + cut)), error);
  }
  // The first thing that is wrong, in the order of the bytes.
  cases.Add("6455 8.1", "BadTextBeforeABadBlock",
            Frame(kCompressed | kText, Compressor().Flushed("\xff", Z_SYNC_FLUSH) + "\x07"), error);
  cases.Add("7692 7.2.2", "BadBlockBeforeBadText",
            Frame(kCompressed | kText,
                  Compressor().Flushed("fine", Z_SYNC_FLUSH) + "\x07" + Compressed("\xff")),
            ErrorEvent(ProtocolError::kBadDeflate));
}

void AddLimits(Cases cases) {
  const auto add = [&](const char* name, const DecoderOptions& options, const std::string& bytes,
                       const std::string& events) {
    cases.Add("6455 10.4", name, bytes, events, options);
  };
  const std::string hundred(100, 'x');
  const std::string frame = Frame(kCompressed | kText, Compressed(hundred));
  const std::string message_error = ErrorEvent(ProtocolError::kMessageTooLarge);
  add("MessageAtTheLimit", {.max_message_bytes = 100}, frame, TextEvent(hundred));
  add("MessageAboveTheLimit", {.max_message_bytes = 99}, frame, message_error);
  add("NoMessageButEmptyOnes", {.max_message_bytes = 0},
      Frame(kCompressed | kText, Compressed("")) + frame, TextEvent("") + " " + message_error);
  add("MoreOnTheWireThanTheLimitByItsHeader", {.max_message_bytes = 100},
      Header(kCompressed | kText, 178, 2), message_error);
  const std::string random = RandomBytes(1000);
  add("IncompressibleMessageAtTheLimit", {.max_message_bytes = 1000},
      Frame(kCompressed | kBinary, Compressed(random)), BinaryEvent(random));
  add("FrameAboveTheLimit", {.max_frame_bytes = 3}, frame,
      ErrorEvent(ProtocolError::kFrameTooLarge));
  const std::string compressed = Compressed(hundred);
  const std::string fragments =
      Frame(kRsv1 | kText, compressed.substr(0, 2)) + Frame(kFin, compressed.substr(2));
  add("FragmentsAtTheLimit", {.max_fragmented_bytes = 100}, fragments, TextEvent(hundred));
  add("FragmentsAboveTheLimit", {.max_fragmented_bytes = 99}, fragments,
      ErrorEvent(ProtocolError::kFragmentsTooLarge));
  add("FragmentsAboveBothLimits", {.max_message_bytes = 60, .max_fragmented_bytes = 50}, fragments,
      ErrorEvent(ProtocolError::kFragmentsTooLarge));
  add("TooManyFragments", {.max_fragments = 1}, fragments,
      ErrorEvent(ProtocolError::kTooManyFragments));
  add("BadTextBeforeTheLimit", {.max_message_bytes = 10},
      Frame(kCompressed | kText, Compressed("ok \xff" + hundred)),
      ErrorEvent(ProtocolError::kTextNotUtf8));
  add("BadTextBehindTheLimit", {.max_message_bytes = 10},
      Frame(kCompressed | kText, Compressed("0123456789 \xff" + hundred)), message_error);

  // Whatever the pieces, the ratio counts a step of 4 KB as a whole.
  const std::string ratio_error = ErrorEvent(ProtocolError::kInflateRatio);
  const std::string zeros(60'000, '\0');
  const std::string small = Frame(kCompressed | kBinary, Compressed(zeros));
  add("RatioAtTheLimit", {.max_inflate_ratio = 15, .inflate_free_bytes = 0}, small,
      BinaryEvent(zeros));
  add("RatioAboveTheLimit", {.max_inflate_ratio = 14, .inflate_free_bytes = 0}, small, ratio_error);
  add("FreeOfTheRatio", {.max_inflate_ratio = 1, .inflate_free_bytes = 60'000}, small,
      BinaryEvent(zeros));
  add("NotFreeOfTheRatio", {.max_inflate_ratio = 1, .inflate_free_bytes = 59'999}, small,
      ratio_error);
  add("NoRatio", {.max_inflate_ratio = 0, .inflate_free_bytes = 0}, small, BinaryEvent(zeros));
  // A burst between what does not compress: at the end of the first step 34 KB have come of 4 KB,
  // though of the whole message much less than that.
  const std::string burst = RandomBytes(3000) + std::string(30'000, '\0') + RandomBytes(20'000, 2);
  const std::string burst_frame = Frame(kCompressed | kBinary, Compressed(burst));
  add("BurstAboveTheRatio", {.max_inflate_ratio = 4, .inflate_free_bytes = 0}, burst_frame,
      ratio_error);
  add("BurstAboveTheRatioWithinAStep", {.max_inflate_ratio = 8, .inflate_free_bytes = 0},
      burst_frame, ratio_error);
  add("BurstWithinTheRatio", {.max_inflate_ratio = 9, .inflate_free_bytes = 0}, burst_frame,
      BinaryEvent(burst));
}

std::vector<WireCase> AllCases() {
  std::vector<WireCase> all;
  for (const bool shared : {false, true}) {
    const Cases cases(all,
                      {.server_no_context_takeover = shared, .client_no_context_takeover = shared});
    AddExamples(cases);
    AddMessages(cases);
    AddBits(cases);
    AddBadStreams(cases);
    AddTexts(cases);
    AddLimits(cases);
  }
  AddTakeover(all);
  AddWindows(all);
  return all;
}

class DecoderDeflateTest : public ::testing::TestWithParam<WireCase> {};

TEST_P(DecoderDeflateTest, GivesTheEventsHoweverCut) { ExpectEventsHoweverCut(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Cases, DecoderDeflateTest, ::testing::ValuesIn(AllCases()), NameOf);

}  // namespace
}  // namespace strata::ws::wire
