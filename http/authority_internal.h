// The host and port of a URI (RFC 3986 section 3.2, RFC 9110 section 4.2), without userinfo.

#ifndef STRATA_HTTP_AUTHORITY_INTERNAL_H_
#define STRATA_HTTP_AUTHORITY_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace strata::http {

struct Authority {
  std::string_view host;  // A name, an IPv4 address, or an IP literal in brackets; may be empty.
  std::optional<std::uint16_t> port;  // None for "host" and for "host:".
};

// uri-host [ ":" port ]. False if it is anything else. RFC 3986 lets both parts be empty.
bool ParseAuthority(std::string_view text, Authority* authority);

}  // namespace strata::http

#endif  // STRATA_HTTP_AUTHORITY_INTERNAL_H_
