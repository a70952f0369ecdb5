#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/json_scanner_internal.h"
#include "strata/orm/rest/merge_patch_internal.h"

namespace strata::orm::rest::internal {
namespace {

using orm::internal::JsonScanner;

constexpr std::size_t kMaxDepth = 64;

// A member's value as it stands in the text, and its key, which stands there too.
struct Member {
  std::string_view key_text;
  std::string_view value;
};

// By their keys without escapes.
using Members = std::map<std::string, Member, std::less<>>;

absl::Status ErrorOf(const JsonScanner& scanner, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, " at byte ", scanner.error_byte(), ": ", scanner.reason()));
}

absl::StatusOr<Members> MembersOf(std::string_view object, std::string_view what) {
  JsonScanner scanner(object, kMaxDepth);
  Members members;
  bool first = true;
  scanner.Take('{');
  while (scanner.Next('}', &first)) {
    std::string_view key_text;
    std::string_view value;
    std::string_view key;
    std::string scratch;
    if (scanner.Peek() != '"') {
      scanner.Fail("no key");
      break;
    }
    if (!scanner.Skip(&key_text) || !scanner.Expect(':', "no : after a key") ||
        !scanner.Skip(&value)) {
      break;
    }
    JsonScanner(key_text, 1).String(&key, &scratch);
    if (!members.emplace(key, Member{key_text, value}).second) {
      scanner.Fail("the key was there before");
      break;
    }
  }
  if (scanner.reason() != nullptr) return ErrorOf(scanner, what);
  return members;
}

bool IsObject(std::string_view value) { return !value.empty() && value.front() == '{'; }

absl::StatusOr<std::string> Merge(std::string_view target, std::string_view patch) {
  if (!IsObject(patch)) return std::string(patch);
  absl::StatusOr<Members> members = MembersOf(IsObject(target) ? target : "{}", "the row");
  if (!members.ok()) return members.status();
  const absl::StatusOr<Members> changes = MembersOf(patch, "the patch");
  if (!changes.ok()) return changes.status();
  std::string merged = "{";
  const auto append = [&](std::string_view key, std::string_view value) {
    absl::StrAppend(&merged, merged.size() > 1 ? "," : "", key, ":", value);
  };
  for (const auto& [key, change] : *changes) {
    const auto found = members->find(key);
    const std::string_view before = found != members->end() ? found->second.value : "";
    if (change.value != "null") {
      // No deeper than the patch, which has been looked at.
      absl::StatusOr<std::string> value = Merge(before, change.value);
      if (!value.ok()) return value;
      append(change.key_text, *value);
    }
    if (found != members->end()) members->erase(found);
  }
  for (const auto& [key, member] : *members) append(member.key_text, member.value);
  return merged + "}";
}

}  // namespace

absl::StatusOr<std::string> MergePatch(std::string_view target, std::string_view patch) {
  for (const auto& [text, what] : {std::pair(&target, "the row"), std::pair(&patch, "the patch")}) {
    JsonScanner scanner(*text, kMaxDepth);
    std::string_view value;
    if (!scanner.Skip(&value) || !scanner.AtEnd()) return ErrorOf(scanner, what);
    *text = value;
  }
  return Merge(target, patch);
}

}  // namespace strata::orm::rest::internal
