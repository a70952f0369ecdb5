// File: forwarded.h
//
// Whose request it is that came through proxies: the Forwarded field (RFC 7239) and its elders,
// X-Forwarded-For, -Proto and -Host.
//
//   NetworkSet trusted = *NetworkSet::Parse("10.0.0.0/8, ::1");
//   ForwardedClient client = ClientOf(peer, trusted, ForwardedLines{values});
//   if (client.proto == "https") ...
//
// Everybody can write such a field. What is true of it is what one's own proxies have added at its
// end. So the walk goes from the right: the peer's address is the kernel's; if it is of a trusted
// proxy, that one's word on where it had the request from is taken; if that is a trusted proxy
// again, the next word to the left; and so on until an address that is not trusted, which is the
// client, whatever it may have put further left.
//
// The walk needs to know which of the two the proxies write: a proxy that adds to X-Forwarded-For
// passes on a Forwarded field of the client's own making, untouched. So the caller hands over one
// or the other, and never "whichever is there". For the same reason X-Forwarded-Proto and -Host
// are to be given only if the outermost proxy always sets or adds to them.
//
// Values are the lines of a field in the order received, each as RFC 9110 section 5.5 has it.

#ifndef STRATA_HTTP_FORWARDED_H_
#define STRATA_HTTP_FORWARDED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/http/network.h"
#include "strata/net/address.h"

namespace strata::http {

// Who sent or received a request (RFC 7239 section 6).
struct ForwardedNode {
  enum class Kind : std::uint8_t { kNone, kAddress, kUnknown, kObfuscated };

  Kind kind = Kind::kNone;
  net::Address address;         // For kAddress, with its port or 0.
  std::string name;             // For kObfuscated: "_hidden".
  std::string obfuscated_port;  // "_port", if it is no number.
};

// "192.0.2.43:47011", "[2001:db8:cafe::17]:4711", "unknown", "_gazonk:_p". None for other texts:
// also for IPv6 without brackets.
std::optional<ForwardedNode> ParseForwardedNode(std::string_view text);

// What one proxy tells. Parameters of other names are read over. `proto` is in lower case.
struct ForwardedElement {
  ForwardedNode for_node;
  ForwardedNode by_node;
  std::string host;
  std::string proto;
};

// Bounds of ParseForwarded(). An element has more parameters than four if it has extensions.
inline constexpr std::size_t kMaxForwardedElements = 64;
inline constexpr std::size_t kMaxForwardedParameters = 16;

// The whole of a field by the grammar of section 4, the first proxy's element first; with blanks
// around semicolons, as some proxies write them. InvalidArgument with what is wrong: also for a
// parameter given twice in an element, a node, host or protocol that is none. ResourceExhausted for
// more elements than the bound.
absl::StatusOr<std::vector<ForwardedElement>> ParseForwarded(
    std::span<const std::string_view> lines);

struct ForwardedLines {
  std::span<const std::string_view> values;
};

struct XForwardedLines {
  // Lists of addresses: IPv4 or IPv6, with or without brackets, with or without a port behind.
  std::span<const std::string_view> for_values;

  // Lists that run beside the one above; a shorter one has been set by the outermost proxies.
  std::span<const std::string_view> proto_values;
  std::span<const std::string_view> host_values;
};

struct ForwardedClient {
  // The first address from the right that is not trusted; or the last that could be read. IPv4 as
  // such, not as IPv6. With its port where a proxy told it, and for the peer itself; else 0.
  net::Address address;

  // How the outermost trusted proxy was asked, if it told: the scheme in lower case, and what stood
  // in Host. Empty, and nothing to be relied upon, where it did not. Not looked at, beyond its
  // characters: a name that is not the server's own may be the client's invention.
  std::string proto;
  std::string host;

  // How many trusted proxies the request came through.
  std::size_t hops = 0;

  // False if the walk ended before it came to an address that is not trusted, or to the end of the
  // list: an element could not be read, its node was unknown or obfuscated, or there were too many.
  // Then `address` is the last trusted proxy, and the client is somebody behind it.
  bool complete = true;
};

inline constexpr std::size_t kDefaultMaxForwardedHops = 16;

// Walks at most `max_hops` trusted proxies.
ForwardedClient ClientOf(const net::Address& peer, const NetworkSet& trusted,
                         const ForwardedLines& lines,
                         std::size_t max_hops = kDefaultMaxForwardedHops);
ForwardedClient ClientOf(const net::Address& peer, const NetworkSet& trusted,
                         const XForwardedLines& lines,
                         std::size_t max_hops = kDefaultMaxForwardedHops);

}  // namespace strata::http

#endif  // STRATA_HTTP_FORWARDED_H_
