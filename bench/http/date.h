// File: date.h
//
// This second, as a Date field writes it (RFC 9110, 5.6.7). The servers of the benchmark that have
// no clock of their own make it once, or once a second.

#ifndef BENCH_HTTP_DATE_H_
#define BENCH_HTTP_DATE_H_

#include <time.h>

#include <array>
#include <string>

namespace bench {

inline std::string HttpDate() {
  const time_t now = ::time(nullptr);
  tm utc;
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text;
  return std::string(text.data(),
                     ::strftime(text.data(), text.size(), "%a, %d %b %Y %T GMT", &utc));
}

}  // namespace bench

#endif  // BENCH_HTTP_DATE_H_
