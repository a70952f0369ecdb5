// JSON from anybody: accepted when simdjson accepts it, and what was read writes and reads the
// same.

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "strata/orm/json.h"
#include "strata/orm/testing/sample.h"

namespace {

using strata::orm::CheckJson;
using strata::orm::FromJson;
using strata::orm::JsonReadOptions;
using strata::orm::ToJson;
using strata::orm::testing::Sample;

void CompareWithSimdjson(std::string_view text) {
  static auto& parser = *new simdjson::dom::parser();
  simdjson::dom::element element;
  const simdjson::error_code error =
      parser.parse(text.data(), text.size(), /*realloc_if_needed=*/true).get(element);
  const absl::Status status = CheckJson(text, {.max_depth = 1000});
  if (absl::IsResourceExhausted(status) || error == simdjson::DEPTH_ERROR) return;
  // It refuses numbers that no double and no integer of 64 bits holds, which are JSON.
  if (error == simdjson::NUMBER_ERROR) return;
  // It skips a byte order mark, which a parser may (RFC 8259 section 8.1).
  if (text.starts_with("\xef\xbb\xbf")) return;
  if (status.ok() != (error == simdjson::SUCCESS)) std::abort();
}

void ReadAndWrite(std::string_view text) {
  Sample row;
  if (!FromJson(text, &row, {.unknown_keys = JsonReadOptions::Unknown::kIgnore}).ok()) return;
  const auto written = ToJson(row);
  if (!written.ok()) std::abort();
  Sample again;
  if (!FromJson(*written, &again).ok()) std::abort();
  if (!(again == row)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CompareWithSimdjson(text);
  ReadAndWrite(text);
  return 0;
}
