// The request line, and what a server's fields mean.

#include "strata/http/request_parser.h"

#include <algorithm>
#include <cstring>

#include "strata/http/authority_internal.h"
#include "strata/http/framing_internal.h"
#include "strata/http/head_reader_internal.h"
#include "strata/http/scan_internal.h"
#include "strata/http/text.h"

namespace strata::http {

struct RequestParser::State {
  explicit State(std::size_t max_fields) : reader(max_fields) {}

  HeadReader reader;
  FramingFields framing;
  ConnectionOptions connection;
  std::size_t fields = 0;  // The offset of the first field line.
  std::size_t empty_lines = 0;
  bool has_host = false;
  bool expects_continue = false;
};

namespace {

// Those that OnField() knows.
constexpr FieldIdSet kAskedFields = SetOf(FieldId::kHost) | SetOf(FieldId::kContentLength) |
                                    SetOf(FieldId::kTransferEncoding) |
                                    SetOf(FieldId::kConnection) | SetOf(FieldId::kExpect);

std::string_view Between(const char* begin, const char* end) {
  return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

// The size of "http" in "http://...", or 0. Schemes: RFC 3986 section 3.1.
std::size_t SchemeSize(std::string_view target) {
  const std::size_t size = std::min(target.find("://"), target.size());
  if (size == target.size()) return 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = target[i];
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (!letter && (i == 0 || !(IsDigit(c) || c == '+' || c == '-' || c == '.'))) return 0;
  }
  return size;
}

}  // namespace

RequestParser::RequestParser(const ParserLimits& limits)
    : limits_(Bounded(limits)), state_(std::make_unique<State>(limits_.max_fields)) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

// Not the head, of which each member is set anew before it is complete.
void RequestParser::Reset() {
  State& state = *state_;
  state.reader.Reset();
  state.framing = FramingFields();
  state.connection = ConnectionOptions();
  state.empty_lines = 0;
  state.has_host = false;
  state.expects_continue = false;
  position_ = 0;
  error_ = ParseError::kNone;
  stage_ = Stage::kRequestLine;
}

ParseResult RequestParser::Fail(ParseError error, std::size_t offset) {
  error_ = error;
  position_ = offset;
  stage_ = Stage::kFailed;
  return ParseResult::kError;
}

ParseResult RequestParser::Parse(std::string_view bytes) {
  if (stage_ == Stage::kComplete) return ParseResult::kComplete;
  if (stage_ == Stage::kFailed) return ParseResult::kError;
  if (bytes.empty()) return ParseResult::kIncomplete;
  if (const char* const before = state_->reader.SetBytes(bytes)) Rebase(before, bytes.data());
  while (stage_ == Stage::kRequestLine) {
    const ParseResult result = ParseRequestLine();
    if (result != ParseResult::kComplete) return result;
  }
  return ParseFields();
}

void RequestParser::MoveTo(std::string_view bytes) {
  if (const char* const before = state_->reader.SetBytes(bytes)) {
    Rebase(before, bytes.data());
    head_.fields = state_->reader.fields();
  }
}

void RequestParser::Rebase(const char* from, const char* to) {
  if (stage_ == Stage::kRequestLine) return;
  http::Rebase(&head_.method_text, from, to);
  http::Rebase(&head_.target, from, to);
  if (head_.scheme.empty() && head_.form != TargetForm::kAuthority) {
    http::Rebase(&head_.authority, from, to);
    http::Rebase(&head_.host, from, to);
  }
  // All else is a part of the target, or static. It was right before and is again.
  (void)ParseTarget();
}

// Leaves the stage kRequestLine, or skips an empty line.
ParseResult RequestParser::ParseRequestLine() {
  HeadReader& reader = state_->reader;
  const std::size_t limit = reader.line() + limits_.max_start_line_bytes;
  if (!reader.MayBeComplete(limit)) return ParseResult::kIncomplete;
  const char* const end = reader.Clip(limit);
  const char* const line = reader.begin() + reader.line();

  const char* method_end = line;
  while (method_end != end && IsOf(kTokenByte, *method_end)) ++method_end;
  if (method_end == line || method_end == end || *method_end != ' ') return RejectRequestLine();
  const char* const target = method_end + 1;
  const char* const target_end = reader.scanner().find_target_end(target, end);
  constexpr std::string_view kVersion = " HTTP/1.";
  if (target_end == target || end - target_end < 11 ||
      std::memcmp(target_end, kVersion.data(), kVersion.size()) != 0 || !IsDigit(target_end[8]) ||
      target_end[9] != '\r' || target_end[10] != '\n') {
    return RejectRequestLine();
  }

  head_.method_text = Between(line, method_end);
  head_.method = ParseMethod(head_.method_text);
  head_.target = Between(target, target_end);
  head_.minor_version = static_cast<std::uint8_t>(target_end[8] - '0');
  head_.scheme = head_.authority = head_.host = head_.query = {};
  head_.port.reset();
  if (const ParseError error = ParseTarget(); error != ParseError::kNone) {
    return Fail(error, static_cast<std::size_t>(target - reader.begin()));
  }
  state_->fields = static_cast<std::size_t>(target_end + 11 - reader.begin());
  reader.SetLine(state_->fields);
  stage_ = Stage::kFields;
  return ParseResult::kComplete;
}

// Why the line did not parse: it is not complete, too long, empty, or wrong.
ParseResult RequestParser::RejectRequestLine() {
  HeadReader& reader = state_->reader;
  const char* const line = reader.begin() + reader.line();
  const std::size_t limit = reader.line() + limits_.max_start_line_bytes;
  const auto fail = [&](ParseError error, const char* at) {
    return Fail(error, static_cast<std::size_t>(at - reader.begin()));
  };

  if (reader.size() == reader.line()) return ParseResult::kIncomplete;
  // What does not begin as a request is not waited for: a TLS handshake has no LF for long.
  if (!IsOf(kTokenByte, *line) && *line != '\r' && *line != '\n') {
    return fail(ParseError::kBadMethod, line);
  }
  const char* const lf = reader.FindLf(limit);
  if (lf == nullptr) {
    if (reader.size() < limit) return ParseResult::kIncomplete;
    // It is the target that is too long, unless that has not begun (RFC 9112 section 3).
    const char* const clip = reader.Clip(limit);
    const bool in_method = FindEndOf(kTokenByte, line, clip) == clip;
    return Fail(in_method ? ParseError::kBadMethod : ParseError::kStartLineTooLong, limit);
  }
  if (lf - line == 1 && *line == '\r') {
    if (state_->empty_lines == limits_.max_empty_lines) {
      return fail(ParseError::kTooManyEmptyLines, line);
    }
    ++state_->empty_lines;
    reader.SetLine(reader.line() + 2);
    return ParseResult::kComplete;
  }

  // The leftmost thing decides. `at` is where a part ends by a byte that it cannot have.
  const auto fail_at = [&](const char* at, ParseError otherwise) {
    return fail(ErrorAt(at, lf, ParseError::kBadRequestLine, otherwise), at);
  };
  const char* at = line;
  while (IsOf(kTokenByte, *at)) ++at;
  if (*at != ' ') return fail_at(at, ParseError::kBadMethod);
  const char* const target = at + 1;
  at = reader.scanner().find_target_end(target, lf);
  if (*at == '#') return fail_at(at, ParseError::kFragmentInTarget);
  if (*at != ' ') return fail_at(at, ParseError::kBadTarget);
  if (at == target) return fail_at(at, ParseError::kBadRequestLine);
  const char* const version = at + 1;
  at = std::find_if(version, lf, [](char c) { return c == ' ' || c == '\r'; });
  if (*at == ' ') return fail(ParseError::kBadRequestLine, at);
  if (!IsVersion(Between(version, at))) return fail(ParseError::kBadVersion, version);
  if (at == lf || at + 1 != lf) return fail_at(at, ParseError::kBadVersion);
  return fail(ParseError::kUnsupportedVersion, version);
}

// RFC 9112 section 3.2.
ParseError RequestParser::ParseTarget() {
  const std::string_view target = head_.target;
  Authority authority;
  std::string_view rest = target;
  if (head_.method == Method::kConnect) {
    if (target[0] == '/' || target == "*") return ParseError::kBadTargetForm;
    // A port is needed, and 0 is none (RFC 9110 section 9.3.6).
    if (!ParseAuthority(target, &authority) || authority.host.empty() ||
        authority.port.value_or(0) == 0) {
      return ParseError::kBadTargetAuthority;
    }
    head_.form = TargetForm::kAuthority;
    head_.authority = target;
    rest = {};
  } else if (target[0] == '/') {
    head_.form = TargetForm::kOrigin;
  } else if (target == "*") {
    if (head_.method != Method::kOptions) return ParseError::kBadTargetForm;
    head_.form = TargetForm::kAsterisk;
    rest = {};
  } else {
    const std::size_t scheme_size = SchemeSize(target);
    if (scheme_size == 0) return ParseError::kBadTargetForm;
    head_.form = TargetForm::kAbsolute;
    head_.scheme = target.substr(0, scheme_size);
    rest.remove_prefix(scheme_size + 3);
    const std::size_t size = std::min(rest.find_first_of("/?"), rest.size());
    head_.authority = rest.substr(0, size);
    rest.remove_prefix(size);
    // An http URI has a host (RFC 9110 section 4.2.1), and no userinfo (section 4.2.4).
    if (!ParseAuthority(head_.authority, &authority) || authority.host.empty()) {
      return ParseError::kBadTargetAuthority;
    }
    // RFC 9112 section 3.2.4: this is how "*" is sent to a proxy.
    if (rest.empty() && head_.method == Method::kOptions) head_.form = TargetForm::kAsterisk;
  }
  if (!authority.host.empty()) {
    head_.host = authority.host;
    head_.port = authority.port;
  }
  const std::size_t query = rest.find('?');
  if (query != std::string_view::npos) {
    head_.query = rest.substr(query + 1);
    rest = rest.substr(0, query);
  }
  head_.path = rest.empty() && head_.form == TargetForm::kAbsolute ? "/" : rest;
  return ParseError::kNone;
}

ParseResult RequestParser::ParseFields() {
  HeadReader& reader = state_->reader;
  const ParseResult result =
      reader.ParseFields(state_->fields, limits_.max_field_bytes, ParseError::kFieldsTooLarge,
                         ParseError::kTooManyFields, kAskedFields,
                         [this](const Field& field) { return OnField(field); });
  if (result == ParseResult::kIncomplete) return result;
  if (result == ParseResult::kError) return Fail(reader.error(), reader.line());
  head_.fields = reader.fields();
  if (const ParseError error = Finish(); error != ParseError::kNone) {
    return Fail(error, reader.line());
  }
  position_ = reader.line();
  stage_ = Stage::kComplete;
  return ParseResult::kComplete;
}

ParseError RequestParser::OnField(const Field& field) {
  State& state = *state_;
  switch (field.id) {
    case FieldId::kHost: {
      if (state.has_host) return ParseError::kDuplicateHost;
      state.has_host = true;
      Authority authority;
      if (!ParseAuthority(field.value, &authority)) return ParseError::kBadHost;
      // An http URI has a host (RFC 9110 section 4.2.1). HTTP/1.0 knew none.
      if (authority.host.empty() && (head_.minor_version > 0 || !field.value.empty())) {
        return ParseError::kBadHost;
      }
      if (head_.authority.empty()) {
        head_.authority = field.value;
        head_.host = authority.host;
        head_.port = authority.port;
      }
      return ParseError::kNone;
    }
    case FieldId::kContentLength:
      return state.framing.OnContentLength(field.value);
    case FieldId::kTransferEncoding:
      return state.framing.OnTransferEncoding(head_.minor_version);
    case FieldId::kConnection:
      state.connection.Add(field.value);
      return ParseError::kNone;
    case FieldId::kExpect: {
      ListReader reader(field.value);
      while (const std::optional<std::string_view> expectation = reader.Next()) {
        if (!EqualsIgnoreCase(*expectation, "100-continue")) {
          return ParseError::kUnsupportedExpectation;
        }
        state.expects_continue = true;
      }
      return ParseError::kNone;
    }
    default:
      return ParseError::kNone;
  }
}

// What all fields together say.
ParseError RequestParser::Finish() {
  const State& state = *state_;
  const FramingFields& framing = state.framing;
  const bool is_http_1_1 = head_.minor_version > 0;
  if (is_http_1_1 && !state.has_host) return ParseError::kMissingHost;
  head_.framing = Framing::kNone;
  head_.content_length = 0;
  if (framing.has_transfer_encoding()) {
    const ParseError error = CheckTransferEncoding(head_.fields, /*of_request=*/true);
    if (error != ParseError::kNone) return error;
    head_.framing = Framing::kChunked;
  } else if (framing.has_length()) {
    head_.framing = Framing::kLength;
    head_.content_length = framing.length();
  }
  head_.close = state.connection.close;
  head_.keep_alive = state.connection.Persists(head_.minor_version);
  // HTTP/1.0 has neither (RFC 9110 sections 7.8 and 10.1.1).
  head_.upgrade = is_http_1_1 && state.connection.upgrade && head_.fields.Has(FieldId::kUpgrade);
  head_.expect_continue = is_http_1_1 && state.expects_continue && framing.has_body();

  // Who takes such a request for the end of HTTP would take its body for the other protocol.
  if (framing.has_body() && head_.upgrade) return ParseError::kUpgradeWithBody;
  if (framing.has_body() && head_.method == Method::kConnect) return ParseError::kConnectWithBody;
  if (head_.content_length > limits_.max_body_bytes) return ParseError::kBodyTooLarge;
  return ParseError::kNone;
}

}  // namespace strata::http
