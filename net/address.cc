// Addresses and their texts.

#include "strata/net/address.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::net {
namespace {

#ifndef _WIN32
// Of a path, with the byte that ends it or that makes it abstract.
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
#endif

absl::Status Bad(std::string_view text, std::string_view why) {
  constexpr std::size_t kShown = 80;
  return absl::InvalidArgumentError(absl::StrCat("address \"",
                                                 absl::CHexEscape(text.substr(0, kShown)),
                                                 text.size() > kShown ? "..." : "", "\": ", why));
}

// A decimal number of at most `most`, without sign or leading zeros.
std::optional<std::uint32_t> ParseNumber(std::string_view text, std::uint32_t most) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (value > most) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

bool ParseIpv4(std::string_view text, std::span<std::uint8_t, 4> bytes) {
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return false;
    const std::optional<std::uint32_t> part = ParseNumber(text.substr(0, end), 255);
    if (!part) return false;
    bytes[i] = static_cast<std::uint8_t>(*part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

// Groups of up to four hexadecimal digits, the last two perhaps as IPv4, into `out`. The number of
// bytes, or none if that is no such text.
std::optional<std::size_t> ParseGroups(std::string_view text, std::span<std::uint8_t, 16> out) {
  std::size_t size = 0;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (group.find('.') != std::string_view::npos) {
      if (colon != std::string_view::npos || size > 12) return std::nullopt;
      if (!ParseIpv4(group, out.subspan(size).first<4>())) return std::nullopt;
      return size + 4;
    }
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (group.empty() || group.size() > 4 || error != std::errc() ||
        end != group.data() + group.size() || size == 16) {
      return std::nullopt;
    }
    out[size++] = static_cast<std::uint8_t>(value >> 8);
    out[size++] = static_cast<std::uint8_t>(value);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // It ended in a colon.
  }
  return size;
}

bool ParseIpv6(std::string_view text, std::span<std::uint8_t, 16> bytes) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return ParseGroups(text, bytes) == 16;
  std::array<std::uint8_t, 16> tail{};
  const std::string_view before = text.substr(0, gap);
  if (before.find('.') != std::string_view::npos) return false;
  const std::optional<std::size_t> head_size = ParseGroups(before, bytes);
  const std::optional<std::size_t> tail_size = ParseGroups(text.substr(gap + 2), tail);
  // The gap stands for at least one group.
  if (!head_size || !tail_size || *head_size + *tail_size > 14) return false;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(*head_size), bytes.end(), 0);
  std::copy_n(tail.begin(), *tail_size, bytes.end() - static_cast<std::ptrdiff_t>(*tail_size));
  return true;
}

std::string FormatIpv4(std::span<const std::uint8_t> bytes) {
  return absl::StrCat(bytes[0], ".", bytes[1], ".", bytes[2], ".", bytes[3]);
}

bool IsMapped(std::span<const std::uint8_t> bytes) {
  constexpr std::array<std::uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin());
}

// RFC 5952: the longest run of at least two zero groups, the first of equals, becomes "::".
std::string FormatIpv6(std::span<const std::uint8_t, 16> bytes) {
  if (IsMapped(bytes)) return absl::StrCat("::ffff:", FormatIpv4(bytes.subspan(12)));
  std::array<unsigned, 8> groups;
  for (std::size_t i = 0; i < 8; ++i) groups[i] = bytes[2 * i] * 256u + bytes[2 * i + 1];
  std::size_t gap = 8;
  std::size_t gap_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_size) {
      gap = i;
      gap_size = end - i;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += gap_size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    absl::StrAppend(&text, absl::Hex(groups[i]));
  }
  return text;
}

}  // namespace

Address::Address(const Address& other)
    : path_(other.path_ ? std::make_unique<const std::string>(*other.path_) : nullptr),
      ip_(other.ip_),
      scope_(other.scope_),
      port_(other.port_),
      family_(other.family_) {}

Address& Address::operator=(const Address& other) {
  if (this != &other) *this = Address(other);
  return *this;
}

Address Address::Ipv4(std::span<const std::uint8_t, 4> bytes, std::uint16_t port) {
  Address address;
  std::copy(bytes.begin(), bytes.end(), address.ip_.begin());
  address.port_ = port;
  address.family_ = Family::kIpv4;
  return address;
}

Address Address::Ipv6(std::span<const std::uint8_t, 16> bytes, std::uint16_t port,
                      std::uint32_t scope) {
  Address address;
  std::copy(bytes.begin(), bytes.end(), address.ip_.begin());
  address.port_ = port;
  address.scope_ = scope;
  address.family_ = Family::kIpv6;
  return address;
}

absl::StatusOr<Address> Address::Parse(std::string_view text) {
  if (text.starts_with("unix:")) {
#ifdef _WIN32
    return absl::UnimplementedError("address: no Unix sockets on Windows");
#else
    const std::string_view path = text.substr(5);
    if (path.empty() || path == "@") return Bad(text, "the path is empty");
    if (path.size() > kMaxPath) return Bad(text, absl::StrCat("longer than ", kMaxPath));
    if (path.find('\0') != std::string_view::npos) return Bad(text, "a null byte in the path");
    Address address;
    address.family_ = Family::kUnix;
    address.path_ = std::make_unique<const std::string>(path);
    return address;
#endif
  }

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "no \":PORT\" at the end");
  const std::optional<std::uint32_t> port = ParseNumber(text.substr(colon + 1), 65535);
  if (!port) return Bad(text, "the port is no number from 0 to 65535");
  std::string_view host = text.substr(0, colon);

  if (!host.starts_with('[')) {
    std::array<std::uint8_t, 4> bytes;
    if (host.find(':') != std::string_view::npos) return Bad(text, "IPv6 needs brackets");
    if (!ParseIpv4(host, bytes)) return Bad(text, "no IPv4 address before the port");
    return Ipv4(bytes, static_cast<std::uint16_t>(*port));
  }
  if (!host.ends_with(']')) return Bad(text, "no \"]\" before the port");
  host = host.substr(1, host.size() - 2);
  std::uint32_t scope = 0;
  if (const std::size_t percent = host.find('%'); percent != std::string_view::npos) {
    const auto number = ParseNumber(host.substr(percent + 1), 0xffffffff);
    if (!number) return Bad(text, "the scope is no interface's number");
    scope = *number;
    host = host.substr(0, percent);
  }
  std::array<std::uint8_t, 16> bytes;
  if (!ParseIpv6(host, bytes)) return Bad(text, "no IPv6 address in the brackets");
  return Ipv6(bytes, static_cast<std::uint16_t>(*port), scope);
}

Address Address::FromSockaddr(const sockaddr* address, std::size_t size) {
  if (size < offsetof(sockaddr, sa_data)) return Address();
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return Ipv4(bytes, ntohs(in.sin_port));
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in6;
    std::memcpy(&in6, address, sizeof(in6));
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &in6.sin6_addr, bytes.size());
    return Ipv6(bytes, ntohs(in6.sin6_port), in6.sin6_scope_id);
  }
#ifndef _WIN32
  if (address->sa_family == AF_UNIX) {
    Address unix_address;
    unix_address.family_ = Family::kUnix;
    const char* path = reinterpret_cast<const char*>(address) + offsetof(sockaddr_un, sun_path);
    std::size_t length = size - std::min(size, offsetof(sockaddr_un, sun_path));
    if (length > 0 && path[0] != '\0') length = ::strnlen(path, length);
    if (length > 0) {
      std::string copy(path, length);
      if (copy[0] == '\0') copy[0] = '@';
      unix_address.path_ = std::make_unique<const std::string>(std::move(copy));
    }
    return unix_address;
  }
#endif
  return Address();
}

std::size_t Address::ToSockaddr(sockaddr_storage* storage) const {
  std::memset(storage, 0, sizeof(*storage));
  switch (family_) {
    case Family::kIpv4: {
      auto* in = reinterpret_cast<sockaddr_in*>(storage);
      in->sin_family = AF_INET;
      in->sin_port = htons(port_);
      std::memcpy(&in->sin_addr, ip_.data(), 4);
      return sizeof(*in);
    }
    case Family::kIpv6: {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(storage);
      in6->sin6_family = AF_INET6;
      in6->sin6_port = htons(port_);
      in6->sin6_scope_id = scope_;
      std::memcpy(&in6->sin6_addr, ip_.data(), 16);
      return sizeof(*in6);
    }
    case Family::kUnix: {
#ifndef _WIN32
      auto* un = reinterpret_cast<sockaddr_un*>(storage);
      un->sun_family = AF_UNIX;
      std::memcpy(un->sun_path, path().data(), path().size());
      const bool abstract = path().starts_with('@');
      if (abstract) un->sun_path[0] = '\0';
      // An abstract name has no end but the size.
      return offsetof(sockaddr_un, sun_path) + path().size() + (abstract ? 0 : 1);
#endif
    }
    case Family::kNone:
      break;
  }
  return 0;
}

std::span<const std::uint8_t> Address::ip_bytes() const {
  switch (family_) {
    case Family::kIpv4:
      return std::span(ip_.data(), 4);
    case Family::kIpv6:
      return ip_;
    default:
      return {};
  }
}

Address Address::Unmapped() const {
  if (family_ != Family::kIpv6 || !IsMapped(ip_)) return *this;
  return Ipv4(std::span(ip_).subspan<12, 4>(), port_);
}

std::string Address::ToStringWithoutPort() const {
  switch (family_) {
    case Family::kIpv4:
      return FormatIpv4(ip_);
    case Family::kIpv6:
      return absl::StrCat(FormatIpv6(ip_), scope_ ? absl::StrCat("%", scope_) : "");
    case Family::kUnix:
      return absl::StrCat("unix:", path());
    case Family::kNone:
      break;
  }
  return "none";
}

std::string Address::ToString() const {
  const std::string text = ToStringWithoutPort();
  if (family_ == Family::kIpv4) return absl::StrCat(text, ":", port_);
  if (family_ == Family::kIpv6) return absl::StrCat("[", text, "]:", port_);
  return text;
}

bool operator==(const Address& a, const Address& b) {
  return a.family_ == b.family_ && a.port_ == b.port_ && a.scope_ == b.scope_ && a.ip_ == b.ip_ &&
         a.path() == b.path();
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "no \":PORT\" at the end");
  const std::optional<std::uint32_t> port = ParseNumber(text.substr(colon + 1), 65535);
  if (!port) return Bad(text, "the port is no number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return Bad(text, "no \"]\" before the port");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Bad(text, "IPv6 needs brackets");
  }
  if (host.empty() || host.size() > 253) return Bad(text, "a host has 1 to 253 characters");
  for (const char c : host) {
    if (c <= ' ' || c > '~') return Bad(text, "a character that no host has");
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace strata::net
