#include "strata/orm/json.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "strata/orm/testing/sample.h"
#include "strata/orm/testing/seed.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm {
namespace {

using testing::Color;
using testing::Node;
using testing::Plain;
using testing::Point;
using testing::Sample;

Sample Full() {
  Sample row;
  row.id = std::numeric_limits<std::int64_t>::min();
  row.flag = true;
  row.i8 = -128;
  row.i16 = 32767;
  row.i32 = -7;
  row.u8 = 255;
  row.u16 = 65535;
  row.u32 = 4294967295;
  row.u64 = std::numeric_limits<std::uint64_t>::max();
  row.single = 0.1f;
  row.real = 1.0 / 3;
  row.text = "a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f é € 😀";
  row.blob = {std::byte{0}, std::byte{255}, std::byte{128}, std::byte{1}};
  row.amount = Currency::FromTenThousandths(-125000);
  row.uuid = *Uuid::Parse("919108f7-52d1-4320-9bac-f847db4148a8");
  row.day = std::chrono::sys_days(std::chrono::days(19782));
  row.moment += std::chrono::milliseconds(1709210096789);
  row.moment_text -= std::chrono::microseconds(1);
  row.span = std::chrono::seconds(90);
  row.color = Color::kGreen;
  row.maybe = 0;
  row.maybe_text = "";
  row.maybe_uuid = Uuid();
  row.json.text = R"({"any": [1, 2.50, null]})";
  row.point = {3, -4};
  row.points = {{1, 2}, {}};
  row.numbers = {1, std::nullopt, -3};
  row.tree = Node{"root", {Node{"leaf", {}}}};
  return row;
}

TEST(JsonTest, WritesEveryKind) {
  const auto text = ToJson(Full());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(
      *text,
      "{\"id\":-9223372036854775808,\"flag\":true,\"i8\":-128,\"i16\":32767,\"i32\":-7,\"u8\":255,"
      "\"u16\":65535,\"u32\":4294967295,\"u64\":18446744073709551615,\"single\":0.1,"
      "\"real\":0.3333333333333333,\"text\":\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f é € "
      "😀\","
      "\"blob\":\"AP+AAQ==\",\"amount\":-12.5,\"uuid\":\"919108f7-52d1-4320-9bac-f847db4148a8\","
      "\"day\":\"2024-02-29\",\"moment\":\"2024-02-29T12:34:56.789Z\","
      "\"moment_text\":\"1969-12-31T23:59:59.999999Z\",\"span\":90,\"color\":\"green\","
      "\"color_text\":\"red\",\"plain\":1,\"maybe\":0,\"maybe_text\":\"\","
      "\"maybe_uuid\":\"00000000-0000-0000-0000-000000000000\","
      "\"json\":{\"any\": [1, 2.50, null]},\"point\":{\"x\":3,\"y\":-4},"
      "\"points\":[{\"x\":1,\"y\":2},{\"x\":0,\"y\":0}],\"numbers\":[1,null,-3],"
      "\"tree\":{\"name\":\"root\",\"children\":[{\"name\":\"leaf\",\"children\":[]}]}}");
}

TEST(JsonTest, ReadsBackAsTheSame) {
  for (const Sample& row : {Full(), Sample()}) {
    const auto text = ToJson(row);
    ASSERT_TRUE(text.ok()) << text.status();
    Sample read;
    const absl::Status status = FromJson(*text, &read);
    ASSERT_TRUE(status.ok()) << status << "\n" << *text;
    EXPECT_EQ(read, row) << *text;
  }
}

TEST(JsonTest, ListsOfRows) {
  const std::vector<Point> points = {{1, 2}, {3, 4}};
  std::string text;
  ASSERT_TRUE(AppendJson(std::span(points), &text).ok());
  EXPECT_EQ(text, R"([{"x":1,"y":2},{"x":3,"y":4}])");
  EXPECT_EQ(*ToJson(points), text);
  std::vector<Point> read = {{9, 9}};
  ASSERT_TRUE(FromJson(" [ {\"x\" : 1 , \"y\":2}\n,\t{\"x\":3,\"y\":4} ]\r", &read).ok());
  EXPECT_EQ(read, points);
  ASSERT_TRUE(FromJson("[]", &read).ok());
  EXPECT_TRUE(read.empty());
}

TEST(JsonTest, LongTextsAndBlobsComeWhole) {
  for (const std::size_t size :
       {1023u, 1024u, 1025u, 1535u, 1536u, 1537u, 4095u, 4096u, 100'000u}) {
    Sample row;
    for (std::size_t i = 0; i < size; ++i) row.text += i % 97 == 0 ? '\n' : 'x';
    row.maybe_text = std::string(size, 'y');
    row.blob.assign(size, std::byte{0x5a});
    Sample read;
    ASSERT_TRUE(FromJson(*ToJson(row), &read).ok()) << size;
    EXPECT_EQ(read.text, row.text);
    EXPECT_EQ(read.maybe_text, row.maybe_text);
    EXPECT_EQ(read.blob, row.blob);
  }
}

TEST(JsonTest, KeysInAnyOrderAndWithEscapes) {
  Point point;
  ASSERT_TRUE(FromJson(R"({"y":5,"\u0078":4})", &point).ok());
  EXPECT_EQ(point, (Point{4, 5}));
}

// The code of reading `text` into a Sample, and what it says.
absl::Status Refused(std::string_view text, const JsonReadOptions& options = {}) {
  Sample row;
  absl::Status status = FromJson(text, &row, options);
  EXPECT_FALSE(status.ok()) << text;
  return status;
}

TEST(JsonTest, UnknownKeysAsAsked) {
  const absl::Status status = Refused(R"({"id":1,"nick":2})");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "JSON at byte 14, Sample.nick: unknown key");
  Sample row;
  const JsonReadOptions ignore{.unknown_keys = JsonReadOptions::Unknown::kIgnore};
  ASSERT_TRUE(FromJson(R"({"nick":{"a":[1,"}"]},"id":7})", &row, ignore).ok());
  EXPECT_EQ(row.id, 7);
  // What is ignored is checked all the same.
  for (const char* text : {R"({"nick":[1 2]})", R"({"nick":01})", R"({"nick":"\x"})",
                           "{\"nick\":\"\xff\"}", R"({"nick":{"a" 1}})", R"({"nick":[1,]})"}) {
    EXPECT_FALSE(Refused(text, ignore).ok());
  }
}

TEST(JsonTest, MissingKeysAsAsked) {
  Point point{1, 2};
  ASSERT_TRUE(FromJson(R"({"y":5})", &point).ok());
  EXPECT_EQ(point, (Point{1, 5}));
  const absl::Status status =
      FromJson(R"({"y":5})", &point, {.missing_keys = JsonReadOptions::Missing::kRefuse});
  EXPECT_EQ(status.message(), "JSON at byte 7, Point.x: the key is missing");
  EXPECT_TRUE(
      FromJson(R"({"y":5,"x":1})", &point, {.missing_keys = JsonReadOptions::Missing::kRefuse})
          .ok());
}

TEST(JsonTest, KeyTwiceIsRefused) {
  EXPECT_EQ(Refused(R"({"id":1,"id":1})").message(),
            "JSON at byte 13, Sample.id: the key was there before");
}

TEST(JsonTest, NumbersThatDoNotFitAreOutOfRange) {
  for (const char* text :
       {R"({"i8":128})", R"({"i8":-129})", R"({"i16":40000})", R"({"i32":2147483648})",
        R"({"u8":256})", R"({"u8":-1})", R"({"u16":65536})", R"({"u32":4294967296})",
        R"({"u64":18446744073709551616})", R"({"u64":-1})", R"({"amount":0.00001})",
        R"({"id":9223372036854775808})", R"({"id":-9223372036854775809})", R"({"single":1e39})",
        R"({"real":1e309})", R"({"real":-1e309})", R"({"amount":1e30})",
        R"({"numbers":[2147483648]})"}) {
    EXPECT_EQ(Refused(text).code(), absl::StatusCode::kOutOfRange) << text;
  }
}

TEST(JsonTest, BoundsOfNumbersFit) {
  Sample row;
  ASSERT_TRUE(FromJson(R"({"i8":-128,"u64":18446744073709551615,"id":-9223372036854775808,
                           "real":1e-400,"single":1e-60})",
                       &row)
                  .ok());
  EXPECT_EQ(row.u64, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(row.id, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(row.real, 0);
  EXPECT_EQ(row.single, 0);
  ASSERT_TRUE(FromJson(R"({"u64":-0,"id":-0,"real":-0,"color":5,"plain":3})", &row).ok());
  EXPECT_EQ(row.u64, 0u);
  EXPECT_TRUE(std::signbit(row.real));
  EXPECT_EQ(row.color, Color::kGreen);
  EXPECT_EQ(row.plain, static_cast<Plain>(3));
}

TEST(JsonTest, OtherTypesAreRefused) {
  for (const char* text : {R"({"id":"1"})",
                           R"({"id":1.0})",
                           R"({"id":1e2})",
                           R"({"id":true})",
                           R"({"id":null})",
                           R"({"flag":1})",
                           R"({"flag":null})",
                           R"({"text":1})",
                           R"({"text":null})",
                           R"({"blob":"A"})",
                           R"({"blob":"AA=A"})",
                           R"({"blob":"AB=="})",
                           R"({"blob":"AA=="   ,"amount":"1"})",
                           R"({"blob":"A A="})",
                           R"({"blob":"===="})",
                           R"({"blob":"AA==AAAA"})",

                           R"({"uuid":"x"})",
                           R"({"day":"2024-02-30"})",
                           R"({"moment":"2024-02-29"})",
                           R"({"color":"blue"})",
                           R"({"plain":"kOne"})",
                           R"({"point":[]})",
                           R"({"points":{}})",
                           R"({"numbers":[1.5]})",
                           R"({"maybe":"1"})",
                           R"({"point":{"x":null}})",
                           "[]",
                           "1",
                           "null",
                           "",
                           " "}) {
    EXPECT_EQ(Refused(text).code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(JsonTest, ErrorsNameTheColumn) {
  EXPECT_EQ(Refused(R"({"points":[{"x":1},{"y":"a"}]})").message(),
            "JSON at byte 24, Point.y: no value");
  EXPECT_EQ(Refused(R"({"text":"a)").message(),
            "JSON at byte 10, Sample.text: the string does not end");
  EXPECT_EQ(CheckJson("[1,]").message(), "JSON at byte 3: a , before the end");
}

TEST(JsonTest, SurrogatesComeInPairs) {
  std::string text;
  ASSERT_TRUE(FromJson(R"("\ud83d\ude00\u0000")", &text).ok());
  EXPECT_EQ(text, std::string("😀\0", 5));
  for (const char* bad : {R"("\ud83d")", R"("\ude00")", R"("\ud83d\ud83d")", R"("\ud83dx")",
                          R"("\ud83d\n")", R"("\ud8)", R"("\u12g4")"}) {
    EXPECT_FALSE(FromJson(bad, &text).ok()) << bad;
  }
}

TEST(JsonTest, InvalidUtf8IsRefusedBothWays) {
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xe2\x28\xa1"}) {
    std::string read;
    EXPECT_FALSE(FromJson("\"" + std::string(bad) + "\"", &read).ok());
    EXPECT_FALSE(FromJson("\"\\n0123456789abcdef" + std::string(bad) + "\"", &read).ok());
    EXPECT_FALSE(FromJson("\"" + std::string(bad) + "\\n\"", &read).ok());
    Sample row;
    row.text = std::string("0123456789abcdef\n") + bad;
    EXPECT_EQ(ToJson(row).status().message(), "Sample.text: the text is no UTF-8");
  }
}

TEST(JsonTest, WhatJsonHasNotIsRefused) {
  Sample row;
  row.real = std::nan("");
  EXPECT_EQ(ToJson(row).status().message(), "Sample.real: JSON has no number for it");
  row.real = 0;
  row.single = INFINITY;
  EXPECT_FALSE(ToJson(row).ok());
  row.single = 0;
  row.json.text = "{";
  EXPECT_FALSE(ToJson(row).ok());
  row.json.text = "1,\"admin\":true";
  EXPECT_FALSE(ToJson(row).ok());
}

TEST(JsonTest, DepthIsBounded) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "{\"name\":\"\",\"children\":[";
    for (int i = 0; i < depth; ++i) text += "]}";
    return text;
  };
  Node node;
  EXPECT_TRUE(FromJson(nested(32), &node).ok());
  EXPECT_EQ(FromJson(nested(33), &node).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(FromJson(nested(33), &node, {.max_depth = 66}).ok());
  EXPECT_EQ(ToJson(node).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CheckJson(std::string(100'000, '['), {.max_depth = 1'000'000}).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(JsonTest, SizeAndElementsAreBounded) {
  std::vector<Point> points;
  EXPECT_TRUE(FromJson("[{},{}]", &points, {.max_elements = 2}).ok());
  EXPECT_EQ(FromJson("[{},{},{}]", &points, {.max_elements = 2}).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FromJson("[{}]", &points, {.max_bytes = 3}).code(),
            absl::StatusCode::kResourceExhausted);
}

// By the table of RFC 3629 section 4, one byte after the other.
bool IsUtf8ByTable(std::string_view text) {
  constexpr struct {
    unsigned char first, last, low, high;
    int more;
  } kTable[] = {
      {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
      {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
      {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&] { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
    bool found = false;
    for (const auto& row : kTable) {
      if (byte() < row.first || byte() > row.last) continue;
      found = true;
      ++at;
      for (int i = 0; i < row.more; ++i, ++at) {
        const bool is_second = i == 0;
        if (at >= text.size() || byte() < (is_second ? row.low : 0x80) ||
            byte() > (is_second ? row.high : 0xbf)) {
          return false;
        }
      }
      break;
    }
    if (!found) return false;
  }
  return true;
}

TEST(Utf8Test, AgreesWithTheTableAtEachPlaceOfABlock) {
  std::mt19937 random(testing::Seed(1));
  const std::string pieces[] = {"a",           "abcdefghijklmno", "\xc2\x80",
                                "\xdf\xbf",    "\xe2\x82\xac",    "\xf0\x9f\x98\x80",
                                "\xed\x9f\xbf"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 18, 'x');
    for (unsigned i = random() % 8; i > 0; --i) text += pieces[random() % std::size(pieces)];
    EXPECT_TRUE(internal::IsUtf8(text)) << text;
    // Cut off, and with a byte that is another one.
    const std::string cut = text.substr(0, random() % (text.size() + 1));
    EXPECT_EQ(internal::IsUtf8(cut), IsUtf8ByTable(cut));
    if (text.empty()) continue;
    text[random() % text.size()] = static_cast<char>(random());
    EXPECT_EQ(internal::IsUtf8(text), IsUtf8ByTable(text));
  }
}

TEST(JsonTest, TimesOutsideOfTextsAreNumbers) {
  Sample row;
  row.moment += std::chrono::milliseconds(std::numeric_limits<std::int64_t>::max());
  Sample read;
  ASSERT_TRUE(FromJson(*ToJson(row), &read).ok());
  EXPECT_EQ(read.moment, row.moment);
}

}  // namespace
}  // namespace strata::orm
