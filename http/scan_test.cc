// Every scanner finds what the definition says, at every size, place and byte.

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

struct Portable {
  static const Scanner& Get() { return kPortableScanner; }
};

struct Chosen {
  static const Scanner& Get() { return ChooseScanner(); }
};

#if defined(__x86_64__)
struct Ssse3 {
  static const Scanner& Get() { return kSsse3Scanner; }
};

struct Avx2 {
  static const Scanner& Get() { return kAvx2Scanner; }
};

using Ways = testing::Types<Portable, Ssse3, Avx2, Chosen>;
#else
using Ways = testing::Types<Portable, Chosen>;
#endif

struct NamesOfWays {
  template <typename Way>
  static std::string GetName(int) {
    return std::is_same_v<Way, Chosen> ? "chosen" : Way::Get().name;
  }
};

template <typename Way>
class ScannerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Way::Get().is_available()) GTEST_SKIP() << "not on this processor";
  }

  // Over a copy in a block of its own size, so that a sanitizer sees a byte read behind the end.
  // The results are offsets.
  struct Found {
    std::ptrdiff_t name_end;
    std::ptrdiff_t value_end;
    std::ptrdiff_t target_end;
  };
  static Found Scan(std::string_view text) {
    const std::unique_ptr<char[]> block(new char[text.size()]);
    std::memcpy(block.get(), text.data(), text.size());
    const char* const end = block.get() + text.size();
    LineScanner scanner(Way::Get(), block.get(), end);
    const char* const name_end = scanner.FindNameEnd(block.get());
    return {name_end - block.get(), scanner.FindValueEnd(name_end) - block.get(),
            Way::Get().find_target_end(block.get(), end) - block.get()};
  }
};

TYPED_TEST_SUITE(ScannerTest, Ways, NamesOfWays);

// The classes by their definitions, with no table.

constexpr std::string_view kTokens =
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool IsToken(char c) { return kTokens.find(c) != std::string_view::npos; }

bool IsValue(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool IsTarget(char c) {
  return c > 0x20 && c < 0x7f && std::string_view("\"#<>").find(c) == std::string_view::npos;
}

TYPED_TEST(ScannerTest, FindsNothingInNothing) {
  const auto found = this->Scan("");
  EXPECT_EQ(found.name_end, 0);
  EXPECT_EQ(found.value_end, 0);
  EXPECT_EQ(found.target_end, 0);
}

// Every byte, at every place of a text of every size.
TYPED_TEST(ScannerTest, KnowsTheClassOfEveryByteAtEveryPlace) {
  for (std::size_t size = 1; size <= 100; ++size) {
    for (std::size_t place = 0; place<size; place += size> 70 ? 3 : 1) {
      for (int byte = 0; byte < 256; byte += size % 7 == 0 || size < 3 ? 1 : 5) {
        const char c = static_cast<char>(byte);
        std::string text(size, 'x');
        text[place] = c;
        const auto found = this->Scan(text);
        const auto at = static_cast<std::ptrdiff_t>(place);
        const auto end = static_cast<std::ptrdiff_t>(size);
        ASSERT_EQ(found.name_end, IsToken(c) ? end : at) << byte << " of " << size;
        ASSERT_EQ(found.value_end, IsValue(c) ? end : at) << byte << " of " << size;
        ASSERT_EQ(found.target_end, IsTarget(c) ? end : at) << byte << " of " << size;
      }
    }
  }
}

// A name ends, and the value behind it, at every pair of places.
TYPED_TEST(ScannerTest, FindsBothEndsOfAField) {
  for (std::size_t name = 0; name < 80; ++name) {
    for (std::size_t value = 0; value < 80; ++value) {
      const std::string line =
          std::string(name, 'n') + ":" + std::string(value, ' ') + "\r\nNext: line\r\n";
      const auto found = this->Scan(line);
      ASSERT_EQ(found.name_end, static_cast<std::ptrdiff_t>(name));
      ASSERT_EQ(found.value_end, static_cast<std::ptrdiff_t>(name + 1 + value));
    }
  }
}

TYPED_TEST(ScannerTest, StopsAtTheFirstOfMany) {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  constexpr std::string_view kBytes = "aZ0-._~!%\t :\r\n\"#<>/?\x7f\x01\x80\xff";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t size = random() % 90; text.size() < size;) {
      text += random() % 8 == 0 ? kBytes[random() % kBytes.size()] : 'k';
    }
    std::size_t name = 0;
    while (name < text.size() && IsToken(text[name])) ++name;
    std::size_t value = name;
    while (value < text.size() && IsValue(text[value])) ++value;
    std::size_t target = 0;
    while (target < text.size() && IsTarget(text[target])) ++target;
    const auto found = this->Scan(text);
    ASSERT_EQ(found.name_end, static_cast<std::ptrdiff_t>(name)) << "seed " << seed;
    ASSERT_EQ(found.value_end, static_cast<std::ptrdiff_t>(value)) << "seed " << seed;
    ASSERT_EQ(found.target_end, static_cast<std::ptrdiff_t>(target)) << "seed " << seed;
  }
}

// One scanner for many lines, as a head has them.
TYPED_TEST(ScannerTest, GoesFromLineToLine) {
  const std::uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (std::uint64_t lines = random() % 8; lines > 0; --lines) {
      text.append(random() % 70, 'n').append(":").append(random() % 70, ' ').append("\r\n");
    }
    const std::unique_ptr<char[]> block(new char[text.size()]);
    std::memcpy(block.get(), text.data(), text.size());
    LineScanner scanner(TypeParam::Get(), block.get(), block.get() + text.size());
    for (std::size_t at = 0; at < text.size();) {
      const char* const name_end = scanner.FindNameEnd(block.get() + at);
      ASSERT_EQ(name_end, block.get() + text.find(':', at)) << "seed " << seed;
      at = text.find('\r', at);
      ASSERT_EQ(scanner.FindValueEnd(name_end), block.get() + at) << "seed " << seed;
      at += 2;
    }
    const char* const end = block.get() + text.size();
    EXPECT_EQ(scanner.FindNameEnd(end), end);
    EXPECT_EQ(scanner.FindValueEnd(end), end);
  }
}

TEST(ScannersTest, OneIsAvailableEverywhere) {
  EXPECT_EQ(AllScanners().front(), &kPortableScanner);
  EXPECT_TRUE(kPortableScanner.is_available());
  EXPECT_TRUE(ChooseScanner().is_available());
}

}  // namespace
}  // namespace strata::http
