// Networks and their texts.

#include "strata/http/network.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::http {
namespace {

constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kIpv6Bits = 128;

// Of ::ffff:0:0/96, where IPv4 addresses are shown as IPv6.
constexpr unsigned kMappedBits = 96;

absl::Status Bad(std::string_view text, std::string_view why) {
  constexpr std::size_t kShown = 80;
  return absl::InvalidArgumentError(absl::StrCat("network \"",
                                                 absl::CHexEscape(text.substr(0, kShown)),
                                                 text.size() > kShown ? "..." : "", "\": ", why));
}

std::uint64_t Load(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

// Ones where a network of `width` bits has bits that do not count.
IpBits HostMask(unsigned prefix_bits, unsigned width) {
  const unsigned host = width - prefix_bits;
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  if (host >= 64) return {host == 128 ? kAll : (std::uint64_t{1} << (host - 64)) - 1, kAll};
  return {0, (std::uint64_t{1} << host) - 1};
}

// The one after it, of what is not the last.
std::uint32_t Next(std::uint32_t bits) { return bits + 1; }
IpBits Next(IpBits bits) { return {bits.high + (bits.low + 1 == 0 ? 1 : 0), bits.low + 1}; }

}  // namespace

std::optional<net::Address> ParseIp(std::string_view text) {
  // The longest: eight groups, the last two as IPv4.
  constexpr std::size_t kMaxIpText = sizeof("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") - 1;
  if (text.empty() || text.size() > kMaxIpText) return std::nullopt;
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
    return std::nullopt;
  }
  // With what makes it the address of a socket.
  std::array<char, kMaxIpText + 4> socket;
  const bool ipv6 = text.find(':') != std::string_view::npos;
  std::size_t size = 0;
  if (ipv6) socket[size++] = '[';
  std::memcpy(socket.data() + size, text.data(), text.size());
  size += text.size();
  if (ipv6) socket[size++] = ']';
  std::memcpy(socket.data() + size, ":0", 2);
  absl::StatusOr<net::Address> address =
      net::Address::Parse(std::string_view(socket.data(), size + 2));
  if (!address.ok()) return std::nullopt;
  return *std::move(address);
}

std::optional<IpNumber> IpNumber::Of(const net::Address& address) {
  const std::span<const std::uint8_t> bytes = address.ip_bytes();
  if (bytes.size() == 4) return IpNumber{{0, Load(bytes)}, false};
  if (bytes.size() != 16) return std::nullopt;
  const IpBits bits = {Load(bytes.first(8)), Load(bytes.last(8))};
  if (bits.high == 0 && bits.low >> 32 == 0xffff) {
    return IpNumber{{0, bits.low & 0xffffffff}, false};
  }
  return IpNumber{bits, true};
}

Network::Network(IpBits first, unsigned prefix_bits, bool ipv6)
    : first_(first), prefix_bits_(prefix_bits), ipv6_(ipv6) {}

absl::StatusOr<Network> Network::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip_text = text.substr(0, slash);
  const std::optional<net::Address> address = ParseIp(ip_text);
  if (!address) return Bad(text, "no IPv4 or IPv6 address");

  const auto width = static_cast<unsigned>(address->ip_bytes().size()) * 8;
  unsigned prefix_bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), prefix_bits);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix_bits > width ||
        (digits.size() > 1 && digits[0] == '0')) {
      return Bad(text, absl::StrCat("no number from 0 to ", width, " after the slash"));
    }
  }

  const IpNumber ip = *IpNumber::Of(*address);
  if (width == kIpv6Bits && !ip.ipv6) {
    // More than IPv4, and that as IPv6: it would say nothing of either.
    if (prefix_bits < kMappedBits) return Bad(text, "bits are set behind those that count");
    prefix_bits -= kMappedBits;
  }
  std::optional<Network> network = Of(*address, prefix_bits);
  if (network->first_ != ip.bits) {
    return Bad(text, absl::StrCat("bits are set behind those that count; the network is ",
                                  network->ToString()));
  }
  return *network;
}

std::optional<Network> Network::Of(const net::Address& address, unsigned prefix_bits) {
  const std::optional<IpNumber> ip = IpNumber::Of(address);
  if (!ip) return std::nullopt;
  const unsigned width = ip->ipv6 ? kIpv6Bits : kIpv4Bits;
  if (prefix_bits > width) return std::nullopt;
  const IpBits mask = HostMask(prefix_bits, width);
  return Network({ip->bits.high & ~mask.high, ip->bits.low & ~mask.low}, prefix_bits, ip->ipv6);
}

std::optional<Network> Network::Of(const net::Address& address) {
  const std::optional<IpNumber> ip = IpNumber::Of(address);
  if (!ip) return std::nullopt;
  return Of(address, ip->ipv6 ? kIpv6Bits : kIpv4Bits);
}

IpBits Network::last() const {
  const IpBits mask = HostMask(prefix_bits_, ipv6_ ? kIpv6Bits : kIpv4Bits);
  return {first_.high | mask.high, first_.low | mask.low};
}

bool Network::Contains(const net::Address& address) const {
  const std::optional<IpNumber> ip = IpNumber::Of(address);
  return ip && ip->ipv6 == ipv6_ && first_ <= ip->bits && ip->bits <= last();
}

std::string Network::ToString() const {
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(first_.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(first_.low >> (56 - 8 * i));
  }
  const net::Address address = ipv6_ ? net::Address::Ipv6(bytes, 0)
                                     : net::Address::Ipv4(std::span(bytes).subspan<12, 4>(), 0);
  std::string text = address.ToStringWithoutPort();
  if (prefix_bits_ != (ipv6_ ? kIpv6Bits : kIpv4Bits)) absl::StrAppend(&text, "/", prefix_bits_);
  return text;
}

template <typename Bits>
void NetworkSet::Merge(std::vector<Range<Bits>>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range<Bits>& a, const Range<Bits>& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (const Range<Bits>& range : ranges) {
    // What begins within, or right behind, a range is part of it.
    if (kept > 0 &&
        (range.first <= ranges[kept - 1].last || range.first == Next(ranges[kept - 1].last))) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
  ranges.shrink_to_fit();
}

template <typename Bits>
bool NetworkSet::Find(const std::vector<Range<Bits>>& ranges, Bits bits) {
  // The last range that begins at or before it.
  auto after = std::upper_bound(ranges.begin(), ranges.end(), bits,
                                [](Bits b, const Range<Bits>& range) { return b < range.first; });
  return after != ranges.begin() && bits <= std::prev(after)->last;
}

NetworkSet::NetworkSet(std::span<const Network> networks) {
  for (const Network& network : networks) {
    if (network.is_ipv6()) {
      ipv6_.push_back({network.first(), network.last()});
    } else {
      ipv4_.push_back({static_cast<std::uint32_t>(network.first().low),
                       static_cast<std::uint32_t>(network.last().low)});
    }
  }
  Merge(ipv4_);
  Merge(ipv6_);
}

absl::StatusOr<NetworkSet> NetworkSet::Parse(std::string_view text) {
  constexpr std::string_view kBetween = ", \t\r\n";
  std::vector<Network> networks;
  bool unix_sockets = false;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kBetween), text.size()));
    if (text.empty()) break;
    const std::string_view word = text.substr(0, text.find_first_of(kBetween));
    text.remove_prefix(word.size());
    if (word == "unix:") {
      unix_sockets = true;
      continue;
    }
    absl::StatusOr<Network> network = Network::Parse(word);
    if (!network.ok()) return network.status();
    networks.push_back(*network);
  }
  NetworkSet set(networks);
  set.unix_ = unix_sockets;
  return set;
}

NetworkSet NetworkSet::Private() {
  return *Parse(
      "127.0.0.0/8 ::1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 169.254.0.0/16 fe80::/10");
}

bool NetworkSet::Contains(const net::Address& address) const {
  if (address.family() == net::Address::Family::kUnix) return unix_;
  const std::optional<IpNumber> ip = IpNumber::Of(address);
  if (!ip) return false;
  if (ip->ipv6) return Find(ipv6_, ip->bits);
  return Find(ipv4_, static_cast<std::uint32_t>(ip->bits.low));
}

}  // namespace strata::http
