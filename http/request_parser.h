// File: request_parser.h
//
// The head of a request, from bytes (RFC 9112). Pure: no I/O, no copies, no allocation after the
// constructor.
//
//   RequestParser parser;              // One for each event loop, for all its connections.
//   switch (parser.Parse(buffer)) {
//     case ParseResult::kIncomplete:   // Call again when `buffer` has more at its end.
//     case ParseResult::kError:        // Answer StatusOf(parser.error()) and close.
//     case ParseResult::kComplete:     // parser.head(); the body begins at parser.head_bytes().
//   }
//   parser.Reset();                    // For the next message.
//
// Strict in what decides where a message ends: a message that two parsers could read in two ways is
// an error here (parse_error.h lists them). Complete in what RFC 9112 lets a client send: all four
// forms of target, HTTP/1.0, and any minor version of HTTP/1, which is read as 1.1.
//
// A target is taken as it is: its bytes are those of RFC 3986 and those that browsers send beside
// them ([ ] { } | \ ^ `), and it is not percent-decoded.

#ifndef STRATA_HTTP_REQUEST_PARSER_H_
#define STRATA_HTTP_REQUEST_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/limits.h"
#include "strata/http/message.h"
#include "strata/http/method.h"
#include "strata/http/parse_error.h"

namespace strata::http {

// RFC 9112 section 3.2.
enum class TargetForm : std::uint8_t {
  kOrigin,     // "/where?q=now"
  kAbsolute,   // "http://www.example.org/where?q=now"
  kAuthority,  // "www.example.com:80", of CONNECT alone.
  kAsterisk,   // "*", of OPTIONS alone.
};

// All views are into the bytes given to Parse(), or static.
struct RequestHead {
  Method method = Method::kOther;
  TargetForm form = TargetForm::kOrigin;

  // Of "HTTP/1.x". 0 for HTTP/1.0; a greater one than 1 means what 1 means.
  std::uint8_t minor_version = 1;

  // kNone, kLength or kChunked. content_length is that of kLength, else 0.
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;

  // The connection may be used for another request after this one (RFC 9112 section 9.3).
  bool keep_alive = true;

  // The client said "Connection: close".
  bool close = false;

  // There is a body, and the client waits for "100 Continue" before it sends that (RFC 9110 section
  // 10.1.1).
  bool expect_continue = false;

  // The client asks, by Connection and Upgrade, for one of the protocols in the Upgrade field (RFC
  // 9110 section 7.8). There is no body then.
  bool upgrade = false;

  std::string_view method_text;
  std::string_view target;

  // Of the absolute form: "http". Else empty.
  std::string_view scheme;

  // Host and port as they were sent: from the target, if that has them, which wins over the Host
  // field (RFC 9112 section 3.2.2). Empty if there are none, as HTTP/1.0 may have it.
  std::string_view authority;
  std::string_view host;              // Without the port; an IPv6 address in its brackets.
  std::optional<std::uint16_t> port;  // If there is one.

  // Of the origin and absolute form, not decoded. "/" if the absolute form has none. Empty for the
  // others.
  std::string_view path;
  std::string_view query;  // Behind the first "?", without it.

  FieldList fields;
};

// Used by one thread at a time. While a head is incomplete its parser holds what it has of it: a
// connection that waits for the rest keeps its parser, and the loop takes another for the next.
class RequestParser {
 public:
  // Allocates room for the fields.
  explicit RequestParser(const ParserLimits& limits = {});
  ~RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;

  // `bytes` holds the message from its first byte; a later call has the same bytes and more, at the
  // same address or another. What follows the head is not looked at. A line is parsed when it is
  // complete, or when it is longer than it may be, so each byte is looked at once or twice however
  // it comes, and the result does not depend on where the input was cut. After kComplete or kError
  // the same is returned until Reset().
  ParseResult Parse(std::string_view bytes);

  // After kComplete, until Reset(), and as long as the bytes.
  const RequestHead& head() const { return head_; }

  // After kComplete: the bytes of the head have been copied to `bytes`, and head() is of these from
  // now on.
  void MoveTo(std::string_view bytes);

  // How many of the bytes are the head, the empty lines before it and the one at its end included.
  std::size_t head_bytes() const { return position_; }

  // After kError. The offset in the message is that of the byte or the line that is wrong; for what
  // is missing, of the end of the head.
  ParseError error() const { return error_; }
  std::size_t error_offset() const { return position_; }

  void Reset();

  const ParserLimits& limits() const { return limits_; }

 private:
  enum class Stage : std::uint8_t { kRequestLine, kFields, kComplete, kFailed };
  struct State;

  // The inline ones are called at one place each, in request_parser.cc, and made part of that.
  inline ParseResult ParseRequestLine();
  ParseResult RejectRequestLine();
  ParseError ParseTarget();
  inline ParseResult ParseFields();
  inline ParseError OnField(const Field& field);
  inline ParseError Finish();
  ParseResult Fail(ParseError error, std::size_t offset);
  void Rebase(const char* from, const char* to);

  ParserLimits limits_;
  std::unique_ptr<State> state_;
  RequestHead head_;
  std::size_t position_ = 0;
  ParseError error_ = ParseError::kNone;
  Stage stage_ = Stage::kRequestLine;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_REQUEST_PARSER_H_
