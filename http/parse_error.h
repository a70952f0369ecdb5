// File: parse_error.h
//
// What can be wrong with a message: one name for each rule of RFC 9110 and RFC 9112 that it breaks,
// and for each limit that it passes.
//
//   if (parser.Parse(bytes) == ParseResult::kError) {
//     Answer(StatusOf(parser.error()));   // 400
//     Log(ToString(parser.error()));      // "bare LF at the end of a line (RFC 9112 section 2.2)"
//   }
//
// After any of them the stream has no known place where the next message begins. A server answers
// and closes; a client closes.

#ifndef STRATA_HTTP_PARSE_ERROR_H_
#define STRATA_HTTP_PARSE_ERROR_H_

#include <cstdint>
#include <string_view>

namespace strata::http {

enum class ParseError : std::uint8_t {
  kNone,

  // Lines.
  kBareLf,             // A line that ends in LF alone.
  kBareCr,             // A CR that no LF follows.
  kTooManyEmptyLines,  // In front of a request, more than ParserLimits::max_empty_lines.

  // The request line.
  kBadMethod,           // No token, or longer than the line may be.
  kBadRequestLine,      // Not three parts with one space between them.
  kBadTarget,           // Empty, or with a byte that no target has.
  kFragmentInTarget,    // "#".
  kBadTargetForm,       // Not the form that the method asks for.
  kBadTargetAuthority,  // The host, port or userinfo in the target.
  kBadVersion,          // Not "HTTP/", digit, ".", digit.
  kUnsupportedVersion,  // A major version other than 1. 505.
  kStartLineTooLong,    // Longer than ParserLimits::max_start_line_bytes. 414.

  // The status line.
  kBadStatusLine,  // Not version, space, three digits, space, reason.
  kBadStatusCode,  // Less than 100.

  // Fields.
  kSpaceBeforeFirstField,  // Whitespace at the begin of the first field line.
  kObsFold,                // The same in a later one: a folded line.
  kEmptyFieldName,
  kBadFieldName,        // With a byte that no token has.
  kSpaceBeforeColon,    // Whitespace between the name and the colon.
  kMissingColon,        // A line without one.
  kControlByteInField,  // In a value: a byte below 0x20 other than tab, or DEL.
  kFieldsTooLarge,      // More than ParserLimits::max_field_bytes. 431.
  kTooManyFields,       // More than ParserLimits::max_fields. 431.

  // Host.
  kMissingHost,  // In HTTP/1.1.
  kDuplicateHost,
  kBadHost,

  // Framing.
  kBadContentLength,  // Not digits alone, or more than 64 bits hold.
  kDuplicateContentLength,
  kConflictingContentLength,
  kContentLengthWithTransferEncoding,
  kTransferEncodingInHttp10,
  kBadTransferEncoding,  // No list of codings, or chunked with parameters.
  kChunkedNotLast,       // Of a request; in a response it would last until close.
  kChunkedRepeated,
  kUnknownTransferCoding,  // Another than chunked, before it. 501.
  kUpgradeWithBody,
  kConnectWithBody,
  kBodyTooLarge,            // More than ParserLimits::max_body_bytes. 413.
  kUnsupportedExpectation,  // Expect with another than 100-continue. 417.

  // Chunks.
  kBadChunkSize,       // No hexadecimal number.
  kChunkSizeTooLarge,  // It does not fit into 64 bits.
  kBadChunkExtension,
  kChunkExtensionTooLong,  // Than one or all of them may be.
  kBadChunkEnd,            // No CR LF after a chunk's data.

  // Trailers. Their lines have the errors of fields above.
  kForbiddenTrailer,  // Content-Length, Transfer-Encoding, Host.
  kTrailersTooLarge,  // More than ParserLimits::max_trailer_bytes. 431.
  kTooManyTrailers,   // More than ParserLimits::max_trailers. 431.
};

inline constexpr int kParseErrorCount = static_cast<int>(ParseError::kTooManyTrailers) + 1;

// The status of the answer to a request with this error: 400 but where noted above. A client has no
// use for it. 0 for kNone.
int StatusOf(ParseError error);

// What is wrong, in a phrase, and the section that says so. For logs; in static memory.
std::string_view ToString(ParseError error);

}  // namespace strata::http

#endif  // STRATA_HTTP_PARSE_ERROR_H_
