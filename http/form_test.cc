// application/x-www-form-urlencoded (WHATWG URL, section 5).

#include "strata/http/form.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs PairsOf(const Form& form) {
  Pairs pairs;
  for (const FormField& field : form.fields()) pairs.emplace_back(field.name, field.value);
  return pairs;
}

Pairs Parsed(std::string_view body, const FormOptions& options = {}) {
  const absl::StatusOr<Form> form = Form::Parse(body, options);
  EXPECT_TRUE(form.ok()) << form.status();
  return form.ok() ? PairsOf(*form) : Pairs();
}

TEST(FormTest, FieldsInTheirOrder) {
  EXPECT_EQ(Parsed(""), Pairs());
  EXPECT_EQ(Parsed("a=b"), (Pairs{{"a", "b"}}));
  EXPECT_EQ(Parsed("b=2&a=1&b=3"), (Pairs{{"b", "2"}, {"a", "1"}, {"b", "3"}}));
  EXPECT_EQ(Parsed("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(Parsed("a="), (Pairs{{"a", ""}}));
  EXPECT_EQ(Parsed("=b"), (Pairs{{"", "b"}}));
  EXPECT_EQ(Parsed("="), (Pairs{{"", ""}}));
  EXPECT_EQ(Parsed("a=b=c"), (Pairs{{"a", "b=c"}}));
  EXPECT_EQ(Parsed("&&a=b&&"), (Pairs{{"a", "b"}}));
  EXPECT_EQ(Parsed("a=1;b=2"), (Pairs{{"a", "1;b=2"}}));
}

TEST(FormTest, DecodesPercentAndPlus) {
  EXPECT_EQ(Parsed("a+b=c+%2B+d"), (Pairs{{"a b", "c + d"}}));
  EXPECT_EQ(Parsed("J%C3%B6rg=%c3%b6"), (Pairs{{"J\u00f6rg", "\u00f6"}}));
  EXPECT_EQ(Parsed("a%3Db%26=c%00d"), (Pairs{{"a=b&", std::string("c\0d", 3)}}));
  // Decoded once.
  EXPECT_EQ(Parsed("a=%2541"), (Pairs{{"a", "%41"}}));
}

TEST(FormTest, GetTakesTheFirst) {
  const absl::StatusOr<Form> form = Form::Parse("a=1&b=2&a=3&c");
  EXPECT_EQ(form->Get("a"), "1");
  EXPECT_EQ(form->Get("b"), "2");
  EXPECT_EQ(form->Get("c"), "");
  EXPECT_EQ(form->Get("d"), std::nullopt);
}

TEST(FormTest, FieldsOutliveTheBodyAndMoves) {
  std::string body = "a=%41";
  absl::StatusOr<Form> form = Form::Parse(body);
  body = "xxxxx";
  const Form moved = *std::move(form);
  EXPECT_EQ(PairsOf(moved), (Pairs{{"a", "A"}}));
}

TEST(FormTest, StrictRefusesBadPercents) {
  for (const std::string_view body :
       {"a=%", "a=%4", "a=%4&b=c", "a=%g1", "a=%1g", "%=a", "a=%%41", "a=% 41", "a=%-1", "a=%0x"}) {
    EXPECT_EQ(Form::Parse(body).status().code(), absl::StatusCode::kInvalidArgument) << body;
  }
}

TEST(FormTest, StrictRefusesWhatIsNotUtf8) {
  for (const std::string_view body : {"a=%ff", "%ff=a", "a=\xff", "a=%c3", "a=%ed%a0%80"}) {
    EXPECT_EQ(Form::Parse(body).status().code(), absl::StatusCode::kInvalidArgument) << body;
  }
  EXPECT_EQ(Parsed("a=\xc3\xb6"), (Pairs{{"a", "\u00f6"}}));
}

TEST(FormTest, LenientLeavesBadPercentsAndBytes) {
  const FormOptions lenient = {.decoding = FormDecoding::kLenient};
  EXPECT_EQ(Parsed("a=%", lenient), (Pairs{{"a", "%"}}));
  EXPECT_EQ(Parsed("a=100%&b=%4", lenient), (Pairs{{"a", "100%"}, {"b", "%4"}}));
  EXPECT_EQ(Parsed("a=%%41", lenient), (Pairs{{"a", "%A"}}));
  EXPECT_EQ(Parsed("a=%g1+%1g", lenient), (Pairs{{"a", "%g1 %1g"}}));
  EXPECT_EQ(Parsed("a=%ff", lenient), (Pairs{{"a", "\xff"}}));
}

absl::StatusCode CodeOf(std::string_view body, const FormOptions& options) {
  return Form::Parse(body, options).status().code();
}

TEST(FormTest, AllIsBounded) {
  const FormOptions options = {.max_fields = 2, .max_name_bytes = 3, .max_value_bytes = 4};
  EXPECT_EQ(CodeOf("abc=1234&x=y&&", options), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf("%61bc=%31234", options), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf("a&b&c", options), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf("abcd=1", options), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf("a=12345", options), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CodeOf("", {.max_fields = 0}), absl::StatusCode::kOk);
  EXPECT_EQ(CodeOf("a", {.max_fields = 0}), absl::StatusCode::kResourceExhausted);
}

TEST(FormTest, EncodesAsTheSerializerOfTheStandard) {
  std::string form;
  AppendFormField("a b", "c&d=e", &form);
  AppendFormField("", "", &form);
  AppendFormField("*-._09azAZ", "~!/\\\"'\n\xc3\xb6%", &form);
  EXPECT_EQ(form, "a+b=c%26d%3De&=&*-._09azAZ=%7E%21%2F%5C%22%27%0A%C3%B6%25");
}

TEST(FormTest, WhatWasEncodedIsDecoded) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto text = [&random] {
    std::string bytes(random() % 20, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  };
  for (int round = 0; round < 1000; ++round) {
    Pairs pairs(1 + random() % 8);
    std::string body;
    for (auto& [name, value] : pairs) {
      name = text();
      value = text();
      AppendFormField(name, value, &body);
    }
    ASSERT_EQ(Parsed(body, {.decoding = FormDecoding::kLenient}), pairs) << body;
  }
}

}  // namespace
}  // namespace strata::http
