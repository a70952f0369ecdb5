#include "strata/crypto/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "strata/crypto/crc32c_internal.h"

namespace strata::crypto {
namespace {

struct Portable {
  static bool IsAvailable() { return true; }
  static std::uint32_t Extend(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
    return ExtendCrc32cPortable(crc, bytes);
  }
};

struct Hardware {
  static bool IsAvailable() { return Crc32cHardwareIsAvailable(); }
  static std::uint32_t Extend(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
    return ExtendCrc32cHardware(crc, bytes);
  }
};

struct Chosen {
  static bool IsAvailable() { return true; }
  static std::uint32_t Extend(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
    return ExtendCrc32c(crc, bytes);
  }
};

// The definition: a bit at a time.
std::uint32_t Model(std::uint32_t crc, std::span<const std::uint8_t> bytes) {
  crc = ~crc;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

std::vector<std::uint8_t> RandomBytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

template <typename Way>
class Crc32cTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Way::IsAvailable()) GTEST_SKIP() << "not on this processor";
  }
  static std::uint32_t Crc(const std::vector<std::uint8_t>& bytes) { return Way::Extend(0, bytes); }
};

using Ways = testing::Types<Portable, Hardware, Chosen>;

struct NamesOfWays {
  template <typename Way>
  static std::string GetName(int) {
    if (std::is_same_v<Way, Portable>) return "Portable";
    return std::is_same_v<Way, Hardware> ? "Hardware" : "Chosen";
  }
};
TYPED_TEST_SUITE(Crc32cTest, Ways, NamesOfWays);

// RFC 3720, appendix B.4.
TYPED_TEST(Crc32cTest, IsThatOfTheStandard) {
  EXPECT_EQ(this->Crc(std::vector<std::uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(this->Crc(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<std::uint8_t> rising(32);
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(this->Crc(rising), 0x46dd794eu);
  EXPECT_EQ(this->Crc({rising.rbegin(), rising.rend()}), 0x113fdb5cu);
  const std::vector<std::uint8_t> pdu = {
      0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0};
  EXPECT_EQ(this->Crc(pdu), 0xd9963a56u);
}

TYPED_TEST(Crc32cTest, OfNothingIsZero) { EXPECT_EQ(this->Crc({}), 0u); }

TYPED_TEST(Crc32cTest, AgreesWithTheModelAtEverySizeAndAlignment) {
  const std::vector<std::uint8_t> bytes = RandomBytes(1100, 7);
  for (std::size_t size = 0; size <= 1024; ++size) {
    const auto part = std::span(bytes).subspan(size % 17, size);
    ASSERT_EQ(TypeParam::Extend(0, part), Model(0, part)) << size;
  }
}

TYPED_TEST(Crc32cTest, GoesOnFromAnyCrc) {
  const std::vector<std::uint8_t> bytes = RandomBytes(5000, 8);
  const std::uint32_t whole = Model(0, bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 131) {
    const auto all = std::span(bytes);
    const std::uint32_t first = TypeParam::Extend(0, all.first(cut));
    ASSERT_EQ(TypeParam::Extend(first, all.subspan(cut)), whole) << cut;
  }
}

TYPED_TEST(Crc32cTest, SeesEveryBit) {
  std::vector<std::uint8_t> bytes = RandomBytes(400, 9);
  const std::uint32_t crc = this->Crc(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    ASSERT_NE(this->Crc(bytes), crc) << bit;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
  }
}

TEST(Crc32cTextTest, IsTheExampleOfTheHeader) {
  std::uint32_t crc = Crc32c("123456789");
  EXPECT_EQ(crc, 0xe3069283u);
  crc = ExtendCrc32c(crc, "more");
  EXPECT_EQ(crc, Crc32c("123456789more"));
}

TEST(CombineCrc32cTest, IsTheCrcOfBothParts) {
  const std::vector<std::uint8_t> bytes = RandomBytes(3000, 10);
  const auto all = std::span(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 125) {
    EXPECT_EQ(CombineCrc32c(Crc32c(all.first(cut)), Crc32c(all.subspan(cut)), bytes.size() - cut),
              Crc32c(all));
  }
}

TEST(CombineCrc32cTest, TakesPartsLargerThanMemory) {
  // Zeros after zeros: the state of 2^61 of them, by doubling.
  std::uint32_t zeros = Crc32c(std::string(1, '\0'));
  for (int i = 0; i < 61; ++i) zeros = CombineCrc32c(zeros, zeros, std::uint64_t{1} << i);
  // x^(2^64) without the 64-bit product that would overflow: x^(2^61) squared three times.
  const std::uint32_t twice = CombineCrc32c(zeros, zeros, std::uint64_t{1} << 61);
  EXPECT_EQ(CombineCrc32c(zeros, twice, std::uint64_t{1} << 62),
            CombineCrc32c(twice, zeros, std::uint64_t{1} << 61));
}

}  // namespace
}  // namespace strata::crypto
