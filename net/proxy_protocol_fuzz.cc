// Any bytes are a header, the beginning of one, or none; and that does not depend on how much of
// what follows is there.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/net/proxy_protocol.h"

using strata::net::ParseProxyHeader;
using strata::net::ProxyHeader;
using strata::net::ProxyParse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeader header;
  const ProxyParse whole = ParseProxyHeader(bytes, &header);
  if (whole == ProxyParse::kDone) {
    if (header.size > size || header.size > strata::net::kMaxProxyHeaderBytes) std::abort();
    ProxyHeader alone;
    if (ParseProxyHeader(bytes.substr(0, header.size), &alone) != ProxyParse::kDone ||
        alone.size != header.size || !(alone.source == header.source)) {
      std::abort();
    }
    if (ParseProxyHeader(bytes.substr(0, header.size - 1), &alone) != ProxyParse::kMore)
      std::abort();
  } else if (whole == ProxyParse::kMore) {
    // What may become a header began as one.
    for (std::size_t cut = 0; cut < size; ++cut) {
      if (ParseProxyHeader(bytes.substr(0, cut), &header) != ProxyParse::kMore) std::abort();
    }
    if (size >= strata::net::kMaxProxyHeaderBytes) std::abort();
  }
  return 0;
}
