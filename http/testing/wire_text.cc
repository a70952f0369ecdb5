// The escapes.

#include "strata/http/testing/wire_text.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace strata::http::testing {
namespace {

constexpr std::size_t kShortestRun = 32;

[[noreturn]] void Fail(std::string_view text) {
  std::fprintf(stderr, "not escaped as in wire_text.h: %.*s\n", static_cast<int>(text.size()),
               text.data());
  std::abort();
}

std::string EscapeByte(char c) {
  switch (c) {
    case '\\':
      return "\\\\";
    case '\r':
      return "\\r";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    default:
      break;
  }
  if (c >= ' ' && c <= '~') return std::string(1, c);
  char hex[5];
  std::snprintf(hex, sizeof(hex), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return hex;
}

}  // namespace

std::string Unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) Fail(text);
    switch (text[i]) {
      case '\\':
        bytes += '\\';
        break;
      case 'r':
        bytes += '\r';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 't':
        bytes += '\t';
        break;
      case 'x': {
        if (text.size() - i < 3) Fail(text);
        const std::string hex(text.substr(i + 1, 2));
        char* end;
        bytes += static_cast<char>(std::strtoul(hex.c_str(), &end, 16));
        if (*end != '\0') Fail(text);
        i += 2;
        break;
      }
      case '(': {
        const std::size_t star = text.find('*', i);
        const std::size_t close = text.find(')', i);
        if (star == std::string_view::npos || close == std::string_view::npos) Fail(text);
        const std::string count(text.substr(i + 1, star - i - 1));
        const std::string part = Unescape(text.substr(star + 1, close - star - 1));
        for (int left = std::atoi(count.c_str()); left > 0; --left) bytes += part;
        i = close;
        break;
      }
      default:
        Fail(text);
    }
  }
  return bytes;
}

std::string Escape(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    std::size_t end = i + 1;
    while (end < bytes.size() && bytes[end] == bytes[i]) ++end;
    // What ends a repetition stays out of it.
    if (end - i >= kShortestRun && bytes[i] != ')') {
      text += "\\(" + std::to_string(end - i) + "*" + EscapeByte(bytes[i]) + ")";
      i = end;
    } else {
      text += EscapeByte(bytes[i++]);
    }
  }
  if (text.ends_with(' ')) text.replace(text.size() - 1, 1, "\\x20");
  return text;
}

}  // namespace strata::http::testing
