// The model.

#include "strata/http/testing/model.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <vector>

#include "strata/http/testing/wire_text.h"

namespace strata::http::testing {
namespace {

using std::literals::operator""sv;

constexpr auto kNone = std::string_view::npos;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHex = "0123456789abcdefABCDEF";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kTokens =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kTargets =
    "!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
constexpr std::string_view kRegNames =
    "-._~!$&'()*+,;=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kControls =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
    "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"sv;

bool IsMadeOf(std::string_view text, std::string_view set) {
  return text.find_first_not_of(set) == kNone;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == kNone) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> Split(std::string_view text, std::string_view by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == kNone) return parts;
    text.remove_prefix(at + by.size());
  }
}

// Without quoted strings: no list that the parser itself reads has them, but for bad ones.
std::vector<std::string> List(const std::vector<std::string>& values) {
  std::vector<std::string> elements;
  for (const std::string& value : values) {
    bool quoted = false;
    std::string element;
    for (std::size_t i = 0; i <= value.size(); ++i) {
      if (i == value.size() || (value[i] == ',' && !quoted)) {
        if (const std::string_view trimmed = Trim(element); !trimmed.empty()) {
          elements.emplace_back(trimmed);
        }
        element.clear();
        continue;
      }
      if (value[i] == '"') quoted = !quoted;
      element += value[i];
      if (quoted && value[i] == '\\' && i + 1 < value.size()) element += value[++i];
    }
  }
  return elements;
}

struct Result {
  std::string error;
  std::string text;
};

// The error at a byte where a part ends but should not, in a line that ends with LF.
std::string EndError(std::string_view line, std::size_t at, const char* complete,
                     const char* otherwise) {
  const std::string_view rest = line.substr(at);
  if (rest == "\n") return "kBareLf";
  if (rest == "\r\n") return complete;
  return rest[0] == '\r' ? "kBareCr" : otherwise;
}

bool IsIpv4(std::string_view text) {
  const auto parts = Split(text, ".");
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.size() <= 3 && IsMadeOf(part, kDigits) &&
                  (part.size() == 1 || part[0] != '0') && std::stoi(std::string(part)) <= 255;
         });
}

// The number of 16-bit groups in a list of them, or nothing if it is bad.
std::optional<std::size_t> CountGroups(std::string_view text, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  std::size_t count = 0;
  const auto groups = Split(text, ":");
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (may_end_in_ipv4 && i + 1 == groups.size() && IsIpv4(groups[i])) {
      count += 2;
    } else if (groups[i].empty() || groups[i].size() > 4 || !IsMadeOf(groups[i], kHex)) {
      return std::nullopt;
    } else {
      ++count;
    }
  }
  return count;
}

bool IsIpv6(std::string_view text) {
  const auto halves = Split(text, "::");
  if (halves.size() == 1) return CountGroups(text, true) == 8;
  if (halves.size() != 2) return false;
  const auto before = CountGroups(halves[0], false);
  const auto after = CountGroups(halves[1], true);
  return before && after && *before + *after <= 7;
}

struct HostAndPort {
  std::string host;
  std::string port;  // In decimal without leading zeros, or empty.
};

std::optional<HostAndPort> ParseHost(std::string_view text) {
  HostAndPort parsed;
  std::size_t end;
  if (text.starts_with("[")) {
    end = text.find(']');
    if (end == kNone) return std::nullopt;
    ++end;
    const std::string_view inner = text.substr(1, end - 2);
    const auto future = Split(inner, ".");
    const bool is_future =
        future.size() >= 2 && future[0].size() >= 2 && Lower(future[0])[0] == 'v' &&
        IsMadeOf(future[0].substr(1), kHex) && inner.size() > future[0].size() + 1 &&
        IsMadeOf(inner.substr(future[0].size() + 1), std::string(kRegNames) + ":");
    if (!IsIpv6(inner) && !is_future) return std::nullopt;
  } else {
    end = std::min(text.find(':'), text.size());
    std::string name(text.substr(0, end));
    for (std::size_t at; (at = name.find('%')) != std::string::npos;) {
      if (name.size() < at + 3 || !IsMadeOf(name.substr(at + 1, 2), kHex)) return std::nullopt;
      name.erase(at, 3);
    }
    if (!IsMadeOf(name, kRegNames)) return std::nullopt;
  }
  parsed.host = text.substr(0, end);
  const std::string_view rest = text.substr(end);
  if (rest.empty()) return parsed;
  if (rest[0] != ':' || !IsMadeOf(rest.substr(1), kDigits)) return std::nullopt;
  std::string digits(rest.substr(1));
  if (digits.empty()) return parsed;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits.size() > 5 || std::stol(digits) > 65535) return std::nullopt;
  parsed.port = digits;
  return parsed;
}

// One request head.
class Model {
 public:
  Model(std::string_view bytes, const ParserLimits& limits) : bytes_(bytes), limits_(limits) {}

  std::string Run() {
    std::string error = Parse();
    if (error == "incomplete") return "incomplete\n";
    return error.empty() ? Text() : "error " + error + "\n";
  }

 private:
  // The next line with its LF, or none; `limit` is what it may have.
  std::string_view Line(std::size_t limit) const {
    const std::size_t lf = bytes_.substr(0, limit).find('\n');
    return lf == kNone ? std::string_view() : bytes_.substr(0, lf + 1);
  }

  std::string Parse() {
    for (std::size_t empty_lines = 0;; ++empty_lines) {
      if (bytes_.empty()) return "incomplete";
      if (!IsMadeOf(bytes_.substr(0, 1), std::string(kTokens) + "\r\n")) return "kBadMethod";
      const std::string_view line = Line(limits_.max_start_line_bytes);
      if (line.empty()) {
        if (bytes_.size() < limits_.max_start_line_bytes) return "incomplete";
        return IsMadeOf(bytes_.substr(0, limits_.max_start_line_bytes), kTokens)
                   ? "kBadMethod"
                   : "kStartLineTooLong";
      }
      bytes_.remove_prefix(line.size());
      if (line != "\r\n") {
        if (std::string error = ParseRequestLine(line); !error.empty()) return error;
        break;
      }
      if (empty_lines == limits_.max_empty_lines) return "kTooManyEmptyLines";
    }
    std::size_t room = limits_.max_field_bytes;
    for (bool first = true;; first = false) {
      const std::string_view line = Line(room);
      if (line.empty()) return bytes_.size() < room ? "incomplete" : "kFieldsTooLarge";
      bytes_.remove_prefix(line.size());
      room -= line.size();
      if (line == "\r\n") return Finish();
      if (std::string error = ParseField(line, first); !error.empty()) return error;
    }
  }

  std::string ParseRequestLine(std::string_view line) {
    std::size_t at = line.find_first_not_of(kTokens);
    if (at == 0 || line[at] != ' ') return EndError(line, at, "kBadRequestLine", "kBadMethod");
    method_ = line.substr(0, at);
    const std::size_t target = at + 1;
    at = line.find_first_not_of(kTargets, target);
    if (line[at] == '#') return "kFragmentInTarget";
    if (line[at] != ' ') return EndError(line, at, "kBadRequestLine", "kBadTarget");
    if (at == target) return "kBadRequestLine";
    target_ = line.substr(target, at - target);
    const std::string_view version =
        line.substr(at + 1, line.find_first_of(" \r\n", at + 1) - at - 1);
    const std::string_view end = line.substr(at + 1 + version.size());
    if (end[0] == ' ') return "kBadRequestLine";
    if (version.size() != 8 || version.substr(0, 5) != "HTTP/" ||
        !IsMadeOf(version.substr(5, 1), kDigits) || version[6] != '.' ||
        !IsMadeOf(version.substr(7), kDigits)) {
      return "kBadVersion";
    }
    if (end != "\r\n") return end[0] == '\r' ? "kBareCr" : "kBareLf";
    if (version[5] != '1') return "kUnsupportedVersion";
    minor_ = version[7] - '0';
    return ParseTarget();
  }

  std::string ParseTarget() {
    std::string_view rest = target_;
    if (method_ == "CONNECT") {
      if (rest[0] == '/' || rest == "*") return "kBadTargetForm";
      const auto parsed = ParseHost(rest);
      if (!parsed || parsed->host.empty() || parsed->port.empty() || parsed->port == "0") {
        return "kBadTargetAuthority";
      }
      form_ = " authority";
      from_target_ = *parsed;
      return "";
    }
    if (rest == "*") {
      form_ = " asterisk";
      return method_ == "OPTIONS" ? "" : "kBadTargetForm";
    }
    if (rest[0] != '/') {
      const std::size_t colon = rest.find("://");
      if (colon == kNone || colon == 0 || !IsMadeOf(rest.substr(0, 1), kLetters) ||
          !IsMadeOf(rest.substr(0, colon), std::string(kLetters) + std::string(kDigits) + "+-.")) {
        return "kBadTargetForm";
      }
      form_ = " absolute";
      scheme_ = rest.substr(0, colon);
      rest.remove_prefix(colon + 3);
      const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
      rest.remove_prefix(authority.size());
      const auto parsed = ParseHost(authority);
      if (!parsed || parsed->host.empty()) return "kBadTargetAuthority";
      from_target_ = *parsed;
      if (rest.empty() && method_ == "OPTIONS") {
        form_ = " asterisk";
        return "";
      }
      if (rest.empty() || rest[0] == '?') path_ = "/";
    }
    const std::size_t query = rest.find('?');
    if (path_.empty()) path_ = rest.substr(0, query);
    if (query != kNone) query_ = rest.substr(query + 1);
    return "";
  }

  std::string ParseField(std::string_view line, bool first) {
    if (line[0] == ' ' || line[0] == '\t') return first ? "kSpaceBeforeFirstField" : "kObsFold";
    std::size_t at = line.find_first_not_of(kTokens);
    if (line[at] != ':') {
      const std::size_t blanks = line.find_first_not_of(" \t", at);
      if (blanks != at && line[blanks] == ':' && at > 0) return "kSpaceBeforeColon";
      return EndError(line, at, "kMissingColon", "kBadFieldName");
    }
    if (at == 0) return "kEmptyFieldName";
    const std::string name(line.substr(0, at));
    const std::size_t end = line.find_first_of(kControls, at);
    if (line.substr(end) != "\r\n") {
      return EndError(line, end, "", "kControlByteInField");
    }
    const std::string value(Trim(line.substr(at + 1, end - at - 1)));
    if (fields_.size() == limits_.max_fields) return "kTooManyFields";
    fields_.push_back({name, value});
    return OnField(Lower(name), value);
  }

  std::string OnField(const std::string& name, const std::string& value) {
    if (name == "host") {
      if (host_) return "kDuplicateHost";
      host_ = ParseHost(value);
      if (!host_ || (host_->host.empty() && (minor_ > 0 || !value.empty()))) return "kBadHost";
    } else if (name == "content-length") {
      const std::string digits = value.substr(std::min(value.find_first_not_of('0'), value.size()));
      if (value.empty() || !IsMadeOf(value, kDigits) || digits.size() > 20 ||
          (digits.size() == 20 && digits > "18446744073709551615")) {
        return "kBadContentLength";
      }
      if (length_) {
        return *length_ == digits ? "kDuplicateContentLength" : "kConflictingContentLength";
      }
      if (!codings_.empty()) return "kContentLengthWithTransferEncoding";
      length_ = digits;
    } else if (name == "transfer-encoding") {
      if (minor_ == 0) return "kTransferEncodingInHttp10";
      if (length_) return "kContentLengthWithTransferEncoding";
      codings_.push_back(value);
    } else if (name == "connection") {
      for (const std::string& option : List({value})) connection_.push_back(Lower(option));
    } else if (name == "expect") {
      for (const std::string& expectation : List({value})) {
        if (Lower(expectation) != "100-continue") return "kUnsupportedExpectation";
        expect_ = true;
      }
    } else if (name == "upgrade") {
      upgrade_ = true;
    }
    return "";
  }

  bool HasOption(const char* option) const {
    return std::find(connection_.begin(), connection_.end(), option) != connection_.end();
  }

  std::string Finish() {
    if (minor_ > 0 && !host_) return "kMissingHost";
    if (!codings_.empty()) {
      std::vector<std::string> names;
      for (const std::string& coding : List(codings_)) {
        const std::string name = Lower(Trim(coding.substr(0, coding.find(';'))));
        if (name.empty() || !IsMadeOf(name, kTokens)) return "kBadTransferEncoding";
        if (name == "chunked" && coding.size() != name.size()) return "kBadTransferEncoding";
        if (name == "chunked" && std::count(names.begin(), names.end(), name) > 0) {
          return "kChunkedRepeated";
        }
        names.push_back(name);
      }
      if (names.empty()) return "kBadTransferEncoding";
      if (names.back() != "chunked") return "kChunkedNotLast";
      if (names.size() > 1) return "kUnknownTransferCoding";
    }
    const bool has_body = !codings_.empty() || (length_ && !length_->empty());
    upgrade_ = upgrade_ && minor_ > 0 && HasOption("upgrade");
    expect_ = expect_ && minor_ > 0 && has_body;
    if (has_body && upgrade_) return "kUpgradeWithBody";
    if (has_body && method_ == "CONNECT") return "kConnectWithBody";
    if (length_ && !length_->empty() && std::stoull(*length_) > limits_.max_body_bytes) {
      return "kBodyTooLarge";
    }
    return "";
  }

  std::string Text() const {
    std::string text = "request " + Escape(method_) + " " + Escape(target_) + " 1." +
                       std::to_string(minor_) + form_;
    const HostAndPort host = !from_target_.host.empty() ? from_target_
                             : host_                    ? *host_
                                                        : HostAndPort();
    if (!scheme_.empty()) text += " scheme=" + scheme_;
    if (!host.host.empty()) text += " host=" + Escape(host.host);
    if (!host.port.empty()) text += " port=" + host.port;
    if (path_ != target_ && !path_.empty()) text += " path=" + Escape(path_);
    if (!query_.empty()) text += " query=" + Escape(query_);
    if (!codings_.empty()) text += " chunked";
    if (length_) text += " length=" + (length_->empty() ? "0" : *length_);
    const bool close = HasOption("close");
    if (!close && (minor_ > 0 || HasOption("keep-alive"))) text += " keep-alive";
    if (close) text += " close";
    if (expect_) text += " continue";
    if (upgrade_) text += " upgrade";
    text += "\n";
    for (const auto& [name, value] : fields_) {
      text += "field " + Escape(name) + ":" + (value.empty() ? "" : " " + Escape(value)) + "\n";
    }
    return text;
  }

  std::string_view bytes_;
  const ParserLimits& limits_;
  std::string method_, target_, form_, scheme_, path_, query_;
  int minor_ = 1;
  HostAndPort from_target_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::optional<HostAndPort> host_;
  std::optional<std::string> length_;  // Without leading zeros.
  std::vector<std::string> codings_;
  std::vector<std::string> connection_;
  bool expect_ = false;
  bool upgrade_ = false;
};

// The extensions of a chunk, taken off the front of `text`; false if they are bad there.
bool TakeExtensions(std::string_view& text) {
  const auto take = [&text](std::string_view set) {
    const std::string_view part = text.substr(0, text.find_first_not_of(set));
    text.remove_prefix(part.size());
    return part;
  };
  while (!text.empty()) {
    take(" \t");
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    take(" \t");
    if (take(kTokens).empty()) return false;
    const std::string_view before = text;
    take(" \t");
    if (!text.starts_with('=')) {
      text = before;
      continue;
    }
    text.remove_prefix(1);
    take(" \t");
    if (!text.starts_with('"')) {
      if (take(kTokens).empty()) return false;
      continue;
    }
    std::size_t end = 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    if (end >= text.size() || text.substr(0, end).find_first_of(kControls) != kNone) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

std::string ModelRequestHead(std::string_view bytes, const ParserLimits& limits) {
  return Model(bytes, limits).Run();
}

std::string ModelChunked(std::string_view bytes, const ParserLimits& limits) {
  std::string data;
  const auto answer = [&data](std::string_view text) {
    return "body \"" + Escape(data) + "\"\n" + std::string(text);
  };
  // Whole chunks, well-formed; all else is told apart no further than good, bad and incomplete.
  for (;;) {
    const std::size_t crlf = bytes.find("\r\n");
    if (crlf == kNone) return answer("incomplete or error\n");
    std::string_view line = bytes.substr(0, crlf);
    const std::string_view digits = line.substr(0, line.find_first_not_of(kHex));
    line.remove_prefix(digits.size());
    if (digits.empty() || digits.size() > 16 || line.size() > limits.max_chunk_extension_bytes ||
        !TakeExtensions(line)) {
      return answer("error\n");
    }
    const std::uint64_t size = std::stoull(std::string(digits), nullptr, 16);
    if (size > limits.max_body_bytes - data.size()) return answer("error\n");
    bytes.remove_prefix(crlf + 2);
    if (size == 0) break;
    data += bytes.substr(0, size);
    if (bytes.size() < size) return answer("incomplete or error\n");
    bytes.remove_prefix(size);
    if (bytes.size() < 2) return answer("incomplete or error\n");
    if (bytes.substr(0, 2) != "\r\n") return answer("error\n");
    bytes.remove_prefix(2);
  }
  if (!bytes.starts_with("\r\n")) return answer("trailers, or incomplete or error\n");
  bytes.remove_prefix(2);
  return answer(bytes.empty() ? "" : "rest \"" + Escape(bytes) + "\"\n");
}

}  // namespace strata::http::testing
