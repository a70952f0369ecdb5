// The states of a body.

#include "strata/http/body_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "strata/http/head_reader_internal.h"
#include "strata/http/scan_internal.h"

namespace strata::http {

struct BodyDecoder::Trailers {
  explicit Trailers(std::size_t max_trailers) : reader(max_trailers) {}

  std::string bytes;
  HeadReader reader;
};

namespace {

// More digits than 64 bits need are not read on, were they zeros.
constexpr std::uint8_t kMaxSizeDigits = 16;

// RFC 9110 section 6.5.1: fields that say how a message is framed, routed, authenticated, asked for
// or to be read, come too late in a trailer.
constexpr FieldIdSet kForbiddenTrailers =
    SetOf(FieldId::kContentLength) | SetOf(FieldId::kTransferEncoding) | SetOf(FieldId::kHost);
constexpr FieldIdSet Union(std::initializer_list<FieldId> ids) {
  FieldIdSet set = 0;
  for (const FieldId id : ids) set |= SetOf(id);
  return set;
}
constexpr FieldIdSet kDroppedTrailers = Union({FieldId::kAge,
                                               FieldId::kAuthorization,
                                               FieldId::kCacheControl,
                                               FieldId::kConnection,
                                               FieldId::kContentEncoding,
                                               FieldId::kContentRange,
                                               FieldId::kContentType,
                                               FieldId::kCookie,
                                               FieldId::kDate,
                                               FieldId::kExpect,
                                               FieldId::kExpires,
                                               FieldId::kForwarded,
                                               FieldId::kIfMatch,
                                               FieldId::kIfModifiedSince,
                                               FieldId::kIfNoneMatch,
                                               FieldId::kIfRange,
                                               FieldId::kIfUnmodifiedSince,
                                               FieldId::kKeepAlive,
                                               FieldId::kLocation,
                                               FieldId::kMaxForwards,
                                               FieldId::kOrigin,
                                               FieldId::kPragma,
                                               FieldId::kProxyAuthenticate,
                                               FieldId::kProxyAuthorization,
                                               FieldId::kProxyConnection,
                                               FieldId::kRange,
                                               FieldId::kRetryAfter,
                                               FieldId::kSetCookie,
                                               FieldId::kTe,
                                               FieldId::kTrailer,
                                               FieldId::kUpgrade,
                                               FieldId::kVary,
                                               FieldId::kWwwAuthenticate,
                                               FieldId::kXForwardedFor,
                                               FieldId::kXForwardedHost,
                                               FieldId::kXForwardedProto,
                                               FieldId::kXRealIp});

// The value of a hexadecimal digit.
std::uint64_t HexValue(char c) {
  return static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

std::uint32_t Clamped(std::size_t limit) {
  return static_cast<std::uint32_t>(std::min(limit, kMaxSectionBytes));
}

}  // namespace

BodyDecoder::BodyDecoder() = default;
BodyDecoder::~BodyDecoder() = default;
BodyDecoder::BodyDecoder(BodyDecoder&&) noexcept = default;
BodyDecoder& BodyDecoder::operator=(BodyDecoder&&) noexcept = default;

void BodyDecoder::Start(Framing framing, std::uint64_t length, const ParserLimits& limits) {
  trailers_.reset();
  left_ = 0;
  body_bytes_ = 0;
  max_body_bytes_ = limits.max_body_bytes;
  max_extension_bytes_ = Clamped(limits.max_chunk_extension_bytes);
  max_extensions_bytes_ = Clamped(limits.max_chunk_extensions_total_bytes);
  max_trailer_bytes_ = Clamped(limits.max_trailer_bytes);
  max_trailers_ = Clamped(limits.max_trailers);
  extension_bytes_ = 0;
  extensions_bytes_ = 0;
  size_digits_ = 0;
  error_ = ParseError::kNone;
  switch (framing) {
    case Framing::kNone:
      phase_ = Phase::kEnd;
      break;
    case Framing::kLength:
      phase_ = length == 0 ? Phase::kEnd : Phase::kLength;
      left_ = length;
      if (length > max_body_bytes_) Fail(ParseError::kBodyTooLarge);
      break;
    case Framing::kChunked:
      phase_ = Phase::kSize;
      break;
    case Framing::kUntilClose:
      phase_ = Phase::kUntilClose;
      break;
  }
}

void BodyDecoder::Fail(ParseError error) {
  error_ = error;
  phase_ = Phase::kError;
}

// `begin` is where the bytes given began, [at, at + size) is the data.
BodyDecoder::Step BodyDecoder::TakeData(const char* begin, const char* at, std::uint64_t size) {
  body_bytes_ += size;
  const auto bytes = static_cast<std::size_t>(size);
  return {State::kData, std::string_view(at, bytes), static_cast<std::size_t>(at - begin) + bytes};
}

BodyDecoder::Step BodyDecoder::Next(std::string_view bytes) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* at = begin;
  for (;;) {
    const auto size = static_cast<std::uint64_t>(end - at);
    const auto consumed = static_cast<std::size_t>(at - begin);
    switch (phase_) {
      case Phase::kEnd:
        return {State::kEnd, {}, consumed};
      case Phase::kError:
        return {State::kError, {}, consumed};
      case Phase::kLength:
      case Phase::kData: {
        if (size == 0) return {State::kNeedMore, {}, consumed};
        const std::uint64_t taken = std::min(size, left_);
        left_ -= taken;
        if (left_ == 0) phase_ = phase_ == Phase::kData ? Phase::kDataCr : Phase::kEnd;
        return TakeData(begin, at, taken);
      }
      case Phase::kUntilClose: {
        if (size == 0) return {State::kNeedMore, {}, consumed};
        const std::uint64_t taken = std::min(size, max_body_bytes_ - body_bytes_);
        if (taken == 0) {
          Fail(ParseError::kBodyTooLarge);
          break;
        }
        return TakeData(begin, at, taken);
      }
      case Phase::kTrailers:
        if (size == 0) return {State::kNeedMore, {}, consumed};
        at = TakeTrailers(at, end);
        break;
      default:
        if (size == 0) return {State::kNeedMore, {}, consumed};
        if (TakeFramingByte(*at)) ++at;
        break;
    }
  }
}

// Of the lines between chunks, one byte. False if it was not taken: it is wrong, or belongs to what
// the phase now is.
bool BodyDecoder::TakeFramingByte(char c) {
  switch (phase_) {
    case Phase::kSize:
      if (IsOf(kHexByte, c)) {
        if (size_digits_ == kMaxSizeDigits) return Refuse(ParseError::kChunkSizeTooLarge);
        ++size_digits_;
        left_ = left_ << 4 | HexValue(c);
        return true;
      }
      if (size_digits_ == 0) return Refuse(ParseError::kBadChunkSize);
      if (c == '\n') return Refuse(ParseError::kBareLf);
      if (c != '\r' && c != ';' && !IsBlank(c)) return Refuse(ParseError::kBadChunkSize);
      if (left_ > max_body_bytes_ - body_bytes_) return Refuse(ParseError::kBodyTooLarge);
      if (c == '\r') return Go(Phase::kSizeLf);
      phase_ = Phase::kExtension;
      return false;
    case Phase::kSizeLf:
      if (c != '\n') return Refuse(ParseError::kBareCr);
      size_digits_ = 0;
      extension_bytes_ = 0;
      return Go(left_ == 0 ? Phase::kTrailersBegin : Phase::kData);
    case Phase::kDataCr:
      return c == '\r' ? Go(Phase::kDataLf) : Refuse(ParseError::kBadChunkEnd);
    case Phase::kDataLf:
      return c == '\n' ? Go(Phase::kSize) : Refuse(ParseError::kBadChunkEnd);
    case Phase::kTrailersBegin:
      if (c == '\r') return Go(Phase::kEndLf);
      phase_ = Phase::kTrailers;
      return false;
    case Phase::kEndLf:
      return c == '\n' ? Go(Phase::kEnd) : Refuse(ParseError::kBareCr);
    default:
      return TakeExtensionByte(c);
  }
}

// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ), with a token or a
// quoted string for a value: RFC 9112 section 7.1.1. What it says is not kept.
bool BodyDecoder::TakeExtensionByte(char c) {
  const bool in_quotes = phase_ == Phase::kExtensionQuoted || phase_ == Phase::kExtensionEscape;
  if (c == '\n') return Refuse(ParseError::kBareLf);
  if (c == '\r') {
    // A name is complete without a value, a "=" is not.
    const bool complete = phase_ == Phase::kExtensionName || phase_ == Phase::kExtensionValue ||
                          phase_ == Phase::kExtensionQuoteEnd;
    return complete ? Go(Phase::kSizeLf) : Refuse(ParseError::kBadChunkExtension);
  }
  if (!IsOf(kValueByte, c)) return Refuse(ParseError::kBadChunkExtension);
  if (extension_bytes_ == max_extension_bytes_ || extensions_bytes_ == max_extensions_bytes_) {
    return Refuse(ParseError::kChunkExtensionTooLong);
  }
  ++extension_bytes_;
  ++extensions_bytes_;

  const bool blank = IsBlank(c) && !in_quotes;
  const bool token = IsOf(kTokenByte, c);
  switch (phase_) {
    case Phase::kExtension:  // Behind the size or a value: blanks, ";".
    case Phase::kExtensionQuoteEnd:
      if (c == ';') return Go(Phase::kExtensionNameBegin);
      return blank ? Go(Phase::kExtension) : Refuse(ParseError::kBadChunkExtension);
    case Phase::kExtensionNameBegin:  // Behind ";": blanks, a name.
      if (token) return Go(Phase::kExtensionName);
      return blank || Refuse(ParseError::kBadChunkExtension);
    case Phase::kExtensionName:
    case Phase::kExtensionNameEnd:  // Behind a name and blanks.
      if (c == '=') return Go(Phase::kExtensionValueBegin);
      if (c == ';') return Go(Phase::kExtensionNameBegin);
      if (blank) return Go(Phase::kExtensionNameEnd);
      if (token && phase_ == Phase::kExtensionName) return true;
      return Refuse(ParseError::kBadChunkExtension);
    case Phase::kExtensionValueBegin:  // Behind "=": blanks, a value.
      if (token) return Go(Phase::kExtensionValue);
      if (c == '"') return Go(Phase::kExtensionQuoted);
      return blank || Refuse(ParseError::kBadChunkExtension);
    case Phase::kExtensionValue:
      if (token) return true;
      if (c == ';') return Go(Phase::kExtensionNameBegin);
      return blank ? Go(Phase::kExtension) : Refuse(ParseError::kBadChunkExtension);
    case Phase::kExtensionQuoted:
      if (c == '"') return Go(Phase::kExtensionQuoteEnd);
      return c == '\\' ? Go(Phase::kExtensionEscape) : true;
    default:  // kExtensionEscape.
      return Go(Phase::kExtensionQuoted);
  }
}

// Copies what belongs to the trailers, a line at a time, and parses it. Returns where it stopped.
const char* BodyDecoder::TakeTrailers(const char* at, const char* end) {
  if (!trailers_) trailers_ = std::make_unique<Trailers>(max_trailers_);
  Trailers& trailers = *trailers_;
  const std::size_t room = max_trailer_bytes_ - trailers.bytes.size();
  const std::size_t size = std::min(static_cast<std::size_t>(end - at), room);
  const void* const lf = std::memchr(at, '\n', size);
  const char* const stop = lf != nullptr ? static_cast<const char*>(lf) + 1 : at + size;
  trailers.bytes.append(at, stop);
  trailers.reader.SetBytes(trailers.bytes);
  const ParseResult result = trailers.reader.ParseFields(
      0, max_trailer_bytes_, ParseError::kTrailersTooLarge, ParseError::kTooManyTrailers,
      kForbiddenTrailers, [](const Field&) { return ParseError::kForbiddenTrailer; });
  if (result == ParseResult::kError) {
    Fail(trailers.reader.error());
  } else if (result == ParseResult::kComplete) {
    trailers.reader.Drop(kDroppedTrailers);
    phase_ = Phase::kEnd;
  }
  return stop;
}

std::uint64_t BodyDecoder::remaining_bytes() const { return phase_ == Phase::kLength ? left_ : 0; }

bool BodyDecoder::IsCompleteAtClose() const {
  return phase_ == Phase::kEnd || phase_ == Phase::kUntilClose;
}

FieldList BodyDecoder::trailers() const {
  return phase_ == Phase::kEnd && trailers_ ? trailers_->reader.fields() : FieldList();
}

}  // namespace strata::http
