// File: content_coding.h
//
// Which content coding (RFC 9110 section 8.4) a response gets: what the client wants, what there
// is, and whether it pays.
//
//   const ContentCoding coding = NegotiateCoding(accept_encoding, pool.codings());
//   if (coding != ContentCoding::kIdentity && ShouldCompress({.content_type = "text/html"})) {
//     EncoderPtr encoder = pool.TakeEncoder(coding);  // coding_pool.h
//   }
//
// Encoders and decoders are in coder.h, and each coding stands apart with the library that it
// needs: gzip_coding.h, brotli_coding.h, zstd_coding.h. All functions here are thread-safe.

#ifndef STRATA_HTTP_CONTENT_CODING_H_
#define STRATA_HTTP_CONTENT_CODING_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strata::http {

// In the order of NegotiateCoding()'s preference among equals, worst first.
enum class ContentCoding : std::uint8_t { kIdentity, kDeflate, kGzip, kZstd, kBrotli };

inline constexpr std::size_t kContentCodings = 5;

// As in fields: "identity", "deflate", "gzip", "zstd", "br".
std::string_view ContentCodingName(ContentCoding coding);

// One name, in any case of letters, "x-gzip" too (section 8.4.1.3). Nothing for any other text, so
// for a list of codings that were applied one after another, which answers to 415.
std::optional<ContentCoding> ParseContentCoding(std::string_view name);

// A set of codings. kIdentity is in each.
class CodingSet {
 public:
  constexpr CodingSet() = default;
  constexpr CodingSet(std::initializer_list<ContentCoding> codings) {
    for (const ContentCoding coding : codings) Add(coding);
  }

  constexpr void Add(ContentCoding coding) { bits_ |= Bit(coding); }
  constexpr bool Has(ContentCoding coding) const { return (bits_ & Bit(coding)) != 0; }

  friend constexpr bool operator==(CodingSet, CodingSet) = default;

 private:
  static constexpr std::uint8_t Bit(ContentCoding coding) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(coding));
  }

  std::uint8_t bits_ = Bit(ContentCoding::kIdentity);
};

// Elements of one Accept-Encoding.
inline constexpr std::size_t kMaxAcceptEncodingElements = 32;

// Which of the available codings the value of an Accept-Encoding field prefers (RFC 9110 section
// 12.5.3): the one of the highest weight, of equals br, zstd, gzip, deflate, identity in this
// order. A coding that is not named is not wanted, but identity, which comes last; "*" names all
// the others. kIdentity too if the field is empty, malformed or longer than
// kMaxAcceptEncodingElements, and if nothing is acceptable at all, which a server may disregard
// (section 15.5.7).
ContentCoding NegotiateCoding(std::string_view accept_encoding, CodingSet available);

// The same, but of equals the first of `available`, then identity.
ContentCoding NegotiateCoding(std::string_view accept_encoding,
                              std::span<const ContentCoding> available);

// What of a response decides whether to compress it: its fields' values, empty where there is none.
struct CompressionSubject {
  std::string_view content_type = {};
  std::string_view content_encoding = {};
  std::string_view cache_control = {};
  std::optional<std::uint64_t> size_bytes = {};  // Nothing if it is not known: a stream.
};

struct CompressionPolicy {
  // Smaller bodies stay as they are. What is below this fits into one TCP segment with its header
  // anyway, and would cost more time than the rest of the response.
  std::uint64_t min_bytes = 1024;

  // Types to compress besides those known to shrink, as "application/x-thing".
  std::vector<std::string> more_types = {};
};

// Whether a type is known to shrink (texts, JSON, XML, scripts, fonts without a compression of
// their own), the body is large enough and has no coding yet, and Cache-Control has no
// "no-transform" (RFC 9111 section 5.2.2.6). That it is no 206, and that Vary and the entity tag
// tell of the coding, is the caller's part.
bool ShouldCompress(const CompressionSubject& subject, const CompressionPolicy& policy = {});

}  // namespace strata::http

#endif  // STRATA_HTTP_CONTENT_CODING_H_
