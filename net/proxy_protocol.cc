// The PROXY header, versions 1 and 2.

#include "strata/net/proxy_protocol.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace strata::net {
namespace {

using std::literals::operator""sv;

constexpr std::string_view kVersion1 = "PROXY ";
constexpr std::size_t kMaxVersion1 = 107;  // With the CR LF.
constexpr std::string_view kVersion2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedVersion2 = 16;

bool BeginsAs(std::string_view bytes, std::string_view start) {
  const std::size_t both = std::min(bytes.size(), start.size());
  return bytes.substr(0, both) == start.substr(0, both);
}

// Takes the text up to the next space off the front of `line`.
std::string_view TakeField(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

// An address of the line's family from its two fields.
bool ParseEnd(bool ipv6, std::string_view ip, std::string_view port, Address* address) {
  absl::StatusOr<Address> parsed =
      Address::Parse(ipv6 ? absl::StrCat("[", ip, "]:", port) : absl::StrCat(ip, ":", port));
  if (!parsed.ok() || parsed->scope() != 0) return false;
  *address = *std::move(parsed);
  return address->family() == (ipv6 ? Address::Family::kIpv6 : Address::Family::kIpv4);
}

ProxyParse ParseVersion1(std::string_view bytes, ProxyHeader* header) {
  const std::string_view start = bytes.substr(0, kMaxVersion1);
  const std::size_t end = start.find('\r');
  const bool ended = end != std::string_view::npos;
  std::string_view line = start.substr(0, end);
  if (!std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    return ProxyParse::kBad;
  }
  line.remove_prefix(kVersion1.size());
  if (!ended || end + 1 == bytes.size()) {
    // What follows "PROXY " is told apart early, so that a stranger is not waited for.
    const bool known =
        BeginsAs(line, "TCP4 ") || BeginsAs(line, "TCP6 ") || BeginsAs(line, "UNKNOWN");
    return known && (ended || bytes.size() < kMaxVersion1) ? ProxyParse::kMore : ProxyParse::kBad;
  }
  if (end + 2 > kMaxVersion1 || bytes[end + 1] != '\n') return ProxyParse::kBad;
  header->size = end + 2;

  const std::string_view protocol = TakeField(line);
  if (protocol == "UNKNOWN") return ProxyParse::kDone;  // The rest is to be ignored.
  if (protocol != "TCP4" && protocol != "TCP6") return ProxyParse::kBad;
  const bool ipv6 = protocol == "TCP6";
  const std::string_view source = TakeField(line);
  const std::string_view destination = TakeField(line);
  const std::string_view source_port = TakeField(line);
  if (!ParseEnd(ipv6, source, source_port, &header->source) ||
      !ParseEnd(ipv6, destination, line, &header->destination)) {
    return ProxyParse::kBad;
  }
  return ProxyParse::kDone;
}

std::uint16_t Number16(std::string_view bytes) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 |
                                    static_cast<std::uint8_t>(bytes[1]));
}

template <std::size_t kSize>
std::span<const std::uint8_t, kSize> Bytes(std::string_view bytes) {
  return std::span<const std::uint8_t, kSize>(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                              kSize);
}

ProxyParse ParseVersion2(std::string_view bytes, ProxyHeader* header) {
  if (bytes.size() > 12) {
    const auto version_command = static_cast<std::uint8_t>(bytes[12]);
    if (version_command != 0x20 && version_command != 0x21) return ProxyParse::kBad;
  }
  if (bytes.size() < kFixedVersion2) return ProxyParse::kMore;
  const bool local = bytes[12] == 0x20;
  const std::size_t length = Number16(bytes.substr(14));
  header->size = kFixedVersion2 + length;
  if (header->size > kMaxProxyHeaderBytes) return ProxyParse::kBad;
  if (bytes.size() < header->size) return ProxyParse::kMore;
  if (local) return ProxyParse::kDone;

  const std::string_view block = bytes.substr(kFixedVersion2, length);
  switch (bytes[13]) {
    case 0x11:  // TCP over IPv4.
      if (length < 12) return ProxyParse::kBad;
      header->source = Address::Ipv4(Bytes<4>(block), Number16(block.substr(8)));
      header->destination = Address::Ipv4(Bytes<4>(block.substr(4)), Number16(block.substr(10)));
      return ProxyParse::kDone;
    case 0x21:  // TCP over IPv6.
      if (length < 36) return ProxyParse::kBad;
      header->source = Address::Ipv6(Bytes<16>(block), Number16(block.substr(32)));
      header->destination = Address::Ipv6(Bytes<16>(block.substr(16)), Number16(block.substr(34)));
      return ProxyParse::kDone;
    case 0x31:  // A Unix socket: its peer has no address to speak of.
      return length < 216 ? ProxyParse::kBad : ProxyParse::kDone;
    case 0x00:  // Unspecified.
      return ProxyParse::kDone;
    default:  // Datagrams, or what version 2 does not know: section 2.2 lets us refuse.
      return ProxyParse::kBad;
  }
}

}  // namespace

ProxyParse ParseProxyHeader(std::string_view bytes, ProxyHeader* header) {
  *header = ProxyHeader();
  if (bytes.empty()) return ProxyParse::kMore;
  if (BeginsAs(bytes, kVersion2)) {
    return bytes.size() < kVersion2.size() ? ProxyParse::kMore : ParseVersion2(bytes, header);
  }
  if (!BeginsAs(bytes, kVersion1)) return ProxyParse::kBad;
  return bytes.size() < kVersion1.size() ? ProxyParse::kMore : ParseVersion1(bytes, header);
}

}  // namespace strata::net
