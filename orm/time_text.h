// File: time_text.h
//
// Points in time as ISO 8601 texts in the profile of RFC 3339, in UTC and with as many digits as
// their unit has, so that texts of one unit sort by time:
//
//   std::chrono::sys_days                        "2024-02-29"
//   sys_time<seconds>, <minutes>, <hours>        "2024-02-29T12:34:56Z"
//   sys_time<milliseconds>                       "2024-02-29T12:34:56.789Z"
//   sys_time<microseconds>, <nanoseconds>        6 and 9 digits
//
//   FormatTime(sys_days(2024y / 2 / 29));  // "2024-02-29"

#ifndef STRATA_ORM_TIME_TEXT_H_
#define STRATA_ORM_TIME_TEXT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::orm {

// What a tick of a clock is. Others than these have no column type.
enum class TimeUnit : std::uint8_t {
  kNanoseconds,
  kMicroseconds,
  kMilliseconds,
  kSeconds,
  kMinutes,
  kHours,
  kDays,
  kNone,
};

template <typename Period>
inline constexpr TimeUnit kTimeUnitOf = TimeUnit::kNone;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::nano> = TimeUnit::kNanoseconds;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::micro> = TimeUnit::kMicroseconds;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::milli> = TimeUnit::kMilliseconds;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::ratio<1>> = TimeUnit::kSeconds;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::ratio<60>> = TimeUnit::kMinutes;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::ratio<3600>> = TimeUnit::kHours;
template <>
inline constexpr TimeUnit kTimeUnitOf<std::ratio<86400>> = TimeUnit::kDays;

// The longest text: "2024-02-29T12:34:56.123456789Z".
inline constexpr std::size_t kMaxTimeText = 30;

// `count` ticks since 1970 as text into `out`, which has kMaxTimeText bytes. Returns the end of the
// text, or null for a time outside the years 0 to 9999, which have none.
char* FormatTicks(std::int64_t count, TimeUnit unit, char* out);

// The opposite. A date alone for days; otherwise date, "T", time and "Z" or an offset, which is
// taken off. Digits that the unit has not must be 0, and there is no leap second. InvalidArgument
// for another text; OutOfRange for a time that 64 bits do not hold.
absl::StatusOr<std::int64_t> ParseTicks(std::string_view text, TimeUnit unit);

// Ticks of the system's clock since 1970.
std::int64_t NowTicks(TimeUnit unit);

// Empty outside the years 0 to 9999.
template <typename Duration>
std::string FormatTime(std::chrono::sys_time<Duration> time) {
  char text[kMaxTimeText];
  char* end =
      FormatTicks(time.time_since_epoch().count(), kTimeUnitOf<typename Duration::period>, text);
  return end == nullptr ? std::string() : std::string(text, end);
}

template <typename Duration>
absl::StatusOr<std::chrono::sys_time<Duration>> ParseTime(std::string_view text) {
  absl::StatusOr<std::int64_t> ticks = ParseTicks(text, kTimeUnitOf<typename Duration::period>);
  if (!ticks.ok()) return std::move(ticks).status();
  return std::chrono::sys_time<Duration>(Duration(static_cast<typename Duration::rep>(*ticks)));
}

}  // namespace strata::orm

#endif  // STRATA_ORM_TIME_TEXT_H_
