// Runs the parsers as a connection does, over a stream that comes in pieces, and writes down what
// they make of it: a text of lines, the same for the same bytes in whatever pieces.
//
//   request POST /a 1.1 host=example.com length=5 keep-alive
//   body "hello"
//   error kBadMethod at 0
//
// The words of a head, those that apply, in this order: "request", method, target and minor
// version, or "response", status, version and "reason"; the form, if it is not origin; scheme=,
// host=, port=, path= (if it is not the target), query=; length=, chunked or until-close;
// keep-alive, close, continue, upgrade, interim, tunnel. Then one line each, if there are any:
//
//   field NAME: VALUE      If fields are asked for.
//   body "TEXT"            All that came of it. Not for a message that has none.
//   trailer NAME: VALUE
//   error NAME at OFFSET   In the head from its first byte, in the body from that one's first byte.
//   incomplete             The stream ends in a message. Nothing is said of the end between two.
//   rest "TEXT"            What follows a message after which the connection is of no more use.

#ifndef STRATA_HTTP_TESTING_WIRE_STREAM_H_
#define STRATA_HTTP_TESTING_WIRE_STREAM_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/http/limits.h"
#include "strata/http/method.h"
#include "strata/http/parse_error.h"

namespace strata::http::testing {

struct WireOptions {
  ParserLimits limits;
  Method request_method = Method::kGet;  // That a response answers.
  bool fields = false;                   // Whether they are written down.
};

// Each piece is in memory of its own size while it is parsed, and with it what the parser was given
// before, so that a sanitizer sees a byte read behind its end.
std::string TraceRequests(std::span<const std::string_view> pieces, const WireOptions& options);
std::string TraceResponses(std::span<const std::string_view> pieces, const WireOptions& options);

// A body alone, chunked.
std::string TraceChunked(std::span<const std::string_view> pieces, const WireOptions& options);

// "kBareLf".
std::string_view NameOf(ParseError error);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_WIRE_STREAM_H_
