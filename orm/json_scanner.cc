// Tokens of JSON.

#include <cstring>

#include "strata/orm/json_scanner_internal.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm::internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(unsigned code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out->push_back(static_cast<char>(0xc0 | code >> 6));
  } else {
    if (code < 0x10000) {
      out->push_back(static_cast<char>(0xe0 | code >> 12));
    } else {
      out->push_back(static_cast<char>(0xf0 | code >> 18));
      out->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    }
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
  }
  out->push_back(static_cast<char>(0x80 | (code & 0x3f)));
}

}  // namespace

bool JsonScanner::HexDigits(unsigned* value) {
  if (end_ - at_ < 4) return Fail("\\u without four digits");
  *value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = *at_;
    const char letter = static_cast<char>(c | 0x20);
    if (IsDigit(c)) {
      *value = *value << 4 | static_cast<unsigned>(c - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      *value = *value << 4 | static_cast<unsigned>(letter - 'a' + 10);
    } else {
      return Fail("\\u without four digits");
    }
  }
  return true;
}

// After "\u".
bool JsonScanner::UnicodeEscape(std::string* out) {
  unsigned code;
  if (!HexDigits(&code)) return false;
  if (code >= 0xdc00 && code <= 0xdfff) return Fail("half of a surrogate pair");
  if (code >= 0xd800 && code <= 0xdbff) {
    unsigned low;
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return Fail("half of a surrogate pair");
    at_ += 2;
    if (!HexDigits(&low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return Fail("half of a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
  }
  AppendUtf8(code, out);
  return true;
}

// After the backslash.
bool JsonScanner::Unescape(std::string* out) {
  if (at_ == end_) return Fail("the string does not end");
  const char c = *at_++;
  switch (c) {
    case '"':
    case '\\':
    case '/':
      out->push_back(c);
      return true;
    case 'b':
      out->push_back('\b');
      return true;
    case 'f':
      out->push_back('\f');
      return true;
    case 'n':
      out->push_back('\n');
      return true;
    case 'r':
      out->push_back('\r');
      return true;
    case 't':
      out->push_back('\t');
      return true;
    case 'u':
      return UnicodeEscape(out);
    default:
      --at_;
      return Fail("no such escape");
  }
}

bool JsonScanner::String(std::string_view* text, std::string* scratch) {
  if (!Take('"')) return Fail("no string");
  const char* start = at_;
  bool ascii = true;
  at_ = FindStringStop(at_, end_, &ascii);
  if (at_ < end_ && *at_ == '"') [[likely]] {
    *text = std::string_view(start, static_cast<std::size_t>(at_ - start));
  } else {
    scratch->assign(start, at_);
    while (true) {
      if (at_ == end_) return Fail("the string does not end");
      const char stop = *at_;
      if (stop == '"') break;
      if (stop != '\\') return Fail("a control character in a string");
      ++at_;
      if (!Unescape(scratch)) return false;
      const char* from = at_;
      at_ = FindStringStop(at_, end_, &ascii);
      scratch->append(from, at_);
    }
    *text = *scratch;
  }
  if (!ascii && !IsUtf8(std::string_view(start, static_cast<std::size_t>(at_ - start)))) {
    return Fail("a string that is no UTF-8");
  }
  ++at_;
  return true;
}

bool JsonScanner::Number(std::string_view* text, bool* integer) {
  Peek();
  const char* start = at_;
  *integer = true;
  const auto digits = [&] {
    const char* first = at_;
    while (at_ < end_ && IsDigit(*at_)) ++at_;
    return at_ > first;
  };
  if (at_ < end_ && *at_ == '-') ++at_;
  const bool zero = at_ < end_ && *at_ == '0';
  if (zero) {
    ++at_;
    if (at_ < end_ && IsDigit(*at_)) return Fail("a number with a 0 before it");
  } else if (!digits()) {
    return Fail(at_ == start ? "no value" : "a sign without a number");
  }
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    *integer = false;
    if (!digits()) return Fail("a point without decimals");
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    *integer = false;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return Fail("an exponent without digits");
  }
  *text = std::string_view(start, static_cast<std::size_t>(at_ - start));
  return true;
}

bool JsonScanner::Literal(std::string_view word) {
  Peek();
  if (static_cast<std::size_t>(end_ - at_) < word.size() ||
      std::memcmp(at_, word.data(), word.size()) != 0) {
    return Fail("no value");
  }
  at_ += word.size();
  return true;
}

bool JsonScanner::SkipMembers(bool is_object) {
  if (!Enter()) return false;
  bool first = true;
  while (Next(is_object ? '}' : ']', &first)) {
    std::string_view key;
    if (is_object && (!String(&key, &scratch_) || !Expect(':', "no : after a key"))) return false;
    if (!SkipValue()) return false;
  }
  Leave();
  return reason_ == nullptr;
}

bool JsonScanner::SkipValue() {
  std::string_view text;
  bool integer;
  switch (Peek()) {
    case '{':
      ++at_;
      return SkipMembers(true);
    case '[':
      ++at_;
      return SkipMembers(false);
    case '"':
      return String(&text, &scratch_);
    case 't':
      return Literal("true");
    case 'f':
      return Literal("false");
    case 'n':
      return Literal("null");
    default:
      return Number(&text, &integer);
  }
}

bool JsonScanner::Skip(std::string_view* text) {
  Peek();
  const char* start = at_;
  if (!SkipValue()) return false;
  *text = std::string_view(start, static_cast<std::size_t>(at_ - start));
  return true;
}

}  // namespace strata::orm::internal
