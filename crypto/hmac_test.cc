#include "strata/crypto/hmac.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::Bytes;
using testing::FromHex;
using testing::ReadVectors;
using testing::VectorCase;

Hmac Make(HashAlgorithm algorithm = HashAlgorithm::kSha256) {
  return *Hmac::Create(algorithm, Bytes{'k', 'e', 'y'});
}

TEST(HmacTest, IsAsPublished) {
  const std::map<std::string, HashAlgorithm> hashes = {{"sha256", HashAlgorithm::kSha256},
                                                       {"sha384", HashAlgorithm::kSha384},
                                                       {"sha512", HashAlgorithm::kSha512}};
  for (const VectorCase& vector : ReadVectors("hmac.txt")) {
    SCOPED_TRACE(vector);
    const Bytes message = vector.Hex("message");
    const absl::StatusOr<Hmac> hmac =
        Hmac::Create(hashes.at(vector.Text("hash")), vector.Hex("key"));
    ASSERT_TRUE(hmac.ok());
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(hmac->Compute(message).ToHex(), vector.Text("mac"));
      EXPECT_TRUE(hmac->Verify(message, vector.Hex("mac")));
    }
  }
}

TEST(HmacTest, RefusesAChangeOfAnyBit) {
  const Hmac hmac = Make();
  const Digest mac = hmac.Compute("message");
  for (std::size_t bit = 0; bit < 8 * mac.size(); ++bit) {
    Bytes other(mac.bytes().begin(), mac.bytes().end());
    other[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    ASSERT_FALSE(hmac.Verify("message", other)) << bit;
  }
  EXPECT_FALSE(hmac.Verify("Message", mac.bytes()));
  EXPECT_TRUE(hmac.Verify("message", mac.bytes()));
}

TEST(HmacTest, RefusesWhatWasCutShortOrPadded) {
  const Hmac hmac = Make();
  const Digest mac = hmac.Compute("message");
  for (std::size_t size = 0; size < mac.size(); ++size) {
    EXPECT_FALSE(hmac.Verify("message", mac.bytes().first(size))) << size;
  }
  Bytes longer(mac.bytes().begin(), mac.bytes().end());
  longer.push_back(0);
  EXPECT_FALSE(hmac.Verify("message", longer));
}

TEST(HmacTest, ServesEveryHash) {
  for (const HashAlgorithm algorithm :
       {HashAlgorithm::kSha256, HashAlgorithm::kSha384, HashAlgorithm::kSha512,
        HashAlgorithm::kSha3_256, HashAlgorithm::kSha3_512, HashAlgorithm::kBlake2b512}) {
    EXPECT_EQ(Make(algorithm).Compute("x").size(), HashBytes(algorithm));
  }
}

TEST(HmacTest, RefusesAnEmptyKey) {
  EXPECT_EQ(Hmac::Create(HashAlgorithm::kSha256, {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HmacTest, ThreadsShareOneObject) {
  const Hmac hmac = Make();
  const Digest expected = hmac.Compute("message");
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) EXPECT_EQ(hmac.Compute("message"), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(HmacStreamTest, BordersOfPiecesDoNotMatter) {
  const Hmac hmac = Make();
  HmacStream stream = hmac.Begin();
  stream.Update("mes");
  stream.Update("");
  EXPECT_NE(hmac.Compute("another"), hmac.Compute("message"));
  stream.Update("sage");
  EXPECT_EQ(stream.Finish(), hmac.Compute("message"));
}

TEST(HmacStreamTest, BeginsAnewAfterEachEnd) {
  const Hmac hmac = Make();
  HmacStream stream = hmac.Begin();
  stream.Update("message");
  EXPECT_TRUE(stream.Verify(hmac.Compute("message").bytes()));
  EXPECT_FALSE(stream.Verify(hmac.Compute("message").bytes()));
  EXPECT_EQ(stream.Finish(), hmac.Compute(""));
}

TEST(HmacStreamTest, OutlivesItsKey) {
  std::optional<Hmac> hmac = Make();
  const Digest expected = hmac->Compute("message");
  HmacStream stream = hmac->Begin();
  HmacStream other = hmac->Begin();
  hmac.reset();
  stream.Update("message");
  other.Update("mess");
  EXPECT_EQ(stream.Finish(), expected);
  stream = std::move(other);
  stream.Update("age");
  EXPECT_EQ(stream.Finish(), expected);
}

TEST(HmacStreamTest, AssignmentKeepsKeysApart) {
  const Hmac one = Make();
  const Hmac other = *Hmac::Create(HashAlgorithm::kSha256, Bytes{'o', 't', 'h', 'e', 'r'});
  const Digest of_one = one.Compute("message");
  const Digest of_other = other.Compute("message");
  {
    // The one moved from ends last, and what it gives back then must go to its own key.
    HmacStream source = other.Begin();
    HmacStream stream = one.Begin();
    stream = std::move(source);
    stream.Update("message");
    EXPECT_EQ(stream.Finish(), of_other);
  }
  EXPECT_EQ(one.Compute("message"), of_one);
  EXPECT_EQ(other.Compute("message"), of_other);
}

TEST(HmacStreamTest, AnAbandonedMessageLeavesNoTrace) {
  const Hmac hmac = Make();
  const Digest expected = hmac.Compute("message");
  hmac.Begin().Update("half a mess");
  EXPECT_EQ(hmac.Compute("message"), expected);
}

}  // namespace
}  // namespace strata::crypto
