#include "strata/orm/time_text.h"

#include <limits>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace strata::orm {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_time;

template <typename Duration>
std::string Text(std::int64_t count) {
  return FormatTime(sys_time<Duration>(Duration(count)));
}

TEST(TimeTextTest, EachUnitHasItsDigits) {
  EXPECT_EQ(FormatTime(sys_days(std::chrono::year(2024) / 2 / 29)), "2024-02-29");
  EXPECT_EQ(Text<std::chrono::seconds>(1709210096), "2024-02-29T12:34:56Z");
  EXPECT_EQ(Text<std::chrono::milliseconds>(1709210096789), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(Text<std::chrono::microseconds>(1709210096000001), "2024-02-29T12:34:56.000001Z");
  EXPECT_EQ(Text<std::chrono::nanoseconds>(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Text<std::chrono::minutes>(1), "1970-01-01T00:01:00Z");
  EXPECT_EQ(Text<std::chrono::hours>(25), "1970-01-02T01:00:00Z");
}

TEST(TimeTextTest, YearsOfFourDigitsAlone) {
  EXPECT_EQ(Text<std::chrono::seconds>(-62167219200), "0000-01-01T00:00:00Z");
  EXPECT_EQ(Text<std::chrono::seconds>(-62167219201), "");
  EXPECT_EQ(Text<std::chrono::seconds>(253402300799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(Text<std::chrono::seconds>(253402300800), "");
  char out[kMaxTimeText];
  EXPECT_EQ(FormatTicks(std::numeric_limits<std::int64_t>::max(), TimeUnit::kDays, out), nullptr);
  EXPECT_EQ(FormatTicks(std::numeric_limits<std::int64_t>::min(), TimeUnit::kDays, out), nullptr);
}

TEST(TimeTextTest, DaysAgreeWithChrono) {
  for (std::int64_t day = -719'528; day <= 2'932'896; day += 13) {
    char out[kMaxTimeText];
    const std::string text(out, FormatTicks(day, TimeUnit::kDays, out));
    const std::chrono::year_month_day date{sys_days(std::chrono::days(day))};
    char expected[16];
    std::snprintf(expected, sizeof(expected), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(text, expected);
    ASSERT_EQ(*ParseTicks(text, TimeUnit::kDays), day);
  }
}

TEST(TimeTextTest, TextReadsBackAsTheSame) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const auto count =
        i == 0 ? std::numeric_limits<std::int64_t>::min() : static_cast<std::int64_t>(random());
    ASSERT_EQ(*ParseTime<std::chrono::nanoseconds>(Text<std::chrono::nanoseconds>(count)),
              sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(count)));
  }
}

TEST(TimeTextTest, OffsetsAreTakenOff) {
  const auto seconds = [](std::string_view text) { return *ParseTicks(text, TimeUnit::kSeconds); };
  EXPECT_EQ(seconds("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(seconds("1969-12-31T18:30:00-05:30"), 0);
  EXPECT_EQ(seconds("1970-01-01T00:00:01.000Z"), 1);
  EXPECT_EQ(*ParseTicks("1970-01-01T00:00:00.5Z", TimeUnit::kMilliseconds), 500);
}

TEST(TimeTextTest, RefusesOtherTexts) {
  for (const char* text : {"",
                           "2024-02-29",
                           "2024-02-30T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2024-13-01T00:00:00Z",
                           "2024-00-01T00:00:00Z",
                           "2024-01-00T00:00:00Z",
                           "2024-01-01T24:00:00Z",
                           "2024-01-01T00:60:00Z",
                           "2024-01-01T00:00:60Z",
                           "2024-01-01 00:00:00Z",
                           "2024-01-01T00:00:00",
                           "2024-01-01T00:00:00.Z",
                           "2024-01-01T00:00:00.1Z",
                           "2024-01-01T00:00:00Z ",
                           "2024-01-01T00:00:00+24:00",
                           "2024-01-01T00:00:00+0100",
                           "2024-1-01T00:00:00Z",
                           "-024-01-01T00:00:00Z",
                           "20240101T000000Z"}) {
    EXPECT_EQ(ParseTicks(text, TimeUnit::kSeconds).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_TRUE(ParseTicks("2000-02-29T00:00:00Z", TimeUnit::kSeconds).ok());
  EXPECT_FALSE(ParseTicks("2024-01-01T00:00:00Z", TimeUnit::kDays).ok());
  EXPECT_FALSE(ParseTicks("2024-01-01T00:00:01Z", TimeUnit::kMinutes).ok());
  EXPECT_EQ(ParseTicks("2262-04-12T00:00:00Z", TimeUnit::kNanoseconds).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(TimeTextTest, NowIsNow) {
  const std::int64_t seconds = NowTicks(TimeUnit::kSeconds);
  EXPECT_GE(NowTicks(TimeUnit::kMilliseconds) / 1000, seconds);
  EXPECT_LE(NowTicks(TimeUnit::kDays) * 86'400, NowTicks(TimeUnit::kSeconds));
  EXPECT_GT(seconds, 1'700'000'000);
}

}  // namespace
}  // namespace strata::orm
