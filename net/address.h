// File: address.h
//
// Where a socket is bound or connected: an IPv4 or IPv6 address with a port, or the path of a Unix
// socket.
//
//   absl::StatusOr<Address> address = Address::Parse("[::1]:8080");
//   address->ToString();  // "[::1]:8080"

#ifndef STRATA_NET_ADDRESS_H_
#define STRATA_NET_ADDRESS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct sockaddr;
struct sockaddr_storage;

namespace strata::net {

// A value of 32 bytes; only a Unix path has memory of its own.
class Address {
 public:
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

  // Of no family.
  Address() = default;
  Address(const Address& other);
  Address(Address&&) noexcept = default;
  Address& operator=(const Address& other);
  Address& operator=(Address&&) noexcept = default;
  ~Address() = default;

  // 4 bytes in network order; 16 bytes, and the number of the interface for a link-local one.
  static Address Ipv4(std::span<const std::uint8_t, 4> bytes, std::uint16_t port);
  static Address Ipv6(std::span<const std::uint8_t, 16> bytes, std::uint16_t port,
                      std::uint32_t scope = 0);

  // "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%2]:80" (the interface's number),
  // "unix:/run/x.sock", "unix:@name" (Linux's abstract names). Digits alone, no names, no spaces;
  // IPv4 in four decimal parts without leading zeros (RFC 6943 section 3.1.1), IPv6 as in RFC 4291
  // section 2.2. InvalidArgument with the text and what is wrong with it.
  static absl::StatusOr<Address> Parse(std::string_view text);

  // Of no family if it is another than these three.
  static Address FromSockaddr(const sockaddr* address, std::size_t size);

  // Fills it and returns the size of it that is used; 0 for no family.
  std::size_t ToSockaddr(sockaddr_storage* storage) const;

  Family family() const { return family_; }

  // 0 for a Unix path.
  std::uint16_t port() const { return port_; }

  // 4 or 16 bytes in network order, none for a Unix path. They live as long as this.
  std::span<const std::uint8_t> ip_bytes() const;

  // Of an IPv6 address, the number of its interface, or 0.
  std::uint32_t scope() const { return scope_; }

  // Of a Unix path; "@name" for an abstract one, empty for a nameless one.
  std::string_view path() const { return path_ ? std::string_view(*path_) : std::string_view(); }

  // An IPv4 address that a dual-stack socket shows as IPv6 (::ffff:192.0.2.1, RFC 4291
  // section 2.5.5.2) as IPv4; every other one as it is.
  Address Unmapped() const;

  // What Parse() reads; IPv6 as in RFC 5952. "none" for no family.
  std::string ToString() const;

  // The same without brackets and port: "2001:db8::1".
  std::string ToStringWithoutPort() const;

  friend bool operator==(const Address& a, const Address& b);

  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), a.family_, a.port_, a.scope_, a.ip_, a.path());
  }

 private:
  std::unique_ptr<const std::string> path_;
  std::array<std::uint8_t, 16> ip_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  Family family_ = Family::kNone;
};

static_assert(sizeof(Address) == 32);

// A name, or an address without brackets, and a port.
struct HostPort {
  std::string host;
  std::uint16_t port;
};

// "example.com:443", "192.0.2.1:80", "[::1]:80". The host is not looked at but for its length (1 to
// 253) and its characters: visible ASCII. InvalidArgument with the text.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

}  // namespace strata::net

#endif  // STRATA_NET_ADDRESS_H_
