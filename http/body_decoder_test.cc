// What cases_test does not see of the decoder: that of its interface.

#include "strata/http/body_decoder.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using State = BodyDecoder::State;

TEST(BodyDecoderTest, BeforeAnyStartThereIsNoBody) {
  BodyDecoder body;
  EXPECT_EQ(body.Next("abc").state, State::kEnd);
  EXPECT_EQ(body.Next("abc").consumed, 0u);
  EXPECT_TRUE(body.IsCompleteAtClose());
}

TEST(BodyDecoderTest, NoBodyEndsAtOnce) {
  BodyDecoder body;
  body.Start(Framing::kNone, 0, {});
  EXPECT_EQ(body.Next("").state, State::kEnd);
  body.Start(Framing::kLength, 0, {});
  EXPECT_EQ(body.Next("GET").state, State::kEnd);
  EXPECT_EQ(body.Next("GET").consumed, 0u);
}

TEST(BodyDecoderTest, ALengthIsCountedDown) {
  BodyDecoder body;
  body.Start(Framing::kLength, 5, {});
  EXPECT_EQ(body.remaining_bytes(), 5u);
  EXPECT_FALSE(body.IsCompleteAtClose());
  EXPECT_EQ(body.Next("").state, State::kNeedMore);

  BodyDecoder::Step step = body.Next("hel");
  EXPECT_EQ(step.state, State::kData);
  EXPECT_EQ(step.data, "hel");
  EXPECT_EQ(step.consumed, 3u);
  EXPECT_EQ(body.remaining_bytes(), 2u);
  EXPECT_EQ(body.body_bytes(), 3u);

  step = body.Next("loGET");
  EXPECT_EQ(step.data, "lo");
  EXPECT_EQ(step.consumed, 2u);
  EXPECT_EQ(body.remaining_bytes(), 0u);
  EXPECT_EQ(body.Next("GET").state, State::kEnd);
  EXPECT_TRUE(body.IsCompleteAtClose());
}

TEST(BodyDecoderTest, DataIsNotCopied) {
  const std::string bytes = "5\r\nhello\r\n0\r\n\r\n";
  BodyDecoder body;
  body.Start(Framing::kChunked, 0, {});
  const BodyDecoder::Step step = body.Next(bytes);
  EXPECT_EQ(step.data.data(), bytes.data() + 3);
  EXPECT_EQ(step.consumed, 8u);
}

TEST(BodyDecoderTest, UntilCloseGoesOn) {
  BodyDecoder body;
  body.Start(Framing::kUntilClose, 0, {.max_body_bytes = 4});
  EXPECT_TRUE(body.IsCompleteAtClose());
  EXPECT_EQ(body.Next("abc").data, "abc");
  EXPECT_TRUE(body.IsCompleteAtClose());
  EXPECT_EQ(body.Next("def").data, "d");
  EXPECT_EQ(body.Next("ef").state, State::kError);
  EXPECT_EQ(body.error(), ParseError::kBodyTooLarge);
  EXPECT_FALSE(body.IsCompleteAtClose());
}

TEST(BodyDecoderTest, ALengthThatIsTooGreatIsRefusedAtOnce) {
  BodyDecoder body;
  body.Start(Framing::kLength, 5, {.max_body_bytes = 4});
  EXPECT_EQ(body.error(), ParseError::kBodyTooLarge);
  const BodyDecoder::Step step = body.Next("hello");
  EXPECT_EQ(step.state, State::kError);
  EXPECT_EQ(step.consumed, 0u);
}

TEST(BodyDecoderTest, AnErrorStays) {
  BodyDecoder body;
  body.Start(Framing::kChunked, 0, {});
  EXPECT_EQ(body.Next("x").state, State::kError);
  EXPECT_EQ(body.Next("1\r\na\r\n").state, State::kError);
  EXPECT_EQ(body.Next("").consumed, 0u);
  EXPECT_EQ(body.error(), ParseError::kBadChunkSize);
  EXPECT_FALSE(body.IsCompleteAtClose());
}

TEST(BodyDecoderTest, AChunkedBodyIsCutOffBeforeItsEnd) {
  BodyDecoder body;
  body.Start(Framing::kChunked, 0, {});
  const std::string_view bytes = "1\r\na\r\n0\r\nX: 1\r\n\r\n";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(body.IsCompleteAtClose()) << i;
    EXPECT_TRUE(body.trailers().empty()) << i;
    body.Next(bytes.substr(i, 1));
  }
  EXPECT_EQ(body.Next("").state, State::kEnd);
  EXPECT_TRUE(body.IsCompleteAtClose());
  EXPECT_EQ(body.remaining_bytes(), 0u);
}

TEST(BodyDecoderTest, TrailersAreItsOwn) {
  BodyDecoder body;
  body.Start(Framing::kChunked, 0, {});
  {
    const std::string bytes = "0\r\nX-Sum: " + std::string(100, 'a') + "\r\nCookie: b\r\n\r\n";
    EXPECT_EQ(body.Next(bytes).state, State::kEnd);
  }
  BodyDecoder moved(std::move(body));
  EXPECT_EQ(moved.trailers().size(), 1u);
  EXPECT_EQ(moved.trailers().Get("X-Sum"), std::string(100, 'a'));
  EXPECT_FALSE(moved.trailers().Has(FieldId::kCookie));
  moved.Start(Framing::kChunked, 0, {});
  EXPECT_EQ(moved.Next("0\r\n\r\n").state, State::kEnd);
  EXPECT_TRUE(moved.trailers().empty());
}

TEST(BodyDecoderTest, NothingIsLeftOfTheBodyBefore) {
  const ParserLimits limits = {.max_body_bytes = 3, .max_chunk_extensions_total_bytes = 4};
  BodyDecoder body;
  for (const std::string_view before :
       {"3;a\r\nabc\r\n0;b\r\n\r\n", "00000000000000003;a", "2;a=\"b", "3\r\nab", "0\r\nX"}) {
    body.Start(Framing::kChunked, 0, limits);
    std::string_view rest = before;
    for (;;) {
      const BodyDecoder::Step step = body.Next(rest);
      rest.remove_prefix(step.consumed);
      if (step.state != State::kData) break;
    }
    body.Start(Framing::kChunked, 0, limits);
    const BodyDecoder::Step step = body.Next("0000000000000003;abc\r\nabc\r\n");
    EXPECT_EQ(step.data, "abc") << before;
    EXPECT_EQ(body.body_bytes(), 3u);
    EXPECT_EQ(body.Next("\r\n0\r\n\r\n").state, State::kEnd);
  }
}

TEST(BodyDecoderTest, IsSmall) { EXPECT_LE(sizeof(BodyDecoder), 64u); }

}  // namespace
}  // namespace strata::http
