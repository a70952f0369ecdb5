// A folder of a test's own, and what its files hold.

#ifndef STRATA_ORM_TESTING_TEMP_FOLDER_H_
#define STRATA_ORM_TESTING_TEMP_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace strata::orm::testing {

class TempFolder {
 public:
  TempFolder() : path_(::testing::TempDir() + "/orm.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }

  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Whether any file of the folder has these bytes.
  bool Contains(std::string_view bytes) const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (Load(entry.path()).find(bytes) != std::string::npos) return true;
    }
    return false;
  }

  static std::string Load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static void Store(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::string path_;
};

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_TEMP_FOLDER_H_
