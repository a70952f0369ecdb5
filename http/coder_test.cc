// Encoders and decoders of every coding, their bounds, and the pool.

#include "strata/http/coder.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/brotli_coding.h"
#include "strata/http/coding_pool.h"
#include "strata/http/gzip_coding.h"
#include "strata/http/zstd_coding.h"

namespace strata::http {
namespace {

using Flush = Encoder::Flush;
using Factory = std::shared_ptr<const CodingFactory>;

// Lines that shrink, but not to nothing.
std::string Text(std::size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size) text += "{\"id\":" + std::to_string(random()) + ",\"name\":\"x\"}\n";
  text.resize(size);
  return text;
}

std::string Encode(const CodingFactory& factory, std::string_view text) {
  std::string encoded;
  EXPECT_EQ(factory.NewEncoder()->Append(text, Flush::kFinish, &encoded), CodingError::kOk);
  return encoded;
}

std::unique_ptr<Decoder> NewDecoder(const CodingFactory& factory, const DecodeLimits& limits = {}) {
  std::unique_ptr<Decoder> decoder = factory.NewDecoder();
  EXPECT_TRUE(decoder->Reset(limits));
  return decoder;
}

CodingError DecodeAll(const CodingFactory& factory, std::string_view encoded, std::string* text,
                      const DecodeLimits& limits = {}) {
  const std::unique_ptr<Decoder> decoder = NewDecoder(factory, limits);
  const CodingError error = decoder->AppendAll(encoded, text);
  return error != CodingError::kOk ? error : decoder->Finish();
}

// All that may unpack to much.
constexpr DecodeLimits kNoRatio = {.max_bytes = std::uint64_t{1} << 40, .max_ratio = 1 << 30};

class CoderTest : public ::testing::TestWithParam<ContentCoding> {
 protected:
  static Factory Make() {
    switch (GetParam()) {
      case ContentCoding::kGzip:
        return NewGzipCoding().value();
      case ContentCoding::kDeflate:
        return NewDeflateCoding().value();
      case ContentCoding::kBrotli:
        return NewBrotliCoding().value();
      default:
        return NewZstdCoding().value();
    }
  }

  const Factory factory_ = Make();
};

INSTANTIATE_TEST_SUITE_P(Codings, CoderTest,
                         ::testing::Values(ContentCoding::kGzip, ContentCoding::kDeflate,
                                           ContentCoding::kBrotli, ContentCoding::kZstd),
                         [](const auto& test) {
                           return std::string(ContentCodingName(test.param));
                         });

TEST_P(CoderTest, WhatWasEncodedIsDecoded) {
  EXPECT_EQ(factory_->coding(), GetParam());
  for (const std::size_t size : {0, 1, 15, 255, 16384, 300000}) {
    const std::string text = Text(size);
    const std::string encoded = Encode(*factory_, text);
    if (size >= 16384) {
      EXPECT_LT(encoded.size(), size / 2);
    }
    std::string decoded;
    EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded), CodingError::kOk) << size;
    EXPECT_EQ(decoded, text) << size;
  }
}

TEST_P(CoderTest, PiecesOfAnySizeGiveTheSame) {
  const std::string text = Text(20000);
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    const auto piece = [&](std::size_t most) { return 1 + random() % most; };
    const std::unique_ptr<Encoder> encoder = factory_->NewEncoder();
    std::string encoded;
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view part = rest.substr(0, piece(5000));
      rest.remove_prefix(part.size());
      const Flush flush = rest.empty()        ? Flush::kFinish
                          : random() % 4 == 0 ? Flush::kSync
                                              : Flush::kNone;
      std::string_view input = part;
      CodingStep step;
      do {
        std::vector<char> room(Encoder::kMinOutputBytes + random() % 100);
        step = encoder->Encode(input, flush, room);
        ASSERT_EQ(step.error, CodingError::kOk);
        input.remove_prefix(step.read);
        encoded.append(room.data(), step.written);
      } while (step.more);
      ASSERT_TRUE(input.empty());
    }

    const std::unique_ptr<Decoder> decoder = NewDecoder(*factory_);
    std::string decoded;
    for (std::string_view rest = encoded; !rest.empty();) {
      std::string_view input = rest.substr(0, piece(round % 2 == 0 ? 3 : 700));
      rest.remove_prefix(input.size());
      CodingStep step;
      do {
        std::vector<char> room(piece(50));
        step = decoder->Decode(input, room);
        ASSERT_EQ(step.error, CodingError::kOk);
        input.remove_prefix(step.read);
        decoded.append(room.data(), step.written);
      } while (step.more);
      ASSERT_TRUE(input.empty());
    }
    EXPECT_EQ(decoder->Finish(), CodingError::kOk);
    ASSERT_EQ(decoded, text);
  }
}

TEST_P(CoderTest, AFlushBringsOutAllThatWasGiven) {
  const std::unique_ptr<Encoder> encoder = factory_->NewEncoder();
  const std::unique_ptr<Decoder> decoder = NewDecoder(*factory_);
  std::string text;
  for (const std::string_view event : {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}) {
    std::string piece;
    ASSERT_EQ(encoder->Append(event, Flush::kSync, &piece), CodingError::kOk);
    std::string got;
    ASSERT_EQ(decoder->AppendAll(piece, &got), CodingError::kOk);
    EXPECT_EQ(got, event);
  }
}

TEST_P(CoderTest, EachIsGoodForManyStreams) {
  const std::unique_ptr<Encoder> encoder = factory_->NewEncoder();
  const std::unique_ptr<Decoder> decoder = NewDecoder(*factory_);
  for (int i = 0; i < 3; ++i) {
    const std::string text = Text(1000 + static_cast<std::size_t>(i));
    std::string encoded, decoded;
    ASSERT_EQ(encoder->Append(text, Flush::kFinish, &encoded), CodingError::kOk);
    ASSERT_EQ(decoder->AppendAll(encoded, &decoded), CodingError::kOk);
    EXPECT_EQ(decoder->Finish(), CodingError::kOk);
    EXPECT_EQ(decoded, text);
    // From the middle of another one too.
    encoded.clear();
    ASSERT_TRUE(encoder->Reset());
    ASSERT_EQ(encoder->Append(text, Flush::kNone, &encoded), CodingError::kOk);
    ASSERT_TRUE(encoder->Reset());
    ASSERT_TRUE(decoder->Reset({}));
  }
}

TEST_P(CoderTest, TheBoundOfOutputIsExact) {
  const std::string text = Text(5000);
  const std::string encoded = Encode(*factory_, text);
  std::string decoded;
  EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded, {.max_bytes = 5000}), CodingError::kOk);
  EXPECT_EQ(decoded, text);
  decoded.clear();
  EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded, {.max_bytes = 4999}), CodingError::kTooLarge);
  EXPECT_LE(decoded.size(), 4999u);
  EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded, {.max_bytes = 0}), CodingError::kTooLarge);
  EXPECT_EQ(DecodeAll(*factory_, Encode(*factory_, ""), &decoded, {.max_bytes = 0}),
            CodingError::kOk);
}

TEST_P(CoderTest, ABombEndsAtItsRatio) {
  const std::string encoded = Encode(*factory_, std::string(32 << 20, '\0'));
  std::string decoded;
  const DecodeLimits limits = {.max_bytes = std::uint64_t{1} << 40};
  EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded, limits), CodingError::kRatioTooHigh);
  // It is seen soon after what is free, and after no more than the ratio of what was read.
  EXPECT_LE(decoded.size(), limits.ratio_free_bytes + encoded.size() * limits.max_ratio + 16384);
  decoded.clear();
  EXPECT_EQ(DecodeAll(*factory_, encoded, &decoded, kNoRatio), CodingError::kOk);
  EXPECT_EQ(decoded.size(), std::size_t{32} << 20);
}

TEST_P(CoderTest, EveryTruncationIsAnError) {
  const std::string encoded = Encode(*factory_, Text(2000));
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    std::string decoded;
    EXPECT_EQ(DecodeAll(*factory_, std::string_view(encoded).substr(0, size), &decoded),
              CodingError::kTruncated)
        << size;
  }
}

TEST_P(CoderTest, WhatFollowsTheEndIsAnError) {
  std::string decoded;
  EXPECT_EQ(DecodeAll(*factory_, Encode(*factory_, "text") + "x", &decoded),
            CodingError::kTrailingBytes);
}

TEST_P(CoderTest, OtherBytesAreCorrupt) {
  std::string decoded;
  EXPECT_EQ(DecodeAll(*factory_, "\x07\xffThis is plain text, no coding at all.", &decoded),
            CodingError::kCorrupt);
}

TEST_P(CoderTest, AnErrorStays) {
  const std::unique_ptr<Decoder> decoder = NewDecoder(*factory_, {.max_bytes = 3});
  std::string decoded;
  const std::string encoded = Encode(*factory_, "text");
  EXPECT_EQ(decoder->AppendAll(encoded, &decoded), CodingError::kTooLarge);
  EXPECT_EQ(decoder->AppendAll(encoded, &decoded), CodingError::kTooLarge);
  EXPECT_EQ(decoder->Finish(), CodingError::kTooLarge);
}

TEST_P(CoderTest, DamageNeverGoesBeyondTheBounds) {
  const std::string encoded = Encode(*factory_, Text(3000));
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = encoded;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    std::string decoded;
    (void)DecodeAll(*factory_, damaged, &decoded, {.max_bytes = 10000});
    ASSERT_LE(decoded.size(), 10000u);
  }
}

// RFC 1952 section 2.2 and RFC 8878 section 3.
TEST(MemberTest, GzipAndZstdHaveMembers) {
  for (const Factory& factory : {NewGzipCoding().value(), NewZstdCoding().value()}) {
    const std::string two = Encode(*factory, "one, ") + Encode(*factory, "two");
    std::string decoded;
    EXPECT_EQ(DecodeAll(*factory, two, &decoded), CodingError::kOk);
    EXPECT_EQ(decoded, "one, two");
    EXPECT_EQ(DecodeAll(*factory, two, &decoded, {.max_members = 2}), CodingError::kOk);
    EXPECT_EQ(DecodeAll(*factory, two, &decoded, {.max_members = 1}), CodingError::kTooManyMembers);
    EXPECT_EQ(DecodeAll(*factory, two.substr(0, two.size() - 1), &decoded),
              CodingError::kTruncated);
  }
}

TEST(MemberTest, DeflateAndBrotliHaveNone) {
  for (const Factory& factory : {NewDeflateCoding().value(), NewBrotliCoding().value()}) {
    std::string decoded;
    EXPECT_EQ(DecodeAll(*factory, Encode(*factory, "one") + Encode(*factory, "two"), &decoded),
              CodingError::kTrailingBytes);
  }
}

TEST(GzipTest, AWrongChecksumIsCorrupt) {
  const Factory factory = NewGzipCoding().value();
  std::string encoded = Encode(*factory, "text");
  encoded[encoded.size() - 5] ^= 1;  // CRC-32.
  std::string decoded;
  EXPECT_EQ(DecodeAll(*factory, encoded, &decoded), CodingError::kCorrupt);
}

TEST(DeflateTest, PlainDeflateIsTakenByOption) {
  // "text" in a stored block (RFC 1951 section 3.2.4).
  const std::string plain("\x01\x04\x00\xfb\xfftext", 9);
  std::string decoded;
  EXPECT_EQ(DecodeAll(*NewDeflateCoding().value(), plain, &decoded), CodingError::kCorrupt);
  const Factory lenient = NewDeflateCoding({.accept_raw_deflate = true}).value();
  decoded.clear();
  EXPECT_EQ(DecodeAll(*lenient, plain, &decoded), CodingError::kOk);
  EXPECT_EQ(decoded, "text");
  decoded.clear();
  EXPECT_EQ(DecodeAll(*lenient, Encode(*lenient, "proper"), &decoded), CodingError::kOk);
  EXPECT_EQ(decoded, "proper");
  const std::unique_ptr<Decoder> bytewise = NewDecoder(*lenient);
  decoded.clear();
  for (const char c : plain) {
    ASSERT_EQ(bytewise->AppendAll(std::string_view(&c, 1), &decoded), CodingError::kOk);
  }
  EXPECT_EQ(bytewise->Finish(), CodingError::kOk);
  EXPECT_EQ(decoded, "text");
}

TEST(BrotliTest, AWindowAboveTheBoundIsRefused) {
  const Factory wide = NewBrotliCoding({.window_bits = 24}).value();
  const Factory narrow = NewBrotliCoding({.max_window_bits = 20}).value();
  // Large enough that the encoder does not choose a smaller window itself.
  const std::string encoded = Encode(*wide, std::string(1 << 20, 'x'));
  std::string decoded;
  EXPECT_EQ(DecodeAll(*narrow, encoded, &decoded, kNoRatio), CodingError::kCorrupt);
  EXPECT_EQ(DecodeAll(*wide, encoded, &decoded, kNoRatio), CodingError::kOk);
}

TEST(FactoryTest, OptionsHaveBounds) {
  EXPECT_FALSE(NewGzipCoding({.level = 0}).ok());
  EXPECT_FALSE(NewGzipCoding({.level = 10}).ok());
  EXPECT_FALSE(NewDeflateCoding({.window_bits = 8}).ok());
  EXPECT_FALSE(NewGzipCoding({.mem_level = 10}).ok());
  EXPECT_FALSE(NewBrotliCoding({.quality = 12}).ok());
  EXPECT_FALSE(NewBrotliCoding({.window_bits = 25}).ok());
  EXPECT_FALSE(NewBrotliCoding({.max_window_bits = 9}).ok());
  EXPECT_FALSE(NewZstdCoding({.level = 20}).ok());
  EXPECT_FALSE(NewZstdCoding({.window_bits = 24}).ok());
}

TEST(CodingErrorTest, ErrorsOfTheBodyAndOfItsSize) {
  EXPECT_TRUE(ToStatus(CodingError::kOk).ok());
  EXPECT_EQ(ToStatus(CodingError::kCorrupt).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ToStatus(CodingError::kTruncated).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ToStatus(CodingError::kRatioTooHigh).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ToStatus(CodingError::kTooLarge).message(), "content coding: too large when decoded");
}

TEST(CodingPoolTest, HandsOutWhatItHasAFactoryFor) {
  CodingPool pool({NewGzipCoding().value()});
  EXPECT_EQ(pool.codings(), CodingSet({ContentCoding::kGzip}));
  EXPECT_NE(pool.TakeEncoder(ContentCoding::kGzip), nullptr);
  EXPECT_EQ(pool.TakeEncoder(ContentCoding::kIdentity), nullptr);
  EXPECT_EQ(pool.TakeEncoder(ContentCoding::kBrotli), nullptr);
  EXPECT_EQ(pool.TakeDecoder(ContentCoding::kDeflate), nullptr);
}

TEST(CodingPoolTest, WhatComesBackIsHandedOutAgainAndBeginsAnew) {
  CodingPool pool({NewGzipCoding().value()});
  EncoderPtr encoder = pool.TakeEncoder(ContentCoding::kGzip);
  DecoderPtr decoder = pool.TakeDecoder(ContentCoding::kGzip, {.max_bytes = 1});
  Encoder* const first = encoder.get();
  Decoder* const first_decoder = decoder.get();
  std::string dropped;
  ASSERT_EQ(encoder->Append("in the middle", Flush::kNone, &dropped), CodingError::kOk);
  encoder.reset();
  decoder.reset();
  encoder = pool.TakeEncoder(ContentCoding::kGzip);
  decoder = pool.TakeDecoder(ContentCoding::kGzip, {.max_bytes = 4});
  EXPECT_EQ(encoder.get(), first);
  EXPECT_EQ(decoder.get(), first_decoder);
  std::string encoded, decoded;
  ASSERT_EQ(encoder->Append("text", Flush::kFinish, &encoded), CodingError::kOk);
  EXPECT_EQ(decoder->AppendAll(encoded, &decoded), CodingError::kOk);
  EXPECT_EQ(decoded, "text");
}

TEST(CodingPoolTest, HandsOutNoMoreThanItMay) {
  CodingPool pool({NewGzipCoding().value(), NewDeflateCoding().value()},
                  {.max_encoders = 2, .max_decoders = 1});
  EncoderPtr a = pool.TakeEncoder(ContentCoding::kGzip);
  EncoderPtr b = pool.TakeEncoder(ContentCoding::kDeflate);
  EXPECT_EQ(pool.TakeEncoder(ContentCoding::kGzip), nullptr);
  b.reset();
  EXPECT_NE(pool.TakeEncoder(ContentCoding::kGzip), nullptr);
  DecoderPtr c = pool.TakeDecoder(ContentCoding::kGzip);
  EXPECT_EQ(pool.TakeDecoder(ContentCoding::kDeflate), nullptr);
}

}  // namespace
}  // namespace strata::http
