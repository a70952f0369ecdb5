// File: url.h
//
// Where a client's request goes: an absolute URL taken apart (RFC 3986 section 3, RFC 9110
// section 4.2), and references resolved against it, as redirects need it.
//
//   absl::StatusOr<Url> url = Url::Parse("http://example.com/a/b?q=1");
//   url->host;                                   // "example.com"
//   url->port;                                   // 80
//   url->target;                                 // "/a/b?q=1"
//   url->Resolve("../c")->ToString();            // "http://example.com/c"
//
// Functions are thread-safe.

#ifndef STRATA_HTTP_URL_H_
#define STRATA_HTTP_URL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::http {

// A longer URL is refused.
inline constexpr std::size_t kMaxUrlBytes = 64 * 1024;

struct Url {
  // Lower case.
  std::string scheme;

  // What stands before "@", encoded as it was; empty if there is nothing. It is for the client's
  // own configuration: one that comes from elsewhere is not to be trusted (RFC 9110 section 4.2.4).
  std::string user_info;

  // A name in lower case, or an IPv4 address, or an IPv6 address as in RFC 5952 without brackets.
  std::string host;
  bool is_ipv6 = false;

  // 1 to 65535.
  std::uint16_t port = 0;

  // The path and the query with its "?", as they were: a request's target in origin-form. Begins
  // with "/".
  std::string target;

  // What follows "#", which is not sent.
  std::string fragment;

  // Strict. "SCHEME://[USER@]HOST[:PORT][PATH][?QUERY][#FRAGMENT]", each part with the characters
  // that RFC 3986 allows it; EncodeUrl() makes that of what has others. A host is a name as in the
  // DNS (letters, digits, "-", "_", labels of 1 to 63, 253 bytes in all; names in other alphabets
  // in their ASCII form, "xn--"), or an IPv6 address in brackets, or an IPv4 address in four
  // decimal parts: what ends in a number but is no such address ("127.1", "0x7f000001", "1.2.3")
  // is refused, as systems read it differently. The port may be left out where the scheme is http
  // or ws (80), https or wss (443). InvalidArgument with the text and what is wrong with it.
  static absl::StatusOr<Url> Parse(std::string_view text);

  // The URL that `reference` means in a document of this one: RFC 3986 section 5.2. It may have
  // another scheme and host.
  absl::StatusOr<Url> Resolve(std::string_view reference) const;

  // The host, in brackets if it is an IPv6 address, with the port unless it is the scheme's own:
  // a request's Host field (RFC 9110 section 7.2).
  std::string HostField() const;

  // The same with the port always: the target of CONNECT (RFC 9110 section 9.3.6).
  std::string Authority() const;

  // What Parse() reads.
  std::string ToString() const;

  // Whether scheme, host and port are the same (RFC 9110 section 4.3.1). Credentials go to no other
  // origin.
  bool SameOrigin(const Url& other) const;

  friend bool operator==(const Url&, const Url&) = default;
};

// The port of http, https, ws or wss in lower case; 0 for another scheme.
std::uint16_t DefaultPort(std::string_view scheme);

// Resolves a reference against an absolute URI of any scheme by RFC 3986 section 5.2, strictly.
// Segments "%2e" are dots too, as they mean the same (section 6.2.2.2). The parts are taken apart
// and put together, and not looked at else. InvalidArgument if the base has no scheme, if the
// reference begins with something before ":" that is no scheme, or if one of them is longer than
// kMaxUrlBytes.
absl::StatusOr<std::string> ResolveReference(std::string_view base, std::string_view reference);

// "/a/b/../c/./d" as "/a/c/d": RFC 3986 section 5.2.4 to the letter, for dots that are encoded too.
// What begins with "/" still does, and "/.." is "/".
std::string RemoveDotSegments(std::string_view path);

// What people and servers write as a URL, or as a reference, as one that RFC 3986 allows: each byte
// that may not stand where it does (UTF-8, spaces, quotes, control characters) is percent-encoded,
// and so is a "%" without two hexadecimal digits. The scheme and the host stay as they are, for
// Parse() to judge. What is right already does not change.
std::string EncodeUrl(std::string_view text);

}  // namespace strata::http

#endif  // STRATA_HTTP_URL_H_
