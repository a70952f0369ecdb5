// Absolute URLs and references to them.

#include "strata/http/url.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/http/uri_internal.h"
#include "strata/net/address.h"

namespace strata::http {
namespace {

using internal::EscapeAt;
using internal::IsIn;
using internal::kUpperHex;

absl::Status Bad(std::string_view text, std::string_view why) {
  constexpr std::size_t kShown = 80;
  return absl::InvalidArgumentError(absl::StrCat("URL \"", absl::CHexEscape(text.substr(0, kShown)),
                                                 text.size() > kShown ? "..." : "", "\": ", why));
}

// RFC 3986 section 3, as its appendix B takes a text apart.
struct Parts {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

Parts Split(std::string_view text) {
  Parts parts;
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    parts.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    parts.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (const std::size_t colon = text.find_first_of(":/");
      colon != std::string_view::npos && text[colon] == ':') {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const std::size_t end = std::min(text.find('/', 2), text.size());
    parts.authority = text.substr(2, end - 2);
    text.remove_prefix(end);
  }
  parts.path = text;
  return parts;
}

// RFC 3986 section 5.3.
std::string Join(const Parts& parts) {
  std::string text;
  if (parts.scheme) absl::StrAppend(&text, *parts.scheme, ":");
  if (parts.authority) {
    absl::StrAppend(&text, "//", *parts.authority);
  } else if (parts.path.starts_with("//")) {
    text += "/.";  // It would become an authority.
  }
  text += parts.path;
  if (parts.query) absl::StrAppend(&text, "?", *parts.query);
  if (parts.fragment) absl::StrAppend(&text, "#", *parts.fragment);
  return text;
}

// RFC 3986 section 3.1.
bool IsScheme(std::string_view text) {
  return !text.empty() && absl::ascii_isalpha(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsIn(c, internal::kSchemeChar); });
}

// Whether these characters are all in the sets, but for complete escapes.
bool IsEncoded(std::string_view text, unsigned sets) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsIn(text[i], sets)) continue;
    if (EscapeAt(text, i) < 0) return false;
    i += 2;
  }
  return true;
}

// Whether a host's last label is a number as some systems read numbers: decimal, octal or "0x".
bool EndsInNumber(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("0x")) {
    return label.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  }
  return !label.empty() && label.find_first_not_of("0123456789") == std::string_view::npos;
}

// What is wrong with a name or an IPv4 address in lower case, or nothing.
std::string_view WrongWithHost(std::string_view host) {
  constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, without length bytes.
  constexpr std::size_t kMaxLabel = 63;
  if (host.empty()) return "no host";
  for (const char c : host) {
    if (!IsIn(c, internal::kHostChar)) return "a character that no host has";
  }
  if (EndsInNumber(host)) {
    if (!net::Address::Parse(absl::StrCat(host, ":0")).ok()) {
      return "the host ends in a number, and is no IPv4 address in four decimal parts";
    }
    return "";
  }
  // A dot at the end is that of the root.
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kMaxName) return "the host is longer than 253 characters";
  for (std::size_t begin = 0; begin <= host.size();) {
    const std::size_t end = std::min(host.find('.', begin), host.size());
    if (end == begin || end - begin > kMaxLabel) return "a label of the host is not 1 to 63 long";
    begin = end + 1;
  }
  return "";
}

// Reads what stands between "//" and the path into `url`. What is wrong with it, or nothing.
std::string_view ReadAuthority(std::string_view authority, Url& url) {
  if (const std::size_t at = authority.find('@'); at != std::string_view::npos) {
    const std::string_view user_info = authority.substr(0, at);
    if (!IsEncoded(user_info, internal::kUserInfoChar)) return "a character that no user has";
    url.user_info = user_info;
    authority.remove_prefix(at + 1);
  }

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return "no \"]\" after \"[\"";
    const std::string_view literal = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port[0] != ':') return "something between \"]\" and the port";
    const absl::StatusOr<net::Address> address =
        net::Address::Parse(absl::StrCat("[", literal, "]:0"));
    if (!address.ok()) return "no IPv6 address in the brackets";
    // It names an interface of one machine (RFC 9110 has no such host).
    if (literal.find('%') != std::string_view::npos) return "an IPv6 address with a scope";
    url.host = address->ToStringWithoutPort();
    url.is_ipv6 = true;
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    port = authority.substr(colon);
    url.host = absl::AsciiStrToLower(authority.substr(0, colon));
    if (const std::string_view wrong = WrongWithHost(url.host); !wrong.empty()) return wrong;
  }

  if (!port.empty()) port.remove_prefix(1);
  if (port.empty()) {
    // ":" alone means the same as none (RFC 3986 section 6.2.3).
    url.port = DefaultPort(url.scheme);
    return url.port == 0 ? "this scheme needs a port" : "";
  }
  unsigned number = 0;
  for (const char digit : port) {
    if (digit < '0' || digit > '9') return "the port is no number";
    number = std::min(number * 10 + static_cast<unsigned>(digit - '0'), 65536u);
  }
  if (number == 0 || number > 65535) return "the port is not 1 to 65535";
  url.port = static_cast<std::uint16_t>(number);
  return "";
}

// Appends `text` with everything encoded that is not in the sets and no escape.
void AppendEncoded(std::string_view text, unsigned sets, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsIn(text[i], sets)) {
      out += text[i];
    } else if (EscapeAt(text, i) >= 0) {
      out += text.substr(i, 3);
      i += 2;
    } else {
      const unsigned byte = static_cast<unsigned char>(text[i]);
      out += {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
    }
  }
}

// 1 or 2 for a segment that is so many dots, encoded or not; else 0.
std::size_t DotsIn(std::string_view segment) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < segment.size(); ++i, ++dots) {
    if (dots == 2) return 0;
    if (segment[i] == '.') continue;
    if (EscapeAt(segment, i) != '.') return 0;
    i += 2;
  }
  return dots;
}

}  // namespace

std::uint16_t DefaultPort(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

absl::StatusOr<Url> Url::Parse(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return Bad(text, absl::StrCat("longer than ", kMaxUrlBytes));
  const Parts parts = Split(text);
  if (!parts.scheme || !IsScheme(*parts.scheme)) return Bad(text, "no scheme at the beginning");
  if (!parts.authority) return Bad(text, "no \"//\" after the scheme");
  Url url;
  url.scheme = absl::AsciiStrToLower(*parts.scheme);
  if (const std::string_view wrong = ReadAuthority(*parts.authority, url); !wrong.empty()) {
    return Bad(text, wrong);
  }
  if (!IsEncoded(parts.path, internal::kPathChar)) return Bad(text, "a character that no path has");
  const std::string_view query = parts.query.value_or("");
  if (!IsEncoded(query, internal::kQueryChar)) return Bad(text, "a character that no query has");
  const std::string_view fragment = parts.fragment.value_or("");
  if (!IsEncoded(fragment, internal::kQueryChar)) {
    return Bad(text, "a character that no fragment has");
  }
  url.target = absl::StrCat(parts.path.empty() ? "/" : parts.path, parts.query ? "?" : "", query);
  url.fragment = fragment;
  return url;
}

absl::StatusOr<Url> Url::Resolve(std::string_view reference) const {
  absl::StatusOr<std::string> resolved = ResolveReference(ToString(), reference);
  if (!resolved.ok()) return resolved.status();
  return Parse(*resolved);
}

std::string Url::Authority() const {
  return is_ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string Url::HostField() const {
  if (port != DefaultPort(scheme)) return Authority();
  return is_ipv6 ? absl::StrCat("[", host, "]") : host;
}

std::string Url::ToString() const {
  return absl::StrCat(scheme, "://", user_info, user_info.empty() ? "" : "@", HostField(), target,
                      fragment.empty() ? "" : "#", fragment);
}

bool Url::SameOrigin(const Url& other) const {
  return port == other.port && host == other.host && is_ipv6 == other.is_ipv6 &&
         scheme == other.scheme;
}

absl::StatusOr<std::string> ResolveReference(std::string_view base, std::string_view reference) {
  for (const std::string_view text : {base, reference}) {
    if (text.size() > kMaxUrlBytes) return Bad(text, absl::StrCat("longer than ", kMaxUrlBytes));
  }
  const Parts from = Split(base);
  if (!from.scheme || !IsScheme(*from.scheme)) return Bad(base, "a base without a scheme");
  Parts to = Split(reference);
  if (to.scheme && !IsScheme(*to.scheme)) return Bad(reference, "no scheme before \":\"");

  std::string path;
  if (to.scheme || to.authority) {
    path = RemoveDotSegments(to.path);
  } else {
    to.authority = from.authority;
    if (to.path.empty()) {
      path = from.path;
      if (!to.query) to.query = from.query;
    } else if (to.path.starts_with('/')) {
      path = RemoveDotSegments(to.path);
    } else if (from.authority && from.path.empty()) {
      path = RemoveDotSegments(absl::StrCat("/", to.path));
    } else {
      // rfind() is npos where there is no "/", and one more is 0.
      const std::string_view folder = from.path.substr(0, from.path.rfind('/') + 1);
      path = RemoveDotSegments(absl::StrCat(folder, to.path));
    }
  }
  if (!to.scheme) to.scheme = from.scheme;
  to.path = path;
  return Join(to);
}

std::string RemoveDotSegments(std::string_view path) {
  const auto next_slash = [path](std::size_t at) {
    return std::min(path.find('/', at), path.size());
  };
  std::string out;
  out.reserve(path.size());
  std::size_t at = 0;
  // Before the first "/": rules A, D and E.
  while (at < path.size() && path[at] != '/') {
    const std::size_t end = next_slash(at);
    const std::string_view segment = path.substr(at, end - at);
    at = end;
    if (DotsIn(segment) == 0) {
      out = segment;
      break;
    }
    at = std::min(end + 1, path.size());
  }
  // From "/" to "/": rules B, C and E.
  while (at < path.size()) {
    const std::size_t end = next_slash(at + 1);
    const std::size_t dots = DotsIn(path.substr(at + 1, end - at - 1));
    if (dots == 0) {
      out += path.substr(at, end - at);
    } else {
      if (dots == 2) {
        const std::size_t slash = out.rfind('/');
        out.resize(slash == std::string::npos ? 0 : slash);
      }
      if (end == path.size()) out += '/';
    }
    at = end;
  }
  return out;
}

std::string EncodeUrl(std::string_view text) {
  const Parts parts = Split(text);
  std::string path;
  AppendEncoded(parts.path, internal::kPathChar, path);
  Parts encoded = parts;
  encoded.path = path;
  std::string query;
  if (parts.query) {
    AppendEncoded(*parts.query, internal::kQueryChar, query);
    encoded.query = query;
  }
  std::string fragment;
  if (parts.fragment) {
    AppendEncoded(*parts.fragment, internal::kQueryChar, fragment);
    encoded.fragment = fragment;
  }
  return Join(encoded);
}

}  // namespace strata::http
