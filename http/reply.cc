#include "strata/http/reply.h"

#include <bit>
#include <cstring>

#include "strata/http/status.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

constexpr FieldIdSet kFraming = SetOf(FieldId::kContentLength) | SetOf(FieldId::kTransferEncoding) |
                                SetOf(FieldId::kConnection) | SetOf(FieldId::kKeepAlive) |
                                SetOf(FieldId::kTrailer);

// The lines of a head, one after the other: "Name: value\r\n".
struct Line {
  std::string_view name;
  std::string_view value;
  std::size_t size;  // With CR LF.
};

Line FirstLine(std::string_view lines) {
  const std::size_t end = lines.find("\r\n");
  const std::size_t colon = lines.find(": ");
  return {lines.substr(0, colon), lines.substr(colon + 2, end - colon - 2), end + 2};
}

}  // namespace

// The name is known to be one, and needs none of a writer's checks.
void ReplyHead::Add(FieldId id, std::string_view value) {
  if (error_ != WriteError::kNone) return;
  if (id == FieldId::kOther || (SetOf(id) & kFraming)) {
    error_ = WriteError::kBadName;
  } else if (!IsFieldValue(value)) {
    error_ = WriteError::kBadValue;
  } else {
    const std::string_view name = FieldName(id);
    const std::size_t before = lines_.size();
    lines_.resize(before + name.size() + value.size() + 4);
    char* to = lines_.data() + before;
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    std::memcpy(to, ": ", 2);
    to += 2;
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    std::memcpy(to + value.size(), "\r\n", 2);
    present_ |= SetOf(id);
  }
}

void ReplyHead::Add(std::string_view name, std::string_view value) {
  if (error_ != WriteError::kNone) return;
  const FieldIdSet bit = SetOf(FieldIdOf(name));
  if (bit & kFraming) {
    error_ = WriteError::kBadName;
    return;
  }
  HeadWriter writer(lines_);
  writer.Field(name, value);
  error_ = writer.error();
  present_ |= bit;
}

void ReplyHead::Replace(FieldId id, std::string_view value) {
  const std::string kept(value);  // It may be a view of what is removed.
  Remove(id);
  Add(id, kept);
}

void ReplyHead::Vary(std::string_view value) {
  const std::optional<std::string_view> vary = Get(FieldId::kVary);
  if (!vary) return Add(FieldId::kVary, value);
  ListReader reader(*vary);
  while (std::optional<std::string_view> element = reader.Next()) {
    if (*element == "*" || EqualsIgnoreCase(*element, value)) return;
  }
  std::string both(*vary);
  both.append(", ").append(value);
  Set(FieldId::kVary, both);
}

std::optional<std::string_view> ReplyHead::Get(FieldId id) const {
  if (!Has(id)) return std::nullopt;
  for (std::string_view rest = lines_; !rest.empty();) {
    const Line line = FirstLine(rest);
    if (FieldIdOf(line.name) == id) return line.value;
    rest.remove_prefix(line.size);
  }
  return std::nullopt;
}

std::string ReplyHead::GetAll(FieldId id) const {
  std::string all;
  if (!Has(id)) return all;
  for (std::string_view rest = lines_; !rest.empty();) {
    const Line line = FirstLine(rest);
    if (FieldIdOf(line.name) == id) all.append(all.empty() ? "" : ", ").append(line.value);
    rest.remove_prefix(line.size);
  }
  return all;
}

void ReplyHead::Merge(const ReplyHead& other) {
  status_ = other.status_;
  close_ = close_ || other.close_;
  if (error_ == WriteError::kNone) error_ = other.error_;
  constexpr FieldIdSet kAdded =
      SetOf(FieldId::kOther) | SetOf(FieldId::kSetCookie) | SetOf(FieldId::kVary);
  for (FieldIdSet both = present_ & other.present_ & ~kAdded; both != 0; both &= both - 1) {
    Remove(static_cast<FieldId>(std::countr_zero(both)));
  }
  for (std::string_view rest = other.lines_; !rest.empty();) {
    const Line line = FirstLine(rest);
    rest.remove_prefix(line.size);
    if (FieldIdOf(line.name) == FieldId::kVary) {
      Vary(line.value);
    } else {
      Add(line.name, line.value);
    }
  }
}

void ReplyHead::Remove(FieldId id) {
  for (std::size_t at = 0; at < lines_.size();) {
    const Line line = FirstLine(std::string_view(lines_).substr(at));
    if (FieldIdOf(line.name) == id) {
      lines_.erase(at, line.size);
    } else {
      at += line.size;
    }
  }
  present_ &= ~SetOf(id);
}

void ReplyHead::Clear() {
  status_ = 200;
  close_ = false;
  error_ = WriteError::kNone;
  present_ = 0;
  lines_.clear();
}

void ReplyBody::AddPart(Part part) {
  if (const auto* bytes = std::get_if<std::string>(&part)) {
    bytes_ += bytes->size();
  } else if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&part)) {
    bytes_ += (*shared)->size();
  } else {
    bytes_ += std::get<FileRange>(part).bytes;
  }
  parts_.push_back(std::move(part));
}

Reply::Reply(int status, std::string_view content_type, std::string body)
    : head_(status), body_(std::move(body)) {
  head_.Add(FieldId::kContentType, content_type);
}

std::string StatusText(int status) {
  std::string text = std::to_string(status);
  const std::string_view reason = ReasonPhrase(status);
  if (!reason.empty()) text.append(" ").append(reason);
  text.push_back('\n');
  return text;
}

}  // namespace strata::http
