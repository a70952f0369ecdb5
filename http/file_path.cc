// Paths of requests.

#include <algorithm>

#include "strata/http/file_path_internal.h"

namespace strata::http {

bool IsHiddenName(std::string_view name, bool at_root, const FilePathRules& rules) {
  if (!name.starts_with('.') || rules.all_dot_names) return false;
  return !(rules.well_known && at_root && name == ".well-known");
}

FilePathVerdict ParseFilePath(std::string_view path, const FilePathRules& rules, std::string* name,
                              bool* folder) {
  constexpr std::string_view kNeverInNames("\0\\", 2);
  if (path.find_first_of(kNeverInNames) != std::string_view::npos) return FilePathVerdict::kBad;
  if (path.starts_with('/')) path.remove_prefix(1);

  std::string parsed;
  parsed.reserve(std::min(path.size(), kMaxFilePathBytes));
  FilePathVerdict verdict = FilePathVerdict::kGood;
  bool ends_in_slash = true;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    ends_in_slash = slash != std::string_view::npos;
    path.remove_prefix(ends_in_slash ? slash + 1 : path.size());
    // Looked at to the end: what is bad anywhere is not just missing.
    if (part == "." || part == "..") return FilePathVerdict::kBad;
    if (part.empty()) {
      if (!rules.merge_slashes) verdict = FilePathVerdict::kMissing;
      continue;
    }
    if (IsHiddenName(part, parsed.empty(), rules)) verdict = FilePathVerdict::kMissing;
    const std::string_view joint = parsed.empty() ? "" : "/";
    if (parsed.size() + joint.size() + part.size() > kMaxFilePathBytes) {
      verdict = FilePathVerdict::kMissing;
      continue;
    }
    parsed += joint;
    parsed += part;
  }
  if (verdict != FilePathVerdict::kGood) return verdict;
  *name = std::move(parsed);
  *folder = ends_in_slash;
  return FilePathVerdict::kGood;
}

}  // namespace strata::http
