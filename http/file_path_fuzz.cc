// Any bytes are a path that stays below the root, or none.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/file_path_internal.h"

using strata::http::FilePathRules;
using strata::http::FilePathVerdict;

namespace {

void Check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view path(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (path.ends_with('\n')) path.remove_suffix(1);
  for (int bits = 0; bits < 8; ++bits) {
    const FilePathRules rules = {.all_dot_names = (bits & 1) != 0,
                                 .well_known = (bits & 2) != 0,
                                 .merge_slashes = (bits & 4) != 0};
    std::string name;
    bool folder = false;
    if (ParseFilePath(path, rules, &name, &folder) != FilePathVerdict::kGood) continue;
    const std::string slashes = "/" + name + "/";
    Check(name.size() <= strata::http::kMaxFilePathBytes);
    Check(name.find('\0') == std::string::npos && name.find('\\') == std::string::npos);
    Check(slashes.find("/./") == std::string::npos && slashes.find("/../") == std::string::npos);
    Check(name.empty() || slashes.find("//") == std::string::npos);
    // A name is a path to the same.
    std::string again;
    bool again_folder = false;
    const std::string spelled = "/" + name + (folder && !name.empty() ? "/" : "");
    Check(ParseFilePath(spelled, rules, &again, &again_folder) == FilePathVerdict::kGood);
    Check(again == name && again_folder == folder);
  }
  return 0;
}
