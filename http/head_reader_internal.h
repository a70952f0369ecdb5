// What the parsers of requests, responses and trailers have in common: lines, and a section of
// fields.
//
// A line is judged when its LF is there, or when it has reached its limit without one. So the first
// line that is wrong decides, and it does not matter in which pieces it came. A line that is right
// is found so at the first look, in one pass; only a line that is not yet complete, or wrong, is
// looked at again.

#ifndef STRATA_HTTP_HEAD_READER_INTERNAL_H_
#define STRATA_HTTP_HEAD_READER_INTERNAL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/limits.h"
#include "strata/http/message.h"
#include "strata/http/parse_error.h"
#include "strata/http/scan_internal.h"

namespace strata::http {

// The view as it was into bytes at `from`, which now are at `to`. Others, into static memory or
// none, must not be given.
inline void Rebase(std::string_view* view, const char* from, const char* to) {
  // The old bytes may be gone, so their address is but a number.
  const auto offset =
      reinterpret_cast<std::uintptr_t>(view->data()) - reinterpret_cast<std::uintptr_t>(from);
  if (view->data() != nullptr) *view = std::string_view(to + offset, view->size());
}

inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }

inline bool IsCrLf(const char* at) { return std::memcmp(at, "\r\n", 2) == 0; }

// Larger limits are taken for this one, so that sums of them do not overflow.
inline constexpr std::size_t kMaxSectionBytes = std::size_t{1} << 30;
ParserLimits Bounded(ParserLimits limits);

// HTTP-version = "HTTP/" DIGIT "." DIGIT (RFC 9112 section 2.3).
inline constexpr std::size_t kVersionBytes = 8;
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsVersion(std::string_view text) {
  return text.size() == kVersionBytes && text.starts_with("HTTP/") && IsDigit(text[5]) &&
         text[6] == '.' && IsDigit(text[7]);
}

// What is wrong at the byte that ends a part of a line but should not, `lf` being the line's LF:
// `complete` if the line ends there, as lines do, else `otherwise`.
inline ParseError ErrorAt(const char* at, const char* lf, ParseError complete,
                          ParseError otherwise) {
  if (at == lf) return ParseError::kBareLf;
  if (*at != '\r') return otherwise;
  return at + 1 == lf ? complete : ParseError::kBareCr;
}

class HeadReader {
 public:
  explicit HeadReader(std::size_t max_fields)
      : scanner_(ChooseScanner()),
        fields_(std::make_unique<Field[]>(max_fields)),
        max_fields_(max_fields) {}

  void Reset() {
    begin_ = nullptr;
    line_ = 0;
    scanned_ = 0;
    count_ = 0;
    present_ = 0;
    error_ = ParseError::kNone;
  }

  // What Parse() of a parser was called with. Returns where the bytes were before, if that was
  // elsewhere; else null. Views of fields are moved; the others are the caller's.
  const char* SetBytes(std::string_view bytes) {
    const char* const before = begin_;
    begin_ = bytes.data();
    size_ = bytes.size();
    if (before == nullptr || before == begin_) return nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
      Rebase(&fields_[i].name, before, begin_);
      Rebase(&fields_[i].value, before, begin_);
    }
    return before;
  }

  const Scanner& scanner() const { return scanner_; }

  // The first byte that is no kValueByte, or `end`.
  const char* FindValueEnd(const char* at, const char* end) const {
    return LineScanner(scanner_, at, end).FindValueEnd(at);
  }

  const char* begin() const { return begin_; }
  std::size_t size() const { return size_; }

  // The offset of the line that comes next.
  std::size_t line() const { return line_; }
  void SetLine(std::size_t line) { line_ = scanned_ = line; }

  // The end of what may be looked at of a line that must end before `limit`.
  const char* Clip(std::size_t limit) const { return begin_ + std::min(size_, limit); }

  // False if the line is known to be incomplete: it was looked at before, and has got no LF since.
  bool MayBeComplete(std::size_t limit) {
    if (scanned_ == line_) return true;
    return FindLf(limit) != nullptr || size_ >= limit;
  }

  // The LF of a line that did not parse, or null if it has none before `limit`. What was looked at
  // is not looked at again.
  const char* FindLf(std::size_t limit) {
    const std::size_t clip = std::min(size_, limit);
    const void* const lf = std::memchr(begin_ + scanned_, '\n', clip - scanned_);
    if (lf == nullptr) scanned_ = clip;
    return static_cast<const char*>(lf);
  }

  // Parses the field lines of the section that begins at `section`, up to the empty line; all of it
  // has at most `max_bytes`. `on_field` is asked about each of the names in `asked`, and returns
  // kNone to keep it, or an error. On kComplete line() is behind the empty line. On kError, error()
  // is the error and line() its offset.
  template <typename OnField>
  ParseResult ParseFields(std::size_t section, std::size_t max_bytes, ParseError too_large,
                          ParseError too_many, FieldIdSet asked, OnField&& on_field);

  // Takes fields with these names out of the section.
  void Drop(FieldIdSet ids);

  FieldList fields() const { return FieldList(std::span(fields_.get(), count_), present_); }

  ParseError error() const { return error_; }

  ParseResult Fail(ParseError error, std::size_t offset) {
    error_ = error;
    line_ = offset;
    return ParseResult::kError;
  }

 private:
  // Why the line at line() did not parse: it is not complete, or too long, or wrong.
  ParseResult Reject(std::size_t section, std::size_t limit, ParseError too_large);

  const Scanner& scanner_;
  std::unique_ptr<Field[]> fields_;
  std::size_t max_fields_;

  const char* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t line_ = 0;
  std::size_t scanned_ = 0;  // No LF from line_ to here.
  std::size_t count_ = 0;
  FieldIdSet present_ = 0;
  ParseError error_ = ParseError::kNone;
};

template <typename OnField>
ParseResult HeadReader::ParseFields(std::size_t section, std::size_t max_bytes,
                                    ParseError too_large, ParseError too_many, FieldIdSet asked,
                                    OnField&& on_field) {
  const std::size_t limit = section + max_bytes;
  if (!MayBeComplete(limit)) return ParseResult::kIncomplete;
  const char* const end = Clip(limit);
  const char* line = begin_ + line_;
  Field* field = fields_.get() + count_;
  Field* const last = fields_.get() + max_fields_;
  FieldIdSet present = present_;
  // The fields before this line are good, and kept.
  const auto leave = [&] {
    count_ = static_cast<std::size_t>(field - fields_.get());
    present_ = present;
    return static_cast<std::size_t>(line - begin_);
  };
  LineScanner scanner(scanner_, line, end);
  for (;;) {
    const char* const name_end = scanner.FindNameEnd(line);
    const char* const line_end = scanner.FindValueEnd(name_end);
    if (end - line_end < 2 || !IsCrLf(line_end) || *name_end != ':' || name_end == line) {
      if (name_end == line && end - line >= 2 && IsCrLf(line)) {
        SetLine(leave() + 2);
        return ParseResult::kComplete;
      }
      SetLine(leave());
      return Reject(section, limit, too_large);
    }
    const char* value = name_end + 1;
    const char* value_end = line_end;
    while (IsBlank(*value)) ++value;  // The CR is none.
    while (value != value_end && IsBlank(value_end[-1])) --value_end;

    if (field == last) return Fail(too_many, leave());
    field->name = std::string_view(line, static_cast<std::size_t>(name_end - line));
    field->value = std::string_view(value, static_cast<std::size_t>(value_end - value));
    field->id = FieldIdOf(field->name);
    const FieldIdSet id = SetOf(field->id);
    if ((id & asked) != 0) {
      const ParseError error = on_field(*field);
      if (error != ParseError::kNone) return Fail(error, leave());
    }
    present |= id;
    ++field;
    line = line_end + 2;
  }
}

}  // namespace strata::http

#endif  // STRATA_HTTP_HEAD_READER_INTERNAL_H_
