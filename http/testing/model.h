// What the parsers should say, found out slowly and simply: by searching whole lines for characters
// that are written out, without state, tables or vectors, and with no code of theirs. For
// comparison on random input.

#ifndef STRATA_HTTP_TESTING_MODEL_H_
#define STRATA_HTTP_TESTING_MODEL_H_

#include <string>
#include <string_view>

#include "strata/http/limits.h"

namespace strata::http::testing {

// As TraceRequests() of wire_stream.h says of the first head in `bytes`, with its fields: "request
// ...", "error NAME" without the offset, or "incomplete"; then what comes after the head is left
// out.
std::string ModelRequestHead(std::string_view bytes, const ParserLimits& limits);

// As TraceChunked(), without offset.
std::string ModelChunked(std::string_view bytes, const ParserLimits& limits);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_MODEL_H_
