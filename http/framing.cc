// The fields that decide where a message ends, and whether another follows.

#include <limits>
#include <optional>

#include "strata/http/framing_internal.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

// 1*DIGIT, and no more than fits.
std::optional<std::uint64_t> ParseLength(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (kMax - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

}  // namespace

ParseError FramingFields::OnContentLength(std::string_view value) {
  const std::optional<std::uint64_t> length = ParseLength(value);
  if (!length) return ParseError::kBadContentLength;
  if (has_length_) {
    return *length == length_ ? ParseError::kDuplicateContentLength
                              : ParseError::kConflictingContentLength;
  }
  if (has_transfer_encoding_) return ParseError::kContentLengthWithTransferEncoding;
  has_length_ = true;
  length_ = *length;
  return ParseError::kNone;
}

ParseError FramingFields::OnTransferEncoding(int minor_version) {
  if (minor_version == 0) return ParseError::kTransferEncodingInHttp10;
  if (has_length_) return ParseError::kContentLengthWithTransferEncoding;
  has_transfer_encoding_ = true;
  return ParseError::kNone;
}

ParseError CheckTransferEncoding(const FieldList& fields, bool of_request) {
  ListReader reader(fields, FieldId::kTransferEncoding);
  bool unknown = false;
  bool chunked = false;
  bool last_is_chunked = false;
  while (const std::optional<std::string_view> coding = reader.Next()) {
    const std::string_view name = TrimWhitespace(coding->substr(0, coding->find(';')));
    if (!IsToken(name)) return ParseError::kBadTransferEncoding;
    last_is_chunked = EqualsIgnoreCase(name, "chunked");
    if (!last_is_chunked) {
      unknown = true;
      continue;
    }
    if (coding->size() != name.size()) return ParseError::kBadTransferEncoding;
    if (chunked) return ParseError::kChunkedRepeated;
    chunked = true;
  }
  if (!chunked && !unknown) return ParseError::kBadTransferEncoding;
  if (of_request && !last_is_chunked) return ParseError::kChunkedNotLast;
  return unknown ? ParseError::kUnknownTransferCoding : ParseError::kNone;
}

void ConnectionOptions::Add(std::string_view value) {
  ListReader reader(value);
  while (const std::optional<std::string_view> option = reader.Next()) {
    close |= EqualsIgnoreCase(*option, "close");
    keep_alive |= EqualsIgnoreCase(*option, "keep-alive");
    upgrade |= EqualsIgnoreCase(*option, "upgrade");
  }
}

}  // namespace strata::http
