// Media types (RFC 9110 section 8.3.1) and Accept (section 12.5.1).

#include "strata/http/media_type.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(MediaTypeTest, TheFormsOfSection831AreOne) {
  for (const std::string_view text :
       {"text/html;charset=utf-8", "Text/HTML;Charset=\"utf-8\"", "text/html; charset=\"utf-8\"",
        "text/html;charset=\"u\\tf\\-8\"", "text/html ;\t charset=utf-8 ; "}) {
    const std::optional<MediaType> type = MediaType::Parse(text);
    ASSERT_TRUE(type) << text;
    EXPECT_TRUE(type->Is("text/html")) << text;
    EXPECT_EQ(type->Parameter("charset"), "utf-8") << text;
    EXPECT_EQ(type->Parameter("CHARSET"), "utf-8") << text;
    EXPECT_EQ(type->Parameter("boundary"), std::nullopt) << text;
  }
}

TEST(MediaTypeTest, PartsAreAsSent) {
  const std::optional<MediaType> type = MediaType::Parse("Image/SVG+xml;a=1;b=\"2;c=3\"");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->type(), "Image");
  EXPECT_EQ(type->subtype(), "SVG+xml");
  EXPECT_EQ(type->Parameter("a"), "1");
  EXPECT_EQ(type->Parameter("b"), "2;c=3");
  EXPECT_EQ(type->Parameter("c"), std::nullopt);
}

TEST(MediaTypeTest, IsComparesTheWhole) {
  const std::optional<MediaType> type = MediaType::Parse("text/html");
  EXPECT_TRUE(type->Is("TEXT/html"));
  for (const std::string_view other :
       {"", "text", "text/", "text/htm", "text/htmlx", "texthtml", "text html", "/text/html",
        "texu/html", "text/html;a=b", "tex/thtml"}) {
    EXPECT_FALSE(type->Is(other)) << other;
  }
}

TEST(MediaTypeTest, WhatIsNone) {
  for (const std::string_view text : {"",
                                      "text",
                                      "text/",
                                      "/html",
                                      "text//html",
                                      "text/html/x",
                                      " text/html",
                                      "text /html",
                                      "text/ html",
                                      "text/html charset=utf-8",
                                      "text/html, text/plain",
                                      "text/html;charset",
                                      "text/html;charset=",
                                      "text/html;charset= utf-8",
                                      "text/html;charset =utf-8",
                                      "text/html;charset=utf-8 x",
                                      "text/html;charset=\"utf-8",
                                      "text/html;charset=\"a\"b",
                                      "text/html;charset=a;charset=b",
                                      "text/html;charset=a;CHARSET=a",
                                      "text/html;=a",
                                      "t\xc3\xa4xt/html",
                                      "text/html;a=(b)",
                                      "text/html\r\n",
                                      "text/html;a=\"\r\n\""}) {
    EXPECT_FALSE(MediaType::Parse(text)) << text;
  }
}

TEST(MediaTypeTest, ParametersAreBounded) {
  std::string text = "a/b";
  for (std::size_t i = 0; i < kMaxMediaTypeParameters; ++i) text += ";p" + std::to_string(i) + "=v";
  EXPECT_TRUE(MediaType::Parse(text));
  EXPECT_FALSE(MediaType::Parse(text + ";one=more"));
}

const std::vector<std::string_view> kOffers = {
    "text/html;level=3", "text/html;level=2", "text/html;level=1",
    "text/html",         "text/plain",        "image/jpeg",
};

// The example of section 12.5.1, one candidate alone at a time, by what is still less wanted.
TEST(AcceptTest, TheMostSpecificRangeDecides) {
  const std::string accept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
      "*/*;q=0.5";
  const std::vector<std::pair<std::string_view, int>> weights = {
      {"text/plain;format=flowed", 1000},
      {"text/plain", 700},
      {"text/html", 300},
      {"image/jpeg", 500},
      {"text/plain;format=fixed", 400},
      {"text/html;level=3", 300},
  };
  for (const auto& [one, weight_of_one] : weights) {
    for (const auto& [other, weight_of_other] : weights) {
      if (weight_of_one <= weight_of_other) continue;
      const std::string_view candidates[] = {other, one};
      EXPECT_EQ(BestMediaType(accept, candidates), 1u) << one << " before " << other;
    }
  }
}

struct Choice {
  std::string_view accept;
  std::optional<std::size_t> best;  // Of kOffers.
};

TEST(AcceptTest, TheHighestWeightWins) {
  const std::vector<Choice> choices = {
      {"text/plain", 4},
      {"TEXT/PLAIN", 4},
      {"image/*", 5},
      {"*/*", 0},
      {"text/*, image/jpeg", 0},
      {"text/*;q=0.9, image/jpeg", 5},
      {"text/html;level=1", 2},
      {"text/html;level=\"1\"", 2},
      {"text/html;level=1;q=0.5, text/plain;q=0.6", 4},
      {"text/html;q=0.5;level=1, text/plain;q=0.4", 2},
      {"text/plain;q=0.001", 4},
      {"text/html;q=0, */*;q=0.1", 4},
      {"text/html;q=0, text/html;level=1, */*;q=0.1", 2},
      {"text/*;q=0, */*", 5},
      {"*/*;level=2", 1},
      {"text/*;level=2", 1},
      {",, text/plain ,", 4},
      {"text/plain;Q=0.5,image/jpeg;q=0.4", 4},
  };
  for (const Choice& choice : choices) {
    EXPECT_EQ(BestMediaType(choice.accept, kOffers), choice.best) << choice.accept;
  }
}

TEST(AcceptTest, NothingIfNoneIsWanted) {
  const std::string_view candidates[] = {"text/html", "image/gif;x=y"};
  for (const std::string_view accept :
       {"application/json", "audio/*", "*/*;q=0", "text/html;level=9", "text/*;q=0, image/*;q=0.0",
        "text/html;q=0"}) {
    EXPECT_EQ(BestMediaType(accept, candidates), std::nullopt) << accept;
  }
  EXPECT_EQ(BestMediaType("*/*", {}), std::nullopt);
  EXPECT_EQ(BestMediaType("", {}), std::nullopt);
}

TEST(AcceptTest, AnyIfItIsMalformedOrEmpty) {
  std::string too_long = "image/jpeg";
  for (std::size_t i = 0; i < kMaxAcceptElements; ++i) too_long += ",a/b";
  for (const std::string_view accept :
       {std::string_view(""), std::string_view(" , ,"), std::string_view("image/jpeg;q=2"),
        std::string_view("image/jpeg;q=\"0.5\""), std::string_view("image/jpeg;q"),
        std::string_view("image/jpeg;q=0.5;q=0.6"), std::string_view("image"),
        std::string_view("*/jpeg"), std::string_view("image/jpeg text/plain"),
        std::string_view("image/jpeg, *"), std::string_view(too_long)}) {
    EXPECT_EQ(BestMediaType(accept, kOffers), 0u) << accept;
  }
}

TEST(AcceptTest, AsManyElementsAsAreAllowed) {
  std::string accept = "image/jpeg";
  for (std::size_t i = 1; i < kMaxAcceptElements; ++i) accept += ",a/b";
  EXPECT_EQ(BestMediaType(accept, kOffers), 5u);
}

TEST(AcceptTest, WhatIsNoMediaTypeIsNoCandidate) {
  const std::string_view candidates[] = {"", "nonsense", "text/plain"};
  EXPECT_EQ(BestMediaType("", candidates), 2u);
  EXPECT_EQ(BestMediaType("*/*", candidates), 2u);
}

}  // namespace
}  // namespace strata::http
