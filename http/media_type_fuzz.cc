// Any text is a media type or none, an Accept or none, an Accept-Encoding or none; and what was
// found of it is in it.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/content_coding.h"
#include "strata/http/media_type.h"
#include "strata/http/multipart.h"

using namespace strata::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const std::optional<MediaType> type = MediaType::Parse(text)) {
    const std::string essence = std::string(type->type()) + "/" + std::string(type->subtype());
    if (!text.starts_with(essence) || !type->Is(essence)) std::abort();
    // A type accepts itself, if no parameter is a weight.
    const std::string_view candidates[] = {text};
    if (!type->Parameter("q") && text.find('*') == std::string_view::npos &&
        BestMediaType(text, candidates) != 0u) {
      std::abort();
    }
  }
  const std::string_view candidates[] = {"text/html;level=1", "text/html", "application/json"};
  if (BestMediaType(text, candidates).value_or(0) > 2) std::abort();

  const CodingSet available = {ContentCoding::kGzip, ContentCoding::kBrotli};
  if (!available.Has(NegotiateCoding(text, available))) std::abort();
  ShouldCompress({.content_type = text, .cache_control = text});

  if (const std::optional<std::string> boundary = MultipartBoundary(text)) {
    if (boundary->empty() || boundary->size() > 70) std::abort();
  }
  return 0;
}
