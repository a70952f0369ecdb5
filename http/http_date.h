// File: http_date.h
//
// Dates as HTTP writes and reads them (RFC 9110 section 5.6.7), without locale, time zone or
// allocation:
//
//   char text[kHttpDateBytes];
//   FormatHttpDate(std::chrono::sys_seconds(std::chrono::seconds(784111777)), text);
//   std::string_view(text, sizeof(text));  // "Sun, 06 Nov 1994 08:49:37 GMT"

#ifndef STRATA_HTTP_HTTP_DATE_H_
#define STRATA_HTTP_HTTP_DATE_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace strata::http {

// The size of an IMF-fixdate, the only form that is written.
inline constexpr std::size_t kHttpDateBytes = 29;

// Writes `time` as IMF-fixdate, with no null byte after it. A time outside the years 0 to 9999,
// which the form has no room for, becomes the nearest one inside.
void FormatHttpDate(std::chrono::sys_seconds time, std::span<char, kHttpDateBytes> out);

// Reads any of the three forms that a recipient has to accept:
//
//   Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate
//   Sunday, 06-Nov-94 08:49:37 GMT   of RFC 850
//   Sun Nov  6 08:49:37 1994         of asctime()
//
// As the grammar says: case-sensitive, each number of its width, no blank more or less. The day
// must exist and be of the weekday named. The second may be 60 at 23:59 alone, a leap second, and
// is then the first one of the next day. The two digits of RFC 850's year stand for the last year
// that ends in them and is not more than 50 years after `now`.
//
// None if the text is no such date. That is often to be ignored, as in a precondition.
std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text,
                                                      std::chrono::sys_seconds now);

}  // namespace strata::http

#endif  // STRATA_HTTP_HTTP_DATE_H_
