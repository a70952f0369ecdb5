// Methods, statuses and errors.

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "strata/http/method.h"
#include "strata/http/parse_error.h"
#include "strata/http/status.h"

namespace strata::http {
namespace {

TEST(MethodTest, EachIsParsedFromItsName) {
  for (int i = 0; i < kMethodCount; ++i) {
    const Method method = static_cast<Method>(i);
    EXPECT_EQ(ParseMethod(MethodName(method)), method);
  }
  EXPECT_EQ(MethodName(Method::kPatch), "PATCH");
  EXPECT_EQ(MethodName(Method::kOther), "");
}

TEST(MethodTest, AllElseIsAnother) {
  for (const std::string_view name : {"", "get", "Get", "GE", "GETS", "PUTT", "POSTS", "HEAR",
                                      "DELETES", "OPTION", "CONNECTS", "TRACK", "QUERY"}) {
    EXPECT_EQ(ParseMethod(name), Method::kOther) << name;
  }
}

// RFC 9110 section 9.2, RFC 5789.
TEST(MethodTest, SafeAndIdempotent) {
  for (const Method method : {Method::kGet, Method::kHead, Method::kOptions, Method::kTrace}) {
    EXPECT_TRUE(IsSafe(method));
    EXPECT_TRUE(IsIdempotent(method));
  }
  for (const Method method : {Method::kPut, Method::kDelete}) {
    EXPECT_FALSE(IsSafe(method));
    EXPECT_TRUE(IsIdempotent(method));
  }
  for (const Method method : {Method::kPost, Method::kConnect, Method::kPatch, Method::kOther}) {
    EXPECT_FALSE(IsSafe(method));
    EXPECT_FALSE(IsIdempotent(method));
  }
}

TEST(StatusTest, LinesAreReadyToSend) {
  EXPECT_EQ(StatusLine(200), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(StatusLine(404), "HTTP/1.1 404 Not Found\r\n");
  EXPECT_EQ(StatusLine(511), "HTTP/1.1 511 Network Authentication Required\r\n");
  EXPECT_EQ(ReasonPhrase(100), "Continue");
  EXPECT_EQ(ReasonPhrase(431), "Request Header Fields Too Large");
}

TEST(StatusTest, WhatIsNotRegisteredHasNone) {
  for (const int status : {-1, 0, 99, 105, 199, 306, 418, 512, 599, 600, 1000}) {
    EXPECT_EQ(StatusLine(status), "") << status;
    EXPECT_EQ(ReasonPhrase(status), "") << status;
  }
}

TEST(StatusTest, EveryLineHasItsCode) {
  int count = 0;
  for (int status = 0; status < 1000; ++status) {
    if (StatusLine(status).empty()) continue;
    ++count;
    EXPECT_EQ(StatusLine(status), "HTTP/1.1 " + std::to_string(status) + " " +
                                      std::string(ReasonPhrase(status)) + "\r\n");
  }
  EXPECT_EQ(count, 62);
}

TEST(StatusTest, SomeNeverHaveABody) {
  for (const int status : {100, 101, 199, 204, 304}) EXPECT_TRUE(IsBodiless(status)) << status;
  for (const int status : {99, 200, 203, 205, 303, 305, 400}) {
    EXPECT_FALSE(IsBodiless(status)) << status;
  }
}

TEST(ParseErrorTest, EachHasAStatusAndATextOfItsOwn) {
  std::set<std::string_view> texts;
  for (int i = 0; i < kParseErrorCount; ++i) {
    const ParseError error = static_cast<ParseError>(i);
    const std::string_view text = ToString(error);
    EXPECT_TRUE(texts.insert(text).second) << text;
    if (error == ParseError::kNone) continue;
    EXPECT_NE(text.find("(RFC "), std::string_view::npos) << text;
    EXPECT_FALSE(StatusLine(StatusOf(error)).empty()) << text;
  }
}

TEST(ParseErrorTest, TheStatusIs400ButWhereAnotherSaysMore) {
  EXPECT_EQ(StatusOf(ParseError::kNone), 0);
  EXPECT_EQ(StatusOf(ParseError::kUnsupportedVersion), 505);
  EXPECT_EQ(StatusOf(ParseError::kStartLineTooLong), 414);
  EXPECT_EQ(StatusOf(ParseError::kFieldsTooLarge), 431);
  EXPECT_EQ(StatusOf(ParseError::kTooManyFields), 431);
  EXPECT_EQ(StatusOf(ParseError::kUnknownTransferCoding), 501);
  EXPECT_EQ(StatusOf(ParseError::kBodyTooLarge), 413);
  EXPECT_EQ(StatusOf(ParseError::kUnsupportedExpectation), 417);
  EXPECT_EQ(StatusOf(ParseError::kTrailersTooLarge), 431);
  EXPECT_EQ(StatusOf(ParseError::kTooManyTrailers), 431);
  int others = 0;
  for (int i = 0; i < kParseErrorCount; ++i) {
    const int status = StatusOf(static_cast<ParseError>(i));
    others += status != 0 && status != 400;
  }
  EXPECT_EQ(others, 9);
}

TEST(ParseErrorTest, IsTheExampleOfTheHeader) {
  EXPECT_EQ(ToString(ParseError::kBareLf), "bare LF at the end of a line (RFC 9112 section 2.2)");
}

}  // namespace
}  // namespace strata::http
