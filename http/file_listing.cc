// Listings of folders as HTML and JSON.

#include "strata/http/file_listing.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "strata/http/http_date.h"

namespace strata::http {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool IsContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// The size of the UTF-8 sequence that `text` begins with (RFC 3629: no surrogates, none longer than
// it need be, none above U+10FFFF), or 0 if it begins with none.
std::size_t SequenceSize(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  if (!IsContinuation(text, 1)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (!IsContinuation(text, 2)) return 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (!IsContinuation(text, 3)) return 0;
  if (first < 0xf0 || first > 0xf4) return 0;
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool too_large = first == 0xf4 && second > 0x8f;
  return overlong || too_large ? 0 : 4;
}

// Appends text as UTF-8; each character of ASCII goes through `escape` first, which answers whether
// it has appended something in its place.
template <typename Escape>
void AppendUtf8(std::string& out, std::string_view text, Escape escape) {
  while (!text.empty()) {
    const std::size_t size = SequenceSize(text);
    if (size == 0) {
      out += kReplacement;
    } else if (size > 1 || !escape(out, text[0])) {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

void AppendHtml(std::string& out, std::string_view text) {
  AppendUtf8(out, text, [](std::string& to, char c) {
    switch (c) {
      case '&':
        to += "&amp;";
        return true;
      case '<':
        to += "&lt;";
        return true;
      case '>':
        to += "&gt;";
        return true;
      case '"':
        to += "&quot;";
        return true;
      case '\'':
        to += "&#39;";
        return true;
      case '\0':  // An error in HTML, however it is written.
        to += kReplacement;
        return true;
      default:
        return false;
    }
  });
}

constexpr char kHexDigits[] = "0123456789ABCDEF";

void AppendJson(std::string& out, std::string_view text) {
  AppendUtf8(out, text, [](std::string& to, char c) {
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
      return true;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) return false;
    to += "\\u00";
    to += kHexDigits[byte >> 4];
    to += kHexDigits[byte & 15];
    return true;
  });
}

// RFC 3986 section 2.3. All else is encoded, so that a name is never more than a name: a colon
// would make a scheme of what stands before it.
bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void AppendLink(std::string& out, std::string_view name) {
  for (const char c : name) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
}

void AppendDate(std::string& out, std::chrono::sys_seconds time) {
  std::array<char, kHttpDateBytes> text;
  FormatHttpDate(time, text);
  out.append(text.data(), text.size());
}

// What an entry takes, about, to reserve memory once.
constexpr std::size_t kEntryBytes = 160;

}  // namespace

void SortListing(FolderListing& listing) {
  std::sort(listing.entries.begin(), listing.entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) {
              return std::tie(b.folder, a.name) < std::tie(a.folder, b.name);
            });
}

std::string FormatListingHtml(const FolderListing& listing, std::string_view path) {
  std::string title = "Index of ";
  AppendHtml(title, path);
  std::string out;
  out.reserve(kEntryBytes * (listing.entries.size() + 4));
  absl::StrAppend(&out,
                  "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
                  title, "</title>\n</head>\n<body>\n<h1>", title,
                  "</h1>\n<table>\n<tr><th>Name</th><th>Size</th><th>Modified</th></tr>\n");
  if (path != "/") out += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const FolderEntry& entry : listing.entries) {
    const std::string_view slash = entry.folder ? "/" : "";
    out += "<tr><td><a href=\"";
    AppendLink(out, entry.name);
    absl::StrAppend(&out, slash, "\">");
    AppendHtml(out, entry.name);
    absl::StrAppend(&out, slash, "</a></td><td>");
    if (!entry.folder) absl::StrAppend(&out, entry.size_bytes);
    out += "</td><td>";
    AppendDate(out, entry.modified);
    out += "</td></tr>\n";
  }
  out += "</table>\n";
  if (listing.truncated) out += "<p>There is more than is listed here.</p>\n";
  out += "</body>\n</html>\n";
  return out;
}

std::string FormatListingJson(const FolderListing& listing, std::string_view path) {
  std::string out;
  out.reserve(kEntryBytes * (listing.entries.size() + 1));
  out += "{\"path\":\"";
  AppendJson(out, path);
  absl::StrAppend(&out, "\",\"truncated\":", listing.truncated ? "true" : "false",
                  ",\"entries\":[");
  std::string_view comma = "\n";
  for (const FolderEntry& entry : listing.entries) {
    absl::StrAppend(&out, comma, "{\"name\":\"");
    comma = ",\n";
    AppendJson(out, entry.name);
    absl::StrAppend(&out, "\",\"type\":\"", entry.folder ? "folder" : "file", "\"");
    if (!entry.folder) absl::StrAppend(&out, ",\"size\":", entry.size_bytes);
    out += ",\"modified\":\"";
    AppendDate(out, entry.modified);
    out += "\"}";
  }
  out += "]}\n";
  return out;
}

}  // namespace strata::http
