// File: response_parser.h
//
// The head of a response, from bytes (RFC 9112): what request_parser.h is for servers, for clients.
//
//   ResponseParser parser;
//   parser.Reset(Method::kGet);        // The method of the request that is answered.
//   switch (parser.Parse(buffer)) {
//     case ParseResult::kIncomplete:   // Call again when `buffer` has more at its end.
//     case ParseResult::kError:        // Close.
//     case ParseResult::kComplete:
//       if (parser.head().interim) ... // The final response follows: take head_bytes() off,
//       Reset().
//   }
//
// A response with both Content-Length and Transfer-Encoding, with two lengths, or with a coding
// that is not chunked is an error, like in a request.

#ifndef STRATA_HTTP_RESPONSE_PARSER_H_
#define STRATA_HTTP_RESPONSE_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/limits.h"
#include "strata/http/message.h"
#include "strata/http/method.h"
#include "strata/http/parse_error.h"

namespace strata::http {

// All views are into the bytes given to Parse().
struct ResponseHead {
  // 100 to 999; one from 600 on is to be treated as 500 (RFC 9110 section 15).
  int status = 0;
  std::uint8_t minor_version = 1;

  // By the request's method and the status first, then by fields (RFC 9112 section 6.3).
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  // That of kLength, else 0.

  // The connection may be used for another request after this response. If it is false in an
  // interim response, that holds after the final one too.
  bool keep_alive = true;

  // 1xx but 101: another response to the same request follows.
  bool interim = false;

  // What follows the head is no longer HTTP: 101, or 2xx to CONNECT.
  bool tunnel = false;

  std::string_view reason;  // May be empty. For people.
  FieldList fields;
};

// Used by one thread at a time.
class ResponseParser {
 public:
  // Allocates room for the fields.
  explicit ResponseParser(const ParserLimits& limits = {});
  ~ResponseParser();
  ResponseParser(ResponseParser&&) noexcept;
  ResponseParser& operator=(ResponseParser&&) noexcept;

  // As RequestParser::Parse().
  ParseResult Parse(std::string_view bytes);

  const ResponseHead& head() const { return head_; }
  std::size_t head_bytes() const { return position_; }
  ParseError error() const { return error_; }
  std::size_t error_offset() const { return position_; }

  // For the next response, which answers a request with this method. kGet stands for any other but
  // HEAD and CONNECT.
  void Reset(Method request_method);

  const ParserLimits& limits() const { return limits_; }

 private:
  enum class Stage : std::uint8_t { kStatusLine, kFields, kComplete, kFailed };
  struct State;

  ParseResult ParseStatusLine();
  ParseResult RejectStatusLine();
  ParseResult ParseFields();
  ParseError OnField(const Field& field);
  ParseError Finish();
  ParseResult Fail(ParseError error, std::size_t offset);

  ParserLimits limits_;
  std::unique_ptr<State> state_;
  ResponseHead head_;
  std::size_t position_ = 0;
  Method request_method_ = Method::kGet;
  ParseError error_ = ParseError::kNone;
  Stage stage_ = Stage::kStatusLine;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_RESPONSE_PARSER_H_
