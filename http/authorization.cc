#include "strata/http/authorization.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// RFC 9110 section 11.2.
bool IsToken68(std::string_view text) {
  const std::size_t end = text.find_last_not_of('=');
  if (end == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end) + 1, [](char c) {
    return IsAlnum(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

void SkipWhitespace(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// A quoted-string at the front of `text` (RFC 9110 section 5.6.4); false if there is none.
bool TakeQuoted(std::string_view& text, std::string& out) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\' && ++i == text.size()) return false;
    if (IsControl(text[i]) && text[i] != '\t') return false;
    out.push_back(text[i]);
  }
  return false;
}

}  // namespace

absl::StatusOr<Authorization> Authorization::Parse(std::string_view value) {
  Authorization result;
  const std::size_t space = std::min(value.find(' '), value.size());
  result.scheme_ = value.substr(0, space);
  std::string_view rest = value.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (!IsToken(result.scheme_)) return absl::InvalidArgumentError("no scheme");
  if (rest.empty()) return result;
  if (IsToken68(rest)) {
    result.token68_ = rest;
  } else if (!result.ParseParams(rest)) {
    return absl::InvalidArgumentError("neither a token nor parameters");
  }
  return result;
}

// Empty elements of the list are passed over (RFC 9110 section 5.6.1.2).
bool Authorization::ParseParams(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(", \t"), text.size()));
    if (text.empty()) return !params_.empty();
    const std::size_t name_end = std::min(text.find_first_of("= \t"), text.size());
    const std::string_view name = text.substr(0, name_end);
    if (!IsToken(name) || param(name) || params_.size() == kMaxAuthorizationParams) return false;
    text.remove_prefix(name_end);
    SkipWhitespace(text);
    if (!text.starts_with('=')) return false;
    text.remove_prefix(1);
    SkipWhitespace(text);
    std::string value;
    if (text.starts_with('"')) {
      if (!TakeQuoted(text, value)) return false;
    } else {
      const std::string_view token = text.substr(0, text.find_first_of(", \t"));
      if (!IsToken(token)) return false;
      value = token;
      text.remove_prefix(token.size());
    }
    params_.emplace_back(name, std::move(value));
    SkipWhitespace(text);
    if (!text.empty() && !text.starts_with(',')) return false;
  }
}

bool Authorization::Is(std::string_view scheme) const { return EqualsIgnoreCase(scheme_, scheme); }

std::optional<std::string_view> Authorization::param(std::string_view name) const {
  for (const auto& [own, value] : params_) {
    if (EqualsIgnoreCase(own, name)) return value;
  }
  return std::nullopt;
}

std::optional<BasicCredentials> ParseBasicToken(std::string_view token68) {
  std::string text;
  // Padded, and without the white space that Base64Unescape() passes over.
  if (token68.size() % 4 != 0 || !IsToken68(token68)) return std::nullopt;
  if (!absl::Base64Unescape(token68, &text)) return std::nullopt;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || std::any_of(text.begin(), text.end(), IsControl)) {
    return std::nullopt;
  }
  return BasicCredentials{text.substr(0, colon), text.substr(colon + 1)};
}

std::string QuotedString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

}  // namespace strata::http
