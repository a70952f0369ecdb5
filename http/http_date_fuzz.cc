// Any text is a date or none; a date comes back from what it is written as.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "strata/http/http_date.h"

using strata::http::FormatHttpDate;
using strata::http::kHttpDateBytes;
using strata::http::ParseHttpDate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (text.ends_with('\n')) text.remove_suffix(1);
  constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'700'000'000)};
  const std::optional<std::chrono::sys_seconds> time = ParseHttpDate(text, kNow);
  if (!time) return 0;
  char written[kHttpDateBytes];
  FormatHttpDate(*time, written);
  // A leap second at the end of the last year is a time that cannot be written.
  constexpr std::chrono::sys_seconds kEnd = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  if (*time < kEnd && ParseHttpDate(std::string_view(written, sizeof(written)), kNow) != time) {
    std::abort();
  }
  return 0;
}
