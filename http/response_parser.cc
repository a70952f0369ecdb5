// The status line, and what a client's fields mean.

#include "strata/http/response_parser.h"

#include <algorithm>

#include "strata/http/framing_internal.h"
#include "strata/http/head_reader_internal.h"
#include "strata/http/status.h"

namespace strata::http {

struct ResponseParser::State {
  explicit State(std::size_t max_fields) : reader(max_fields) {}

  HeadReader reader;
  FramingFields framing;
  ConnectionOptions connection;
  std::size_t fields = 0;  // The offset of the first field line.
};

namespace {

// Those that OnField() knows.
constexpr FieldIdSet kAskedFields = SetOf(FieldId::kContentLength) |
                                    SetOf(FieldId::kTransferEncoding) | SetOf(FieldId::kConnection);

}  // namespace

ResponseParser::ResponseParser(const ParserLimits& limits)
    : limits_(Bounded(limits)), state_(std::make_unique<State>(limits_.max_fields)) {}
ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser& ResponseParser::operator=(ResponseParser&&) noexcept = default;

void ResponseParser::Reset(Method request_method) {
  State& state = *state_;
  state.reader.Reset();
  state.framing = FramingFields();
  state.connection = ConnectionOptions();
  head_ = ResponseHead();
  position_ = 0;
  request_method_ = request_method;
  error_ = ParseError::kNone;
  stage_ = Stage::kStatusLine;
}

ParseResult ResponseParser::Fail(ParseError error, std::size_t offset) {
  error_ = error;
  position_ = offset;
  stage_ = Stage::kFailed;
  return ParseResult::kError;
}

ParseResult ResponseParser::Parse(std::string_view bytes) {
  if (stage_ == Stage::kComplete) return ParseResult::kComplete;
  if (stage_ == Stage::kFailed) return ParseResult::kError;
  if (bytes.empty()) return ParseResult::kIncomplete;
  if (const char* const before = state_->reader.SetBytes(bytes)) {
    Rebase(&head_.reason, before, bytes.data());
  }
  if (stage_ == Stage::kStatusLine) {
    const ParseResult result = ParseStatusLine();
    if (result != ParseResult::kComplete) return result;
  }
  return ParseFields();
}

// status-line = HTTP-version SP status-code SP [ reason-phrase ], RFC 9112 section 4. The second
// space is not asked for when there is no reason: many leave it out, and nothing hangs on it.
ParseResult ResponseParser::ParseStatusLine() {
  HeadReader& reader = state_->reader;
  const std::size_t limit = limits_.max_start_line_bytes;
  if (!reader.MayBeComplete(limit)) return ParseResult::kIncomplete;
  const char* const end = reader.Clip(limit);
  const char* const line = reader.begin();
  constexpr std::size_t kCodeEnd = kVersionBytes + 4;
  if (end - line < static_cast<std::ptrdiff_t>(kCodeEnd + 2) ||
      !IsVersion(std::string_view(line, kVersionBytes)) || line[5] != '1' || line[8] != ' ' ||
      !IsDigit(line[9]) || !IsDigit(line[10]) || !IsDigit(line[11]) ||
      (line[12] != ' ' && line[12] != '\r')) {
    return RejectStatusLine();
  }
  const char* const reason_end = reader.FindValueEnd(line + kCodeEnd, end);
  if (end - reason_end < 2 || reason_end[0] != '\r' || reason_end[1] != '\n') {
    return RejectStatusLine();
  }
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100) return Fail(ParseError::kBadStatusCode, kVersionBytes + 1);
  head_.minor_version = static_cast<std::uint8_t>(line[7] - '0');
  if (line[kCodeEnd] == ' ') {
    const char* const reason = line + kCodeEnd + 1;
    head_.reason = std::string_view(reason, static_cast<std::size_t>(reason_end - reason));
  }
  head_.interim = head_.status < 200 && head_.status != 101;
  head_.tunnel = head_.status == 101 ||
                 (request_method_ == Method::kConnect && head_.status >= 200 && head_.status < 300);
  state_->fields = static_cast<std::size_t>(reason_end + 2 - line);
  reader.SetLine(state_->fields);
  stage_ = Stage::kFields;
  return ParseResult::kComplete;
}

// Why the line did not parse: it is not complete, too long, or wrong.
ParseResult ResponseParser::RejectStatusLine() {
  HeadReader& reader = state_->reader;
  const char* const line = reader.begin();
  // What does not begin as a response is not waited for.
  if (*line != 'H' && *line != '\r' && *line != '\n') return Fail(ParseError::kBadVersion, 0);
  const std::size_t limit = limits_.max_start_line_bytes;
  const char* const lf = reader.FindLf(limit);
  if (lf == nullptr) {
    if (reader.size() < limit) return ParseResult::kIncomplete;
    return Fail(ParseError::kStartLineTooLong, limit);
  }

  // The leftmost thing decides.
  const auto fail_at = [&](const char* at) {
    return Fail(ErrorAt(at, lf, ParseError::kBadStatusLine, ParseError::kBadStatusLine),
                static_cast<std::size_t>(at - line));
  };
  const char* at = std::find_if(line, lf, [](char c) { return c == ' ' || c == '\r'; });
  if (*at != ' ') return fail_at(at);
  if (!IsVersion(std::string_view(line, static_cast<std::size_t>(at - line)))) {
    return Fail(ParseError::kBadVersion, 0);
  }
  if (line[5] != '1') return Fail(ParseError::kUnsupportedVersion, 0);
  const char* const code = at + 1;
  at = std::find_if_not(code, lf, IsDigit);
  if (at - code != 3 || *at != ' ') return fail_at(at);
  return fail_at(reader.FindValueEnd(at, lf));
}

ParseResult ResponseParser::ParseFields() {
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

ParseError ResponseParser::OnField(const Field& field) {
  State& state = *state_;
  // In a 2xx to CONNECT they are to be ignored (RFC 9110 section 9.3.6).
  const bool is_tunnel = head_.tunnel && head_.status != 101;
  switch (field.id) {
    case FieldId::kContentLength:
      return is_tunnel ? ParseError::kNone : state.framing.OnContentLength(field.value);
    case FieldId::kTransferEncoding:
      return is_tunnel ? ParseError::kNone : state.framing.OnTransferEncoding(head_.minor_version);
    case FieldId::kConnection:
      state.connection.Add(field.value);
      return ParseError::kNone;
    default:
      return ParseError::kNone;
  }
}

// RFC 9112 section 6.3, in its order.
ParseError ResponseParser::Finish() {
  const FramingFields& framing = state_->framing;
  head_.keep_alive = state_->connection.Persists(head_.minor_version) && !head_.tunnel;
  if (framing.has_transfer_encoding()) {
    const ParseError error = CheckTransferEncoding(head_.fields, /*of_request=*/false);
    if (error != ParseError::kNone) return error;
  }
  if (head_.tunnel) return ParseError::kNone;
  if (request_method_ == Method::kHead || IsBodiless(head_.status)) {
    // 1xx and 204 say nothing about a body (RFC 9112 section 6.1, RFC 9110 section 8.6). From a
    // server that does, one may come.
    if (head_.status != 304 && IsBodiless(head_.status) && framing.has_body()) {
      head_.keep_alive = false;
    }
    return ParseError::kNone;
  }
  if (framing.has_transfer_encoding()) {
    head_.framing = Framing::kChunked;
  } else if (framing.has_length()) {
    head_.framing = Framing::kLength;
    head_.content_length = framing.length();
    if (head_.content_length > limits_.max_body_bytes) return ParseError::kBodyTooLarge;
  } else {
    head_.framing = Framing::kUntilClose;
    head_.keep_alive = false;
  }
  return ParseError::kNone;
}

}  // namespace strata::http
