// File: coding_pool.h
//
// Encoders and decoders for the streams of one event loop.
//
//   CodingPool pool({NewGzipCoding().value(), NewBrotliCoding().value()});
//
//   if (EncoderPtr encoder = pool.TakeEncoder(ContentCoding::kGzip)) {
//     encoder->Append(text, Encoder::Flush::kFinish, &body);
//   }
//
// Their states are large. The pool keeps a bounded number of them, so that after the first ones
// nothing is allocated, and hands out no more than a bounded number at a time. Not thread-safe:
// each loop has one.

#ifndef STRATA_HTTP_CODING_POOL_H_
#define STRATA_HTTP_CODING_POOL_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "strata/http/coder.h"
#include "strata/http/content_coding.h"

namespace strata::http {

struct CodingPoolOptions {
  // Handed out at the same time, of all codings together. A state of gzip's takes 256 KiB to encode
  // and 40 KiB to decode, those of others more: an attacker with many connections must not get one
  // for each.
  std::size_t max_encoders = 128;
  std::size_t max_decoders = 128;

  // Kept for the next ones, encoders and decoders of each coding.
  std::size_t max_idle = 8;
};

class CodingPool {
 public:
  template <typename T>
  struct GiveBack {
    void operator()(T* state) const { pool->Give(coding, state); }
    CodingPool* pool = nullptr;
    ContentCoding coding = ContentCoding::kIdentity;
  };

  // Of two factories of one coding the first counts.
  explicit CodingPool(std::vector<std::shared_ptr<const CodingFactory>> factories,
                      const CodingPoolOptions& options = {});

  // All that it has handed out must have come back.
  ~CodingPool();
  CodingPool(const CodingPool&) = delete;
  CodingPool& operator=(const CodingPool&) = delete;

  // Those that there are factories for.
  CodingSet codings() const;

  // Ready for a new stream. Null for kIdentity and a coding that there is no factory for, if as
  // many as the options allow are out already, and if there is no memory: then the response goes
  // without a coding, and a request with one is answered by 415 or 503.
  std::unique_ptr<Encoder, GiveBack<Encoder>> TakeEncoder(ContentCoding coding);
  std::unique_ptr<Decoder, GiveBack<Decoder>> TakeDecoder(ContentCoding coding,
                                                          const DecodeLimits& limits = {});

 private:
  struct OfCoding {
    std::shared_ptr<const CodingFactory> factory;
    std::vector<std::unique_ptr<Encoder>> encoders;
    std::vector<std::unique_ptr<Decoder>> decoders;
  };

  OfCoding& Of(ContentCoding coding) { return codings_[static_cast<std::size_t>(coding)]; }
  void Give(ContentCoding coding, Encoder* encoder);
  void Give(ContentCoding coding, Decoder* decoder);

  const CodingPoolOptions options_;
  std::array<OfCoding, kContentCodings> codings_;
  std::size_t encoders_out_ = 0;
  std::size_t decoders_out_ = 0;
};

// Give themselves back to their pool, which must live as long.
using EncoderPtr = std::unique_ptr<Encoder, CodingPool::GiveBack<Encoder>>;
using DecoderPtr = std::unique_ptr<Decoder, CodingPool::GiveBack<Decoder>>;

}  // namespace strata::http

#endif  // STRATA_HTTP_CODING_POOL_H_
