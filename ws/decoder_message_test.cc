// Messages: fragments (RFC 6455 section 5.4), text (5.6 and 8.1) and closing (5.5.1 and 7.4), on
// the wire.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

std::string Events(std::initializer_list<std::string> events) {
  std::string all;
  for (const std::string& event : events) absl::StrAppend(&all, all.empty() ? "" : " ", event);
  return all;
}

void AddFragments(std::vector<WireCase>& cases) {
  const auto add = [&](const char* name, const std::string& bytes, const std::string& events) {
    cases.push_back({"6455 5.4", name, bytes, events});
  };
  add("TwoTexts", Frame(kText, "Hel") + Frame(kFin, "lo"), TextEvent("Hello"));
  add("ThreeBinaries", Frame(kBinary, "a") + Frame(0, "b") + Frame(kFin, "c"), BinaryEvent("abc"));
  add("AllEmpty", Frame(kText, "") + Frame(0, "") + Frame(kFin, ""), TextEvent(""));
  add("FirstEmpty", Frame(kText, "") + Frame(kFin, "later"), TextEvent("later"));
  add("LastEmpty", Frame(kText, "early") + Frame(kFin, ""), TextEvent("early"));
  add("MiddleEmpty", Frame(kText, "a") + Frame(0, "") + Frame(kFin, "b"), TextEvent("ab"));
  std::string many = Frame(kBinary, "");
  for (int i = 0; i < 200; ++i) many += Frame(0, "x");
  add("TwoHundred", many + Frame(kFin, ""), BinaryEvent(std::string(200, 'x')));
  add("LargeOnes",
      Frame(kBinary, std::string(3000, 'a')) + Frame(0, std::string(2000, 'b')) +
          Frame(kFin, std::string(1000, 'c')),
      BinaryEvent(std::string(3000, 'a') + std::string(2000, 'b') + std::string(1000, 'c')));
  add("TwoMessages", Frame(kText, "a") + Frame(kFin, "b") + Frame(kBinary, "c") + Frame(kFin, "d"),
      Events({TextEvent("ab"), BinaryEvent("cd")}));
  add("WholeAfterFragmented", Frame(kText, "a") + Frame(kFin, "b") + Frame(kFin | kBinary, "c"),
      Events({TextEvent("ab"), BinaryEvent("c")}));

  add("PingBetween", Frame(kText, "a") + Frame(kFin | kPing, "ping") + Frame(kFin, "b"),
      Events({PingEvent("ping"), TextEvent("ab")}));
  add("PongBetween", Frame(kText, "a") + Frame(kFin | kPong, "pong") + Frame(kFin, "b"),
      Events({PongEvent("pong"), TextEvent("ab")}));
  add("ControlsBetweenAll",
      Frame(kFin | kPing, "1") + Frame(kBinary, "a") + Frame(kFin | kPing, "2") +
          Frame(kFin | kPong, "") + Frame(0, "") + Frame(kFin | kPing, std::string(125, '3')) +
          Frame(kFin, "b") + Frame(kFin | kPing, "4"),
      Events({PingEvent("1"), PingEvent("2"), PongEvent(""), PingEvent(std::string(125, '3')),
              BinaryEvent("ab"), PingEvent("4")}));
  add("EmptyPingAfterAnEmptyFragment", Frame(kText, "") + Frame(kFin | kPing, "") + Frame(kFin, ""),
      Events({PingEvent(""), TextEvent("")}));
  add("CloseBetween",
      Frame(kText, "a") + Frame(kFin | kClose, ClosePayload(1000)) + Frame(kFin, "b"),
      CloseEvent(1000));
  add("MessageNeverEnds", Frame(kText, "a") + Frame(0, "b"), "");
  add("FrameNeverEnds", Frame(kFin | kText, "abcdef").substr(0, 9), "");
  add("HeaderNeverEnds", Frame(kFin | kText, std::string(70000, 'x')).substr(0, 12), "");

  const std::string nothing = ErrorEvent(ProtocolError::kContinuationOfNothing);
  add("ContinuationFirst", Frame(0, "a"), nothing);
  add("LastContinuationFirst", Frame(kFin, "a"), nothing);
  add("EmptyContinuationFirst", Frame(kFin, ""), nothing);
  add("ContinuationAfterAMessage", Frame(kFin | kText, "a") + Frame(kFin, "b"),
      Events({TextEvent("a"), nothing}));
  add("ContinuationAfterFragments", Frame(kText, "a") + Frame(kFin, "b") + Frame(kFin, "c"),
      Events({TextEvent("ab"), nothing}));
  add("ContinuationAfterAPing", Frame(kFin | kPing, "a") + Frame(kFin, "b"),
      Events({PingEvent("a"), nothing}));
  const std::string within = ErrorEvent(ProtocolError::kMessageWithinMessage);
  add("TextWithinText", Frame(kText, "a") + Frame(kText, "b"), within);
  add("LastTextWithinText", Frame(kText, "a") + Frame(kFin | kText, "b"), within);
  add("BinaryWithinText", Frame(kText, "a") + Frame(kFin | kBinary, "b"), within);
  add("TextWithinBinary", Frame(kBinary, "a") + Frame(kText, ""), within);
  add("TextWithinEmpty", Frame(kText, "") + Frame(kFin | kText, ""), within);
  add("TextAfterAPingWithinText",
      Frame(kText, "a") + Frame(kFin | kPing, "b") + Frame(kFin | kText, "c"),
      Events({PingEvent("b"), within}));
}

void AddValidTexts(std::vector<WireCase>& cases) {
  const std::pair<const char*, std::string> texts[] = {
      {"Greek", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"},
      {"Umlauts", "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"},
      {"Nul", std::string("a\0b", 3)},
      {"FirstOfTwoBytes", "\xc2\x80"},
      {"LastOfTwoBytes", "\xdf\xbf"},
      {"FirstOfThreeBytes", "\xe0\xa0\x80"},
      {"LastBeforeSurrogates", "\xed\x9f\xbf"},
      {"FirstAfterSurrogates", "\xee\x80\x80"},
      {"LastOfThreeBytes", "\xef\xbf\xbf"},
      {"FirstOfFourBytes", "\xf0\x90\x80\x80"},
      {"LastOfAll", "\xf4\x8f\xbf\xbf"},
      {"ByteOrderMark", "\xef\xbb\xbfx"},
      {"Noncharacter", "\xef\xbf\xbe"},
      {"Emoji", "\xf0\x9f\x98\x80\xf0\x9f\x9a\x80"},
  };
  for (const auto& [name, text] : texts) {
    cases.push_back({"6455 8.1", name, Frame(kFin | kText, text), TextEvent(text)});
    // Cut into fragments within each character.
    std::string bytes = Frame(kText, text.substr(0, 1));
    for (std::size_t i = 1; i < text.size(); ++i) bytes += Frame(0, text.substr(i, 1));
    cases.push_back({"6455 5.6", absl::StrCat(name, "InFragmentsOfAByte"), bytes + Frame(kFin, ""),
                     TextEvent(text)});
  }
  const std::string long_text = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    return text;
  }();
  cases.push_back({"6455 8.1", "LongText", Frame(kFin | kText, long_text), TextEvent(long_text)});
}

void AddBadTexts(std::vector<WireCase>& cases) {
  const std::string error = ErrorEvent(ProtocolError::kTextNotUtf8);
  const std::pair<const char*, std::string> texts[] = {
      {"ContinuationAlone", "\x80"},
      {"LastContinuationAlone", "\xbf"},
      {"OverlongSlash", "\xc0\xaf"},
      {"OverlongSlashOfThree", "\xe0\x80\xaf"},
      {"OverlongSlashOfFour", "\xf0\x80\x80\xaf"},
      {"OverlongOfTwo", "\xc1\xbf"},
      {"OverlongOfThree", "\xe0\x9f\xbf"},
      {"OverlongOfFour", "\xf0\x8f\xbf\xbf"},
      {"OverlongNul", "\xc0\x80"},
      {"Surrogate", "\xed\xa0\x80"},
      {"LastSurrogate", "\xed\xbf\xbf"},
      {"PairOfSurrogates", "\xed\xa0\x80\xed\xb0\x80"},
      {"AboveTheLast", "\xf4\x90\x80\x80"},
      {"FiveBytes", "\xf8\x88\x80\x80\x80"},
      {"SixBytes", "\xfc\x84\x80\x80\x80\x80"},
      {"ByteFe", "\xfe"},
      {"ByteFf", "\xff"},
      {"CutByAscii", "\xe2\x82 x"},
      {"CutByAnother", "\xc3\xc3\xa9"},
      {"Latin1", "caf\xe9 au lait"},
  };
  for (const auto& [name, text] : texts) {
    cases.push_back({"6455 8.1", name, Frame(kFin | kText, "ok " + text + " more"), error});
    // At the first bad byte: neither the rest of the frame nor that of the message is there.
    cases.push_back({"6455 8.1", absl::StrCat(name, "OfAnEndlessMessage"),
                     Frame(kText, "ok") + Frame(0, "") + Frame(0, text + "."), error});
    cases.push_back({"6455 5.6", absl::StrCat(name, "IsGoodBinary"), Frame(kFin | kBinary, text),
                     BinaryEvent(text)});
  }
  for (const std::string cut : {"\xc3", "\xe2", "\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x98"}) {
    cases.push_back({"6455 8.1", absl::StrCat("EndsWithin", cut.size()),
                     Frame(kFin | kText, "text " + cut), error});
    cases.push_back({"6455 8.1", absl::StrCat("EndsWithinThenEmptyFragment", cut.size()),
                     Frame(kText, cut) + Frame(kFin, ""), error});
    cases.push_back({"6455 5.6", absl::StrCat("ACharacterIsNotTheNextMessages", cut.size()),
                     Frame(kText, "a") + Frame(0, cut), ""});
  }
  cases.push_back({"6455 8.1", "GoodThenBad",
                   Frame(kFin | kText, "good") + Frame(kFin | kText, "\xff"),
                   TextEvent("good") + " " + error});
  cases.push_back({"6455 8.1", "BadAfterAPing",
                   Frame(kText, "\xe2") + Frame(kFin | kPing, "\x82") + Frame(kFin, "\x82"),
                   PingEvent("\x82") + " " + error});
}

void AddClosing(std::vector<WireCase>& cases) {
  const auto add = [&](const char* section, const std::string& name, const std::string& payload,
                       const std::string& event) {
    cases.push_back({section, name, Frame(kFin | kClose, payload), event});
  };
  add("6455 5.5.1", "Empty", "", CloseEvent(1005));
  add("6455 5.5.1", "HalfACode", "\x03", ErrorEvent(ProtocolError::kShortClosePayload));
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    add("6455 7.4", absl::StrCat("Code", code), ClosePayload(code), CloseEvent(code));
    add("6455 7.4", absl::StrCat("Code", code, "WithReason"), ClosePayload(code, "why"),
        CloseEvent(code, "why"));
  }
  for (const int code :
       {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65535}) {
    add("6455 7.4", absl::StrCat("BadCode", code), ClosePayload(code),
        ErrorEvent(ProtocolError::kCloseCode));
    add("6455 7.4", absl::StrCat("BadCode", code, "WithReason"), ClosePayload(code, "why"),
        ErrorEvent(ProtocolError::kCloseCode));
  }
  const std::string longest(123, 'r');
  add("6455 5.5.1", "LongestReason", ClosePayload(1000, longest), CloseEvent(1000, longest));
  add("6455 5.5.1", "ReasonOfManyBytes", ClosePayload(1000, "\xe2\x82\xac"),
      CloseEvent(1000, "\xe2\x82\xac"));
  for (const char* reason : {"\xff", "\xe2\x82", "ok \xed\xa0\x80", "\xc0\x80"}) {
    add("6455 5.5.1", "ReasonNotUtf8", ClosePayload(1000, reason),
        ErrorEvent(ProtocolError::kCloseReasonNotUtf8));
  }
  const std::string close = Frame(kFin | kClose, ClosePayload(1000, "bye"));
  const std::pair<const char*, std::string> later[] = {
      {"Text", Frame(kFin | kText, "late")},
      {"Ping", Frame(kFin | kPing, "late")},
      {"Close", close},
      {"BadFrame", "\xff\xff\xff\xff"},
      {"PartOfAFrame", "\x81"},
      {"LargeFrame", Frame(kFin | kBinary, std::string(500, 'x'))}};
  for (const auto& [name, bytes] : later) {
    cases.push_back({"6455 5.5.1", absl::StrCat(name, "AfterCloseIsDropped"), close + bytes,
                     CloseEvent(1000, "bye")});
    cases.push_back({"6455 7.1.7", absl::StrCat(name, "AfterAnErrorIsDropped"),
                     Frame(kFin | 0xb, "") + bytes, ErrorEvent(ProtocolError::kReservedOpcode)});
  }
  cases.push_back({"6455 7.1", "MessagesBeforeClose",
                   Frame(kFin | kText, "a") + Frame(kFin | kBinary, "b") + close,
                   Events({TextEvent("a"), BinaryEvent("b"), CloseEvent(1000, "bye")})});
  cases.push_back({"6455 7.1",
                   "CloseForAClient",
                   PlainFrame(kFin | kClose, ClosePayload(1001)),
                   CloseEvent(1001),
                   {.role = Role::kClient}});
}

void AddLimits(std::vector<WireCase>& cases) {
  const auto add = [&](const std::string& name, const DecoderOptions& options,
                       const std::string& bytes, const std::string& events) {
    cases.push_back({"6455 10.4", name, bytes, events, options});
  };
  const std::string ten(10, 'x');
  const std::string eleven(11, 'x');
  const std::string frame_error = ErrorEvent(ProtocolError::kFrameTooLarge);
  const DecoderOptions frame = {.max_frame_bytes = 10};
  add("FrameAtTheLimit", frame, Frame(kFin | kBinary, ten), BinaryEvent(ten));
  add("FrameAboveTheLimit", frame, Frame(kFin | kBinary, eleven), frame_error);
  add("FrameAboveTheLimitByItsHeader", frame, Header(kFin | kBinary, 11, 0), frame_error);
  add("FragmentAboveTheLimit", frame, Frame(kText, ten) + Frame(kFin, eleven), frame_error);
  add("FramesAtTheLimit", frame, Frame(kText, ten) + Frame(0, ten) + Frame(kFin, ten),
      TextEvent(ten + ten + ten));
  add("ControlFramesHaveALimitOfTheirOwn", frame, Frame(kFin | kPing, eleven), PingEvent(eleven));
  add("NoFramesButEmptyOnes", {.max_frame_bytes = 0},
      Frame(kFin | kText, "") + Frame(kFin | kText, "x"), Events({TextEvent(""), frame_error}));

  const std::string message_error = ErrorEvent(ProtocolError::kMessageTooLarge);
  const DecoderOptions message = {.max_message_bytes = 10};
  add("MessageAtTheLimit", message, Frame(kFin | kText, ten), TextEvent(ten));
  add("MessageAboveTheLimit", message, Frame(kFin | kText, eleven), message_error);
  add("MessageAboveTheLimitByItsHeader", message, Header(kFin | kText, 65536, 8), message_error);
  add("FragmentsAtTheLimit", message, Frame(kText, "12345") + Frame(0, "67890") + Frame(kFin, ""),
      TextEvent("1234567890"));
  add("FragmentsAboveTheLimit", message,
      Frame(kText, "12345") + Frame(0, "67890") + Frame(kFin, "1"), message_error);
  add("LimitIsEachMessages", message,
      Frame(kText, "12345") + Frame(kFin, "67890") + Frame(kFin | kBinary, ten) +
          Frame(kFin | kBinary, eleven),
      Events({TextEvent("1234567890"), BinaryEvent(ten), message_error}));
  add("LargerFrameThanMessage", {.max_frame_bytes = 10, .max_message_bytes = 5},
      Frame(kFin | kBinary, "123456"), message_error);

  const std::string fragments_error = ErrorEvent(ProtocolError::kFragmentsTooLarge);
  const DecoderOptions fragments = {.max_fragmented_bytes = 10};
  add("KeptFragmentsAtTheLimit", fragments, Frame(kText, "12345") + Frame(kFin, "67890"),
      TextEvent("1234567890"));
  add("KeptFragmentsAboveTheLimit", fragments, Frame(kText, "12345") + Frame(kFin, "678901"),
      fragments_error);
  add("FirstFragmentAboveTheLimit", fragments, Frame(kText, eleven), fragments_error);
  add("WholeMessageIsNotFragmented", fragments, Frame(kFin | kText, eleven), TextEvent(eleven));

  const std::string count_error = ErrorEvent(ProtocolError::kTooManyFragments);
  const DecoderOptions count = {.max_fragments = 3};
  add("AsManyFragments", count, Frame(kText, "a") + Frame(0, "b") + Frame(kFin, "c"),
      TextEvent("abc"));
  add("TooManyFragments", count,
      Frame(kText, "a") + Frame(0, "b") + Frame(0, "c") + Frame(kFin, "d"), count_error);
  add("TooManyEmptyFragments", count, Frame(kText, "") + Frame(0, "") + Frame(0, "") + Frame(0, ""),
      count_error);
  add("ControlFramesAreNoFragments", count,
      Frame(kText, "a") + Frame(kFin | kPing, "1") + Frame(kFin | kPing, "2") + Frame(0, "b") +
          Frame(kFin | kPing, "3") + Frame(kFin, "c"),
      Events({PingEvent("1"), PingEvent("2"), PingEvent("3"), TextEvent("abc")}));
  add("CountIsEachMessages", count,
      Frame(kText, "a") + Frame(0, "b") + Frame(kFin, "c") + Frame(kText, "d") + Frame(0, "e") +
          Frame(kFin, "f"),
      Events({TextEvent("abc"), TextEvent("def")}));
  add("OneFragment", {.max_fragments = 1},
      Frame(kFin | kText, "a") + Frame(kText, "b") + Frame(kFin, ""),
      Events({TextEvent("a"), count_error}));
  add("NoLimitAtAll",
      {.max_frame_bytes = ~std::uint64_t{0},
       .max_message_bytes = ~std::uint64_t{0},
       .max_fragmented_bytes = ~std::uint64_t{0},
       .max_fragments = ~std::uint32_t{0}},
      Frame(kText, ten) + Frame(kFin, eleven), TextEvent(ten + eleven));
}

std::vector<WireCase> Cases() {
  std::vector<WireCase> cases;
  AddFragments(cases);
  AddValidTexts(cases);
  AddBadTexts(cases);
  AddClosing(cases);
  AddLimits(cases);
  return cases;
}

class DecoderMessageTest : public ::testing::TestWithParam<WireCase> {};

TEST_P(DecoderMessageTest, GivesTheEventsHoweverCut) { ExpectEventsHoweverCut(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Cases, DecoderMessageTest, ::testing::ValuesIn(Cases()), NameOf);

}  // namespace
}  // namespace strata::ws::wire
