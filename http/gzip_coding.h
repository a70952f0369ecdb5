// File: gzip_coding.h
//
// The codings gzip (RFC 1952) and deflate (RFC 1950, the format that zlib calls its own), by zlib.
//
//   CodingPool pool({NewGzipCoding().value(), NewDeflateCoding().value()});
//
// The decoders check what the formats have to check: headers, CRC-32 or Adler-32, sizes. Of gzip,
// members one behind another are one body (RFC 1952 section 2.2). A preset dictionary is an error.

#ifndef STRATA_HTTP_GZIP_CODING_H_
#define STRATA_HTTP_GZIP_CODING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "strata/http/coder.h"

namespace strata::http {

struct DeflateOptions {
  // 1 to 9. On JSON, 4 takes 0.6 times the time of zlib's own default, 6, and makes 6 % more bytes.
  int level = 4;

  // The window of an encoder is 2^window_bits bytes, 9 to 15, and its state takes
  // 2^(window_bits + 2) + 2^(mem_level + 9) bytes, mem_level being 1 to 9: together 256 KiB.
  // Decoders take any window, of at most 32 KiB.
  int window_bits = 15;
  int mem_level = 8;

  // Of NewDeflateCoding()'s decoders: whether a body without RFC 1950's header, which some clients
  // send by mistake, is taken for plain deflate (RFC 1951).
  bool accept_raw_deflate = false;
};

// InvalidArgument for options out of their bounds.
absl::StatusOr<std::shared_ptr<const CodingFactory>> NewGzipCoding(
    const DeflateOptions& options = {});
absl::StatusOr<std::shared_ptr<const CodingFactory>> NewDeflateCoding(
    const DeflateOptions& options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_GZIP_CODING_H_
