// multipart/form-data: delimiters, headers, bounds.

#include "strata/http/multipart.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "absl/strings/str_cat.h"
#include "strata/http/field_syntax_internal.h"
#include "strata/http/media_type.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr std::size_t kMaxBoundaryBytes = 70;
constexpr std::string_view kLineEnd = "\r\n";

#ifdef __SSE2__
// Of the second dash in a delimiter, which has at least this many bytes before its boundary.
constexpr std::size_t kDashOffset = 3;
#endif

bool IsBoundaryChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + size, b.begin()).first -
                                  a.begin());
}

// \" and \\ alone are escapes: a path of Windows keeps its backslashes.
void Unescape(std::string_view value, std::string* out) {
  out->clear();
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() && (value[i + 1] == '"' || value[i + 1] == '\\')) {
      ++i;
    }
    *out += value[i];
  }
}

// Whether the bytes of the part are what the encoding says, and need none to be undone.
bool IsIdentityEncoding(std::string_view value) {
  return EqualsIgnoreCase(value, "7bit") || EqualsIgnoreCase(value, "8bit") ||
         EqualsIgnoreCase(value, "binary");
}

}  // namespace

std::string_view MultipartErrorName(MultipartError error) {
  switch (error) {
    case MultipartError::kOk:
      return "ok";
    case MultipartError::kBadDelimiter:
      return "malformed delimiter";
    case MultipartError::kBadHeader:
      return "malformed header of a part";
    case MultipartError::kBadDisposition:
      return "a part without a proper Content-Disposition";
    case MultipartError::kBadEncoding:
      return "unsupported Content-Transfer-Encoding";
    case MultipartError::kTruncated:
      return "no last delimiter";
    case MultipartError::kTooManyParts:
      return "too many parts";
    case MultipartError::kHeaderTooLarge:
      return "the header of a part is too large";
    case MultipartError::kTooManyFields:
      return "too many header fields of a part";
    case MultipartError::kNameTooLong:
      return "a name is too long";
    case MultipartError::kPartTooLarge:
      return "a part is too large";
    case MultipartError::kPaddingTooLarge:
      return "too much around the parts";
    case MultipartError::kBodyTooLarge:
      return "the form is too large";
    case MultipartError::kStopped:
      return "stopped by its handler";
  }
  return "unknown";
}

absl::Status ToStatus(MultipartError error) {
  const std::string text = absl::StrCat("multipart: ", MultipartErrorName(error));
  switch (error) {
    case MultipartError::kOk:
      return absl::OkStatus();
    case MultipartError::kBadDelimiter:
    case MultipartError::kBadHeader:
    case MultipartError::kBadDisposition:
    case MultipartError::kBadEncoding:
    case MultipartError::kTruncated:
      return absl::InvalidArgumentError(text);
    case MultipartError::kStopped:
      return absl::CancelledError(text);
    default:
      return absl::ResourceExhaustedError(text);
  }
}

std::optional<std::string> MultipartBoundary(std::string_view content_type) {
  const std::optional<MediaType> type = MediaType::Parse(content_type);
  if (!type || !type->Is("multipart/form-data")) return std::nullopt;
  std::optional<std::string> boundary = type->Parameter("boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundaryBytes ||
      boundary->back() == ' ' || !std::all_of(boundary->begin(), boundary->end(), IsBoundaryChar)) {
    return std::nullopt;
  }
  return boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartHandler* handler,
                                 const MultipartLimits& limits)
    : handler_(handler),
      limits_(limits),
      delimiter_(absl::StrCat(kLineEnd, "--", boundary.substr(0, kMaxBoundaryBytes))) {}

MultipartError MultipartParser::Feed(std::string_view bytes) {
  // What is within the bound counts, wherever the bytes are cut.
  const std::uint64_t room = limits_.max_body_bytes - body_bytes_;
  const bool too_large = bytes.size() > room;
  if (too_large) bytes = bytes.substr(0, static_cast<std::size_t>(room));
  body_bytes_ += bytes.size();
  while (!bytes.empty() && error_ == MultipartError::kOk) {
    switch (state_) {
      case State::kPreamble:
      case State::kData:
        SkipOrPassOn(bytes);
        break;
      case State::kHeader:
        ReadHeader(bytes);
        break;
      case State::kEpilogue:
        Pad(bytes.size());
        bytes = {};
        break;
      default:
        ReadDelimiterEnd(bytes.front());
        bytes.remove_prefix(1);
    }
  }
  if (too_large) Fail(MultipartError::kBodyTooLarge);
  return error_;
}

MultipartError MultipartParser::Finish() {
  if (state_ != State::kLastPadding && state_ != State::kEpilogue) {
    Fail(MultipartError::kTruncated);
  }
  if (error_ == MultipartError::kOk) ContinueIf(handler_->OnEnd());
  return error_;
}

void MultipartParser::SkipOrPassOn(std::string_view& bytes) {
  if (matched_ > 0) {
    const std::string_view delimiter = delimiter_;
    const std::size_t more = CommonPrefix(bytes, delimiter.substr(matched_));
    matched_ += more;
    bytes.remove_prefix(more);
    if (matched_ == delimiter.size()) return OnDelimiter();
    if (bytes.empty()) return;
    // It was none, so what looked like it is passed on, from here: it is the same bytes. None of
    // them begins another, as only the first is a CR.
    Pass(delimiter.substr(borrowed_, matched_ - borrowed_));
    matched_ = 0;
    borrowed_ = 0;
    if (error_ != MultipartError::kOk) return;
  }
  const std::size_t at = Find(bytes);
  if (at != std::string_view::npos) {
    Pass(bytes.substr(0, at));
    bytes.remove_prefix(at + delimiter_.size());
    return OnDelimiter();
  }
  matched_ = BeginningAtEnd(bytes);
  Pass(bytes.substr(0, bytes.size() - matched_));
  bytes = {};
}

// In linear time for any bytes: a comparison begins at a CR alone, and ends at the next.
std::size_t MultipartParser::Find(std::string_view bytes) const {
  if (bytes.size() < delimiter_.size()) return std::string_view::npos;
  const char* at = bytes.data();
  const char* const end = at + (bytes.size() - delimiter_.size()) + 1;
  const auto is_here = [this](const char* place) {
    return std::memcmp(place, delimiter_.data(), delimiter_.size()) == 0;
  };
#ifdef __SSE2__
  // A CR and, behind its line's end, the second dash: sixteen places at once. Three times as fast
  // as memchr() on text, and on the worst of input too.
  constexpr std::ptrdiff_t kBlock = sizeof(__m128i);
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i dash = _mm_set1_epi8('-');
  for (; end - at >= kBlock; at += kBlock) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i behind = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + kDashOffset));
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(here, cr), _mm_cmpeq_epi8(behind, dash));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
      const char* const place = at + std::countr_zero(mask);
      if (is_here(place)) return static_cast<std::size_t>(place - bytes.data());
    }
  }
#endif
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, '\r', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    if (is_here(at)) return static_cast<std::size_t>(at - bytes.data());
    ++at;
  }
  return std::string_view::npos;
}

// How many bytes at the end may be the beginning of the delimiter: from the last CR on, or none.
std::size_t MultipartParser::BeginningAtEnd(std::string_view bytes) const {
  const std::string_view tail =
      bytes.substr(bytes.size() - std::min(bytes.size(), delimiter_.size() - 1));
  const std::size_t cr = tail.rfind('\r');
  if (cr == std::string_view::npos || !delimiter_.starts_with(tail.substr(cr))) return 0;
  return tail.size() - cr;
}

void MultipartParser::Pass(std::string_view bytes) {
  if (state_ == State::kPreamble) return Pad(bytes.size());
  const std::uint64_t room = limits_.max_part_bytes - part_bytes_;
  const bool too_large = bytes.size() > room;
  if (too_large) bytes = bytes.substr(0, static_cast<std::size_t>(room));
  part_bytes_ += bytes.size();
  if (!bytes.empty()) ContinueIf(handler_->OnData(bytes));
  if (too_large) Fail(MultipartError::kPartTooLarge);
}

void MultipartParser::Pad(std::size_t bytes) {
  if (bytes > limits_.max_padding_bytes - padding_bytes_) {
    return Fail(MultipartError::kPaddingTooLarge);
  }
  padding_bytes_ += bytes;
}

void MultipartParser::OnDelimiter() {
  matched_ = 0;
  borrowed_ = 0;
  if (error_ != MultipartError::kOk) return;
  if (state_ == State::kData) ContinueIf(handler_->OnPartEnd());
  state_ = State::kDelimiter;
}

void MultipartParser::ReadDelimiterEnd(char c) {
  const bool is_last = state_ == State::kLastPadding;
  switch (state_) {
    case State::kDelimiter:
      if (c == '-') {
        state_ = State::kLastDash;
        return;
      }
      [[fallthrough]];
    case State::kDelimiterPadding:
    case State::kLastPadding:
      if (IsBlank(c)) {
        Pad(1);
        if (!is_last) state_ = State::kDelimiterPadding;
        return;
      }
      if (c != '\r') break;
      state_ = is_last ? State::kLastLf : State::kDelimiterLf;
      return;
    case State::kDelimiterLf:
      if (c == '\n') return BeginPart();
      break;
    case State::kLastDash:
      if (c != '-') break;
      state_ = State::kLastPadding;
      return;
    case State::kLastLf:
      if (c != '\n') break;
      state_ = State::kEpilogue;
      return;
    default:
      break;
  }
  Fail(MultipartError::kBadDelimiter);
}

void MultipartParser::BeginPart() {
  if (parts_ == limits_.max_parts) return Fail(MultipartError::kTooManyParts);
  ++parts_;
  header_.clear();
  state_ = State::kHeader;
}

void MultipartParser::ReadHeader(std::string_view& bytes) {
  const std::size_t lf = bytes.find('\n');
  const std::size_t size = lf == std::string_view::npos ? bytes.size() : lf + 1;
  if (size > limits_.max_header_bytes - header_.size()) {
    return Fail(MultipartError::kHeaderTooLarge);
  }
  header_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  if (header_ == kLineEnd || header_.ends_with("\r\n\r\n")) OnHeader();
}

void MultipartParser::OnHeader() {
  if (const MultipartError error = ParseFields(); error != MultipartError::kOk) return Fail(error);
  MultipartPart part;
  bool has_disposition = false;
  bool has_type = false;
  for (const MultipartField& field : fields_) {
    if (EqualsIgnoreCase(field.name, "content-disposition")) {
      if (has_disposition) return Fail(MultipartError::kBadDisposition);
      has_disposition = true;
      const MultipartError error = ParseDisposition(field.value, &part);
      if (error != MultipartError::kOk) return Fail(error);
    } else if (EqualsIgnoreCase(field.name, "content-type")) {
      if (has_type) return Fail(MultipartError::kBadHeader);
      has_type = true;
      part.content_type = field.value;
    } else if (EqualsIgnoreCase(field.name, "content-transfer-encoding")) {
      if (!IsIdentityEncoding(field.value)) return Fail(MultipartError::kBadEncoding);
    }
  }
  if (!has_disposition) return Fail(MultipartError::kBadDisposition);
  part.fields = fields_;
  // The end of the header's last line may be that before a delimiter: a part without a body.
  state_ = State::kData;
  matched_ = kLineEnd.size();
  borrowed_ = kLineEnd.size();
  part_bytes_ = 0;
  ContinueIf(handler_->OnPart(part));
}

MultipartError MultipartParser::ParseFields() {
  fields_.clear();
  std::string_view rest = header_;
  for (;;) {
    const std::size_t end = rest.find(kLineEnd);
    const std::string_view line = rest.substr(0, end);
    if (line.empty()) return MultipartError::kOk;
    rest.remove_prefix(end + kLineEnd.size());
    if (fields_.size() == limits_.max_fields) return MultipartError::kTooManyFields;
    FieldReader reader(line);
    MultipartField field;
    field.name = reader.Token();
    if (field.name.empty() || !reader.Skip(':')) return MultipartError::kBadHeader;
    field.value = TrimWhitespace(reader.rest());
    if (!IsFieldValue(field.value)) return MultipartError::kBadHeader;
    fields_.push_back(field);
  }
}

MultipartError MultipartParser::ParseDisposition(std::string_view value, MultipartPart* part) {
  FieldReader reader(value);
  if (!EqualsIgnoreCase(reader.Token(), "form-data")) return MultipartError::kBadDisposition;
  std::optional<FieldParameter> name, filename, extended;
  for (;;) {
    FieldParameter parameter;
    const FieldReader::Next next = reader.Parameter(&parameter);
    if (next == FieldReader::Next::kBad) return MultipartError::kBadDisposition;
    if (next == FieldReader::Next::kNone) break;
    std::optional<FieldParameter>* const known = parameter.Named("name")        ? &name
                                                 : parameter.Named("filename")  ? &filename
                                                 : parameter.Named("filename*") ? &extended
                                                                                : nullptr;
    if (known == nullptr) continue;
    if (known->has_value()) return MultipartError::kBadDisposition;
    *known = parameter;
  }
  if (!reader.AtEnd() || !name) return MultipartError::kBadDisposition;

  Unescape(name->value, &name_);
  part->name = name_;
  if (filename) {
    Unescape(filename->value, &filename_);
    part->filename = filename_;
  }
  if (extended) {
    std::optional<std::string> decoded;
    if (!extended->quoted) decoded = DecodeExtendedValue(extended->value);
    if (!decoded) return MultipartError::kBadDisposition;
    filename_ = *std::move(decoded);
    part->filename = filename_;
  }
  if (name_.size() > limits_.max_name_bytes ||
      (part->filename && part->filename->size() > limits_.max_filename_bytes)) {
    return MultipartError::kNameTooLong;
  }
  return MultipartError::kOk;
}

// The first error stays.
void MultipartParser::Fail(MultipartError error) {
  if (error_ == MultipartError::kOk) error_ = error;
}

void MultipartParser::ContinueIf(bool go_on) {
  if (!go_on) Fail(MultipartError::kStopped);
}

}  // namespace strata::http
