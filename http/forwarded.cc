// Fields of proxies, read from the right.

#include "strata/http/forwarded.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace strata::http {
namespace {

constexpr std::string_view kBlanks = " \t";

// Of URI schemes that are in use the longest has some thirty characters.
constexpr std::size_t kMaxProto = 32;

// A name of 253 characters and a port.
constexpr std::size_t kMaxHost = 253 + sizeof(":65535") - 1;

bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

bool IsTokenChar(char c) {
  return IsAlnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// obfnode and obfport of RFC 7239 section 6.
bool IsObfuscated(std::string_view text) {
  return text.size() > 1 && text[0] == '_' && std::all_of(text.begin(), text.end(), [](char c) {
           return IsAlnum(c) || c == '.' || c == '_' || c == '-';
         });
}

net::Address WithPort(const net::Address& ip, std::uint16_t port) {
  const std::span<const std::uint8_t> bytes = ip.ip_bytes();
  if (bytes.size() == 4) return net::Address::Ipv4(bytes.first<4>(), port);
  return net::Address::Ipv6(bytes.first<16>(), port);
}

bool IsProto(std::string_view text) {
  return !text.empty() && text.size() <= kMaxProto &&
         absl::ascii_isalpha(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '+' || c == '-' || c == '.'; });
}

// uri-host and port (RFC 9110 section 7.2), of names those that DNS could have.
bool IsHost(std::string_view text) {
  if (text.size() > kMaxHost) return false;
  std::size_t end;
  if (text.starts_with('[')) {
    end = std::min(text.find(']'), text.size());
    const std::string_view ip = text.substr(1, end - 1);
    if (end == text.size() || ip.find(':') == std::string_view::npos || !ParseIp(ip)) return false;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    if (end == 0 ||
        !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
          return IsAlnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
        })) {
      return false;
    }
  }
  return end == text.size() || (text[end] == ':' && ParsePort(text.substr(end + 1)));
}

// Takes a token, or none, off the beginning.
std::string_view TakeToken(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), IsTokenChar);
  const std::string_view token = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

void SkipBlanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
}

// Takes a quoted-string (RFC 9110 section 5.6.4) off the beginning, and what it means into `value`.
bool TakeQuoted(std::string_view& rest, std::string& value) {
  value.clear();
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\' && ++i == rest.size()) return false;
    const auto c = static_cast<unsigned char>(rest[i]);
    if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    value += rest[i];
  }
  return false;
}

const char* SetNode(std::string_view value, ForwardedNode& node) {
  std::optional<ForwardedNode> parsed = ParseForwardedNode(value);
  if (!parsed) return "a node that is none";
  node = *std::move(parsed);
  return nullptr;
}

const char* SetParameter(std::string_view name, std::string_view value, ForwardedElement& element) {
  if (absl::EqualsIgnoreCase(name, "for")) return SetNode(value, element.for_node);
  if (absl::EqualsIgnoreCase(name, "by")) return SetNode(value, element.by_node);
  if (absl::EqualsIgnoreCase(name, "proto")) {
    if (!IsProto(value)) return "a protocol that is none";
    element.proto = absl::AsciiStrToLower(value);
  } else if (absl::EqualsIgnoreCase(name, "host")) {
    if (!IsHost(value)) return "a host that is none";
    element.host = value;
  }
  return nullptr;
}

// Takes a forwarded-element off the beginning, up to the comma or the end behind it. What is wrong,
// or null.
const char* TakeElement(std::string_view& rest, ForwardedElement& element) {
  std::array<std::string_view, kMaxForwardedParameters> names;
  std::size_t count = 0;
  std::string unquoted;
  for (;;) {
    SkipBlanks(rest);
    const std::string_view name = TakeToken(rest);
    if (!name.empty()) {
      const auto same = [name](std::string_view other) {
        return absl::EqualsIgnoreCase(name, other);
      };
      if (count == names.size()) return "too many parameters";
      if (std::any_of(names.begin(), names.begin() + count, same)) return "a parameter twice";
      names[count++] = name;

      if (!rest.starts_with('=')) return "no \"=\" behind a name";
      rest.remove_prefix(1);
      std::string_view value;
      if (rest.starts_with('"')) {
        if (!TakeQuoted(rest, unquoted)) return "a quoted string that does not end";
        value = unquoted;
      } else {
        value = TakeToken(rest);
        if (value.empty()) return "no value behind \"=\"";
      }
      if (const char* wrong = SetParameter(name, value, element)) return wrong;
      SkipBlanks(rest);
    }
    if (rest.empty() || rest[0] == ',') return nullptr;
    if (rest[0] != ';') return "a character that does not belong there";
    rest.remove_prefix(1);
  }
}

// The items of a list over all lines of a field, the last one first. An item that was well formed
// when it was added is found whatever stands to the left of it: nothing there can quote it away.
class ItemsFromTheRight {
 public:
  enum class Result { kItem, kEnd, kBad };

  ItemsFromTheRight(std::span<const std::string_view> lines, bool quotes)
      : lines_(lines), quotes_(quotes) {}

  // The next one to the left that is not empty, without blanks around it. kBad for a quoted string
  // without a beginning.
  Result Next(std::string_view* item) {
    for (;;) {
      if (rest_.empty()) {
        if (lines_.empty()) return Result::kEnd;
        rest_ = lines_.back();
        lines_ = lines_.first(lines_.size() - 1);
        continue;
      }
      const std::size_t begin = LastBegin();
      if (begin == std::string_view::npos) return Result::kBad;
      *item = Trimmed(rest_.substr(begin));
      rest_ = rest_.substr(0, begin == 0 ? 0 : begin - 1);
      if (!item->empty()) return Result::kItem;
    }
  }

 private:
  // Where the last item begins: behind the last comma that is not in a quoted string.
  std::size_t LastBegin() const {
    std::size_t at = rest_.size();
    while (at > 0 && rest_[at - 1] != ',') {
      --at;
      if (!quotes_ || rest_[at] != '"') continue;
      do {
        if (at == 0) return std::string_view::npos;
        --at;
      } while (rest_[at] != '"' || IsEscaped(at));
    }
    return at;
  }

  bool IsEscaped(std::size_t at) const {
    std::size_t begin = at;
    while (begin > 0 && rest_[begin - 1] == '\\') --begin;
    return (at - begin) % 2 == 1;
  }

  std::span<const std::string_view> lines_;
  std::string_view rest_;
  const bool quotes_;
};

using Result = ItemsFromTheRight::Result;

// As ParseForwardedNode, and IPv6 without brackets.
std::optional<ForwardedNode> ParseXForwardedNode(std::string_view text) {
  std::optional<net::Address> ip = ParseIp(text);
  if (!ip) return ParseForwardedNode(text);
  ForwardedNode node;
  node.kind = ForwardedNode::Kind::kAddress;
  node.address = *std::move(ip);
  return node;
}

// Walks from the peer over trusted proxies. `next(client)` reads what the next one tells, and gives
// where it had the request from; no value at the end of the list.
enum class Told { kNode, kEnd, kBad };

template <typename Next>
ForwardedClient Walk(const net::Address& peer, const NetworkSet& trusted, std::size_t max_hops,
                     Next next) {
  ForwardedClient client;
  client.address = peer.Unmapped();
  while (trusted.Contains(client.address)) {
    ForwardedNode node;
    const Told told = client.hops < max_hops ? next(client, node) : Told::kBad;
    if (told == Told::kEnd) break;
    if (told == Told::kBad || node.kind != ForwardedNode::Kind::kAddress) {
      client.complete = false;
      break;
    }
    client.address = node.address.Unmapped();
    ++client.hops;
  }
  return client;
}

}  // namespace

std::optional<ForwardedNode> ParseForwardedNode(std::string_view text) {
  // Where the name ends and the port begins, if there is one.
  std::size_t end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[')) {
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
  }
  const std::string_view name = text.substr(0, end);
  std::optional<std::uint16_t> port;
  ForwardedNode node;
  if (name.size() < text.size()) {
    if (text[name.size()] != ':') return std::nullopt;
    const std::string_view port_text = text.substr(name.size() + 1);
    port = ParsePort(port_text);
    if (!port && !IsObfuscated(port_text)) return std::nullopt;
    if (!port) node.obfuscated_port = port_text;
  }

  if (absl::EqualsIgnoreCase(name, "unknown")) {
    node.kind = ForwardedNode::Kind::kUnknown;
  } else if (IsObfuscated(name)) {
    node.kind = ForwardedNode::Kind::kObfuscated;
    node.name = name;
  } else {
    const bool brackets = name.starts_with('[');
    const std::optional<net::Address> ip =
        ParseIp(brackets ? name.substr(1, name.size() - 2) : name);
    if (!ip || brackets != (ip->family() == net::Address::Family::kIpv6)) return std::nullopt;
    node.kind = ForwardedNode::Kind::kAddress;
    node.address = WithPort(*ip, port.value_or(0));
  }
  return node;
}

absl::StatusOr<std::vector<ForwardedElement>> ParseForwarded(
    std::span<const std::string_view> lines) {
  std::vector<ForwardedElement> elements;
  for (const std::string_view line : lines) {
    std::string_view rest = line;
    for (;;) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t,"), rest.size()));
      if (rest.empty()) break;
      if (elements.size() == kMaxForwardedElements) {
        return absl::ResourceExhaustedError(
            absl::StrCat("Forwarded: more than ", kMaxForwardedElements, " elements"));
      }
      if (const char* wrong = TakeElement(rest, elements.emplace_back())) {
        constexpr std::size_t kShown = 80;
        return absl::InvalidArgumentError(absl::StrCat(
            "Forwarded: ", wrong, " before \"", absl::CHexEscape(rest.substr(0, kShown)), "\""));
      }
    }
  }
  return elements;
}

ForwardedClient ClientOf(const net::Address& peer, const NetworkSet& trusted,
                         const ForwardedLines& lines, std::size_t max_hops) {
  ItemsFromTheRight items(lines.values, /*quotes=*/true);
  return Walk(peer, trusted, max_hops, [&items](ForwardedClient& client, ForwardedNode& node) {
    std::string_view item;
    const Result result = items.Next(&item);
    if (result == Result::kEnd) return Told::kEnd;
    ForwardedElement element;
    if (result == Result::kBad || TakeElement(item, element) || !item.empty()) return Told::kBad;
    client.proto = std::move(element.proto);
    client.host = std::move(element.host);
    node = std::move(element.for_node);
    return Told::kNode;
  });
}

ForwardedClient ClientOf(const net::Address& peer, const NetworkSet& trusted,
                         const XForwardedLines& lines, std::size_t max_hops) {
  ItemsFromTheRight fors(lines.for_values, /*quotes=*/false);
  ItemsFromTheRight protos(lines.proto_values, /*quotes=*/false);
  ItemsFromTheRight hosts(lines.host_values, /*quotes=*/false);
  return Walk(peer, trusted, max_hops, [&](ForwardedClient& client, ForwardedNode& node) {
    std::string_view item;
    if (protos.Next(&item) == Result::kItem) {
      client.proto = IsProto(item) ? absl::AsciiStrToLower(item) : "";
    }
    if (hosts.Next(&item) == Result::kItem) client.host = IsHost(item) ? item : "";
    if (fors.Next(&item) == Result::kEnd) return Told::kEnd;
    std::optional<ForwardedNode> parsed = ParseXForwardedNode(item);
    if (!parsed) return Told::kBad;
    node = *std::move(parsed);
    return Told::kNode;
  });
}

}  // namespace strata::http
