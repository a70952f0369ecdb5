// Dates of HTTP, as RFC 9110 section 5.6.7 has them.

#include "strata/http/http_date.h"

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// 2023-11-14 22:13:20
constexpr sys_seconds kNow{seconds(1'700'000'000)};

std::string Format(sys_seconds time) {
  // In a buffer of its own size, so that the sanitizers see a write behind its end.
  std::vector<char> text(kHttpDateBytes);
  FormatHttpDate(time, std::span<char, kHttpDateBytes>(text));
  return std::string(text.begin(), text.end());
}

std::string Format(std::int64_t time) { return Format(sys_seconds(seconds(time))); }

// Seconds since 1970, or -1 for what is none: no test below needs that second.
std::int64_t Parse(std::string_view text, sys_seconds now = kNow) {
  const std::optional<sys_seconds> time = ParseHttpDate(text, now);
  return time ? time->time_since_epoch().count() : -1;
}

// The civil calendar, counted day by day: what the closed formulas are compared with.
class Calendar {
 public:
  static constexpr const char* kWeekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kLongWeekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

  int year = 1900;
  int month = 0;
  int day = 1;
  int weekday = 1;               // Monday, 1900-01-01
  std::int64_t number = -25567;  // Days since 1970-01-01.

  void Next() {
    ++number;
    weekday = (weekday + 1) % 7;
    if (++day <= Length()) return;
    day = 1;
    if (++month < 12) return;
    month = 0;
    ++year;
  }

 private:
  int Length() const {
    constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return kLengths[month] + (month == 1 && leap ? 1 : 0);
  }
};

std::string Text(const char* format, auto... arguments) {
  char text[64];
  std::snprintf(text, sizeof(text), format, arguments...);
  return text;
}

TEST(HttpDateTest, TheThreeFormsOfRfc9110Section567AreOneTime) {
  EXPECT_EQ(Parse("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(Parse("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(Parse("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(Format(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpDateTest, EachDayFrom1900To2200ComesAndGoesAsTheCalendarSays) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  Calendar c;
  for (; c.year <= 2200; c.Next()) {
    const int second_of_day = static_cast<int>(random() % 86400);
    const int h = second_of_day / 3600, m = second_of_day / 60 % 60, s = second_of_day % 60;
    const std::int64_t time = c.number * 86400 + second_of_day;
    const char* const month = Calendar::kMonths[c.month];
    const std::string fixdate = Text("%s, %02d %s %04d %02d:%02d:%02d GMT",
                                     Calendar::kWeekdays[c.weekday], c.day, month, c.year, h, m, s);
    ASSERT_EQ(Format(time), fixdate);
    // -1 is also a second of 1969.
    ASSERT_EQ(ParseHttpDate(fixdate, kNow), sys_seconds(seconds(time)));
    ASSERT_EQ(ParseHttpDate(Text("%s %s %2d %02d:%02d:%02d %04d", Calendar::kWeekdays[c.weekday],
                                 month, c.day, h, m, s, c.year),
                            kNow),
              sys_seconds(seconds(time)));
    // Seen from any time up to 50 years before, and less than 50 years after.
    const auto now =
        sys_seconds(seconds(time + static_cast<std::int64_t>(random() % 1'500'000'000)));
    ASSERT_EQ(
        ParseHttpDate(Text("%s, %02d-%s-%02d %02d:%02d:%02d GMT",
                           Calendar::kLongWeekdays[c.weekday], c.day, month, c.year % 100, h, m, s),
                      now),
        sys_seconds(seconds(time)))
        << fixdate << " from " << Format(now);
  }
  EXPECT_EQ(c.number, 84371);  // 2201-01-01
}

TEST(HttpDateTest, EachSecondOfADayComesBack) {
  constexpr std::int64_t kDay = 20000 * std::int64_t{86400};
  for (std::int64_t second = 0; second < 86400; ++second) {
    ASSERT_EQ(Parse(Format(kDay + second)), kDay + second);
  }
}

TEST(HttpDateTest, ATimeThatHasNoFourDigitsIsWrittenAsTheNearest) {
  EXPECT_EQ(Format(sys_seconds::min()), "Sat, 01 Jan 0000 00:00:00 GMT");
  EXPECT_EQ(Format(sys_seconds::max()), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(Format(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(Format(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(Format(-62167219200), "Sat, 01 Jan 0000 00:00:00 GMT");
  EXPECT_EQ(Format(-62167219201), "Sat, 01 Jan 0000 00:00:00 GMT");
  EXPECT_EQ(Parse("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
  EXPECT_EQ(Parse("Sat, 01 Jan 0000 00:00:00 GMT"), -62167219200);
}

TEST(HttpDateTest, ALeapSecondIsTheFirstSecondOfTheNextDay) {
  EXPECT_EQ(Parse("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800);
  EXPECT_EQ(Parse("Saturday, 31-Dec-16 23:59:60 GMT"), 1483228800);
  EXPECT_EQ(Parse("Sat Dec 31 23:59:60 2016"), 1483228800);
  EXPECT_EQ(Parse("Sat, 31 Dec 2016 23:58:60 GMT"), -1);
  EXPECT_EQ(Parse("Sat, 31 Dec 2016 22:59:60 GMT"), -1);
  EXPECT_EQ(Parse("Sat, 31 Dec 2016 23:59:61 GMT"), -1);
}

// "MUST interpret a timestamp that appears to be more than 50 years in the future as representing
// the most recent year in the past that had the same last two digits."
TEST(HttpDateTest, AYearOfTwoDigitsIsAtMost50YearsAhead) {
  const sys_seconds now{seconds(Parse("Tue, 14 Nov 2023 22:13:20 GMT"))};
  EXPECT_EQ(Parse("Tuesday, 14-Nov-23 22:13:20 GMT", now), 1700000000);
  // 50 years later, to the second, is still the future; one second more is the past.
  EXPECT_EQ(Parse("Tuesday, 14-Nov-73 22:13:20 GMT", now), Parse("Tue, 14 Nov 2073 22:13:20 GMT"));
  EXPECT_EQ(Parse("Wednesday, 14-Nov-73 22:13:21 GMT", now),
            Parse("Wed, 14 Nov 1973 22:13:21 GMT"));
  EXPECT_EQ(Parse("Thursday, 01-Jan-74 00:00:00 GMT", now), -1);  // A Tuesday in 1974.
  EXPECT_EQ(Parse("Tuesday, 01-Jan-74 00:00:00 GMT", now), Parse("Tue, 01 Jan 1974 00:00:00 GMT"));
  EXPECT_EQ(Parse("Friday, 31-Dec-99 23:59:59 GMT", now), Parse("Fri, 31 Dec 1999 23:59:59 GMT"));
  // Across a century: tomorrow is no hundred years ago.
  const sys_seconds new_year{seconds(Parse("Thu, 31 Dec 2099 12:00:00 GMT"))};
  EXPECT_EQ(Parse("Friday, 01-Jan-00 00:00:00 GMT", new_year),
            Parse("Fri, 01 Jan 2100 00:00:00 GMT"));
  EXPECT_EQ(Parse("Tuesday, 31-Dec-50 00:00:00 GMT", new_year), -1);
  EXPECT_EQ(Parse("Saturday, 31-Dec-50 00:00:00 GMT", new_year),
            Parse("Sat, 31 Dec 2050 00:00:00 GMT"));
  // Any clock will do; the year has four digits.
  EXPECT_EQ(Parse("Sunday, 06-Nov-94 08:49:37 GMT", sys_seconds::max()),
            Parse("Sun, 06 Nov 9994 08:49:37 GMT"));
  EXPECT_EQ(Parse("Monday, 01-Nov-49 08:49:37 GMT", sys_seconds::max()), -1);  // 10049
  EXPECT_EQ(Parse("Sunday, 06-Nov-94 08:49:37 GMT", sys_seconds::min()), -1);  // -6
}

TEST(HttpDateTest, OneOrTwoDigitsInTheDayOfAsctime) {
  EXPECT_EQ(Parse("Sun Nov 06 08:49:37 1994"), 784111777);
  EXPECT_EQ(Parse("Sun Nov 6 08:49:37 1994"), -1);
  EXPECT_EQ(Parse("Sun Nov   6 08:49:37 1994"), -1);
  EXPECT_EQ(Parse("Wed Nov 16 08:49:37 1994"), 784111777 + 10 * 86400);
  EXPECT_EQ(Parse("Wed Nov  16 08:49:37 1994"), -1);
}

TEST(HttpDateTest, RefusesWhatIsNoDate) {
  const std::vector<std::string> bad = {
      "",
      " ",
      "0",
      "-1",
      "784111777",
      "1994-11-06T08:49:37Z",
      // Blanks more or less.
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun,06 Nov 1994 08:49:37 GMT",
      "Sun,  06 Nov 1994 08:49:37 GMT",
      "Sun, 06  Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994  08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37GMT",
      "Sun, 06\tNov 1994 08:49:37 GMT",
      "Sun 06 Nov 1994 08:49:37 GMT",
      // Names: case-sensitive, of the form's length.
      "sun, 06 Nov 1994 08:49:37 GMT",
      "SUN, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 gmt",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 Nov 1994 08:49:37",
      "Sunday, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 November 1994 08:49:37 GMT",
      "Sun, 06 11 1994 08:49:37 GMT",
      "Sun, 06-Nov-1994 08:49:37 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sunday, 06 Nov 94 08:49:37 GMT",
      "Sunday Nov  6 08:49:37 1994",
      "Sun Nov  6 08:49:37 94",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun, Nov  6 08:49:37 1994",
      // Numbers: digits alone, of their width.
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun,  6 Nov 1994 08:49:37 GMT",
      "Sun, 006 Nov 1994 08:49:37 GMT",
      "Sun, +6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06 Nov 01994 08:49:37 GMT",
      "Sun, 06 Nov -994 08:49:37 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT",
      "Sun, 06 Nov 1994 08:49:37.0 GMT",
      "Sun, 06 Nov 1994 08-49-37 GMT",
      "Sun, 06 Nov 1994 08:49:3a GMT",
      // Out of range, or of another weekday.
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:49:60 GMT",
      "Sun, 06 Nov 1994 08:49:99 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Thu, 31 Nov 1994 08:49:37 GMT",
      "Wed, 29 Feb 2023 08:49:37 GMT",
      "Thu, 29 Feb 1900 08:49:37 GMT",
      "Thu, 99 Jan 1970 00:00:00 GMT",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Monday, 06-Nov-94 08:49:37 GMT",
      "Mon Nov  6 08:49:37 1994",
      // Two of them, as two lines of a field become one value (RFC 9110 section 5.3).
      "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
      std::string("Sun, 06 Nov 1994 08:49:37 GMT\0", 30),
      std::string("Sun, 06 Nov\0001994 08:49:37 GMT", 29),
  };
  for (const std::string& text : bad) EXPECT_EQ(Parse(text), -1) << text;
  // No date cut short is a date.
  for (const std::string whole : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                  "Sun Nov  6 08:49:37 1994"}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(Parse(whole.substr(0, size)), -1) << whole.substr(0, size);
    }
  }
}

}  // namespace
}  // namespace strata::http
