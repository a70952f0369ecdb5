// Entity tags and preconditions.

#include "strata/http/conditional.h"

#include <cstddef>

#include "strata/http/http_date.h"

namespace strata::http {
namespace {

using std::chrono::sys_seconds;

// RFC 9110 section 8.8.3: %x21 / %x23-7E / obs-text.
bool IsTagCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x21 && byte != '"' && byte != 0x7f;
}

// The size of the entity tag that `text` begins with, which goes to `tag`; 0 if it begins with
// none.
std::size_t ScanEntityTag(std::string_view text, EntityTag& tag) {
  std::size_t at = 0;
  tag.weak = text.starts_with("W/");
  if (tag.weak) at = 2;
  if (at == text.size() || text[at] != '"') return 0;
  const std::size_t begin = ++at;
  while (at < text.size() && IsTagCharacter(text[at])) ++at;
  if (at == text.size() || text[at] != '"') return 0;
  tag.opaque = text.substr(begin, at - begin);
  return at + 1;
}

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

enum class Found { kNothing, kMatch, kMalformed };

// Looks for the current tag in a list, or for anything current if that is "*".
template <typename Match>
Found Find(std::string_view field, const Validators& current, Match match) {
  if (field == "*") return current.exists ? Found::kMatch : Found::kNothing;
  EntityTagList list(field);
  bool found = false;
  while (const std::optional<EntityTag> tag = list.Next()) {
    found = found || (current.exists && current.etag && match(*tag, *current.etag));
  }
  if (list.malformed()) return Found::kMalformed;
  return found ? Found::kMatch : Found::kNothing;
}

// The date of a field that has to be a date, if there is one to compare it with.
std::optional<sys_seconds> DateToCompare(const std::optional<std::string_view>& field,
                                         const Validators& current, sys_seconds now) {
  if (!field || !current.exists || !current.last_modified) return std::nullopt;
  return ParseHttpDate(*field, now);
}

bool IfRangeHolds(std::string_view field, const Validators& current, sys_seconds now) {
  if (!current.exists) return false;
  if (const std::optional<EntityTag> tag = ParseEntityTag(field)) {
    return current.etag && StrongMatch(*tag, *current.etag);
  }
  // Not "no later than": what is not exactly the same may be other bytes.
  return current.last_modified && current.last_modified_is_strong &&
         ParseHttpDate(field, now) == current.last_modified;
}

Precondition EvaluateMatch(const ConditionalFields& fields, const Validators& current,
                           sys_seconds now) {
  if (fields.if_match) {
    return Find(*fields.if_match, current, StrongMatch) == Found::kMatch ? Precondition::kProceed
                                                                         : Precondition::kFailed;
  }
  const std::optional<sys_seconds> date = DateToCompare(fields.if_unmodified_since, current, now);
  return date && *current.last_modified > *date ? Precondition::kFailed : Precondition::kProceed;
}

Precondition EvaluateNoneMatch(bool reads, const ConditionalFields& fields,
                               const Validators& current, sys_seconds now) {
  if (fields.if_none_match) {
    switch (Find(*fields.if_none_match, current, WeakMatch)) {
      case Found::kNothing:
        return Precondition::kProceed;
      case Found::kMatch:
        return reads ? Precondition::kNotModified : Precondition::kFailed;
      case Found::kMalformed:
        return reads ? Precondition::kProceed : Precondition::kFailed;
    }
  }
  if (!reads) return Precondition::kProceed;
  const std::optional<sys_seconds> date = DateToCompare(fields.if_modified_since, current, now);
  return date && *current.last_modified <= *date ? Precondition::kNotModified
                                                 : Precondition::kProceed;
}

}  // namespace

std::optional<EntityTag> ParseEntityTag(std::string_view text) {
  EntityTag tag;
  const std::size_t size = ScanEntityTag(text, tag);
  if (size == 0 || size != text.size()) return std::nullopt;
  return tag;
}

std::optional<EntityTag> EntityTagList::Next() {
  if (malformed_) return std::nullopt;
  SkipBlanks(rest_);
  while (rest_.starts_with(',')) {
    rest_.remove_prefix(1);
    SkipBlanks(rest_);
  }
  if (rest_.empty()) return std::nullopt;
  EntityTag tag;
  const std::size_t size = ScanEntityTag(rest_, tag);
  rest_.remove_prefix(size);
  SkipBlanks(rest_);
  if (size == 0 || !(rest_.empty() || rest_.starts_with(','))) {
    malformed_ = true;
    return std::nullopt;
  }
  return tag;
}

PreconditionResult EvaluatePreconditions(ConditionalMethod method, const ConditionalFields& fields,
                                         const Validators& current, sys_seconds now) {
  PreconditionResult result;
  result.precondition = EvaluateMatch(fields, current, now);
  if (result.precondition != Precondition::kProceed) return result;
  result.precondition =
      EvaluateNoneMatch(method != ConditionalMethod::kOther, fields, current, now);
  if (result.precondition != Precondition::kProceed) return result;
  result.honour_range = method == ConditionalMethod::kGet &&
                        (!fields.if_range || IfRangeHolds(*fields.if_range, current, now));
  return result;
}

}  // namespace strata::http
