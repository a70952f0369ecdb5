// Reads files of cases.

#include "strata/http/testing/wire_case.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "strata/http/testing/wire_text.h"

namespace strata::http::testing {
namespace {

[[noreturn]] void Fail(const std::string& place, std::string_view why) {
  std::fprintf(stderr, "%s: %.*s\n", place.c_str(), static_cast<int>(why.size()), why.data());
  std::abort();
}

void ParseOption(const std::string& place, std::string_view option, WireOptions* options) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const std::string value(equals == std::string_view::npos ? "" : option.substr(equals + 1));
  const auto number = static_cast<std::size_t>(std::strtoull(value.c_str(), nullptr, 10));
  ParserLimits& limits = options->limits;
  if (name == "fields") {
    options->fields = true;
  } else if (name == "method") {
    options->request_method = ParseMethod(value);
  } else if (name == "max_start_line_bytes") {
    limits.max_start_line_bytes = number;
  } else if (name == "max_field_bytes") {
    limits.max_field_bytes = number;
  } else if (name == "max_fields") {
    limits.max_fields = number;
  } else if (name == "max_body_bytes") {
    limits.max_body_bytes = number;
  } else if (name == "max_empty_lines") {
    limits.max_empty_lines = number;
  } else if (name == "max_chunk_extension_bytes") {
    limits.max_chunk_extension_bytes = number;
  } else if (name == "max_chunk_extensions_total_bytes") {
    limits.max_chunk_extensions_total_bytes = number;
  } else if (name == "max_trailer_bytes") {
    limits.max_trailer_bytes = number;
  } else if (name == "max_trailers") {
    limits.max_trailers = number;
  } else {
    Fail(place, "unknown option");
  }
}

}  // namespace

std::vector<WireCase> ReadCases(std::string_view file) {
  const std::string path = "http/testdata/cases/" + std::string(file);
  std::ifstream in(path, std::ios::binary);
  if (!in) Fail(path, "cannot be read");
  std::vector<WireCase> cases;
  WireKind kind = WireKind::kRequest;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::string_view text = line;
    const std::string place = std::string(file) + ":" + std::to_string(number);
    if (text.empty() || text.starts_with('#')) continue;
    if (text.starts_with("kind ")) {
      kind = text == "kind request"    ? WireKind::kRequest
             : text == "kind response" ? WireKind::kResponse
                                       : WireKind::kChunked;
      continue;
    }
    if (text.starts_with("=== ")) {
      WireCase& added = cases.emplace_back();
      added.place = place + ": " + std::string(text.substr(4));
      added.kind = kind;
      continue;
    }
    if (cases.empty()) Fail(place, "no case begins before it");
    WireCase& current = cases.back();
    const std::string_view rest = text.substr(text.size() < 2 ? 1 : 2);
    switch (text[0]) {
      case '>':
        current.bytes += Unescape(rest);
        break;
      case '<':
        current.expected += std::string(rest) + "\n";
        break;
      case '!': {
        std::istringstream options{std::string(rest)};
        for (std::string option; options >> option;) {
          ParseOption(place, option, &current.options);
        }
        break;
      }
      default:
        current.reason += line + "\n";
    }
  }
  for (const WireCase& read : cases) {
    if (read.reason.empty()) Fail(read.place, "says not why");
  }
  if (cases.empty()) Fail(path, "has no cases");
  return cases;
}

std::string Trace(const WireCase& wire_case, std::span<const std::string_view> pieces) {
  switch (wire_case.kind) {
    case WireKind::kRequest:
      return TraceRequests(pieces, wire_case.options);
    case WireKind::kResponse:
      return TraceResponses(pieces, wire_case.options);
    case WireKind::kChunked:
      return TraceChunked(pieces, wire_case.options);
  }
  std::abort();
}

}  // namespace strata::http::testing
