// Encoders and decoders that wait for the next stream.

#include "strata/http/coding_pool.h"

#include <cassert>
#include <utility>

namespace strata::http {

CodingPool::CodingPool(std::vector<std::shared_ptr<const CodingFactory>> factories,
                       const CodingPoolOptions& options)
    : options_(options) {
  for (std::shared_ptr<const CodingFactory>& factory : factories) {
    OfCoding& coding = Of(factory->coding());
    if (coding.factory) continue;
    coding.encoders.reserve(options.max_idle);
    coding.decoders.reserve(options.max_idle);
    coding.factory = std::move(factory);
  }
}

CodingPool::~CodingPool() { assert(encoders_out_ == 0 && decoders_out_ == 0); }

CodingSet CodingPool::codings() const {
  CodingSet set;
  for (std::size_t i = 0; i < codings_.size(); ++i) {
    if (codings_[i].factory) set.Add(static_cast<ContentCoding>(i));
  }
  return set;
}

EncoderPtr CodingPool::TakeEncoder(ContentCoding coding) {
  OfCoding& of = Of(coding);
  if (!of.factory || encoders_out_ == options_.max_encoders) return nullptr;
  std::unique_ptr<Encoder> encoder;
  if (of.encoders.empty()) {
    encoder = of.factory->NewEncoder();
  } else {
    encoder = std::move(of.encoders.back());
    of.encoders.pop_back();
    if (!encoder->Reset()) encoder.reset();
  }
  if (!encoder) return nullptr;
  ++encoders_out_;
  return EncoderPtr(encoder.release(), GiveBack<Encoder>{this, coding});
}

DecoderPtr CodingPool::TakeDecoder(ContentCoding coding, const DecodeLimits& limits) {
  OfCoding& of = Of(coding);
  if (!of.factory || decoders_out_ == options_.max_decoders) return nullptr;
  std::unique_ptr<Decoder> decoder;
  if (of.decoders.empty()) {
    decoder = of.factory->NewDecoder();
  } else {
    decoder = std::move(of.decoders.back());
    of.decoders.pop_back();
  }
  if (!decoder || !decoder->Reset(limits)) return nullptr;
  ++decoders_out_;
  return DecoderPtr(decoder.release(), GiveBack<Decoder>{this, coding});
}

void CodingPool::Give(ContentCoding coding, Encoder* encoder) {
  std::unique_ptr<Encoder> owned(encoder);
  --encoders_out_;
  OfCoding& of = Of(coding);
  if (of.encoders.size() < options_.max_idle) of.encoders.push_back(std::move(owned));
}

void CodingPool::Give(ContentCoding coding, Decoder* decoder) {
  std::unique_ptr<Decoder> owned(decoder);
  --decoders_out_;
  OfCoding& of = Of(coding);
  if (of.decoders.size() < options_.max_idle) of.decoders.push_back(std::move(owned));
}

}  // namespace strata::http
