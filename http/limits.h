// File: limits.h
//
// How much of a message a parser takes: each bound has a name, a default, and an error of its own
// (parse_error.h).
//
//   RequestParser parser({.max_fields = 50, .max_body_bytes = 16 << 20});
//
// A parser holds at most max_fields fields in memory that it allocates once; what the caller has to
// keep of a message until its head is complete is max_start_line_bytes + max_field_bytes.

#ifndef STRATA_HTTP_LIMITS_H_
#define STRATA_HTTP_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <limits>

namespace strata::http {

// For a route or a client that takes a body of any size.
inline constexpr std::uint64_t kUnlimitedBody = std::numeric_limits<std::uint64_t>::max();

struct ParserLimits {
  // The request line or status line, with its CR LF. RFC 9112 section 3 asks for 8,000 at least.
  // kStartLineTooLong.
  std::size_t max_start_line_bytes = 8 * 1024;

  // All field lines of the header section, with the empty line at its end. kFieldsTooLarge.
  std::size_t max_field_bytes = 32 * 1024;

  // kTooManyFields. At most 65,535.
  std::size_t max_fields = 100;

  // Of the content, without the framing of chunks. A head with a greater Content-Length is
  // kBodyTooLarge at once; a chunked body when a chunk would pass it. Where the limit depends on
  // the head, give the parser kUnlimitedBody and BodyDecoder the limit.
  std::uint64_t max_body_bytes = 1024 * 1024;

  // Empty lines in front of a request, which are skipped (RFC 9112 section 2.2).
  // kTooManyEmptyLines.
  std::size_t max_empty_lines = 1;

  // Chunk extensions, from the ";" to the CR LF: of one chunk, and of all chunks of a body.
  // kChunkExtensionTooLong.
  std::size_t max_chunk_extension_bytes = 256;
  std::size_t max_chunk_extensions_total_bytes = 4 * 1024;

  // As for fields. kTrailersTooLarge, kTooManyTrailers.
  std::size_t max_trailer_bytes = 8 * 1024;
  std::size_t max_trailers = 32;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_LIMITS_H_
