// File: mime.h
//
// The media type of a file by its name, for Content-Type:
//
//   MediaTypeOf("docs/index.HTML");  // "text/html; charset=utf-8"
//   MediaTypeOf("README");           // "application/octet-stream"
//
// with types of one's own:
//
//   MediaTypes types;
//   absl::Status status = types.Add("gmi", "text/gemini; charset=utf-8");
//   types.Of("page.gmi");
//
// Types of text say that it is UTF-8. Those of XML and JSON do not: XML says itself what it is, and
// JSON is UTF-8 (RFC 8259 section 8.1).

#ifndef STRATA_HTTP_MIME_H_
#define STRATA_HTTP_MIME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace strata::http {

// Of files of which nothing is known (RFC 2046 section 4.5.1).
inline constexpr std::string_view kDefaultMediaType = "application/octet-stream";

// What an extension has at most, to be found.
inline constexpr std::size_t kMaxExtensionBytes = 16;

// What follows the last dot in a path's last name; empty if there is none, or if it is the name's
// first character.
std::string_view ExtensionOf(std::string_view path);

// The type of an extension without its dot, in letters of any case; empty if it is not known.
std::string_view FindMediaType(std::string_view extension);

// The type of a path's extension, or kDefaultMediaType.
std::string_view MediaTypeOf(std::string_view path);

// The same table with additions, which count first. Add() before others use it; then for any number
// of threads.
class MediaTypes {
 public:
  explicit MediaTypes(std::string_view default_type = kDefaultMediaType) : default_(default_type) {}

  // Replaces what the extension had. InvalidArgument for an extension that is none (empty, longer
  // than kMaxExtensionBytes, with a dot, a slash or a blank in it) and for a type that could not
  // stand in a field.
  absl::Status Add(std::string_view extension, std::string_view type);

  // Valid until the next Add().
  std::string_view Of(std::string_view path) const;

 private:
  std::string default_;
  std::vector<std::pair<std::string, std::string>> added_;  // Sorted by extension.
};

}  // namespace strata::http

#endif  // STRATA_HTTP_MIME_H_
