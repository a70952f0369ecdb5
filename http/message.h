// File: message.h
//
// The words that requests and responses share: how a parser answers, and how a body is framed (RFC
// 9112 section 6). Both parsers, the decoder of bodies and their users speak of messages in these
// words.

#ifndef STRATA_HTTP_MESSAGE_H_
#define STRATA_HTTP_MESSAGE_H_

#include <cstdint>

namespace strata::http {

enum class ParseResult : std::uint8_t {
  kIncomplete,  // Call again with the same bytes and more.
  kComplete,    // head() and head_bytes() are valid.
  kError,       // error() and error_offset() are valid.
};

// Where a message's body ends.
enum class Framing : std::uint8_t {
  kNone,        // There is none.
  kLength,      // After Content-Length bytes, which may be 0.
  kChunked,     // After the last chunk and the trailers.
  kUntilClose,  // With the connection; of responses alone.
};

}  // namespace strata::http

#endif  // STRATA_HTTP_MESSAGE_H_
