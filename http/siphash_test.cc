// SipHash-2-4 against the vectors of its authors' reference implementation (vectors.h: the key is
// 00 01 .. 0f, the message i the bytes 00 01 .. i-1).

#include <cstdint>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "strata/http/siphash_internal.h"

namespace strata::http {
namespace {

constexpr SipKey kKey = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(SipHashTest, GivesTheValuesOfItsAuthors) {
  // The example of the paper's appendix A is that of 15 bytes.
  const std::pair<std::size_t, std::uint64_t> vectors[] = {
      {0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {7, 0xab0200f58b01d137},
      {8, 0x93f5f5799a932462}, {9, 0x9e0082df0ba9e4b0}, {15, 0xa129ca6149be45e5},
  };
  for (const auto& [size, hash] : vectors) {
    std::string message;
    for (std::size_t i = 0; i < size; ++i) message += static_cast<char>(i);
    EXPECT_EQ(SipHash(kKey, message), hash) << size;
  }
}

TEST(SipHashTest, OfAWordAndAByteIsThatOfNineBytes) {
  const std::string message("\x11\x22\x33\x44\x55\x66\x77\x88\x99");
  EXPECT_EQ(SipHash(kKey, 0x8877665544332211, 0x99), SipHash(kKey, message));
}

TEST(SipHashTest, KeysDiffer) {
  const SipKey one = SipKey::Random();
  const SipKey two = SipKey::Random();
  EXPECT_NE(SipHash(one, "x"), SipHash(two, "x"));
  EXPECT_NE(one.k0, one.k1);
}

}  // namespace
}  // namespace strata::http
