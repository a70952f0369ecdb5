// The grammar of hosts and ports.

#include <cstddef>

#include "strata/http/authority_internal.h"
#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// reg-name = *( unreserved / pct-encoded / sub-delims ). An IPv4address is one of these. Returns
// how much of the text is one.
std::size_t RegNameSize(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    at = FindEndOf(kNameByte, at, end);
    if (end - at < 3 || *at != '%') break;
    if (!IsOf(kHexByte, at[1]) || !IsOf(kHexByte, at[2])) break;
    at += 3;
  }
  return static_cast<std::size_t>(at - text.data());
}

// Four numbers from 0 to 255, without leading zeros.
bool IsIpv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    std::size_t size = 0;
    int number = 0;
    while (size < text.size() && size < 3 && IsDigit(text[size])) {
      number = number * 10 + (text[size++] - '0');
    }
    if (size == 0 || number > 255 || (size > 1 && text[0] == '0')) return false;
    text.remove_prefix(size);
    if (part == 3) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

// Eight groups of one to four hexadecimal digits; a run of zeros may be "::", once; the last two
// may be an IPv4 address.
bool IsIpv6(std::string_view text) {
  int groups = 0;
  bool shortened = false;
  if (text.starts_with("::")) {
    shortened = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  for (;;) {
    std::size_t size = 0;
    while (size < text.size() && IsOf(kHexByte, text[size])) ++size;
    if (size < text.size() && text[size] == '.') {
      groups += 2;
      if (!IsIpv4(text)) return false;
      break;
    }
    if (size == 0 || size > 4 || ++groups > 8) return false;
    text.remove_prefix(size);
    if (text.empty()) break;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (shortened) return false;
      shortened = true;
      text.remove_prefix(1);
      if (text.empty()) break;
    }
  }
  return shortened ? groups <= 7 : groups == 8;
}

// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
bool IsIpFuture(std::string_view text) {
  if (text.empty() || (text[0] | 0x20) != 'v') return false;
  std::size_t i = 1;
  while (i < text.size() && IsOf(kHexByte, text[i])) ++i;
  if (i == 1 || i >= text.size() || text[i] != '.' || i + 1 == text.size()) return false;
  while (++i < text.size()) {
    if (!IsOf(kNameByte, text[i]) && text[i] != ':') return false;
  }
  return true;
}

// *DIGIT, at most 65535.
bool ParsePort(std::string_view text, std::optional<std::uint16_t>* port) {
  std::uint32_t number = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
    if (number > 65535) return false;
  }
  if (!text.empty()) *port = static_cast<std::uint16_t>(number);
  return true;
}

}  // namespace

bool ParseAuthority(std::string_view text, Authority* authority) {
  *authority = Authority();
  std::size_t host_size;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, close - 1);
    if (!IsIpv6(literal) && !IsIpFuture(literal)) return false;
    host_size = close + 1;
  } else {
    host_size = RegNameSize(text);
  }
  authority->host = text.substr(0, host_size);
  text.remove_prefix(host_size);
  if (text.empty()) return true;
  return text[0] == ':' && ParsePort(text.substr(1), &authority->port);
}

}  // namespace strata::http
