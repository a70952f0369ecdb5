// Tokens, quoted strings, parameters, weights, lists.

#include <algorithm>
#include <cstdint>

#include "strata/http/field_syntax_internal.h"
#include "strata/http/scan_internal.h"
#include "strata/http/text.h"
#include "strata/http/uri.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

// attr-char, and "%" (RFC 8187 section 3.2.1).
bool IsExtendedChar(char c) { return IsOf(kTokenByte, c) && c != '*' && c != '\''; }

// The next character that a value means.
char TakeMeant(std::string_view& value) {
  if (value.front() == '\\' && value.size() > 1) value.remove_prefix(1);
  const char c = value.front();
  value.remove_prefix(1);
  return c;
}

}  // namespace

bool FieldParameter::Named(std::string_view other) const { return EqualsIgnoreCase(name, other); }

std::string UnquoteFieldValue(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  while (!value.empty()) text += TakeMeant(value);
  return text;
}

bool SameFieldValue(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const char of_a = TakeMeant(a);
    const char of_b = TakeMeant(b);
    if (!EqualsIgnoreCase({&of_a, 1}, {&of_b, 1})) return false;
  }
  return a.empty() && b.empty();
}

std::optional<std::string> DecodeExtendedValue(std::string_view value) {
  const std::size_t charset_end = value.find('\'');
  const std::size_t language_end = value.find('\'', charset_end + 1);
  if (charset_end == std::string_view::npos || language_end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view charset = value.substr(0, charset_end);
  value.remove_prefix(language_end + 1);
  const bool is_utf8 = EqualsIgnoreCase(charset, "UTF-8");
  if (!is_utf8 && !EqualsIgnoreCase(charset, "ISO-8859-1")) return std::nullopt;

  if (!std::all_of(value.begin(), value.end(), IsExtendedChar)) return std::nullopt;

  std::string storage(value.size(), '\0');
  const Decoded decoded = PercentDecode(value, storage);
  if (!decoded.ok()) return std::nullopt;
  if (is_utf8)
    return IsUtf8(decoded.text) ? std::optional<std::string>(decoded.text) : std::nullopt;
  std::string text;
  for (const char c : decoded.text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::optional<int> ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  if (weight > 1000) return std::nullopt;
  return weight;
}

bool FieldReader::Skip(char c) {
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

void FieldReader::SkipBlanks() {
  while (Skip(' ') || Skip('\t')) {
  }
}

std::string_view FieldReader::Token() {
  const char* const begin = rest_.data();
  const char* const end = FindEndOf(kTokenByte, begin, begin + rest_.size());
  const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - begin));
  rest_.remove_prefix(token.size());
  return token;
}

bool FieldReader::QuotedString(std::string_view* value) {
  Skip('"');
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      *value = rest_.substr(0, i);
      rest_.remove_prefix(i + 1);
      return true;
    }
    if (rest_[i] == '\\' && ++i == rest_.size()) return false;
    // qdtext and what may follow a backslash are the bytes of a field's value (section 5.6.4).
    if (!IsOf(kValueByte, rest_[i])) return false;
  }
  return false;
}

bool FieldReader::Value(std::string_view* value, bool* quoted) {
  *quoted = rest_.starts_with('"');
  if (*quoted) return QuotedString(value);
  *value = Token();
  return !value->empty();
}

bool FieldReader::Weight(int* weight) {
  *weight = 1000;
  SkipBlanks();
  if (!Skip(';')) return true;
  SkipBlanks();
  if ((!Skip('q') && !Skip('Q')) || !Skip('=')) return false;
  const std::optional<int> parsed = ParseWeight(Token());
  *weight = parsed.value_or(0);
  return parsed.has_value();
}

FieldReader::Next FieldReader::Parameter(FieldParameter* parameter) {
  for (;;) {
    SkipBlanks();
    if (!Skip(';')) return Next::kNone;
    SkipBlanks();
    parameter->name = Token();
    if (parameter->name.empty()) continue;
    if (!Skip('=')) return Next::kBad;
    return Value(&parameter->value, &parameter->quoted) ? Next::kFound : Next::kBad;
  }
}

FieldReader::Next FieldReader::Element() {
  SkipBlanks();
  if (in_list_ && !AtEnd() && !rest_.starts_with(',')) return Next::kBad;
  in_list_ = true;
  while (Skip(',')) SkipBlanks();
  return AtEnd() ? Next::kNone : Next::kFound;
}

}  // namespace strata::http
