// Dates of HTTP.

#include "strata/http/http_date.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

namespace strata::http {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr std::size_t kShortName = 3;  // Of weekdays and months.

constexpr sys_seconds kFirst = sys_days(year(0) / 1 / 1);
constexpr sys_seconds kLast = sys_days(year(10000) / 1 / 1) - std::chrono::seconds(1);

// What a date is made of, as it is read.
struct Fields {
  int year;
  unsigned month;  // 1 to 12
  unsigned day;
  unsigned hour;
  unsigned minute;
  unsigned second;
  std::size_t weekday;  // 0 is Sunday.
};

void PutTwo(unsigned value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

// Takes a text apart from its front on. After the first piece that is not there nothing is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  bool next_is(char c) const { return ok_ && rest_.starts_with(c); }

  void Literal(std::string_view text) {
    if (Need(rest_.starts_with(text))) rest_.remove_prefix(text.size());
  }

  unsigned Number(std::size_t digits) {
    if (!Need(rest_.size() >= digits)) return 0;
    unsigned value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!Need(c >= '0' && c <= '9')) return 0;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  // The index of the name that comes next, of each its first `size` characters, or all of it.
  template <std::size_t kCount>
  std::size_t Name(const std::array<std::string_view, kCount>& names,
                   std::size_t size = std::string_view::npos) {
    for (std::size_t i = 0; ok_ && i < kCount; ++i) {
      const std::string_view name = names[i].substr(0, size);
      if (!rest_.starts_with(name)) continue;
      rest_.remove_prefix(name.size());
      return i;
    }
    ok_ = false;
    return 0;
  }

 private:
  bool Need(bool condition) { return ok_ = ok_ && condition; }

  std::string_view rest_;
  bool ok_ = true;
};

void ScanTime(Scanner& scanner, Fields& fields) {
  fields.hour = scanner.Number(2);
  scanner.Literal(":");
  fields.minute = scanner.Number(2);
  scanner.Literal(":");
  fields.second = scanner.Number(2);
}

bool ScanFixdate(std::string_view text, Fields& fields) {
  Scanner scanner(text);
  fields.weekday = scanner.Name(kWeekdays, kShortName);
  scanner.Literal(", ");
  fields.day = scanner.Number(2);
  scanner.Literal(" ");
  fields.month = static_cast<unsigned>(scanner.Name(kMonths)) + 1;
  scanner.Literal(" ");
  fields.year = static_cast<int>(scanner.Number(4));
  scanner.Literal(" ");
  ScanTime(scanner, fields);
  scanner.Literal(" GMT");
  return scanner.at_end();
}

// Leaves two digits as the year.
bool ScanRfc850(std::string_view text, Fields& fields) {
  Scanner scanner(text);
  fields.weekday = scanner.Name(kWeekdays);
  scanner.Literal(", ");
  fields.day = scanner.Number(2);
  scanner.Literal("-");
  fields.month = static_cast<unsigned>(scanner.Name(kMonths)) + 1;
  scanner.Literal("-");
  fields.year = static_cast<int>(scanner.Number(2));
  scanner.Literal(" ");
  ScanTime(scanner, fields);
  scanner.Literal(" GMT");
  return scanner.at_end();
}

bool ScanAsctime(std::string_view text, Fields& fields) {
  Scanner scanner(text);
  fields.weekday = scanner.Name(kWeekdays, kShortName);
  scanner.Literal(" ");
  fields.month = static_cast<unsigned>(scanner.Name(kMonths)) + 1;
  scanner.Literal(" ");
  if (scanner.next_is(' ')) {
    scanner.Literal(" ");
    fields.day = scanner.Number(1);
  } else {
    fields.day = scanner.Number(2);
  }
  scanner.Literal(" ");
  ScanTime(scanner, fields);
  scanner.Literal(" ");
  fields.year = static_cast<int>(scanner.Number(4));
  return scanner.at_end();
}

// The century of a year of two digits.
int FullYear(const Fields& fields, sys_seconds now) {
  const sys_days today = std::chrono::floor<std::chrono::days>(now);
  const year_month_day date(today);
  const std::chrono::hh_mm_ss time(now - today);
  // The same moment in 50 years, if there is such a day; compared as text would be.
  const std::tuple<int, unsigned, unsigned, unsigned, unsigned, unsigned> limit = {
      static_cast<int>(date.year()) + 50,
      static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()),
      static_cast<unsigned>(time.hours().count()),
      static_cast<unsigned>(time.minutes().count()),
      static_cast<unsigned>(time.seconds().count())};
  const int century = std::get<0>(limit) / 100 * 100;
  const std::tuple<int, unsigned, unsigned, unsigned, unsigned, unsigned> candidate = {
      century + fields.year, fields.month, fields.day, fields.hour, fields.minute, fields.second};
  return candidate > limit ? century + fields.year - 100 : century + fields.year;
}

std::optional<sys_seconds> FromFields(const Fields& fields) {
  // RFC 850's years may lie out of what can be written, if `now` is at its edge.
  if (fields.year < 0 || fields.year > 9999) return std::nullopt;
  if (fields.hour > 23 || fields.minute > 59) return std::nullopt;
  const unsigned last_second = fields.hour == 23 && fields.minute == 59 ? 60 : 59;
  if (fields.second > last_second) return std::nullopt;
  const year_month_day date(year(fields.year), std::chrono::month(fields.month),
                            std::chrono::day(fields.day));
  if (!date.ok()) return std::nullopt;
  const sys_days day(date);
  if (std::chrono::weekday(day).c_encoding() != fields.weekday) return std::nullopt;
  return day + std::chrono::hours(fields.hour) + std::chrono::minutes(fields.minute) +
         std::chrono::seconds(fields.second);
}

}  // namespace

void FormatHttpDate(sys_seconds time, std::span<char, kHttpDateBytes> out) {
  time = std::clamp(time, kFirst, kLast);
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const year_month_day date(day);
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  const unsigned year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto second = static_cast<unsigned>((time - day).count());

  std::memcpy(out.data(), "Day, 00 Mon 0000 00:00:00 GMT", kHttpDateBytes);
  std::memcpy(&out[0], kWeekdays[weekday].data(), kShortName);
  PutTwo(static_cast<unsigned>(date.day()), &out[5]);
  std::memcpy(&out[8], kMonths[static_cast<unsigned>(date.month()) - 1].data(), kShortName);
  PutTwo(year / 100, &out[12]);
  PutTwo(year % 100, &out[14]);
  PutTwo(second / 3600, &out[17]);
  PutTwo(second / 60 % 60, &out[20]);
  PutTwo(second % 60, &out[23]);
}

std::optional<sys_seconds> ParseHttpDate(std::string_view text, sys_seconds now) {
  Fields fields;
  if (ScanFixdate(text, fields) || ScanAsctime(text, fields)) return FromFields(fields);
  if (!ScanRfc850(text, fields)) return std::nullopt;
  fields.year = FullYear(fields, std::clamp(now, kFirst, kLast));
  return FromFields(fields);
}

}  // namespace strata::http
