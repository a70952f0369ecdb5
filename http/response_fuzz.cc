// Any bytes are responses, the beginning of some, or none; and that does not depend on the pieces
// in which they come. The first byte of the input chooses the method of the request.

#include <cstdint>
#include <string>

#include "strata/http/method.h"
#include "strata/http/testing/fuzz_pieces.h"
#include "strata/http/testing/wire_stream.h"

using namespace strata::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr Method kMethods[] = {Method::kGet, Method::kHead, Method::kConnect};
  testing::WireOptions options;
  options.fields = true;
  options.request_method = kMethods[data[0] % 3];
  options.limits.max_start_line_bytes = 128;
  options.limits.max_field_bytes = 512;
  options.limits.max_fields = 16;
  options.limits.max_body_bytes = 64;
  options.limits.max_trailer_bytes = 64;
  const testing::FuzzPieces input(data + 1, size - 1);
  testing::TraceOfAnyPieces(input,
                            [&](auto pieces) { return testing::TraceResponses(pieces, options); });
  return 0;
}
