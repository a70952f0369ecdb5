// Content-Length and Transfer-Encoding: what they say about the body (RFC 9112 section 6).

#ifndef STRATA_HTTP_FRAMING_INTERNAL_H_
#define STRATA_HTTP_FRAMING_INTERNAL_H_

#include <cstdint>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/parse_error.h"

namespace strata::http {

class FramingFields {
 public:
  // Called for each such field. A message has one of the two, once; HTTP/1.0 has no
  // Transfer-Encoding.
  ParseError OnContentLength(std::string_view value);
  ParseError OnTransferEncoding(int minor_version);

  bool has_length() const { return has_length_; }
  bool has_transfer_encoding() const { return has_transfer_encoding_; }

  std::uint64_t length() const { return length_; }

  bool has_body() const { return has_transfer_encoding_ || length_ != 0; }

 private:
  std::uint64_t length_ = 0;
  bool has_length_ = false;
  bool has_transfer_encoding_ = false;
};

// kNone if the codings in all Transfer-Encoding fields are chunked, once, and nothing else. For a
// request, codings that do not end in chunked are worse than an unknown one (RFC 9112 section 6.3).
ParseError CheckTransferEncoding(const FieldList& fields, bool of_request);

// What the options of a Connection field say (RFC 9110 section 7.6.1).
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;

  void Add(std::string_view value);

  // RFC 9112 section 9.3.
  bool Persists(int minor_version) const { return !close && (minor_version > 0 || keep_alive); }
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FRAMING_INTERNAL_H_
