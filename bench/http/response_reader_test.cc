#include "bench/http/response_reader.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace bench {
namespace {

constexpr std::string_view kBody = "Hello, World!";

std::string Response(std::string_view body = kBody, std::string_view fields = "",
                     std::string_view status = "HTTP/1.1 200 OK") {
  return std::string(status) + "\r\nDate: now\r\n" + std::string(fields) +
         "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class ResponseReaderTest : public ::testing::Test {
 protected:
  // What is wrong with these bytes; null if nothing.
  const char* Wrong(std::string_view bytes) {
    return reader_.Read(bytes, expected_) ? nullptr : expected_.wrong;
  }

  ExpectedResponse expected_{kBody};
  ResponseReader reader_;
};

TEST_F(ResponseReaderTest, CountsResponses) {
  EXPECT_EQ(reader_.Read(Response(), expected_), 1u);
  EXPECT_EQ(reader_.Read(Response() + Response() + Response(), expected_), 3u);
  EXPECT_TRUE(reader_.between_responses());
}

TEST_F(ResponseReaderTest, TakesAnyPieces) {
  const std::string two = Response() + Response();
  for (std::size_t first = 0; first <= two.size(); ++first) {
    for (std::size_t second = first; second <= two.size(); ++second) {
      unsigned ended = 0;
      const std::string_view all = two;
      for (const std::string_view piece :
           {all.substr(0, first), all.substr(first, second - first), all.substr(second)}) {
        const auto responses = reader_.Read(piece, expected_);
        ASSERT_TRUE(responses) << expected_.wrong << " at " << first << " and " << second;
        ended += *responses;
      }
      ASSERT_EQ(ended, 2u) << first << " and " << second;
      ASSERT_TRUE(reader_.between_responses());
    }
  }
}

TEST_F(ResponseReaderTest, SaysThatAResponseHasBegun) {
  EXPECT_EQ(reader_.Read("HTTP", expected_), 0u);
  EXPECT_FALSE(reader_.between_responses());
  const std::string rest = Response().substr(4);
  EXPECT_EQ(reader_.Read(rest.substr(0, rest.size() - 1), expected_), 0u);
  EXPECT_FALSE(reader_.between_responses());
  EXPECT_EQ(reader_.Read(rest.substr(rest.size() - 1), expected_), 1u);
  EXPECT_TRUE(reader_.between_responses());
}

TEST_F(ResponseReaderTest, TakesHeadsOfOtherSizes) {
  const std::string longer = Response(kBody, "Server: x\r\n");
  EXPECT_EQ(reader_.Read(Response() + longer + Response() + longer, expected_), 4u);
}

TEST_F(ResponseReaderTest, TakesAnEmptyBody) {
  expected_.body = "";
  EXPECT_EQ(reader_.Read(Response("") + Response(""), expected_), 2u);
  EXPECT_EQ(reader_.Read(Response(""), expected_), 1u);
}

TEST_F(ResponseReaderTest, RefusesWhatIsWrong) {
  const struct {
    std::string bytes;
    const char* wrong;
  } kCases[] = {
      {Response(kBody, "", "HTTP/1.1 404 No"), "another status than 200"},
      {Response(kBody, "", "HTTP/1.1 200OK "), "another status than 200"},
      {Response(kBody, "", "HTTP/1.0 200 OK"), "another status than 200"},
      {Response("Hello, World?"), "another body"},
      {Response("hello, World!"), "another body"},
      {Response("Hello, World!!"), "another Content-Length"},
      {Response("Hello, World"), "another Content-Length"},
      {Response(kBody, "Content-Length: 13\r\n"), "two Content-Length"},
      {Response(kBody, "Transfer-Encoding: chunked\r\n"), "a transfer coding"},
      {"HTTP/1.1 200 OK\r\nDate: now\r\n\r\n" + std::string(kBody), "no Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 13x\r\n\r\n" + std::string(kBody),
       "another Content-Length"},
      {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n" + std::string(kBody), "another Content-Length"},
      {std::string(17'000, 'x'), "a head without an end"},
  };
  for (const auto& [bytes, wrong] : kCases) {
    SCOPED_TRACE(bytes.substr(0, 80));
    reader_ = ResponseReader();
    expected_ = ExpectedResponse{kBody};
    EXPECT_STREQ(Wrong(bytes), wrong);
    // After a right one a head of its size is not parsed: what has another length then either does
    // not fit, or does not end where the response does.
    reader_ = ResponseReader();
    expected_ = ExpectedResponse{kBody};
    ASSERT_EQ(Wrong(Response()), nullptr);
    EXPECT_TRUE(Wrong(bytes) != nullptr || !reader_.between_responses());
  }
}

// A head of the known size whose own length is another one: what follows does not fit.
TEST_F(ResponseReaderTest, RefusesBytesThatFollow) {
  ASSERT_EQ(Wrong(Response()), nullptr);
  std::string longer = Response("Hello, World!!");
  EXPECT_EQ(longer.size(), Response().size() + 1);
  longer += Response();
  EXPECT_NE(Wrong(longer), nullptr);
}

}  // namespace
}  // namespace bench
