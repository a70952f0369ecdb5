// File: brotli_coding.h
//
// The coding br (RFC 7932), by the brotli library.
//
//   CodingPool pool({NewGzipCoding().value(), NewBrotliCoding().value()});
//
// In a target of its own, //http:brotli, for the library that it brings into a program. The library
// cannot begin a stream in the memory of the one before, so each encoder and decoder allocates.

#ifndef STRATA_HTTP_BROTLI_CODING_H_
#define STRATA_HTTP_BROTLI_CODING_H_

#include <memory>

#include "absl/status/statusor.h"
#include "strata/http/coder.h"

namespace strata::http {

struct BrotliOptions {
  // 0 to 11. On JSON, 5 makes an eighth less than gzip at its default here, in 1.5 times the time.
  int quality = 5;

  // The window of an encoder is about 2^window_bits bytes, 10 to 24. Its state takes up to 3 MiB
  // with these two.
  int window_bits = 18;

  // The largest window that a decoder takes, and allocates if there is so much to decode: 10 to 24,
  // which is all that there is. A larger one is kCorrupt.
  int max_window_bits = 24;
};

// InvalidArgument for options out of their bounds.
absl::StatusOr<std::shared_ptr<const CodingFactory>> NewBrotliCoding(
    const BrotliOptions& options = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_BROTLI_CODING_H_
