#include "strata/orm/currency.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace strata::orm {
namespace {

constexpr Currency Of(std::int64_t count) { return Currency::FromTenThousandths(count); }
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST(CurrencyTest, ReadsDecimalNumbers) {
  const struct {
    const char* text;
    std::int64_t count;
  } cases[] = {{"0", 0},
               {"-0", 0},
               {"1", 10000},
               {"19.99", 199900},
               {"-0.0001", -1},
               {"0.00010000", 1},
               {"1e3", 10000000},
               {"12.5E-1", 12500},
               {"1000e-3", 10000},
               {"0e999999999999", 0},
               {"0.000000001e9", 10000},
               {"922337203685477.5807", kMost},
               {"-922337203685477.5808", kLeast}};
  for (const auto& c : cases) {
    const auto parsed = Currency::Parse(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.status();
    EXPECT_EQ(parsed->ten_thousandths(), c.count) << c.text;
  }
}

TEST(CurrencyTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", " 1", "1 ", "0x1", "NaN",
                           "1,5", "1.2.3", "--1", "\xff"}) {
    EXPECT_EQ(Currency::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(CurrencyTest, RefusesToRoundSilently) {
  for (const char* text : {"0.00001", "1.23456", "1e-5", "99999999999999999999.00001"}) {
    EXPECT_EQ(Currency::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(CurrencyTest, RefusesWhatIsTooLarge) {
  for (const char* text : {"922337203685477.5808", "-922337203685477.5809", "1e15", "1e999999999",
                           "340282366920938463463374607431768211457"}) {
    EXPECT_EQ(Currency::Parse(text).status().code(), absl::StatusCode::kOutOfRange) << text;
  }
}

TEST(CurrencyTest, WritesNoMoreDecimalsThanNeeded) {
  EXPECT_EQ(Of(0).ToString(), "0");
  EXPECT_EQ(Of(-30000).ToString(), "-3");
  EXPECT_EQ(Of(125000).ToString(), "12.5");
  EXPECT_EQ(Of(1).ToString(), "0.0001");
  EXPECT_EQ(Of(-10100).ToString(), "-1.01");
  EXPECT_EQ(Of(kMost).ToString(), "922337203685477.5807");
  EXPECT_EQ(Of(kLeast).ToString(), "-922337203685477.5808");
  EXPECT_EQ(Of(kLeast).ToString().size(), Currency::kMaxText);
}

TEST(CurrencyTest, TextReadsBackAsTheSame) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const Currency value = Of(static_cast<std::int64_t>(random() >> (random() % 64)));
    const auto parsed = Currency::Parse(value.ToString());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ASSERT_EQ(*parsed, value);
  }
}

TEST(CurrencyTest, SumsAreExact) {
  Currency sum;
  for (int i = 0; i < 1000; ++i) sum += *Currency::Parse("0.1");
  EXPECT_EQ(sum, Currency::FromInt(100));
  EXPECT_EQ(-sum, Currency::FromInt(-100));
  EXPECT_EQ(sum * 3 - sum, Currency::FromInt(200));
}

TEST(CurrencyTest, OverflowIsNoResult) {
  EXPECT_EQ(Currency::Add(Of(kMost), Of(1)), std::nullopt);
  EXPECT_EQ(Currency::Subtract(Of(kLeast), Of(1)), std::nullopt);
  EXPECT_EQ(Currency::Multiply(Of(kMost), 2), std::nullopt);
  EXPECT_EQ(Currency::Multiply(Of(kMost), Of(20000)), std::nullopt);
  EXPECT_EQ(Currency::Divide(Of(kMost), Of(1)), std::nullopt);
  EXPECT_EQ(Currency::Divide(Of(1), Of(0)), std::nullopt);
  EXPECT_EQ(Currency::Divide(Of(kLeast), Currency::FromInt(-1)), std::nullopt);
  EXPECT_DEATH(Of(kMost) + Of(1), "");
}

TEST(CurrencyTest, RoundsOnce) {
  const auto half_up = Rounding::kHalfAwayFromZero;
  // 0.0005 * 0.1 = 0.00005; 0.0015 * 0.1 = 0.00015: halves.
  EXPECT_EQ(Currency::Multiply(Of(5), Of(1000)), Of(0));
  EXPECT_EQ(Currency::Multiply(Of(15), Of(1000)), Of(2));
  EXPECT_EQ(Currency::Multiply(Of(-15), Of(1000)), Of(-2));
  EXPECT_EQ(Currency::Multiply(Of(5), Of(1000), half_up), Of(1));
  EXPECT_EQ(Currency::Multiply(Of(-5), Of(1000), half_up), Of(-1));
  EXPECT_EQ(Currency::Multiply(Of(19), Of(1000), Rounding::kTowardsZero), Of(1));
  EXPECT_EQ(Currency::Divide(Of(20000), Of(30000)), Of(6667));
  EXPECT_EQ(Currency::Divide(Of(-20000), Of(30000)), Of(-6667));
  EXPECT_EQ(Currency::Divide(Of(20000), Of(-30000), Rounding::kTowardsZero), Of(-6666));
}

TEST(CurrencyTest, DoublesGoToTheNearest) {
  EXPECT_EQ(Currency::FromDouble(0.1), Of(1000));
  EXPECT_EQ(Currency::FromDouble(-19.99), Of(-199900));
  EXPECT_EQ(Currency::FromDouble(std::nan("")), std::nullopt);
  EXPECT_EQ(Currency::FromDouble(INFINITY), std::nullopt);
  EXPECT_EQ(Currency::FromDouble(1e15), std::nullopt);
  EXPECT_EQ(Of(125000).ToDouble(), 12.5);
}

}  // namespace
}  // namespace strata::orm
