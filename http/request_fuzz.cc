// Any bytes are requests, the beginning of some, or none; and that does not depend on the pieces in
// which they come. The model says the same of the first head. What is right is written again, and
// read the same.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/head_writer.h"
#include "strata/http/request_parser.h"
#include "strata/http/testing/fuzz_pieces.h"
#include "strata/http/testing/model.h"
#include "strata/http/testing/wire_stream.h"

using namespace strata::http;

namespace {

void Check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Small limits, so that a fuzzer's inputs reach them.
testing::WireOptions Options() {
  testing::WireOptions options;
  options.fields = true;
  options.limits.max_start_line_bytes = 256;
  options.limits.max_field_bytes = 512;
  options.limits.max_fields = 16;
  options.limits.max_body_bytes = 64;
  options.limits.max_chunk_extension_bytes = 32;
  options.limits.max_chunk_extensions_total_bytes = 48;
  options.limits.max_trailer_bytes = 64;
  options.limits.max_trailers = 3;
  return options;
}

void WriteAndReadAgain(std::string_view wire, const ParserLimits& limits) {
  RequestParser parser(limits);
  if (parser.Parse(wire) != ParseResult::kComplete) return;
  const RequestHead& head = parser.head();
  std::string out;
  HeadWriter writer(out);
  writer.RequestLine(head.method_text, head.target);
  for (const Field& field : head.fields) writer.Field(field.name, field.value);
  writer.End();
  Check(writer.ok(), "what was parsed can be written");
  RequestParser again({.max_field_bytes = 2 * limits.max_field_bytes});
  // The writer writes HTTP/1.1, for which a message of HTTP/1.0 may be wrong.
  if (head.minor_version != 1) return;
  Check(again.Parse(out) == ParseResult::kComplete, "what was written is parsed");
  Check(again.head().fields.size() == head.fields.size(), "as many fields");
  Check(again.head().framing == head.framing, "the same framing");
  Check(again.head().content_length == head.content_length, "the same length");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const testing::FuzzPieces input(data, size);
  const testing::WireOptions options = Options();
  const std::string trace = testing::TraceOfAnyPieces(
      input, [&](auto pieces) { return testing::TraceRequests(pieces, options); });

  const std::string_view wire = input.whole()[0];
  if (!wire.empty()) {
    std::string model = testing::ModelRequestHead(wire, options.limits);
    if (model.starts_with("error ")) model.back() = ' ';  // The offset follows.
    Check(trace.starts_with(model), (trace + "the model says:\n" + model).c_str());
  }
  WriteAndReadAgain(wire, options.limits);
  return 0;
}
