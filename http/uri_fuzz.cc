// Any text is read as a path, a query and a URL, and what comes of it keeps its promises.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "strata/http/uri.h"
#include "strata/http/url.h"

namespace {

using namespace strata::http;

void Check(bool holds) {
  if (!holds) std::abort();
}

// In storage of the text's own size, and in place.
void CheckPath(std::string_view text, const PathPolicy& policy) {
  std::vector<char> storage(text.size());
  const Decoded path = DecodePath(text, policy, storage);
  std::vector<char> copy(text.begin(), text.end());
  const Decoded in_place = DecodePath(std::string_view(copy.data(), copy.size()), policy, copy);
  Check(path.error == in_place.error && path.text == in_place.text);
  Check(path.error != UriError::kNoRoom);
  if (!path.ok()) return;
  Check(path.text.starts_with('/') && path.text.size() <= text.size());
  // Each segment of it is one that a file may have.
  for (std::size_t at = 1; at < path.text.size();) {
    const std::size_t end = std::min(path.text.find('/', at), path.text.size());
    const std::string_view segment = path.text.substr(at, end - at);
    Check(!segment.empty() && segment != "." && segment != "..");
    Check(segment.find_first_of(std::string_view("\\\0", 2)) == std::string_view::npos);
    at = end + 1;
  }
}

void CheckQuery(std::string_view text) {
  std::vector<char> storage(text.size());
  std::vector<char> name_storage(text.size());
  std::size_t pairs = 0;
  for (const QueryView::Pair& pair : QueryView(text)) {
    Check(++pairs <= QueryView::kMaxPairs);
    const Decoded name = DecodeForm(pair.name, name_storage);
    if (!name.ok()) continue;
    const Decoded value = QueryView(text).First(name.text, storage);
    Check(value.error == UriError::kOk || value.error == UriError::kBadPercent);
  }
}

void CheckUrl(std::string_view text) {
  const absl::StatusOr<Url> url = Url::Parse(text);
  const std::string encoded = EncodeUrl(text);
  Check(EncodeUrl(encoded) == encoded);
  if (!url.ok()) return;
  Check(encoded == text);
  const absl::StatusOr<Url> again = Url::Parse(url->ToString());
  Check(again.ok() && *again == *url);
  Check(url->port != 0 && url->target.starts_with('/'));
  const absl::StatusOr<Url> same = url->Resolve("");
  Check(same.ok() && same->SameOrigin(*url) && same->target == url->target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (int options = 0; options < 8; ++options) {
    CheckPath(text, {.encoded_slashes = static_cast<PathPolicy::Slashes>(options & 1),
                     .dot_segments = static_cast<PathPolicy::Dots>(options >> 1 & 1),
                     .empty_segments = static_cast<PathPolicy::Empties>(options >> 2 & 1)});
  }
  CheckQuery(text);
  CheckUrl(text);

  std::vector<char> storage(size);
  (void)PercentDecode(text, storage);
  const Decoded segment = DecodeSegment(text, {}, storage);
  Check(!segment.ok() || segment.text.find('/') == std::string_view::npos);
  const absl::StatusOr<std::string> resolved = ResolveReference("http://a/b/c/d;p?q", text);
  if (resolved.ok()) {
    // Resolved once, it stays.
    const absl::StatusOr<std::string> again = ResolveReference("x:y", *resolved);
    Check(again.ok() && *again == *resolved);
  }
  return 0;
}
