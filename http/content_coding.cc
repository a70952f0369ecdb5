// Negotiation of codings, what is worth one, and the limits of all decoders.

#include "strata/http/content_coding.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "strata/http/field_syntax_internal.h"
#include "strata/http/media_type.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr std::array<std::string_view, kContentCodings> kNames = {"identity", "deflate", "gzip",
                                                                  "zstd", "br"};

// Besides text/*, and what is said by its suffix to be JSON, XML or YAML.
constexpr std::string_view kShrinkingTypes[] = {
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/ndjson",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-www-form-urlencoded",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
    "font/collection",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
};

constexpr std::string_view kShrinkingSuffixes[] = {"+json", "+xml", "+yaml"};

bool Shrinks(const MediaType& type, const CompressionPolicy& policy) {
  if (EqualsIgnoreCase(type.type(), "text")) return true;
  const auto is_it = [&type](std::string_view name) { return type.Is(name); };
  return std::any_of(std::begin(kShrinkingSuffixes), std::end(kShrinkingSuffixes),
                     [&type](std::string_view suffix) {
                       return absl::EndsWithIgnoreCase(type.subtype(), suffix);
                     }) ||
         std::any_of(std::begin(kShrinkingTypes), std::end(kShrinkingTypes), is_it) ||
         std::any_of(policy.more_types.begin(), policy.more_types.end(), is_it);
}

// Whether a Cache-Control has no-transform, or is malformed, so that it might have.
bool ForbidsTransform(std::string_view cache_control) {
  FieldReader reader(cache_control);
  for (;;) {
    const FieldReader::Next next = reader.Element();
    if (next != FieldReader::Next::kFound) return next == FieldReader::Next::kBad;
    const std::string_view directive = reader.Token();
    if (directive.empty() || EqualsIgnoreCase(directive, "no-transform")) return true;
    std::string_view value;
    bool quoted;
    if (reader.Skip('=') && !reader.Value(&value, &quoted)) return true;
  }
}

// What Accept-Encoding says of each coding: a weight in thousandths, or that it is not named.
class Wishes {
 public:
  static constexpr int kNotNamed = -1;

  // False if it is malformed.
  bool Read(std::string_view accept_encoding) {
    FieldReader reader(accept_encoding);
    for (std::size_t i = 0; i <= kMaxAcceptEncodingElements; ++i) {
      const FieldReader::Next next = reader.Element();
      if (next != FieldReader::Next::kFound) return next == FieldReader::Next::kNone;
      const std::string_view name = reader.Token();
      int weight;
      if (name.empty() || !reader.Weight(&weight)) return false;
      if (name == "*") {
        others_ = std::max(others_, weight);
      } else if (const std::optional<ContentCoding> coding = ParseContentCoding(name)) {
        int& of_coding = weights_[static_cast<std::size_t>(*coding)];
        of_coding = std::max(of_coding, weight);
      }
    }
    return false;
  }

  int WeightOf(ContentCoding coding) const {
    const int weight = weights_[static_cast<std::size_t>(coding)];
    return weight == kNotNamed ? others_ : weight;
  }

 private:
  std::array<int, kContentCodings> weights_ = {kNotNamed, kNotNamed, kNotNamed, kNotNamed,
                                               kNotNamed};
  int others_ = kNotNamed;
};

}  // namespace

std::string_view ContentCodingName(ContentCoding coding) {
  return kNames[static_cast<std::size_t>(coding)];
}

std::optional<ContentCoding> ParseContentCoding(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (EqualsIgnoreCase(name, kNames[i])) return static_cast<ContentCoding>(i);
  }
  if (EqualsIgnoreCase(name, "x-gzip")) return ContentCoding::kGzip;
  return std::nullopt;
}

ContentCoding NegotiateCoding(std::string_view accept_encoding, CodingSet available) {
  std::array<ContentCoding, kContentCodings> codings;
  std::size_t count = 0;
  for (std::size_t i = kContentCodings; i > 0; --i) {
    const auto coding = static_cast<ContentCoding>(i - 1);
    if (available.Has(coding)) codings[count++] = coding;
  }
  return NegotiateCoding(accept_encoding, std::span(codings).first(count));
}

ContentCoding NegotiateCoding(std::string_view accept_encoding,
                              std::span<const ContentCoding> available) {
  Wishes wishes;
  ContentCoding best = ContentCoding::kIdentity;
  if (!wishes.Read(accept_encoding)) return best;
  int best_weight = 0;
  const auto consider = [&](ContentCoding coding) {
    const int weight = wishes.WeightOf(coding);
    if (weight <= best_weight) return;
    best = coding;
    best_weight = weight;
  };
  for (const ContentCoding coding : available) consider(coding);
  consider(ContentCoding::kIdentity);
  return best;
}

bool ShouldCompress(const CompressionSubject& subject, const CompressionPolicy& policy) {
  if (subject.size_bytes && *subject.size_bytes < policy.min_bytes) return false;
  if (!subject.content_encoding.empty() || ForbidsTransform(subject.cache_control)) return false;
  const std::optional<MediaType> type = MediaType::Parse(subject.content_type);
  return type && Shrinks(*type, policy);
}

}  // namespace strata::http
