// What is wrong with a field line.

#include "strata/http/head_reader_internal.h"

namespace strata::http {
namespace {

struct Wrong {
  ParseError error;
  const char* at;
};

// Of a complete field line that did not parse; the leftmost thing decides.
Wrong WhatIsWrong(const Scanner& scanner, const char* line, const char* lf, bool first) {
  if (IsBlank(*line)) {
    return {first ? ParseError::kSpaceBeforeFirstField : ParseError::kObsFold, line};
  }
  LineScanner scan(scanner, line, lf + 1);
  const char* const name_end = scan.FindNameEnd(line);
  if (*name_end == ':') {
    if (name_end == line) return {ParseError::kEmptyFieldName, line};
    const char* const at = scan.FindValueEnd(name_end);
    return {ErrorAt(at, lf, ParseError::kControlByteInField, ParseError::kControlByteInField), at};
  }
  if (IsBlank(*name_end)) {
    const char* at = name_end;
    while (IsBlank(*at)) ++at;
    if (*at == ':') return {ParseError::kSpaceBeforeColon, name_end};
  }
  return {ErrorAt(name_end, lf, ParseError::kMissingColon, ParseError::kBadFieldName), name_end};
}

}  // namespace

ParserLimits Bounded(ParserLimits limits) {
  limits.max_start_line_bytes = std::min(limits.max_start_line_bytes, kMaxSectionBytes);
  limits.max_field_bytes = std::min(limits.max_field_bytes, kMaxSectionBytes);
  limits.max_fields = std::min<std::size_t>(limits.max_fields, 65535);
  limits.max_trailer_bytes = std::min(limits.max_trailer_bytes, kMaxSectionBytes);
  limits.max_trailers = std::min<std::size_t>(limits.max_trailers, 65535);
  return limits;
}

ParseResult HeadReader::Reject(std::size_t section, std::size_t limit, ParseError too_large) {
  const char* const lf = FindLf(limit);
  if (lf == nullptr) {
    return size_ < limit ? ParseResult::kIncomplete : Fail(too_large, limit);
  }
  const Wrong wrong = WhatIsWrong(scanner_, begin_ + line_, lf, line_ == section);
  return Fail(wrong.error, static_cast<std::size_t>(wrong.at - begin_));
}

void HeadReader::Drop(FieldIdSet ids) {
  Field* const end = fields_.get() + count_;
  Field* const kept = std::remove_if(
      fields_.get(), end, [ids](const Field& field) { return (SetOf(field.id) & ids) != 0; });
  count_ = static_cast<std::size_t>(kept - fields_.get());
  present_ &= ~ids;
}

}  // namespace strata::http
