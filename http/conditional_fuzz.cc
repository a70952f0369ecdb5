// Any text is a list of entity tags or not; tags lie in the text, in order, and are tags on their
// own too. Whatever the fields hold, a request is judged, and a tag that is listed is found.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "strata/http/conditional.h"

namespace {

using strata::http::ConditionalFields;
using strata::http::ConditionalMethod;
using strata::http::EntityTag;
using strata::http::EntityTagList;
using strata::http::Precondition;
using strata::http::Validators;

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'700'000'000)};

void Check(bool condition) {
  if (!condition) std::abort();
}

Precondition Judge(ConditionalMethod method, const ConditionalFields& fields,
                   const Validators& current) {
  return EvaluatePreconditions(method, fields, current, kNow).precondition;
}

void CheckTag(std::string_view text, const char* after, const EntityTag& tag) {
  Check(tag.opaque.data() >= after);
  Check(tag.opaque.data() + tag.opaque.size() < text.data() + text.size());
  const std::string alone = (tag.weak ? "W/\"" : "\"") + std::string(tag.opaque) + "\"";
  const std::optional<EntityTag> again = strata::http::ParseEntityTag(alone);
  Check(again && again->opaque == tag.opaque && again->weak == tag.weak);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (text.ends_with('\n')) text.remove_suffix(1);
  EntityTagList list(text);
  const char* after = text.data();
  std::optional<EntityTag> last;
  while (const std::optional<EntityTag> tag = list.Next()) {
    CheckTag(text, after, *tag);
    after = tag->opaque.data() + tag->opaque.size();
    last = tag;
  }
  Check(!list.Next());

  const ConditionalFields match = {.if_match = text};
  const ConditionalFields none_match = {.if_none_match = text};
  Validators current = {.etag = last};
  const bool found = (last && !list.malformed()) || text == "*";
  const bool guarded = found || list.malformed();
  Check((Judge(ConditionalMethod::kGet, none_match, current) == Precondition::kNotModified) ==
        found);
  Check((Judge(ConditionalMethod::kOther, none_match, current) == Precondition::kFailed) ==
        guarded);
  if (last && !last->weak) {
    Check((Judge(ConditionalMethod::kGet, match, current) == Precondition::kProceed) == found);
  }
  current.exists = false;
  Check(Judge(ConditionalMethod::kGet, match, current) == Precondition::kFailed);

  current = {.etag = EntityTag{"x"}, .last_modified = kNow};
  const ConditionalFields all = {
      .if_unmodified_since = text, .if_modified_since = text, .if_range = text};
  Judge(ConditionalMethod::kGet, all, current);
  Judge(ConditionalMethod::kOther, all, current);
  return 0;
}
