#include "strata/crypto/hash.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::Bytes;
using testing::ReadVectors;
using testing::VectorCase;

struct Named {
  HashAlgorithm algorithm;
  const char* name;
};

constexpr Named kAll[] = {
    {HashAlgorithm::kSha256, "sha256"},     {HashAlgorithm::kSha384, "sha384"},
    {HashAlgorithm::kSha512, "sha512"},     {HashAlgorithm::kSha3_256, "sha3_256"},
    {HashAlgorithm::kSha3_512, "sha3_512"}, {HashAlgorithm::kBlake2b512, "blake2b512"},
};

class HashTest : public ::testing::TestWithParam<Named> {
 protected:
  HashAlgorithm algorithm() const { return GetParam().algorithm; }
};

INSTANTIATE_TEST_SUITE_P(All, HashTest, ::testing::ValuesIn(kAll),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(HashTest, IsAsPublished) {
  for (const VectorCase& vector : ReadVectors(std::string(GetParam().name) + ".txt")) {
    SCOPED_TRACE(vector);
    const Bytes message = vector.Hex("message");
    const Digest digest = Hash(algorithm(), message);
    EXPECT_EQ(digest.ToHex(), vector.Text("digest"));
    EXPECT_EQ(digest.size(), HashBytes(algorithm()));
  }
}

TEST_P(HashTest, BordersOfPiecesDoNotMatter) {
  std::string message;
  for (int i = 0; i < 1000; ++i) message += static_cast<char>(i * 7);
  const Digest whole = Hash(algorithm(), message);
  Hasher hasher(algorithm());
  for (std::size_t step = 1; step < 300; step += 13) {
    for (std::size_t at = 0; at < message.size(); at += step) {
      hasher.Update(std::string_view(message).substr(at, step));
      hasher.Update("");
    }
    EXPECT_EQ(hasher.Finish(), whole) << step;
  }
}

TEST_P(HashTest, BeginsAnewAfterFinish) {
  Hasher hasher(algorithm());
  hasher.Update("abc");
  EXPECT_EQ(hasher.Finish(), Hash(algorithm(), "abc"));
  EXPECT_EQ(hasher.Finish(), Hash(algorithm(), ""));
}

TEST_P(HashTest, AnUnfinishedHashDoesNotDisturbOneShots) {
  Hasher hasher(algorithm());
  hasher.Update("a");
  EXPECT_EQ(Hash(algorithm(), "x"), Hash(algorithm(), "x"));
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish(), Hash(algorithm(), "abc"));
}

TEST_P(HashTest, ACloneGoesItsOwnWay) {
  Hasher hasher(algorithm());
  hasher.Update("ab");
  Hasher clone = hasher.Clone();
  clone.Update("X");
  hasher.Update("c");
  EXPECT_EQ(hasher.Finish(), Hash(algorithm(), "abc"));
  EXPECT_EQ(clone.Finish(), Hash(algorithm(), "abX"));
  EXPECT_EQ(clone.algorithm(), algorithm());
}

TEST_P(HashTest, ScatteredPiecesAreOneMessage) {
  const Bytes one = {'a'};
  const Bytes two = {'b', 'c'};
  const std::span<const std::uint8_t> pieces[] = {one, {}, two};
  EXPECT_EQ(HashPieces(algorithm(), pieces), Hash(algorithm(), "abc"));
  EXPECT_EQ(HashPieces(algorithm(), {}), Hash(algorithm(), ""));
}

TEST_P(HashTest, EveryThreadGetsTheSame) {
  const Digest expected = Hash(algorithm(), "abc");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) EXPECT_EQ(Hash(algorithm(), "abc"), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(HashTest, IsAvailable) { EXPECT_TRUE(HashIsAvailable(algorithm())); }

TEST(DigestTest, IsAValue) {
  const Digest digest = Hash(HashAlgorithm::kSha256, "abc");
  const Digest copy(digest.bytes());
  EXPECT_EQ(copy, digest);
  EXPECT_NE(Hash(HashAlgorithm::kSha256, "abd"), digest);
  EXPECT_NE(Digest(digest.bytes().first(31)), digest);
  EXPECT_EQ(Digest(), Digest());
  EXPECT_EQ(Digest(Bytes(100)).size(), kMaxHashBytes);
}

class HashFileTest : public ::testing::Test {
 protected:
  std::string path_ = std::string(std::getenv("TEST_TMPDIR")) + "/hashed";

  void Write(const std::string& contents) {
    std::ofstream out(path_, std::ios::binary);
    out << contents;
    ASSERT_TRUE(out.flush().good());
  }
};

TEST_F(HashFileTest, IsThatOfItsContents) {
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 300000}) {
    std::string contents(size, '\0');
    for (std::size_t i = 0; i < size; ++i) contents[i] = static_cast<char>(i % 251);
    Write(contents);
    EXPECT_EQ(HashFile(HashAlgorithm::kSha256, path_).value(),
              Hash(HashAlgorithm::kSha256, contents))
        << size;
  }
}

TEST_F(HashFileTest, SaysWhatIsWrong) {
  EXPECT_EQ(HashFile(HashAlgorithm::kSha256, path_ + ".none").status().code(),
            absl::StatusCode::kNotFound);
  Write("x");
  EXPECT_EQ(HashFile(HashAlgorithm::kSha256, path_ + "/below").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(HashFile(HashAlgorithm::kSha256, std::getenv("TEST_TMPDIR")).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace strata::crypto
