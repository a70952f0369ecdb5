#include "strata/crypto/secret.h"

#include <gtest/gtest.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace strata::crypto {
namespace {

std::string Text(const SecretBytes& secret) { return std::string(secret.text()); }

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST(SecretBytesTest, HoldsACopyOfItsBytes) {
  std::array<std::uint8_t, 3> source = {1, 2, 3};
  SecretBytes secret = SecretBytes::Copy(source);
  source.fill(9);
  EXPECT_EQ(Text(secret), "\x01\x02\x03");
}

TEST(SecretBytesTest, BeginsAsZeros) {
  SecretBytes secret(4);
  EXPECT_EQ(Text(secret), std::string(4, '\0'));
}

TEST(SecretBytesTest, EmptyOwnsNothing) {
  SecretBytes secret;
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(secret.bytes().size(), 0u);
  EXPECT_TRUE(SecretBytes(0).empty());
  EXPECT_TRUE(SecretBytes::Copy("").empty());
}

TEST(SecretBytesTest, MovesAndLeavesNothingBehind) {
  SecretBytes first = SecretBytes::Copy("key");
  const std::uint8_t* address = first.bytes().data();
  SecretBytes second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  EXPECT_TRUE(first.empty());  // NOLINT: what is promised of an object moved from.

  SecretBytes third = SecretBytes::Copy("other");
  third = std::move(second);
  EXPECT_EQ(Text(third), "key");
  EXPECT_TRUE(second.empty());
}

TEST(SecretBytesTest, ACloneIsItsOwn) {
  SecretBytes first = SecretBytes::Copy("key");
  SecretBytes second = first.Clone();
  first.mutable_bytes()[0] = 'K';
  EXPECT_EQ(Text(first), "Key");
  EXPECT_EQ(Text(second), "key");
}

TEST(SecretBytesTest, TruncateWipesTheRest) {
  SecretBytes secret = SecretBytes::Copy("keyword");
  const std::uint8_t* address = secret.bytes().data();
  secret.Truncate(3);
  EXPECT_EQ(Text(secret), "key");
  EXPECT_EQ(std::memcmp(address, "key\0\0\0\0", 7), 0);
  secret.Truncate(5);
  EXPECT_EQ(secret.size(), 3u);
}

TEST(SecretBytesTest, WipeEmpties) {
  SecretBytes secret = SecretBytes::Copy("key");
  secret.Wipe();
  EXPECT_TRUE(secret.empty());
}

TEST(SecretBytesTest, CannotBeCopiedOrPrinted) {
  static_assert(!std::is_copy_constructible_v<SecretBytes>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
  static_assert(!std::is_convertible_v<SecretBytes, std::string_view>);
  static_assert(!Printable<SecretBytes>);
}

TEST(WipeBytesTest, OverwritesAll) {
  std::array<std::uint8_t, 3> bytes = {1, 2, 3};
  WipeBytes(bytes);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 3>{0, 0, 0}));
  WipeBytes({});
}

TEST(ConstantTimeEqualsTest, ComparesAllBytesAndTheSize) {
  EXPECT_TRUE(ConstantTimeEquals("", ""));
  EXPECT_TRUE(ConstantTimeEquals("same", "same"));
  EXPECT_FALSE(ConstantTimeEquals("same", "sama"));
  EXPECT_FALSE(ConstantTimeEquals("same", "tame"));
  EXPECT_FALSE(ConstantTimeEquals("same", "sam"));
  EXPECT_FALSE(ConstantTimeEquals("", "s"));

  const std::array<std::uint8_t, 2> bytes = {1, 2};
  const std::array<std::uint8_t, 2> others = {1, 3};
  EXPECT_TRUE(ConstantTimeEquals(bytes, bytes));
  EXPECT_FALSE(ConstantTimeEquals(bytes, others));
}

}  // namespace
}  // namespace strata::crypto
