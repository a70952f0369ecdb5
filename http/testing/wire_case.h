// Files of cases: bytes on the wire, and what is to become of them.
//
//   # A comment.
//   kind request                    Or response, or chunked.
//
//   === a plus sign before Content-Length
//   RFC 9112 section 6.3. Any text: why it is so, where the case is from.
//   ! max_fields=3 fields           Options: a limit of limits.h; the method a response answers
//                                   (method=HEAD); whether the fields are compared.
//   > POST / HTTP/1.1\r\n           The bytes, escaped as in wire_text.h. No line end but those
//   that > Content-Length: +5\r\n\r\n    are written. < error kBadContentLength at 17 The trace of
//   wire_stream.h.

#ifndef STRATA_HTTP_TESTING_WIRE_CASE_H_
#define STRATA_HTTP_TESTING_WIRE_CASE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/http/testing/wire_stream.h"

namespace strata::http::testing {

enum class WireKind { kRequest, kResponse, kChunked };

struct WireCase {
  std::string place;  // "rules.txt:12: a plus sign before Content-Length".
  WireKind kind = WireKind::kRequest;
  WireOptions options;
  std::string reason;
  std::string bytes;
  std::string expected;
};

// The cases of http/testdata/cases/`file`. Ends the program if that cannot be read, or is not as
// above.
std::vector<WireCase> ReadCases(std::string_view file);

std::string Trace(const WireCase& wire_case, std::span<const std::string_view> pieces);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_WIRE_CASE_H_
