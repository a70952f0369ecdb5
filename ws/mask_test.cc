// Masking: every way at every size, phase and alignment against the definition.

#include "strata/ws/mask.h"

#include <random>
#include <string>

#include "gtest/gtest.h"
#include "strata/ws/mask_internal.h"

namespace strata::ws {
namespace {

struct Way {
  const char* name;
  void (*copy)(char* to, const char* from, std::size_t size, std::uint32_t key);
  bool available;
};

void CopyMaskedChosen(char* to, const char* from, std::size_t size, std::uint32_t key) {
  CopyMasked(to, from, size, MaskKey::FromNumber(key));
}

std::vector<Way> Ways() {
  std::vector<Way> ways = {{"Portable", CopyMaskedPortable, true},
                           {"Chosen", CopyMaskedChosen, true}};
#if defined(__x86_64__)
  ways.push_back({"Sse2", CopyMaskedSse2, true});
  ways.push_back({"Avx2", CopyMaskedAvx2, MaskAvx2IsAvailable()});
#endif
  return ways;
}

// RFC 6455 section 5.3: octet i is XORed with octet i modulo 4 of the key.
std::string Model(std::string bytes, MaskKey key) {
  char key_bytes[4];
  key.ToBytes(key_bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= key_bytes[i % 4];
  return bytes;
}

std::string RandomBytes(std::size_t size) {
  std::mt19937 random(static_cast<std::uint32_t>(size) + 1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class MaskTest : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (!GetParam().available) GTEST_SKIP() << "not on this processor";
  }
};

constexpr std::uint32_t kKey = 0x5a0fc381;

TEST_P(MaskTest, MasksInPlaceAtEverySizeAndAlignment) {
  constexpr std::size_t kMaxSize = 300;
  constexpr char kGuard = 0x77;
  for (std::size_t size = 0; size <= kMaxSize; ++size) {
    const std::string bytes = RandomBytes(size);
    const std::string expected = Model(bytes, MaskKey::FromNumber(kKey));
    for (std::size_t offset = 0; offset < 36; ++offset) {
      std::string buffer(offset + size + 40, kGuard);
      bytes.copy(buffer.data() + offset, size);
      GetParam().copy(buffer.data() + offset, buffer.data() + offset, size, kKey);
      ASSERT_EQ(buffer, std::string(offset, kGuard) + expected + std::string(40, kGuard))
          << size << " bytes at " << offset;
    }
  }
}

TEST_P(MaskTest, CopiesAtEverySizeAndAlignmentAndLeavesTheSource) {
  for (std::size_t size = 0; size <= 200; ++size) {
    const std::string bytes = RandomBytes(size + 5);
    const std::string expected = Model(bytes.substr(5), MaskKey::FromNumber(kKey));
    for (std::size_t offset = 0; offset < 33; ++offset) {
      std::string from = bytes;
      std::string to(offset + size + 33, '\0');
      GetParam().copy(to.data() + offset, from.data() + 5, size, kKey);
      ASSERT_EQ(to.substr(offset, size), expected) << size << " bytes to " << offset;
      ASSERT_EQ(to.find_first_not_of('\0', offset + size), std::string::npos);
      ASSERT_EQ(from, bytes);
    }
  }
}

TEST_P(MaskTest, KeyOfZerosLeavesTheBytes) {
  std::string bytes = RandomBytes(1000);
  const std::string before = bytes;
  GetParam().copy(bytes.data(), bytes.data(), bytes.size(), 0);
  EXPECT_EQ(bytes, before);
}

TEST_P(MaskTest, LargePayloadTwiceIsItself) {
  const std::string before = RandomBytes(1'000'003);
  std::string bytes = before;
  GetParam().copy(bytes.data(), bytes.data(), bytes.size(), kKey);
  EXPECT_EQ(bytes, Model(before, MaskKey::FromNumber(kKey)));
  GetParam().copy(bytes.data(), bytes.data(), bytes.size(), kKey);
  EXPECT_EQ(bytes, before);
}

INSTANTIATE_TEST_SUITE_P(Ways, MaskTest, testing::ValuesIn(Ways()),
                         [](const auto& info) { return info.param.name; });

TEST(MaskKeyTest, PiecesOfAnySizesAreAsOne) {
  const std::string bytes = RandomBytes(257);
  const MaskKey key = MaskKey::FromBytes("\x37\xfa\x21\x3d");
  const std::string expected = Model(bytes, key);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); second += 7) {
      std::string pieces = bytes;
      const std::span<char> all(pieces);
      MaskKey next = ApplyMask(all.first(first), key);
      next = ApplyMask(all.subspan(first, second - first), next);
      ApplyMask(all.subspan(second), next);
      ASSERT_EQ(pieces, expected) << first << ", " << second;
    }
  }
}

// RFC 6455 section 5.7: "Hello" in a masked frame.
TEST(MaskKeyTest, IsTheExampleOfTheStandard) {
  std::string bytes = "\x7f\x9f\x4d\x51\x58";
  ApplyMask(bytes, MaskKey::FromBytes("\x37\xfa\x21\x3d"));
  EXPECT_EQ(bytes, "Hello");
}

TEST(MaskKeyTest, GoesToItsBytesAndBack) {
  char bytes[4];
  MaskKey::FromBytes("\x01\x02\x03\x84").ToBytes(bytes);
  EXPECT_EQ(std::string(bytes, 4), "\x01\x02\x03\x84");
  EXPECT_EQ(MaskKey::FromBytes(bytes).After(1), MaskKey::FromBytes("\x02\x03\x84\x01"));
  EXPECT_EQ(MaskKey::FromBytes(bytes).After(6), MaskKey::FromBytes("\x03\x84\x01\x02"));
}

}  // namespace
}  // namespace strata::ws
