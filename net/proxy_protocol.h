// File: proxy_protocol.h
//
// The header by which a proxy tells whose connection it passes on: "The PROXY protocol", versions 1
// and 2, of HAProxy (doc/proxy-protocol.txt).
//
//   ProxyHeader header;
//   switch (ParseProxyHeader(bytes, &header)) {
//     case ProxyParse::kDone:  // header.source, header.size
//     case ProxyParse::kMore:  // Call again with more bytes, from the beginning.
//     case ProxyParse::kBad:   // Never a header.
//   }
//
// Without state: as it needs the whole header at once, which is at most kMaxProxyHeaderBytes, a
// caller that gets it in parts keeps these. kBad comes with the first byte that cannot belong to a
// header.

#ifndef STRATA_NET_PROXY_PROTOCOL_H_
#define STRATA_NET_PROXY_PROTOCOL_H_

#include <cstddef>
#include <string_view>

#include "strata/net/address.h"

namespace strata::net {

// A header that is longer is kBad. Version 1 has at most 107 bytes (section 2.1); in version 2 it
// leaves room for extensions (TLVs), which are skipped.
inline constexpr std::size_t kMaxProxyHeaderBytes = 2048;

struct ProxyHeader {
  // Of the header; the connection's own bytes follow.
  std::size_t size = 0;

  // The ends of the connection to the proxy. Of no family where the proxy does not tell (UNKNOWN),
  // or speaks for itself, as health checks do (LOCAL): the socket's own addresses hold then.
  Address source;
  Address destination;
};

enum class ProxyParse { kDone, kMore, kBad };

ProxyParse ParseProxyHeader(std::string_view bytes, ProxyHeader* header);

}  // namespace strata::net

#endif  // STRATA_NET_PROXY_PROTOCOL_H_
