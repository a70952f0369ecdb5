#include "strata/crypto/hazmat/aes_ctr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto::hazmat {
namespace {

using testing::Bytes;
using testing::ReadVectors;
using testing::VectorCase;

CounterBlock Block(const Bytes& bytes) {
  CounterBlock block = {};
  std::copy_n(bytes.begin(), block.size(), block.begin());
  return block;
}

CounterBlock Filled(std::uint8_t with) {
  CounterBlock block;
  block.fill(with);
  return block;
}

AesCtr Make(const CounterBlock& counter = {}) { return *AesCtr::Create(Bytes(32, 7), counter); }

// The key stream itself, from the beginning.
Bytes Stream(std::size_t size, const CounterBlock& counter = {}) {
  Bytes bytes(size);
  EXPECT_TRUE(Make(counter).Transform(bytes, bytes).ok());
  return bytes;
}

TEST(AesCtrTest, IsAsPublished) {
  for (const VectorCase& vector : ReadVectors("aes_ctr.txt")) {
    SCOPED_TRACE(vector);
    absl::StatusOr<AesCtr> stream = AesCtr::Create(vector.Hex("key"), Block(vector.Hex("counter")));
    ASSERT_TRUE(stream.ok());
    const Bytes plaintext = vector.Hex("plaintext");
    Bytes out(plaintext.size());
    ASSERT_TRUE(stream->Transform(plaintext, out).ok());
    EXPECT_EQ(out, vector.Hex("ciphertext"));
    ASSERT_TRUE(stream->Seek(0).ok());
    ASSERT_TRUE(stream->Transform(out, out).ok());
    EXPECT_EQ(out, plaintext);
  }
}

TEST(AesCtrTest, GoesOnWhereItStopped) {
  const Bytes whole = Stream(1000);
  AesCtr stream = Make();
  Bytes bytes(1000);
  for (std::size_t at = 0, step = 1; at < bytes.size(); at += step, step = step % 37 + 3) {
    step = std::min(step, bytes.size() - at);
    const auto part = std::span(bytes).subspan(at, step);
    ASSERT_TRUE(stream.Transform(part, part).ok());
  }
  EXPECT_EQ(bytes, whole);
}

TEST(AesCtrTest, SeeksToAnyByte) {
  const Bytes whole = Stream(1000);
  AesCtr stream = Make();
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    const std::size_t offset = random() % 900;
    Bytes bytes(random() % 100);
    ASSERT_TRUE(stream.Seek(offset).ok());
    ASSERT_TRUE(stream.Transform(bytes, bytes).ok());
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), whole.begin() + offset)) << offset;
  }
}

TEST(AesCtrTest, SeekingFarIsAddingBlocks) {
  const std::uint64_t offset = 0xffffffffffffffff;
  AesCtr stream = Make(Filled(0xff));
  ASSERT_TRUE(stream.Seek(offset).ok());
  Bytes bytes(33);
  ASSERT_TRUE(stream.Transform(bytes, bytes).ok());
  const Bytes expected = Stream(48, Advance(Filled(0xff), offset / 16));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin() + 15));
}

TEST(AesCtrTest, RestartsAtAnotherCounter) {
  AesCtr stream = Make();
  Bytes bytes(20);
  ASSERT_TRUE(stream.Transform(bytes, bytes).ok());
  ASSERT_TRUE(stream.Restart(Filled(3)).ok());
  bytes.assign(20, 0);
  ASSERT_TRUE(stream.Transform(bytes, bytes).ok());
  EXPECT_EQ(bytes, Stream(20, Filled(3)));
  // Seeking counts from there.
  ASSERT_TRUE(stream.Seek(0).ok());
  bytes.assign(20, 0);
  ASSERT_TRUE(stream.Transform(bytes, bytes).ok());
  EXPECT_EQ(bytes, Stream(20, Filled(3)));
}

TEST(AesCtrTest, TheCounterWrapsAround) {
  const Bytes around = Stream(32, Filled(0xff));
  const Bytes zero = Stream(16);
  EXPECT_TRUE(std::equal(zero.begin(), zero.end(), around.begin() + 16));
}

TEST(AdvanceTest, CarriesThroughAllBytes) {
  EXPECT_EQ(Advance(Filled(0xff), 1), Filled(0));
  EXPECT_EQ(Advance(Filled(0), 0), Filled(0));
  CounterBlock carried = {};
  carried[7] = 1;
  carried[15] = 0xfe;
  CounterBlock ones = {};
  std::fill(ones.begin() + 8, ones.end(), 0xff);
  EXPECT_EQ(Advance(ones, 0xff), carried);
  EXPECT_EQ(Advance(Advance(ones, 0xffffffffffffffff), 1), Advance(Advance(ones, 1), ~0ull));
}

TEST(AesCtrTest, RefusesOtherKeysAndBuffers) {
  for (const std::size_t size : {0, 1, 15, 24, 31, 33, 64}) {
    EXPECT_EQ(AesCtr::Create(Bytes(size), {}).status().code(), absl::StatusCode::kInvalidArgument);
  }
  AesCtr stream = Make();
  Bytes bytes(40);
  const auto all = std::span(bytes);
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(stream.Transform(all.first(10), all.first(9)).code(), invalid);
  EXPECT_EQ(stream.Transform(all.first(10), all.subspan(1, 10)).code(), invalid);
  EXPECT_EQ(stream.Transform(all.subspan(9, 10), all.first(10)).code(), invalid);
  EXPECT_TRUE(stream.Transform(all.first(10), all.subspan(10, 10)).ok());
  EXPECT_TRUE(stream.Transform({}, {}).ok());
}

}  // namespace
}  // namespace strata::crypto::hazmat
