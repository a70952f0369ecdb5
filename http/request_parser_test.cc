// What cases_test does not see of the parser: that of its interface, and what it costs.

#include "strata/http/request_parser.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "strata/http/body_decoder.h"
#include "strata/http/testing/allocations.h"

namespace strata::http {
namespace {

constexpr std::string_view kRequest =
    "POST /where?q=now HTTP/1.1\r\n"
    "Host: example.com:8080\r\n"
    "Content-Length: 5\r\n"
    "X-Own: \t value \r\n"
    "\r\n"
    "hello";
constexpr std::size_t kHeadBytes = kRequest.size() - 5;

void ExpectHead(const RequestHead& head) {
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.method_text, "POST");
  EXPECT_EQ(head.form, TargetForm::kOrigin);
  EXPECT_EQ(head.target, "/where?q=now");
  EXPECT_EQ(head.path, "/where");
  EXPECT_EQ(head.query, "q=now");
  EXPECT_EQ(head.scheme, "");
  EXPECT_EQ(head.authority, "example.com:8080");
  EXPECT_EQ(head.host, "example.com");
  EXPECT_EQ(head.port, 8080);
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.close);
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields.Get(FieldId::kHost), "example.com:8080");
  EXPECT_EQ(head.fields[2].name, "X-Own");
  EXPECT_EQ(head.fields[2].value, "value");
  EXPECT_EQ(head.fields[2].id, FieldId::kOther);
}

TEST(RequestParserTest, GivesTheHead) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse(kRequest), ParseResult::kComplete);
  EXPECT_EQ(parser.head_bytes(), kHeadBytes);
  EXPECT_EQ(parser.error(), ParseError::kNone);
  ExpectHead(parser.head());
}

TEST(RequestParserTest, NothingIsNotWrong) {
  RequestParser parser;
  EXPECT_EQ(parser.Parse(""), ParseResult::kIncomplete);
  EXPECT_EQ(parser.Parse(std::string_view()), ParseResult::kIncomplete);
  EXPECT_EQ(parser.Parse(kRequest), ParseResult::kComplete);
}

// The bytes move each time, and the block where they were is gone.
TEST(RequestParserTest, ViewsFollowTheBytes) {
  for (const std::string_view target : {"/where?q=now", "http://b.example:81/path?query", "*"}) {
    const std::string request = std::string(target == "*" ? "OPTIONS " : "GET ") +
                                std::string(target) + " HTTP/1.1\r\nHost: a:1\r\nX: y\r\n\r\n";
    RequestParser parser;
    std::unique_ptr<char[]> block;
    for (std::size_t size = 1; size <= request.size(); ++size) {
      std::unique_ptr<char[]> next(new char[size]);
      std::copy_n(request.begin(), size, next.get());
      block = std::move(next);
      ASSERT_EQ(parser.Parse(std::string_view(block.get(), size)),
                size < request.size() ? ParseResult::kIncomplete : ParseResult::kComplete);
    }
    const auto is_within = [&](std::string_view view) {
      return view.empty() || (view.data() >= block.get() &&
                              view.data() + view.size() <= block.get() + request.size());
    };
    const RequestHead& head = parser.head();
    for (const std::string_view view : {head.method_text, head.target, head.scheme, head.authority,
                                        head.host, head.path, head.query}) {
      EXPECT_TRUE(is_within(view)) << view;
    }
    for (const Field& field : head.fields) {
      EXPECT_TRUE(is_within(field.name));
      EXPECT_TRUE(is_within(field.value));
    }
    EXPECT_EQ(head.target, target);
    EXPECT_EQ(head.host, target.starts_with("http") ? "b.example" : "a");
    EXPECT_EQ(head.fields.Get("X"), "y");
  }
}

TEST(RequestParserTest, TheResultStaysUntilReset) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse(kRequest), ParseResult::kComplete);
  EXPECT_EQ(parser.Parse("GET  / HTTP/1.1\r\n"), ParseResult::kComplete);
  parser.Reset();
  ASSERT_EQ(parser.Parse("GET  / HTTP/1.1\r\n"), ParseResult::kError);
  EXPECT_EQ(parser.Parse(kRequest), ParseResult::kError);
  EXPECT_EQ(parser.error(), ParseError::kBadRequestLine);
  EXPECT_EQ(parser.error_offset(), 4u);
  parser.Reset();
  EXPECT_EQ(parser.error(), ParseError::kNone);
  ASSERT_EQ(parser.Parse(kRequest), ParseResult::kComplete);
  ExpectHead(parser.head());
}

// Whatever was parsed before, and how far.
TEST(RequestParserTest, NothingIsLeftOfTheMessageBefore) {
  const std::string_view before[] = {
      "OPTIONS http://b HTTP/1.0\r\nConnection: close, keep-alive, upgrade\r\nUpgrade: x\r\n"
      "Expect: 100-continue\r\n\r\n",
      "\r\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n",
      "CONNECT b:1 HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nX: y\x01\r\n",
      "\r\nGET",
  };
  for (const std::string_view first : before) {
    RequestParser parser;
    parser.Parse(first);
    parser.Reset();
    ASSERT_EQ(parser.Parse("GET / HTTP/1.1\r\nHost: c\r\n\r\n"), ParseResult::kComplete) << first;
    const RequestHead& head = parser.head();
    EXPECT_EQ(head.method, Method::kGet);
    EXPECT_EQ(head.form, TargetForm::kOrigin);
    EXPECT_EQ(head.minor_version, 1);
    EXPECT_EQ(head.scheme, "");
    EXPECT_EQ(head.host, "c");
    EXPECT_EQ(head.port, std::nullopt);
    EXPECT_EQ(head.query, "");
    EXPECT_EQ(head.framing, Framing::kNone);
    EXPECT_EQ(head.content_length, 0u);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(head.close);
    EXPECT_FALSE(head.upgrade);
    EXPECT_FALSE(head.expect_continue);
    EXPECT_EQ(head.fields.size(), 1u);
    EXPECT_FALSE(head.fields.Has(FieldId::kContentLength));
  }
}

TEST(RequestParserTest, MovesInTheMiddleOfAHead) {
  RequestParser first;
  ASSERT_EQ(first.Parse(kRequest.substr(0, 60)), ParseResult::kIncomplete);
  RequestParser second(std::move(first));
  ASSERT_EQ(second.Parse(kRequest), ParseResult::kComplete);
  ExpectHead(second.head());
  RequestParser third;
  third = std::move(second);
  ExpectHead(third.head());
}

TEST(RequestParserTest, LimitsOfAnySizeAreTaken) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  RequestParser parser({.max_start_line_bytes = kMost,
                        .max_field_bytes = kMost,
                        .max_fields = kMost,
                        .max_body_bytes = kUnlimitedBody});
  EXPECT_EQ(parser.Parse(kRequest), ParseResult::kComplete);
  RequestParser none({.max_start_line_bytes = 0, .max_field_bytes = 0, .max_fields = 0});
  EXPECT_EQ(none.Parse("G"), ParseResult::kError);
  EXPECT_EQ(none.error(), ParseError::kBadMethod);
}

// A server's plain path: heads, bodies and chunks, one after the other.
TEST(RequestParserTest, AllocatesNothingPerMessage) {
  RequestParser parser;
  BodyDecoder body;
  const std::string_view requests[] = {
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n",
      kRequest,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
      "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  const std::uint64_t before = testing::Allocations();
  for (int i = 0; i < 100; ++i) {
    for (const std::string_view request : requests) {
      parser.Reset();
      for (std::size_t size = 1; size < request.size(); size += 7) {
        if (parser.Parse(request.substr(0, size)) != ParseResult::kIncomplete) break;
      }
      if (parser.Parse(request) != ParseResult::kComplete) continue;
      body.Start(parser.head().framing, parser.head().content_length, parser.limits());
      std::string_view rest = request.substr(parser.head_bytes());
      BodyDecoder::Step step;
      do {
        step = body.Next(rest);
        rest.remove_prefix(step.consumed);
      } while (step.state == BodyDecoder::State::kData);
      ASSERT_EQ(step.state, BodyDecoder::State::kEnd);
    }
  }
  EXPECT_EQ(testing::Allocations(), before);
}

TEST(RequestParserTest, AllocatesRoomForTheFieldsOnce) {
  const std::uint64_t before = testing::Allocations();
  const RequestParser parser;
  EXPECT_LE(testing::Allocations() - before, 2u);
}

}  // namespace
}  // namespace strata::http
