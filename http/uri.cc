// Percent-encoding, paths and queries.

#include "strata/http/uri.h"

#include <algorithm>
#include <cstring>

#include "strata/http/uri_internal.h"

namespace strata::http {
namespace {

using internal::EscapeAt;
using internal::IsIn;
using internal::kUpperHex;

// Bytes go to the storage as far as there is room.
class Writer {
 public:
  explicit Writer(std::span<char> storage) : storage_(storage) {}

  bool Put(char c) {
    if (size_ == storage_.size()) return false;
    storage_[size_++] = c;
    return true;
  }

  // memmove, as the storage may be where the text is.
  bool Put(std::string_view text) {
    if (text.size() > storage_.size() - size_) return false;
    if (!text.empty()) std::memmove(storage_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return true;
  }

  void CutTo(std::size_t size) { size_ = size; }

  std::size_t size() const { return size_; }
  std::string_view text() const { return std::string_view(storage_.data(), size_); }

 private:
  std::span<char> storage_;
  std::size_t size_ = 0;
};

// Decodes %XX, and "+" where that is a space.
Decoded Decode(std::string_view text, bool plus_is_space, std::span<char> storage) {
  std::size_t plain = 0;
  while (plain < text.size() && text[plain] != '%' && !(text[plain] == '+' && plus_is_space)) {
    ++plain;
  }
  if (plain == text.size()) return {UriError::kOk, text};
  Writer out(storage);
  if (!out.Put(text.substr(0, plain))) return {UriError::kNoRoom, {}};
  for (std::size_t i = plain; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int byte = EscapeAt(text, i);
      if (byte < 0) return {UriError::kBadPercent, {}};
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (!out.Put(c)) return {UriError::kNoRoom, {}};
  }
  return {UriError::kOk, out.text()};
}

// Whether these two, or one of them encoded, are the same once decoded as a form.
bool IsForm(std::string_view encoded, std::string_view decoded) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < encoded.size(); ++i, ++at) {
    if (at == decoded.size()) return false;
    char c = encoded[i];
    if (c == '%') {
      const int byte = EscapeAt(encoded, i);
      if (byte < 0) return false;
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    if (c != decoded[at]) return false;
  }
  return at == decoded.size();
}

bool IsDots(std::string_view segment) { return segment == "." || segment == ".."; }

// Appends a segment, decoded. It may be empty or dots.
UriError DecodeInto(std::string_view segment, PathPolicy::Slashes slashes, Writer& out) {
  const bool keep = slashes == PathPolicy::Slashes::kKeepEncoded;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    char c = segment[i];
    if (c == '%') {
      const int byte = EscapeAt(segment, i);
      if (byte < 0) return UriError::kBadPercent;
      i += 2;
      c = static_cast<char>(byte);
      if (keep && (c == '/' || c == '\\' || c == '%')) {
        const char escape[] = {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
        if (!out.Put(std::string_view(escape, sizeof(escape)))) return UriError::kNoRoom;
        continue;
      }
    }
    if (c == '\0') return UriError::kNul;
    if (c == '/') return UriError::kSlash;
    if (c == '\\') return UriError::kBackslash;
    if (!out.Put(c)) return UriError::kNoRoom;
  }
  return UriError::kOk;
}

// Whether what follows a "/" is decoded as it stands, with nothing in it that is refused. A segment
// that begins with a dot has to be looked at more closely.
bool IsPlain(std::string_view text) {
  char before = '/';
  for (const char c : text) {
    if (c == '%' || c == '\\' || c == '\0') return false;
    if (before == '/' && (c == '/' || c == '.')) return false;
    before = c;
  }
  return true;
}

// Takes the last segment off a path that ends with "/", if it has one.
void RemoveLastSegment(Writer& out) {
  if (out.size() < 2) return;
  out.CutTo(out.text().rfind('/', out.size() - 2) + 1);
}

unsigned KeptIn(UriPart part) {
  switch (part) {
    case UriPart::kComponent:
      return internal::kUnreserved;
    case UriPart::kSegment:
      return internal::kSegmentChar;
    case UriPart::kPath:
      return internal::kPathChar;
    case UriPart::kQuery:
      return internal::kQueryChar;
    case UriPart::kForm:
      return internal::kFormChar;
  }
  return internal::kUnreserved;
}

// Encodes to where there is room for all of it.
void Encode(std::string_view text, UriPart part, char* out) {
  const unsigned kept = KeptIn(part);
  for (const char c : text) {
    if (IsIn(c, kept)) {
      *out++ = c;
    } else if (c == ' ' && part == UriPart::kForm) {
      *out++ = '+';
    } else {
      const unsigned byte = static_cast<unsigned char>(c);
      *out++ = '%';
      *out++ = kUpperHex[byte >> 4];
      *out++ = kUpperHex[byte & 15];
    }
  }
}

}  // namespace

std::string_view UriErrorName(UriError error) {
  switch (error) {
    case UriError::kOk:
      return "no error";
    case UriError::kBadPercent:
      return "malformed percent-encoding";
    case UriError::kNul:
      return "a NUL";
    case UriError::kSlash:
      return "a slash in a segment";
    case UriError::kBackslash:
      return "a backslash";
    case UriError::kDotSegment:
      return "a segment of dots";
    case UriError::kEmptySegment:
      return "an empty segment";
    case UriError::kNotAbsolute:
      return "a path that does not begin with a slash";
    case UriError::kNoRoom:
      return "the storage is too small";
    case UriError::kNotFound:
      return "no such name";
  }
  return "unknown error";
}

Decoded PercentDecode(std::string_view text, std::span<char> storage) {
  return Decode(text, /*plus_is_space=*/false, storage);
}

Decoded DecodeForm(std::string_view text, std::span<char> storage) {
  return Decode(text, /*plus_is_space=*/true, storage);
}

Decoded DecodeSegment(std::string_view segment, const PathPolicy& policy, std::span<char> storage) {
  if (segment.empty()) return {UriError::kEmptySegment, {}};
  if (IsPlain(segment) && segment.find('/') == std::string_view::npos) {
    return {UriError::kOk, segment};
  }
  Writer out(storage);
  const UriError error = DecodeInto(segment, policy.encoded_slashes, out);
  if (error != UriError::kOk) return {error, {}};
  if (IsDots(out.text())) return {UriError::kDotSegment, {}};
  return {UriError::kOk, out.text()};
}

Decoded DecodePath(std::string_view path, const PathPolicy& policy, std::span<char> storage) {
  if (!path.starts_with('/')) return {UriError::kNotAbsolute, {}};
  if (IsPlain(path.substr(1))) return {UriError::kOk, path};
  Writer out(storage);
  if (!out.Put('/')) return {UriError::kNoRoom, {}};
  for (std::size_t at = 1; at < path.size();) {
    // `out` ends with "/".
    const std::size_t end = std::min(path.find('/', at), path.size());
    const bool last = end == path.size();
    const std::size_t begin = out.size();
    const UriError error = DecodeInto(path.substr(at, end - at), policy.encoded_slashes, out);
    if (error != UriError::kOk) return {error, {}};
    at = end + 1;

    const std::string_view segment = out.text().substr(begin);
    if (segment.empty()) {
      if (policy.empty_segments == PathPolicy::Empties::kRefuse) {
        return {UriError::kEmptySegment, {}};
      }
    } else if (IsDots(segment)) {
      if (policy.dot_segments == PathPolicy::Dots::kRefuse) return {UriError::kDotSegment, {}};
      const bool up = segment.size() == 2;
      out.CutTo(begin);
      if (up) RemoveLastSegment(out);
    } else if (!last && !out.Put('/')) {
      return {UriError::kNoRoom, {}};
    }
  }
  return {UriError::kOk, out.text()};
}

std::size_t PercentEncodedSize(std::string_view text, UriPart part) {
  const unsigned kept = KeptIn(part);
  std::size_t size = text.size();
  for (const char c : text) {
    if (!IsIn(c, kept) && !(c == ' ' && part == UriPart::kForm)) size += 2;
  }
  return size;
}

std::optional<std::string_view> PercentEncode(std::string_view text, UriPart part,
                                              std::span<char> storage) {
  const std::size_t size = PercentEncodedSize(text, part);
  if (size > storage.size()) return std::nullopt;
  Encode(text, part, storage.data());
  return std::string_view(storage.data(), size);
}

std::string PercentEncode(std::string_view text, UriPart part) {
  std::string encoded(PercentEncodedSize(text, part), '\0');
  Encode(text, part, encoded.data());
  return encoded;
}

void QueryView::Iterator::Advance() {
  at_end_ = true;
  while (!rest_.empty() && pairs_ > 0) {
    const std::size_t end = std::min(rest_.find('&'), rest_.size());
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (text.empty()) continue;
    const std::size_t equals = std::min(text.find('='), text.size());
    pair_.name = text.substr(0, equals);
    pair_.value = text.substr(std::min(equals + 1, text.size()));
    --pairs_;
    at_end_ = false;
    return;
  }
}

bool QueryView::Truncated() const {
  Iterator it = begin();
  while (it != end()) ++it;
  return it.rest_.find_first_not_of('&') != std::string_view::npos;
}

std::optional<std::string_view> QueryView::FirstRaw(std::string_view name) const {
  for (const Pair& pair : *this) {
    if (IsForm(pair.name, name)) return pair.value;
  }
  return std::nullopt;
}

Decoded QueryView::First(std::string_view name, std::span<char> storage) const {
  const std::optional<std::string_view> value = FirstRaw(name);
  if (!value) return {UriError::kNotFound, {}};
  return DecodeForm(*value, storage);
}

}  // namespace strata::http
