// File: file_path_internal.h
//
// What the path of a request may be, before any file is looked for. No system call, no file system:
// only bytes.

#ifndef STRATA_HTTP_FILE_PATH_INTERNAL_H_
#define STRATA_HTTP_FILE_PATH_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata::http {

// PATH_MAX of Linux, without the null byte; what is longer cannot be opened.
inline constexpr std::size_t kMaxFilePathBytes = 4095;

// Which names that begin with a dot may be asked for: all, or ".well-known" at the root.
struct FilePathRules {
  bool all_dot_names = false;
  bool well_known = false;
  bool merge_slashes = false;
};

enum class FilePathVerdict : std::uint8_t {
  kGood,
  kMissing,  // There is no such file, for nobody to see.
  kBad,      // No client that means well sends that.
};

// Whether a name is not served for its first character. `at_root`: its folder is the root.
bool IsHiddenName(std::string_view name, bool at_root, const FilePathRules& rules);

// Splits a decoded path: `name` is what is to be opened below the root, names joined by single
// slashes, empty for the root; `folder` is whether the path asks for a folder, by a slash at its
// end or as the root. Both are set with kGood alone.
//
// kBad: a name "." or "..", a null byte or a backslash anywhere, which is a slash elsewhere.
// kMissing: an empty name ("//"), unless slashes are merged; a hidden name; a path that is too
// long.
FilePathVerdict ParseFilePath(std::string_view path, const FilePathRules& rules, std::string* name,
                              bool* folder);

}  // namespace strata::http

#endif  // STRATA_HTTP_FILE_PATH_INTERNAL_H_
