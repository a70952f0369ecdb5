// Any bytes are a chunked body, the beginning of one, or none; and that does not depend on the
// pieces in which they come. Where the model has an opinion, it is the same.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/testing/fuzz_pieces.h"
#include "strata/http/testing/model.h"
#include "strata/http/testing/wire_stream.h"

using namespace strata::http;

namespace {

bool Agree(std::string_view trace, std::string_view model) {
  const std::size_t line = model.find('\n') + 1;
  if (trace.substr(0, line) != model.substr(0, line)) return false;
  trace.remove_prefix(line);
  model.remove_prefix(line);
  const bool error = trace.starts_with("error ");
  if (model.starts_with("trailers")) return true;
  if (model == "error\n") return error;
  if (model == "incomplete or error\n") return error || trace == "incomplete\n";
  return trace == model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  testing::WireOptions options;
  options.limits.max_body_bytes = 64;
  options.limits.max_chunk_extension_bytes = 32;
  options.limits.max_trailer_bytes = 64;
  options.limits.max_trailers = 3;
  const testing::FuzzPieces input(data, size);
  const std::string trace = testing::TraceOfAnyPieces(
      input, [&](auto pieces) { return testing::TraceChunked(pieces, options); });
  const std::string model = testing::ModelChunked(input.whole()[0], options.limits);
  if (!Agree(trace, model)) {
    std::fprintf(stderr, "%s\nthe model says:\n%s\n", trace.c_str(), model.c_str());
    std::abort();
  }
  return 0;
}
