// Any bytes are a form or none. The first byte says how they are cut: that makes no difference, and
// neither does who parses them, for a parser as simple as can be finds the same parts.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/multipart.h"

using namespace strata::http;

namespace {

constexpr std::string_view kDelimiter = "\r\n--B";

// Small, so that each is met.
constexpr MultipartLimits kLimits = {.max_parts = 4,
                                     .max_header_bytes = 200,
                                     .max_fields = 4,
                                     .max_name_bytes = 10,
                                     .max_filename_bytes = 20,
                                     .max_part_bytes = 100,
                                     .max_body_bytes = 1000,
                                     .max_padding_bytes = 20};

class Recorder final : public MultipartHandler {
 public:
  bool OnPart(const MultipartPart& part) override {
    if (part.name.size() > kLimits.max_name_bytes) std::abort();
    if (part.filename) {
      const std::string safe = SafeFilename(*part.filename);
      if (safe.empty() || safe.find_first_of("/\\") != std::string::npos) std::abort();
      if (SafeFilename(safe) != safe) std::abort();
    }
    parts += "<" + std::string(part.name) + ">";
    return true;
  }
  bool OnData(std::string_view bytes) override {
    if (bytes.empty()) std::abort();
    parts += bytes;
    contents += bytes;
    return true;
  }
  bool OnPartEnd() override {
    parts += "</>";
    contents += "|";
    return true;
  }

  std::string parts;
  std::string contents;
};

struct Outcome {
  MultipartError error;
  Recorder recorder;
};

Outcome Parse(std::string_view body, std::size_t piece) {
  Outcome outcome;
  MultipartParser parser("B", &outcome.recorder, kLimits);
  while (!body.empty()) {
    parser.Feed(body.substr(0, piece));
    body.remove_prefix(std::min(piece, body.size()));
  }
  outcome.error = parser.Finish();
  return outcome;
}

// The contents of the parts of what is known to be a form.
std::string Contents(std::string_view form) {
  std::string body = "\r\n" + std::string(form);
  std::string contents;
  std::size_t at = body.find(kDelimiter);
  for (;;) {
    at += kDelimiter.size();
    if (body[at] == '-') return contents;
    at = body.find("\r\n", at) + 2;      // Behind the delimiter's line.
    at = body.find("\r\n\r\n", at) + 2;  // At the end of the blank one.
    const std::size_t end = body.find(kDelimiter, at);
    if (end > at) contents.append(body, at + 2, end - at - 2);
    contents += "|";
    at = end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = Parse(body, std::max<std::size_t>(body.size(), 1));
  const Outcome pieces = Parse(body, data[0] % 17 + 1);
  if (whole.error != pieces.error || whole.recorder.parts != pieces.recorder.parts) std::abort();
  if (whole.error == MultipartError::kOk && whole.recorder.contents != Contents(body)) std::abort();
  return 0;
}
