// Between ticks and calendar.

#include "strata/orm/time_text.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::orm {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

// Years 0 to 9999, in days since 1970.
constexpr std::int64_t kFirstDay = -719'528;
constexpr std::int64_t kLastDay = 2'932'896;

struct UnitInfo {
  std::int64_t per_second;  // Ticks, for units of at most a second.
  std::int64_t seconds;     // Of a tick, for units of at least a second.
  int digits;
};

constexpr UnitInfo InfoOf(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kNanoseconds:
      return {1'000'000'000, 1, 9};
    case TimeUnit::kMicroseconds:
      return {1'000'000, 1, 6};
    case TimeUnit::kMilliseconds:
      return {1'000, 1, 3};
    case TimeUnit::kMinutes:
      return {1, 60, 0};
    case TimeUnit::kHours:
      return {1, 3600, 0};
    case TimeUnit::kDays:
      return {1, kSecondsPerDay, 0};
    default:
      return {1, 1, 0};
  }
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::int64_t FloorRemainder(std::int64_t a, std::int64_t b) {
  return a % b < 0 ? a % b + b : a % b;
}

// Hinnant, chrono-Compatible Low-Level Date Algorithms: a year begins in March, an era has 400.
struct Date {
  int year, month, day;
};

Date DateOf(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = FloorDivide(shifted, 146'097);
  const auto of_era = static_cast<int>(shifted - era * 146'097);
  const int year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = (5 * of_year + 2) / 153;
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), month,
          of_year - (153 * shifted_month + 2) / 5 + 1};
}

std::int64_t DaysOf(const Date& date) {
  const int year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = FloorDivide(year, 400);
  const auto year_of_era = static_cast<int>(year - era * 400);
  const int of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const int of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
  return era * 146'097 + of_era - 719'468;
}

int DaysOfMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

char* Put(char* out, std::int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

bool Take(std::string_view& text, int digits, int most, int* value) {
  if (text.size() < static_cast<std::size_t>(digits)) return false;
  *value = 0;
  for (int i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *value = *value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return *value <= most;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// What a text says, before it is in ticks.
struct Parsed {
  std::int64_t seconds = 0;
  std::int64_t fraction = 0;  // In ticks of less than a second.
};

bool ParseDate(std::string_view& text, std::int64_t* days) {
  Date date;
  if (!Take(text, 4, 9999, &date.year) || !Take(text, '-') || !Take(text, 2, 12, &date.month) ||
      !Take(text, '-') || !Take(text, 2, 31, &date.day)) {
    return false;
  }
  if (date.month < 1 || date.day < 1 || date.day > DaysOfMonth(date.year, date.month)) return false;
  *days = DaysOf(date);
  return true;
}

// ".123", into ticks; digits after those of the unit have to be 0.
bool ParseFraction(std::string_view& text, int digits, std::int64_t* fraction) {
  if (!Take(text, '.')) {
    *fraction = 0;
    return true;
  }
  *fraction = 0;
  int seen = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++seen) {
    if (seen < digits) {
      *fraction = *fraction * 10 + (text[0] - '0');
    } else if (text[0] != '0') {
      return false;
    }
  }
  for (int i = seen; i < digits; ++i) *fraction *= 10;
  return seen > 0;
}

bool ParseOffset(std::string_view& text, std::int64_t* seconds) {
  *seconds = 0;
  if (Take(text, 'Z')) return true;
  const int sign = text.starts_with('-') ? -1 : 1;
  int hours, minutes;
  if (!(Take(text, '+') || Take(text, '-')) || !Take(text, 2, 23, &hours) || !Take(text, ':') ||
      !Take(text, 2, 59, &minutes)) {
    return false;
  }
  *seconds = sign * (hours * 3600 + minutes * 60);
  return true;
}

bool Parse(std::string_view text, TimeUnit unit, Parsed* parsed) {
  std::int64_t days;
  if (!ParseDate(text, &days)) return false;
  parsed->seconds = days * kSecondsPerDay;
  if (unit == TimeUnit::kDays) return text.empty();
  int hour, minute, second;
  if (!Take(text, 'T') || !Take(text, 2, 23, &hour) || !Take(text, ':') ||
      !Take(text, 2, 59, &minute) || !Take(text, ':') || !Take(text, 2, 59, &second)) {
    return false;
  }
  std::int64_t offset;
  if (!ParseFraction(text, InfoOf(unit).digits, &parsed->fraction) || !ParseOffset(text, &offset)) {
    return false;
  }
  parsed->seconds += hour * 3600 + minute * 60 + second - offset;
  return text.empty();
}

}  // namespace

char* FormatTicks(std::int64_t count, TimeUnit unit, char* out) {
  const UnitInfo info = InfoOf(unit);
  std::int64_t seconds;
  if (__builtin_mul_overflow(FloorDivide(count, info.per_second), info.seconds, &seconds)) {
    return nullptr;
  }
  const std::int64_t days = FloorDivide(seconds, kSecondsPerDay);
  if (days < kFirstDay || days > kLastDay) return nullptr;
  const Date date = DateOf(days);
  out = Put(out, date.year, 4);
  *out++ = '-';
  out = Put(out, date.month, 2);
  *out++ = '-';
  out = Put(out, date.day, 2);
  if (unit == TimeUnit::kDays) return out;

  const std::int64_t of_day = seconds - days * kSecondsPerDay;
  *out++ = 'T';
  out = Put(out, of_day / 3600, 2);
  *out++ = ':';
  out = Put(out, of_day / 60 % 60, 2);
  *out++ = ':';
  out = Put(out, of_day % 60, 2);
  if (info.digits > 0) {
    *out++ = '.';
    out = Put(out, FloorRemainder(count, info.per_second), info.digits);
  }
  *out++ = 'Z';
  return out;
}

absl::StatusOr<std::int64_t> ParseTicks(std::string_view text, TimeUnit unit) {
  const auto shown = [&] { return absl::StrCat("time \"", absl::CHexEscape(text.substr(0, 40))); };
  const UnitInfo info = InfoOf(unit);
  Parsed parsed;
  if (!Parse(text, unit, &parsed) || parsed.seconds % info.seconds != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(shown(), "\": not as RFC 3339 says, or finer than the column"));
  }
  // The whole seconds of the first representable nanosecond are less than 64 bits hold.
  const __int128 ticks =
      static_cast<__int128>(parsed.seconds / info.seconds) * info.per_second + parsed.fraction;
  if (ticks < std::numeric_limits<std::int64_t>::min() ||
      ticks > std::numeric_limits<std::int64_t>::max()) {
    return absl::OutOfRangeError(absl::StrCat(shown(), "\": 64 bits do not hold it"));
  }
  return static_cast<std::int64_t>(ticks);
}

std::int64_t NowTicks(TimeUnit unit) {
  const std::int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
  const UnitInfo info = InfoOf(unit);
  return FloorDivide(ns, 1'000'000'000 / info.per_second * info.seconds);
}

}  // namespace strata::orm
