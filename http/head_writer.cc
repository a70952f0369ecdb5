// What is checked before it is written.

#include "strata/http/head_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "strata/http/scan_internal.h"
#include "strata/http/status.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr std::string_view kErrorTexts[] = {
    "no error",
    "the method is no token (RFC 9112 section 3.1)",
    "the target is empty or has a byte that it cannot have (RFC 9112 section 3.2)",
    "the status code is not from 100 to 999 (RFC 9110 section 15)",
    "a control byte in the reason phrase (RFC 9112 section 4)",
    "the field name is no token (RFC 9110 section 5.1)",
    "a control byte in the field value (RFC 9110 section 5.5)",
    "the buffer is too small",
};

}  // namespace

std::string_view ToString(WriteError error) { return kErrorTexts[static_cast<std::size_t>(error)]; }

HeadWriter::HeadWriter(std::string& out) : out_(&out), start_(out.size()) {}

HeadWriter::HeadWriter(std::span<char> buffer) : buffer_(buffer) {}

std::size_t HeadWriter::bytes() const { return out_ != nullptr ? out_->size() - start_ : used_; }

void HeadWriter::Fail(WriteError error) {
  if (!ok()) return;
  error_ = error;
  used_ = 0;
  if (out_ != nullptr) out_->resize(start_);
}

// The parts one behind the other, or, where they find no room, nothing.
void HeadWriter::Write(std::initializer_list<std::string_view> parts) {
  if (!ok()) return;
  if (out_ != nullptr) {
    for (const std::string_view part : parts) out_->append(part);
    return;
  }
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (size > buffer_.size() - used_) return Fail(WriteError::kNoRoom);
  for (const std::string_view part : parts) {
    std::copy(part.begin(), part.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += part.size();
  }
}

void HeadWriter::StatusLine(int status) {
  const std::string_view line = http::StatusLine(status);
  if (line.empty()) return StatusLine(status, {});
  Write({line});
}

void HeadWriter::StatusLine(int status, std::string_view reason) {
  if (status < 100 || status > 999) return Fail(WriteError::kBadStatus);
  if (!IsFieldValue(reason)) return Fail(WriteError::kBadReason);
  const char code[] = {static_cast<char>('0' + status / 100),
                       static_cast<char>('0' + status / 10 % 10),
                       static_cast<char>('0' + status % 10)};
  Write({"HTTP/1.1 ", std::string_view(code, 3), " ", reason, "\r\n"});
}

void HeadWriter::RequestLine(Method method, std::string_view target) {
  RequestLine(MethodName(method), target);
}

void HeadWriter::RequestLine(std::string_view method, std::string_view target) {
  if (!IsToken(method)) return Fail(WriteError::kBadMethod);
  if (target.empty() ||
      !std::all_of(target.begin(), target.end(), [](char c) { return IsOf(kTargetByte, c); })) {
    return Fail(WriteError::kBadTarget);
  }
  Write({method, " ", target, " HTTP/1.1\r\n"});
}

void HeadWriter::Field(FieldId id, std::string_view value) {
  if (id == FieldId::kOther) return Fail(WriteError::kBadName);
  if (!IsFieldValue(value)) return Fail(WriteError::kBadValue);
  Write({FieldName(id), ": ", value, "\r\n"});
}

void HeadWriter::Field(std::string_view name, std::string_view value) {
  if (!IsToken(name)) return Fail(WriteError::kBadName);
  if (!IsFieldValue(value)) return Fail(WriteError::kBadValue);
  Write({name, ": ", value, "\r\n"});
}

void HeadWriter::ContentLength(std::uint64_t bytes) {
  std::array<char, 20> digits;
  const auto result = std::to_chars(digits.begin(), digits.end(), bytes);
  Write({"Content-Length: ", {digits.begin(), result.ptr}, "\r\n"});
}

void HeadWriter::Raw(std::string_view lines) { Write({lines}); }

void HeadWriter::End() { Write({"\r\n"}); }

void HeadWriter::ChunkSize(std::uint64_t bytes) {
  std::array<char, 16> digits;
  const auto result = std::to_chars(digits.begin(), digits.end(), bytes, 16);
  Write({{digits.begin(), result.ptr}, "\r\n"});
}

void HeadWriter::ChunkEnd() { Write({"\r\n"}); }

void HeadWriter::LastChunk() { Write({"0\r\n"}); }

}  // namespace strata::http
