// File: body_decoder.h
//
// The body of a request or response, out of its framing (RFC 9112 sections 6 and 7), piece by
// piece, without copies.
//
//   BodyDecoder body;
//   body.Start(head.framing, head.content_length, limits);
//   for (;;) {
//     const BodyDecoder::Step step = body.Next(bytes);
//     bytes.remove_prefix(step.consumed);
//     switch (step.state) {
//       case BodyDecoder::State::kData: Use(step.data); continue;
//       case BodyDecoder::State::kNeedMore: return;  // All of `bytes` was consumed.
//       case BodyDecoder::State::kEnd: return;       // body.trailers(); the rest is the next
//       message. case BodyDecoder::State::kError: return;     // body.error()
//     }
//   }

#ifndef STRATA_HTTP_BODY_DECODER_H_
#define STRATA_HTTP_BODY_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/limits.h"
#include "strata/http/message.h"
#include "strata/http/parse_error.h"

namespace strata::http {

// Small: it may live in each connection that has a body under way. It allocates for trailers alone.
class BodyDecoder {
 public:
  enum class State : std::uint8_t {
    kData,      // `data` is a piece of the body, of one byte or more; call again.
    kNeedMore,  // There is no more in these bytes, and all are consumed.
    kEnd,       // The body is complete. What was not consumed belongs to the next message.
    kError,     // error() says what is wrong. The stream is lost.
  };

  struct Step {
    State state;
    std::string_view data;     // Of kData alone; a view into the bytes given.
    std::size_t consumed = 0;  // How many bytes to take off the front, those of `data` included.
  };

  BodyDecoder();
  ~BodyDecoder();
  BodyDecoder(BodyDecoder&&) noexcept;
  BodyDecoder& operator=(BodyDecoder&&) noexcept;

  // Begins a body; `length` is that of kLength. Forgets the one before and its trailers. Takes what
  // it needs of the limits: max_body_bytes and those of chunks and trailers.
  void Start(Framing framing, std::uint64_t length, const ParserLimits& limits);

  // The next step. Bytes that are consumed are not given again. After kEnd and kError it returns
  // the same, and consumes nothing.
  Step Next(std::string_view bytes);

  // What is left of kLength; 0 else, and at the end.
  std::uint64_t remaining_bytes() const;

  // Content so far, without framing.
  std::uint64_t body_bytes() const { return body_bytes_; }

  // The body may end here because the connection does: with kUntilClose, or after kEnd. Else it is
  // cut off.
  bool IsCompleteAtClose() const;

  // After kEnd of a chunked body: its trailers, in memory of the decoder until Start(). Fields that
  // must not come as trailers (RFC 9110 section 6.5.1) are left out, or are an error: see
  // kForbiddenTrailer.
  FieldList trailers() const;

  ParseError error() const { return error_; }

 private:
  struct Trailers;

  enum class Phase : std::uint8_t {
    kEnd,
    kError,
    kLength,
    kUntilClose,
    // The parts of a chunked body.
    kSize,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kExtension,
    kExtensionNameBegin,
    kExtensionName,
    kExtensionNameEnd,
    kExtensionValueBegin,
    kExtensionValue,
    kExtensionQuoted,
    kExtensionEscape,
    kExtensionQuoteEnd,
    kTrailersBegin,
    kTrailers,
    kEndLf,
  };

  Step TakeData(const char* begin, const char* at, std::uint64_t size);
  bool TakeFramingByte(char c);
  bool TakeExtensionByte(char c);
  const char* TakeTrailers(const char* at, const char* end);
  void Fail(ParseError error);

  // For the ends of functions that say whether they took a byte.
  bool Go(Phase phase) {
    phase_ = phase;
    return true;
  }
  bool Refuse(ParseError error) {
    Fail(error);
    return false;
  }

  std::unique_ptr<Trailers> trailers_;
  std::uint64_t left_ = 0;  // Of the length or the chunk.
  std::uint64_t body_bytes_ = 0;
  std::uint64_t max_body_bytes_ = 0;
  std::uint32_t max_extension_bytes_ = 0;
  std::uint32_t max_extensions_bytes_ = 0;
  std::uint32_t max_trailer_bytes_ = 0;
  std::uint32_t max_trailers_ = 0;
  std::uint32_t extension_bytes_ = 0;   // Of this chunk.
  std::uint32_t extensions_bytes_ = 0;  // Of all.
  std::uint8_t size_digits_ = 0;
  Phase phase_ = Phase::kEnd;
  ParseError error_ = ParseError::kNone;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_BODY_DECODER_H_
