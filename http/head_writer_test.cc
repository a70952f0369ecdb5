#include "strata/http/head_writer.h"

#include <array>
#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "strata/http/body_decoder.h"
#include "strata/http/request_parser.h"
#include "strata/http/response_parser.h"

namespace strata::http {
namespace {

using std::literals::operator""sv;

TEST(HeadWriterTest, IsTheExampleOfTheHeader) {
  std::string out;
  HeadWriter writer(out);
  writer.StatusLine(200);
  writer.Field(FieldId::kContentType, "text/plain");
  writer.ContentLength(13);
  writer.End();
  EXPECT_EQ(writer.error(), WriteError::kNone);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n");
  EXPECT_EQ(writer.bytes(), out.size());
}

TEST(HeadWriterTest, AppendsToWhatIsThere) {
  std::string out = "before ";
  HeadWriter writer(out);
  writer.Raw("A: 1\r\n");
  EXPECT_EQ(out, "before A: 1\r\n");
  EXPECT_EQ(writer.bytes(), 6u);
}

TEST(HeadWriterTest, WritesIntoABuffer) {
  std::array<char, 100> buffer;
  HeadWriter writer{std::span<char>(buffer)};
  writer.RequestLine(Method::kGet, "/where");
  writer.Field("Host", "a");
  writer.End();
  EXPECT_EQ(std::string_view(buffer.data(), writer.bytes()),
            "GET /where HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(HeadWriterTest, ABufferMayBeFilledToItsEnd) {
  std::array<char, 10> buffer;
  HeadWriter fits{std::span<char>(buffer)};
  fits.Raw("0123456789");
  EXPECT_TRUE(fits.ok());
  EXPECT_EQ(fits.bytes(), 10u);
  fits.Raw("");
  EXPECT_TRUE(fits.ok());
  HeadWriter does_not{std::span<char>(buffer)};
  does_not.Raw("01234");
  does_not.Raw("567890");
  EXPECT_EQ(does_not.error(), WriteError::kNoRoom);
  EXPECT_EQ(does_not.bytes(), 0u);
}

TEST(HeadWriterTest, StatusLines) {
  const auto line = [](int status) {
    std::string out;
    HeadWriter(out).StatusLine(status);
    return out;
  };
  EXPECT_EQ(line(404), "HTTP/1.1 404 Not Found\r\n");
  EXPECT_EQ(line(299), "HTTP/1.1 299 \r\n");
  EXPECT_EQ(line(999), "HTTP/1.1 999 \r\n");
  std::string out;
  HeadWriter(out).StatusLine(200, "Very well");
  EXPECT_EQ(out, "HTTP/1.1 200 Very well\r\n");
}

TEST(HeadWriterTest, RequestLines) {
  std::string out;
  HeadWriter writer(out);
  writer.RequestLine("M-SEARCH", "*");
  writer.RequestLine(Method::kConnect, "[::1]:443");
  EXPECT_EQ(out, "M-SEARCH * HTTP/1.1\r\nCONNECT [::1]:443 HTTP/1.1\r\n");
}

TEST(HeadWriterTest, NumbersOfEverySize) {
  const auto length = [](std::uint64_t bytes) {
    std::string out;
    HeadWriter(out).ContentLength(bytes);
    return out;
  };
  EXPECT_EQ(length(0), "Content-Length: 0\r\n");
  EXPECT_EQ(length(1234567890), "Content-Length: 1234567890\r\n");
  EXPECT_EQ(length(std::numeric_limits<std::uint64_t>::max()),
            "Content-Length: 18446744073709551615\r\n");
  std::string out;
  HeadWriter writer(out);
  writer.ChunkSize(26);
  writer.ChunkSize(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out, "1a\r\nffffffffffffffff\r\n");
}

TEST(HeadWriterTest, ChunksWithTrailersAreReadAgain) {
  std::string out;
  HeadWriter writer(out);
  writer.ChunkSize(5);
  out += "hello";
  writer.ChunkEnd();
  writer.LastChunk();
  writer.Field("X-Sum", "1");
  writer.End();
  EXPECT_EQ(out, "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");

  BodyDecoder body;
  body.Start(Framing::kChunked, 0, {});
  EXPECT_EQ(body.Next(out).data, "hello");
  EXPECT_EQ(body.Next(out.substr(8)).state, BodyDecoder::State::kEnd);
  EXPECT_EQ(body.trailers().Get("x-sum"), "1");
}

// What would split a message is not written, and what was written before is taken back.
TEST(HeadWriterTest, RefusesWhatBreaksTheFraming) {
  struct Case {
    WriteError error;
    void (*write)(HeadWriter& writer);
  };
  const Case cases[] = {
      {WriteError::kBadMethod, [](HeadWriter& w) { w.RequestLine("GE T", "/"); }},
      {WriteError::kBadMethod, [](HeadWriter& w) { w.RequestLine("", "/"); }},
      {WriteError::kBadMethod, [](HeadWriter& w) { w.RequestLine(Method::kOther, "/"); }},
      {WriteError::kBadTarget, [](HeadWriter& w) { w.RequestLine(Method::kGet, ""); }},
      {WriteError::kBadTarget, [](HeadWriter& w) { w.RequestLine(Method::kGet, "/a b"); }},
      {WriteError::kBadTarget, [](HeadWriter& w) { w.RequestLine(Method::kGet, "/a#b"); }},
      {WriteError::kBadTarget, [](HeadWriter& w) { w.RequestLine(Method::kGet, "/\xc3\xa9"); }},
      {WriteError::kBadTarget,
       [](HeadWriter& w) { w.RequestLine(Method::kGet, "/ HTTP/1.1\r\nX: 1"); }},
      {WriteError::kBadStatus, [](HeadWriter& w) { w.StatusLine(99); }},
      {WriteError::kBadStatus, [](HeadWriter& w) { w.StatusLine(1000); }},
      {WriteError::kBadStatus, [](HeadWriter& w) { w.StatusLine(-200, "OK"); }},
      {WriteError::kBadReason, [](HeadWriter& w) { w.StatusLine(200, "OK\r\nX: 1"); }},
      {WriteError::kBadName, [](HeadWriter& w) { w.Field("", "1"); }},
      {WriteError::kBadName, [](HeadWriter& w) { w.Field("X Y", "1"); }},
      {WriteError::kBadName, [](HeadWriter& w) { w.Field("X:", "1"); }},
      {WriteError::kBadName, [](HeadWriter& w) { w.Field("X\r\nY", "1"); }},
      {WriteError::kBadName, [](HeadWriter& w) { w.Field(FieldId::kOther, "1"); }},
      {WriteError::kBadValue, [](HeadWriter& w) { w.Field("X", "1\r\nY: 2"); }},
      {WriteError::kBadValue, [](HeadWriter& w) { w.Field("X", "1\n"); }},
      {WriteError::kBadValue, [](HeadWriter& w) { w.Field("X", "\r"); }},
      {WriteError::kBadValue, [](HeadWriter& w) { w.Field("X", "a\0b"sv); }},
      {WriteError::kBadValue, [](HeadWriter& w) { w.Field(FieldId::kLocation, "/\x7f"); }},
  };
  for (const Case& c : cases) {
    std::string out = "before";
    HeadWriter writer(out);
    writer.Field("Good", "1");
    c.write(writer);
    EXPECT_EQ(writer.error(), c.error) << ToString(c.error);
    EXPECT_EQ(out, "before") << ToString(c.error);
    EXPECT_EQ(writer.bytes(), 0u);
    // The first error holds.
    writer.Field("Good", "2");
    writer.StatusLine(0);
    writer.End();
    EXPECT_EQ(writer.error(), c.error) << ToString(c.error);
    EXPECT_EQ(out, "before") << ToString(c.error);
  }
}

TEST(HeadWriterTest, TakesWhatAValueMayHave) {
  std::string out;
  HeadWriter writer(out);
  writer.Field("X", "");
  writer.Field("Y", "a\tb; \"c\" \x80\xff");
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(out, "X: \r\nY: a\tb; \"c\" \x80\xff\r\n");
}

TEST(HeadWriterTest, WhatIsWrittenIsParsed) {
  std::string out;
  HeadWriter request(out);
  request.RequestLine(Method::kPost, "/a?b");
  request.Field(FieldId::kHost, "a:1");
  request.ContentLength(2);
  request.End();
  RequestParser parser;
  ASSERT_EQ(parser.Parse(out), ParseResult::kComplete);
  EXPECT_EQ(parser.head_bytes(), out.size());
  EXPECT_EQ(parser.head().content_length, 2u);

  out.clear();
  HeadWriter response(out);
  response.StatusLine(299);
  response.Field(FieldId::kTransferEncoding, "chunked");
  response.End();
  ResponseParser responses;
  ASSERT_EQ(responses.Parse(out), ParseResult::kComplete);
  EXPECT_EQ(responses.head().status, 299);
  EXPECT_EQ(responses.head().framing, Framing::kChunked);
}

}  // namespace
}  // namespace strata::http
