// What cases_test does not see of the parser: that of its interface.

#include "strata/http/response_parser.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

constexpr std::string_view kResponse =
    "HTTP/1.1 200 Well done\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello";

TEST(ResponseParserTest, GivesTheHead) {
  ResponseParser parser;
  ASSERT_EQ(parser.Parse(kResponse), ParseResult::kComplete);
  const ResponseHead& head = parser.head();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "Well done");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.interim);
  EXPECT_FALSE(head.tunnel);
  EXPECT_EQ(head.fields.Get(FieldId::kServer), "x");
  EXPECT_EQ(parser.head_bytes(), kResponse.size() - 5);
}

TEST(ResponseParserTest, ViewsFollowTheBytes) {
  ResponseParser parser;
  std::unique_ptr<char[]> block;
  const std::string_view response = kResponse.substr(0, kResponse.size() - 5);
  for (std::size_t size = 1; size <= response.size(); ++size) {
    std::unique_ptr<char[]> next(new char[size]);
    std::copy_n(response.begin(), size, next.get());
    block = std::move(next);
    ASSERT_EQ(parser.Parse(std::string_view(block.get(), size)),
              size < response.size() ? ParseResult::kIncomplete : ParseResult::kComplete);
  }
  EXPECT_EQ(parser.head().reason, "Well done");
  EXPECT_EQ(parser.head().reason.data(), block.get() + 13);
  EXPECT_EQ(parser.head().fields[1].value.data(), block.get() + response.size() - 5);
}

TEST(ResponseParserTest, NothingIsLeftOfTheResponseBefore) {
  ResponseParser parser;
  parser.Reset(Method::kConnect);
  ASSERT_EQ(parser.Parse("HTTP/1.0 200 x\r\nConnection: close\r\nA: b\r\n\r\n"),
            ParseResult::kComplete);
  EXPECT_TRUE(parser.head().tunnel);
  parser.Reset(Method::kGet);
  ASSERT_EQ(parser.Parse("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"), ParseResult::kComplete);
  EXPECT_EQ(parser.head().status, 404);
  EXPECT_EQ(parser.head().reason, "");
  EXPECT_FALSE(parser.head().tunnel);
  EXPECT_TRUE(parser.head().keep_alive);
  EXPECT_EQ(parser.head().fields.size(), 1u);
  parser.Reset(Method::kGet);
  ASSERT_EQ(parser.Parse("x"), ParseResult::kError);
  EXPECT_EQ(parser.error(), ParseError::kBadVersion);
  EXPECT_EQ(parser.Parse(kResponse), ParseResult::kError);
  parser.Reset(Method::kGet);
  EXPECT_EQ(parser.Parse(kResponse), ParseResult::kComplete);
}

TEST(ResponseParserTest, WithoutAResetItAnswersGet) {
  ResponseParser parser;
  ASSERT_EQ(parser.Parse("HTTP/1.1 200 OK\r\n\r\n"), ParseResult::kComplete);
  EXPECT_EQ(parser.head().framing, Framing::kUntilClose);
  ResponseParser moved(std::move(parser));
  EXPECT_EQ(moved.head().status, 200);
}

}  // namespace
}  // namespace strata::http
