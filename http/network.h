// File: network.h
//
// Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3), and sets of them: which proxies are
// trusted, which clients are exempt from a limit, which are refused.
//
//   absl::StatusOr<NetworkSet> trusted = NetworkSet::Parse("10.0.0.0/8, fd00::/8, ::1");
//   if (trusted->Contains(stream.peer_address())) ...
//
// IPv4 and IPv6 are kept apart. An IPv4 address that a dual-stack socket shows as IPv6
// (::ffff:192.0.2.1) is that IPv4 address everywhere here, in networks too: "::ffff:192.0.2.0/120"
// is 192.0.2.0/24. So "::/0" is all of IPv6, and none of IPv4. Ports and interfaces of link-local
// addresses do not count.

#ifndef STRATA_HTTP_NETWORK_H_
#define STRATA_HTTP_NETWORK_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/net/address.h"

namespace strata::http {

// The text of an address alone: "192.0.2.1", "2001:db8::1"; as strict as net::Address::Parse(). The
// address has port 0.
std::optional<net::Address> ParseIp(std::string_view text);

// The bits of an address as a number. One of IPv4 is in the low 32.
struct IpBits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const IpBits&, const IpBits&) = default;
};

// An address without port and interface. Of IPv4 if it is ::ffff:192.0.2.1.
struct IpNumber {
  IpBits bits;
  bool ipv6;

  // None for an address of no family or of a Unix socket.
  static std::optional<IpNumber> Of(const net::Address& address);
};

class Network {
 public:
  // An address, and after a slash the number of bits that count; without it, all: "10.0.0.0/8",
  // "2001:db8::/32", "192.0.2.1". InvalidArgument with the text and what is wrong: also for bits
  // that are set behind those that count, as whoever wrote "10.0.0.1/8" meant something else.
  static absl::StatusOr<Network> Parse(std::string_view text);

  // Of an address, the network with so many bits (32 or 128 at most), and the address alone. None
  // for more bits, and for an address of no family or of a Unix socket.
  static std::optional<Network> Of(const net::Address& address, unsigned prefix_bits);
  static std::optional<Network> Of(const net::Address& address);

  bool Contains(const net::Address& address) const;

  bool is_ipv6() const { return ipv6_; }
  unsigned prefix_bits() const { return prefix_bits_; }

  // The first and the last address, as bits.
  IpBits first() const { return first_; }
  IpBits last() const;

  // What Parse() reads; without a slash where all bits count.
  std::string ToString() const;

  friend bool operator==(const Network&, const Network&) = default;

 private:
  Network(IpBits first, unsigned prefix_bits, bool ipv6);

  IpBits first_;
  unsigned prefix_bits_;
  bool ipv6_;
};

// Any number of networks, merged where they overlap or touch. Looking up takes a binary search, and
// no memory. Values do not change but by assignment, so any number of threads may read one.
class NetworkSet {
 public:
  NetworkSet() = default;
  explicit NetworkSet(std::span<const Network> networks);

  // Networks with commas or spaces between them; "unix:" among them stands for every Unix socket.
  // InvalidArgument for the first that is none.
  static absl::StatusOr<NetworkSet> Parse(std::string_view text);

  // What is not of the public Internet: 127.0.0.0/8 and ::1; 10.0.0.0/8, 172.16.0.0/12 and
  // 192.168.0.0/16 (RFC 1918); fc00::/7 (RFC 4193); 169.254.0.0/16 and fe80::/10 (link-local).
  static NetworkSet Private();

  bool Contains(const net::Address& address) const;

  bool empty() const { return ipv4_.empty() && ipv6_.empty() && !unix_; }

  // How many ranges are left after merging.
  std::size_t range_count() const { return ipv4_.size() + ipv6_.size(); }

 private:
  template <typename Bits>
  struct Range {
    Bits first;
    Bits last;
  };

  template <typename Bits>
  static void Merge(std::vector<Range<Bits>>& ranges);
  template <typename Bits>
  static bool Find(const std::vector<Range<Bits>>& ranges, Bits bits);

  // Sorted, with a gap between each and the next.
  std::vector<Range<std::uint32_t>> ipv4_;
  std::vector<Range<IpBits>> ipv6_;
  bool unix_ = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_NETWORK_H_
