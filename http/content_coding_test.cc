// Which coding a response gets.

#include "strata/http/content_coding.h"

#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using enum ContentCoding;

constexpr CodingSet kAll = {kDeflate, kGzip, kZstd, kBrotli};
constexpr CodingSet kZlib = {kDeflate, kGzip};

TEST(ContentCodingTest, Names) {
  for (const ContentCoding coding : {kIdentity, kDeflate, kGzip, kZstd, kBrotli}) {
    EXPECT_EQ(ParseContentCoding(ContentCodingName(coding)), coding);
  }
  EXPECT_EQ(ParseContentCoding("GZip"), kGzip);
  EXPECT_EQ(ParseContentCoding("x-gzip"), kGzip);
  for (const std::string_view bad : {"", "gzip, br", "gzip ", "compress", "*", "g"}) {
    EXPECT_EQ(ParseContentCoding(bad), std::nullopt) << bad;
  }
}

TEST(ContentCodingTest, EachSetHasIdentity) {
  EXPECT_TRUE(CodingSet().Has(kIdentity));
  EXPECT_FALSE(CodingSet().Has(kGzip));
  CodingSet set;
  set.Add(kGzip);
  EXPECT_EQ(set, CodingSet({kGzip}));
  EXPECT_TRUE(set.Has(kGzip));
  EXPECT_FALSE(set.Has(kDeflate));
}

// RFC 9110 section 12.5.3.
TEST(NegotiateCodingTest, TheHighestWeightWins) {
  EXPECT_EQ(NegotiateCoding("gzip", kAll), kGzip);
  EXPECT_EQ(NegotiateCoding("gzip;q=0.5, deflate;q=0.8", kAll), kDeflate);
  EXPECT_EQ(NegotiateCoding("gzip;q=0.5, identity;q=0.8", kAll), kIdentity);
  EXPECT_EQ(NegotiateCoding("br;q=0.001", kAll), kBrotli);
  EXPECT_EQ(NegotiateCoding("deflate , x-GZIP ;\tQ=0.9", kAll), kDeflate);
}

TEST(NegotiateCodingTest, OfEqualsTheOneThatPacksBest) {
  EXPECT_EQ(NegotiateCoding("gzip, deflate, br, zstd", kAll), kBrotli);
  EXPECT_EQ(NegotiateCoding("gzip, deflate, zstd", kAll), kZstd);
  EXPECT_EQ(NegotiateCoding("deflate, gzip", kAll), kGzip);
  EXPECT_EQ(NegotiateCoding("identity, deflate", kAll), kDeflate);
}

TEST(NegotiateCodingTest, OnlyWhatThereIs) {
  EXPECT_EQ(NegotiateCoding("br, zstd, gzip;q=0.1", kZlib), kGzip);
  EXPECT_EQ(NegotiateCoding("br", kZlib), kIdentity);
  EXPECT_EQ(NegotiateCoding("gzip", CodingSet()), kIdentity);
}

TEST(NegotiateCodingTest, AnOrderOfOnesOwn) {
  constexpr ContentCoding kOrder[] = {kGzip, kBrotli, kDeflate};
  EXPECT_EQ(NegotiateCoding("br, deflate, gzip, zstd", kOrder), kGzip);
  EXPECT_EQ(NegotiateCoding("br, deflate", kOrder), kBrotli);
  EXPECT_EQ(NegotiateCoding("identity, deflate;q=0.5", kOrder), kIdentity);
  EXPECT_EQ(NegotiateCoding("zstd", kOrder), kIdentity);
}

TEST(NegotiateCodingTest, AWeightOfZeroForbids) {
  EXPECT_EQ(NegotiateCoding("gzip;q=0", kAll), kIdentity);
  EXPECT_EQ(NegotiateCoding("*, br;q=0, zstd;q=0.000", kAll), kGzip);
  EXPECT_EQ(NegotiateCoding("*;q=0", kAll), kIdentity);
  EXPECT_EQ(NegotiateCoding("identity;q=0", kAll), kIdentity);
  EXPECT_EQ(NegotiateCoding("identity;q=0, gzip;q=0.1", kAll), kGzip);
}

TEST(NegotiateCodingTest, AStarIsAllTheOthers) {
  EXPECT_EQ(NegotiateCoding("*", kAll), kBrotli);
  EXPECT_EQ(NegotiateCoding("*;q=0.5, gzip", kAll), kGzip);
  EXPECT_EQ(NegotiateCoding("gzip;q=0.1, *", kZlib), kDeflate);
}

TEST(NegotiateCodingTest, WhatIsMalformedWantsNothing) {
  for (const std::string_view bad :
       {"", " ", ",", "gzip deflate", "gzip;", "gzip;q", "gzip;q=", "gzip;q=2", "gzip;q=0.5555",
        "gzip;level=1", "gzip;q=1;x=1", "gzip, \"", "gzip\x01", "=gzip", ";q=1"}) {
    EXPECT_EQ(NegotiateCoding(bad, kAll), kIdentity) << bad;
  }
}

TEST(NegotiateCodingTest, EmptyElementsAreNone) {
  EXPECT_EQ(NegotiateCoding(", ,gzip,,", kAll), kGzip);
}

TEST(NegotiateCodingTest, ElementsAreBounded) {
  std::string most;
  for (std::size_t i = 1; i < kMaxAcceptEncodingElements; ++i) most += "a,";
  EXPECT_EQ(NegotiateCoding(most + "gzip", kAll), kGzip);
  EXPECT_EQ(NegotiateCoding(most + "gzip,a", kAll), kIdentity);
}

TEST(ShouldCompressTest, TypesThatShrink) {
  for (const std::string_view type :
       {"text/html", "TEXT/Plain; charset=utf-8", "application/json", "application/problem+json",
        "image/svg+xml", "application/wasm", "font/ttf", "application/javascript"}) {
    EXPECT_TRUE(ShouldCompress({.content_type = type})) << type;
  }
  for (const std::string_view type :
       {"", "image/png", "video/mp4", "application/zip", "application/octet-stream", "font/woff2",
        "application/pdf", "text", "text/", "application/json x",
        "multipart/byteranges; boundary=x"}) {
    EXPECT_FALSE(ShouldCompress({.content_type = type})) << type;
  }
}

TEST(ShouldCompressTest, TypesOfOnesOwn) {
  const CompressionPolicy policy = {.more_types = {"application/x-thing"}};
  EXPECT_TRUE(ShouldCompress({.content_type = "application/X-Thing; a=b"}, policy));
  EXPECT_FALSE(ShouldCompress({.content_type = "application/x-thing"}));
}

TEST(ShouldCompressTest, SmallBodiesStayAsTheyAre) {
  EXPECT_FALSE(ShouldCompress({.content_type = "text/html", .size_bytes = 1023}));
  EXPECT_TRUE(ShouldCompress({.content_type = "text/html", .size_bytes = 1024}));
  EXPECT_TRUE(ShouldCompress({.content_type = "text/html", .size_bytes = 10}, {.min_bytes = 10}));
}

TEST(ShouldCompressTest, WhatHasACodingStaysAsItIs) {
  EXPECT_FALSE(ShouldCompress({.content_type = "text/html", .content_encoding = "gzip"}));
  EXPECT_FALSE(ShouldCompress({.content_type = "text/html", .content_encoding = "identity"}));
}

TEST(ShouldCompressTest, NoTransformIsRespected) {
  for (const std::string_view control :
       {"no-transform", "public, No-Transform", "max-age=\"1,2\",no-transform", "=", "a b"}) {
    EXPECT_FALSE(ShouldCompress({.content_type = "text/html", .cache_control = control}))
        << control;
  }
  for (const std::string_view control : {"", "no-store", "x=\"no-transform\"", "max-age=1"}) {
    EXPECT_TRUE(ShouldCompress({.content_type = "text/html", .cache_control = control})) << control;
  }
}

}  // namespace
}  // namespace strata::http
