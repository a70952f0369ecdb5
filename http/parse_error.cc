// The texts and statuses of errors.

#include "strata/http/parse_error.h"

#include <array>
#include <cstddef>

namespace strata::http {
namespace {

struct Entry {
  ParseError error;
  int status;
  std::string_view text;
};

// In the order of the enumeration.
constexpr std::array<Entry, kParseErrorCount> kEntries = {{
    {ParseError::kNone, 0, "no error"},
    {ParseError::kBareLf, 400, "bare LF at the end of a line (RFC 9112 section 2.2)"},
    {ParseError::kBareCr, 400, "bare CR in a line (RFC 9112 section 2.2)"},
    {ParseError::kTooManyEmptyLines, 400,
     "too many empty lines before the request line (RFC 9112 section 2.2)"},
    {ParseError::kBadMethod, 400, "the method is no token, or too long (RFC 9112 section 3.1)"},
    {ParseError::kBadRequestLine, 400,
     "the request line is not method, target and version with one space between each (RFC 9112 "
     "section 3)"},
    {ParseError::kBadTarget, 400,
     "the request target is empty or has a byte that it cannot have (RFC 9112 section 3.2)"},
    {ParseError::kFragmentInTarget, 400, "a fragment in the request target (RFC 9110 section 7.1)"},
    {ParseError::kBadTargetForm, 400,
     "the request target is not of a form that the method has (RFC 9112 section 3.2)"},
    {ParseError::kBadTargetAuthority, 400,
     "the authority in the request target is bad (RFC 9110 section 4.2, RFC 9112 section 3.2.3)"},
    {ParseError::kBadVersion, 400, "the version is not HTTP/digit.digit (RFC 9112 section 2.3)"},
    {ParseError::kUnsupportedVersion, 505,
     "a major version of HTTP other than 1 (RFC 9110 section 15.6.6)"},
    {ParseError::kStartLineTooLong, 414, "the first line is too long (RFC 9112 section 3)"},
    {ParseError::kBadStatusLine, 400,
     "the status line is not version, code and reason (RFC 9112 section 4)"},
    {ParseError::kBadStatusCode, 400, "the status code is less than 100 (RFC 9110 section 15)"},
    {ParseError::kSpaceBeforeFirstField, 400,
     "whitespace between the first line and the first field (RFC 9112 section 2.2)"},
    {ParseError::kObsFold, 400, "a folded field line (RFC 9112 section 5.2)"},
    {ParseError::kEmptyFieldName, 400, "a field without a name (RFC 9112 section 5)"},
    {ParseError::kBadFieldName, 400, "a field name that is no token (RFC 9110 section 5.1)"},
    {ParseError::kSpaceBeforeColon, 400,
     "whitespace between a field name and the colon (RFC 9112 section 5.1)"},
    {ParseError::kMissingColon, 400, "a field line without a colon (RFC 9112 section 5)"},
    {ParseError::kControlByteInField, 400,
     "a control byte in a field value (RFC 9110 section 5.5)"},
    {ParseError::kFieldsTooLarge, 431, "the header section is too large (RFC 6585 section 5)"},
    {ParseError::kTooManyFields, 431, "too many fields (RFC 6585 section 5)"},
    {ParseError::kMissingHost, 400, "no Host field (RFC 9112 section 3.2)"},
    {ParseError::kDuplicateHost, 400, "more than one Host field (RFC 9112 section 3.2)"},
    {ParseError::kBadHost, 400, "the Host field is no host and port (RFC 9112 section 3.2)"},
    {ParseError::kBadContentLength, 400,
     "Content-Length is no number of 64 bits (RFC 9112 section 6.3)"},
    {ParseError::kDuplicateContentLength, 400,
     "more than one Content-Length (RFC 9112 section 6.3)"},
    {ParseError::kConflictingContentLength, 400,
     "Content-Length fields that differ (RFC 9112 section 6.3)"},
    {ParseError::kContentLengthWithTransferEncoding, 400,
     "both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)"},
    {ParseError::kTransferEncodingInHttp10, 400,
     "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)"},
    {ParseError::kBadTransferEncoding, 400,
     "Transfer-Encoding is no list of codings, or chunked has parameters (RFC 9112 section 7)"},
    {ParseError::kChunkedNotLast, 400,
     "the last transfer coding is not chunked (RFC 9112 section 6.3)"},
    {ParseError::kChunkedRepeated, 400, "chunked more than once (RFC 9112 section 6.1)"},
    {ParseError::kUnknownTransferCoding, 501,
     "a transfer coding other than chunked (RFC 9112 section 6.1)"},
    {ParseError::kUpgradeWithBody, 400, "Upgrade with a body (RFC 9110 section 7.8)"},
    {ParseError::kConnectWithBody, 400, "CONNECT with a body (RFC 9110 section 9.3.6)"},
    {ParseError::kBodyTooLarge, 413, "the body is too large (RFC 9110 section 15.5.14)"},
    {ParseError::kUnsupportedExpectation, 417,
     "an expectation other than 100-continue (RFC 9110 section 10.1.1)"},
    {ParseError::kBadChunkSize, 400,
     "the size of a chunk is no hexadecimal number (RFC 9112 section 7.1)"},
    {ParseError::kChunkSizeTooLarge, 400,
     "the size of a chunk does not fit into 64 bits (RFC 9112 section 7.1)"},
    {ParseError::kBadChunkExtension, 400, "a bad chunk extension (RFC 9112 section 7.1.1)"},
    {ParseError::kChunkExtensionTooLong, 400,
     "chunk extensions are too long (RFC 9112 section 7.1.1)"},
    {ParseError::kBadChunkEnd, 400, "no CR LF after the data of a chunk (RFC 9112 section 7.1)"},
    {ParseError::kForbiddenTrailer, 400,
     "a trailer field of framing or routing (RFC 9110 section 6.5.1)"},
    {ParseError::kTrailersTooLarge, 431, "the trailer section is too large (RFC 6585 section 5)"},
    {ParseError::kTooManyTrailers, 431, "too many trailer fields (RFC 6585 section 5)"},
}};

constexpr bool IsInOrder() {
  for (std::size_t i = 0; i < kEntries.size(); ++i) {
    if (kEntries[i].error != static_cast<ParseError>(i)) return false;
  }
  return true;
}
static_assert(IsInOrder());

const Entry& Of(ParseError error) { return kEntries[static_cast<std::size_t>(error)]; }

}  // namespace

int StatusOf(ParseError error) { return Of(error).status; }

std::string_view ToString(ParseError error) { return Of(error).text; }

}  // namespace strata::http
