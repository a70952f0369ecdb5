// Who a client is, for limits by address: an IPv4 address, or the network of an IPv6 one, of which
// whoever has one address has 2^64.

#ifndef STRATA_HTTP_CLIENT_KEY_INTERNAL_H_
#define STRATA_HTTP_CLIENT_KEY_INTERNAL_H_

#include <cstdint>
#include <optional>

#include "strata/http/network.h"
#include "strata/http/siphash_internal.h"
#include "strata/net/address.h"

namespace strata::http {

struct ClientKey {
  static constexpr unsigned kDefaultIpv6Bits = 64;

  enum class Kind : std::uint8_t { kOther, kIpv4, kIpv6 };

  // `ipv6_prefix_bits` are from 1 to 64. All Unix sockets are one client, and so is what has no
  // address.
  static ClientKey Of(const net::Address& address, unsigned ipv6_prefix_bits = kDefaultIpv6Bits) {
    const std::optional<IpNumber> ip = IpNumber::Of(address);
    if (!ip) return {0, Kind::kOther};
    if (!ip->ipv6) return {ip->bits.low, Kind::kIpv4};
    return {ip->bits.high & ~std::uint64_t{0} << (64 - ipv6_prefix_bits), Kind::kIpv6};
  }

  std::uint64_t Hash(const SipKey& key) const {
    return SipHash(key, bits, static_cast<std::uint8_t>(kind));
  }

  friend bool operator==(const ClientKey&, const ClientKey&) = default;

  std::uint64_t bits;  // The address, or the upper 64 bits of it.
  Kind kind;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_KEY_INTERNAL_H_
