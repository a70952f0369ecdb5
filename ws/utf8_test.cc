// The validator: every way of it against a table of RFC 3629, at every boundary of the encoding and
// of the vectors, and cut at every byte.

#include "strata/ws/utf8.h"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/utf8_internal.h"

namespace strata::ws {
namespace {

struct Way {
  const char* name;
  SkipValidUtf8Function skip;
  bool available;
};

std::vector<Way> Ways() {
  std::vector<Way> ways = {{"Portable", SkipAsciiPortable, true}};
#if defined(__x86_64__)
  ways.push_back({"Ssse3", SkipValidUtf8Ssse3, Utf8Ssse3IsAvailable()});
  ways.push_back({"Avx2", SkipValidUtf8Avx2, Utf8Avx2IsAvailable()});
#endif
  return ways;
}

// The model: the forms that a character may have, from RFC 3629 section 4, and how many bytes of a
// text can begin characters of these forms.
struct Range {
  std::uint8_t low = 0;
  std::uint8_t high = 0;
  bool Has(std::uint8_t byte) const { return low <= byte && byte <= high; }
};
struct Form {
  std::size_t size;
  std::array<Range, 4> bytes;
};
constexpr Range kTail = {0x80, 0xbf};
constexpr Form kForms[] = {
    {1, {{{0x00, 0x7f}}}},
    {2, {{{0xc2, 0xdf}, kTail}}},
    {3, {{{0xe0, 0xe0}, {0xa0, 0xbf}, kTail}}},
    {3, {{{0xe1, 0xec}, kTail, kTail}}},
    {3, {{{0xed, 0xed}, {0x80, 0x9f}, kTail}}},
    {3, {{{0xee, 0xef}, kTail, kTail}}},
    {4, {{{0xf0, 0xf0}, {0x90, 0xbf}, kTail, kTail}}},
    {4, {{{0xf1, 0xf3}, kTail, kTail, kTail}}},
    {4, {{{0xf4, 0xf4}, {0x80, 0x8f}, kTail, kTail}}},
};

struct Verdict {
  std::size_t good_bytes;  // The text's size, or the offset of its first bad byte.
  bool complete;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict) {
  return out << verdict.good_bytes << (verdict.complete ? ", complete" : ", within a character");
}

Verdict Model(std::string_view text) {
  const Form* form = nullptr;
  std::size_t index = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (!form) {
      form = std::find_if(std::begin(kForms), std::end(kForms),
                          [&](const Form& each) { return each.bytes[0].Has(byte); });
      if (form == std::end(kForms)) return {at, false};
    } else if (!form->bytes[index].Has(byte)) {
      return {at, false};
    }
    if (++index == form->size) {
      form = nullptr;
      index = 0;
    }
  }
  return {text.size(), form == nullptr};
}

class Utf8Test : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (!GetParam().available) GTEST_SKIP() << "not on this processor";
  }

  static Verdict Validate(std::string_view text) { return ValidateInPieces(text, {}); }

  // Cut at these offsets, in rising order.
  static Verdict ValidateInPieces(std::string_view text, const std::vector<std::size_t>& cuts) {
    Utf8Validator validator;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
      const std::size_t to = i < cuts.size() ? cuts[i] : text.size();
      // In a block of its own size, so that the sanitizers see a read behind its end.
      const std::unique_ptr<char[]> piece(new char[to - from]);
      text.copy(piece.get(), to - from, from);
      const std::size_t good = Utf8Ways::Add(validator, {piece.get(), to - from}, GetParam().skip);
      if (good != to - from) return {from + good, false};
      from = to;
    }
    return {text.size(), validator.IsComplete()};
  }

  static void ExpectAsModelAtEveryCut(const std::string& text) {
    const Verdict expected = Model(text);
    ASSERT_EQ(Validate(text), expected) << testing::PrintToString(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      ASSERT_EQ(ValidateInPieces(text, {cut}), expected)
          << testing::PrintToString(text) << " cut at " << cut;
    }
  }
};

void AppendScalar(std::uint32_t scalar, std::string* text) {
  const auto tail = [&](int shift) {
    text->push_back(static_cast<char>(0x80 | (scalar >> shift & 0x3f)));
  };
  if (scalar < 0x80) {
    text->push_back(static_cast<char>(scalar));
  } else if (scalar < 0x800) {
    text->push_back(static_cast<char>(0xc0 | scalar >> 6));
    tail(0);
  } else if (scalar < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | scalar >> 12));
    tail(6);
    tail(0);
  } else {
    text->push_back(static_cast<char>(0xf0 | scalar >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string Encoded(std::uint32_t scalar) {
  std::string text;
  AppendScalar(scalar, &text);
  return text;
}

// Every character there is, in order, and each with its neighbours at other places in a vector.
TEST_P(Utf8Test, AcceptsEveryScalarValue) {
  std::string text;
  for (std::uint32_t scalar = 0; scalar <= 0x10ffff; ++scalar) {
    if (scalar < 0xd800 || scalar > 0xdfff) AppendScalar(scalar, &text);
  }
  const Verdict good = {text.size(), true};
  ASSERT_EQ(Model(text), good);
  EXPECT_EQ(Validate(text), good);
  for (const std::size_t piece : {1, 3, 7, 16, 31, 33, 64, 129, 1000}) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = piece; cut < text.size(); cut += piece) cuts.push_back(cut);
    if (piece < 16 && text.size() > 400'000) cuts.resize(100'000);
    ASSERT_EQ(ValidateInPieces(text, cuts), good) << piece;
  }
}

TEST_P(Utf8Test, JudgesEveryBoundaryOfTheEncodingAtEveryCut) {
  const std::uint32_t scalars[] = {
      0x00,    0x01,    0x7f,    0x80,     0x7ff,    0x800,    0xfff,    0x1000,   0xcfff,  0xd000,
      0xd7ff,  0xd800,  0xdbff,  0xdc00,   0xdfff,   0xe000,   0xfffd,   0xfffe,   0xffff,  0x10000,
      0x3ffff, 0x40000, 0xfffff, 0x100000, 0x10ffff, 0x110000, 0x13ffff, 0x140000, 0x1fffff};
  for (const std::uint32_t scalar : scalars) {
    const bool surrogate = scalar >= 0xd800 && scalar <= 0xdfff;
    const std::string bytes = Encoded(scalar);
    EXPECT_EQ(Validate(bytes).complete, !surrogate && scalar <= 0x10ffff) << std::hex << scalar;
    for (const std::size_t before : {0, 1, 13, 14, 15, 16, 29, 30, 31, 32, 61, 62, 63, 64, 95}) {
      for (const std::size_t after : {0, 1, 40, 130}) {
        ExpectAsModelAtEveryCut(std::string(before, 'a') + bytes + std::string(after, 'z'));
      }
    }
  }
}

TEST_P(Utf8Test, RefusesEverySurrogate) {
  for (std::uint32_t scalar = 0xd800; scalar <= 0xdfff; ++scalar) {
    const std::string text = std::string(scalar % 70, 'x') + Encoded(scalar) + std::string(70, 'y');
    ASSERT_EQ(Validate(text), (Verdict{scalar % 70 + 1, false})) << std::hex << scalar;
  }
}

TEST_P(Utf8Test, JudgesEveryTwoBytes) {
  for (std::uint32_t pair = 0; pair < 0x10000; ++pair) {
    const std::string bytes = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
    ASSERT_EQ(Validate(bytes), Model(bytes)) << std::hex << pair;
    // Amid ASCII, at a place that differs from one to the next, so that it comes to all vectors'.
    const std::string text = std::string(pair % 97, 'a') + bytes + std::string(99, 'b');
    ASSERT_EQ(Validate(text), Model(text)) << std::hex << pair << " at " << pair % 97;
    // Amid characters of two bytes, which no way for ASCII takes.
    std::string greek;
    for (std::uint32_t i = 0; i < 20 + pair % 31; ++i) greek += "\u03b1";
    const std::string amid = greek + bytes + greek + greek;
    ASSERT_EQ(Validate(amid), Model(amid)) << std::hex << pair;
  }
}

// After each two bytes that can begin a text, and are not whole characters, every third one; after
// three that begin a character of four bytes, the fourth at each boundary. Of ASCII some stand for
// all.
TEST_P(Utf8Test, JudgesEveryThirdByteAndTheFourth) {
  constexpr int kFourths[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0, 0xe0, 0xf0, 0xff};
  std::string text(72, 'a');
  std::size_t place = 0;
  const auto judge = [&](const std::string& bytes) {
    place = (place + 1) % (text.size() - bytes.size());
    text.replace(place, bytes.size(), bytes);
    const Verdict expected = Model(text);
    EXPECT_EQ(Validate(text), expected) << testing::PrintToString(bytes) << " at " << place;
    text.replace(place, bytes.size(), bytes.size(), 'a');
  };
  for (int first = 0xe0; first < 0x100; ++first) {
    for (int second = 0; second < 0x100; ++second) {
      std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      if (Model(bytes).good_bytes != 2) continue;
      for (int third = 0x7e; third < 0x100; ++third) {
        bytes = {static_cast<char>(first), static_cast<char>(second), static_cast<char>(third)};
        judge(bytes);
        if (HasFailure()) return;
        if (first < 0xf0 || third < 0x80 || third > 0xbf) continue;
        for (const int fourth : kFourths) judge(bytes + static_cast<char>(fourth));
      }
    }
  }
}

TEST_P(Utf8Test, WantsTheEndOfTheLastCharacterOnlyAtTheEnd) {
  const std::string bytes = "\xf0\x9f\x98\x80";
  for (const std::size_t before : {0, 12, 15, 16, 28, 31, 60, 64}) {
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::string text = std::string(before, 'a') + bytes.substr(0, size);
      EXPECT_EQ(Validate(text), (Verdict{text.size(), size == 0 || size == bytes.size()})) << size;
    }
  }
}

TEST_P(Utf8Test, FailsAtTheFirstByteThatCannotBelong) {
  struct Case {
    const char* text;
    std::size_t bad;
  };
  const Case cases[] = {
      {"\x80", 0},
      {"\xbf", 0},
      {"\xc0\x80", 0},
      {"\xc1\xbf", 0},
      {"\xf5\x80", 0},
      {"\xff", 0},
      {"\xe0\x80", 1},
      {"\xe0\x9f\xbf", 1},
      {"\xed\xa0\x80", 1},
      {"\xf0\x8f\xbf", 1},
      {"\xf4\x90\x80\x80", 1},
      {"\xe2\x82\x41", 2},
      {"\xf0\x9f\x98", 3},
      {"\xc2\xc2\x80", 1},
      {"\xf1\x80\x80\xc0", 3},
      {"\xe1\x80\xe1\x80\x80", 2},
  };
  for (const Case& each : cases) {
    for (const std::size_t before : {0, 1, 14, 15, 16, 30, 31, 32, 62, 63, 64, 100}) {
      const std::string text = std::string(before, 'a') + each.text;
      EXPECT_EQ(Validate(text).good_bytes, before + each.bad) << testing::PrintToString(text);
      ExpectAsModelAtEveryCut(text + std::string(70, '-'));
    }
  }
}

// Valid text of all kinds of characters, most of them kept, some bytes changed.
std::string RandomText(std::mt19937_64& random) {
  std::string text;
  const std::size_t size = random() % 300;
  const std::uint64_t kind = random() % 5;
  while (text.size() < size) {
    switch (kind == 4 ? random() % 4 : kind) {
      case 0:
        AppendScalar(random() % 0x80, &text);
        break;
      case 1:
        AppendScalar(0x80 + random() % 0x780, &text);
        break;
      case 2:
        AppendScalar(0x800 + random() % 0xd000, &text);
        break;
      default:
        AppendScalar(0x10000 + random() % 0x100000, &text);
    }
  }
  for (std::uint64_t changes = random() % 3; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = random() % text.size();
    switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1);
        break;
      default:
        text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
    }
  }
  return text;
}

TEST_P(Utf8Test, JudgesRandomTextsInRandomPieces) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int run = 0; run < 20'000; ++run) {
    const std::string text = RandomText(random);
    const Verdict expected = Model(text);
    ASSERT_EQ(Validate(text), expected) << testing::PrintToString(text);
    std::vector<std::size_t> cuts(random() % 4);
    for (std::size_t& cut : cuts) cut = random() % (text.size() + 1);
    std::sort(cuts.begin(), cuts.end());
    ASSERT_EQ(ValidateInPieces(text, cuts), expected) << testing::PrintToString(text);
  }
}

// What the validator relies on to be fast.
TEST_P(Utf8Test, SkipsAllButTheEndOfValidText) {
  if (GetParam().skip == SkipAsciiPortable) GTEST_SKIP() << "leaves all after the ASCII";
  std::string text;
  for (int i = 0; i < 300; ++i) text += "aé\u20ac\U0001f600";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::size_t skipped = GetParam().skip(text.data(), size);
    ASSERT_LE(skipped, size);
    ASSERT_LT(size - skipped, size < 16 ? 16u : 4u) << size;
    ASSERT_TRUE(Model(text.substr(0, skipped)).complete) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Utf8Test, testing::ValuesIn(Ways()),
                         [](const auto& info) { return info.param.name; });

TEST(Utf8ValidatorTest, IsTheExampleOfTheHeader) {
  Utf8Validator text;
  EXPECT_EQ(text.Add("caf\xc3"), 4u);
  EXPECT_FALSE(text.IsComplete());
  EXPECT_EQ(text.Add("\xa9 \xc3"), 3u);
  EXPECT_EQ(text.Add("abc"), 0u);
  text.Reset();
  EXPECT_EQ(text.Add("abc"), 3u);
  EXPECT_TRUE(text.IsComplete());
}

TEST(Utf8ValidatorTest, EmptyTextIsValid) {
  Utf8Validator text;
  EXPECT_EQ(text.Add({}), 0u);
  EXPECT_TRUE(text.IsComplete());
  EXPECT_TRUE(IsValidUtf8(""));
}

TEST(Utf8ValidatorTest, ChosenWayJudgesWholeTexts) {
  EXPECT_TRUE(IsValidUtf8("Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!"));
  EXPECT_FALSE(
      IsValidUtf8("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
                  "edited"));
  EXPECT_FALSE(IsValidUtf8("cut \xe2\x82"));
}

}  // namespace
}  // namespace strata::ws
