// A folder for one test, with what the test puts into it; removed with all of it at the end.

#ifndef STRATA_HTTP_TESTING_FOLDER_H_
#define STRATA_HTTP_TESTING_FOLDER_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata::http::testing {

class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  // The absolute path of the folder, or of a name in it.
  std::string Path(std::string_view name = "") const;

  // Makes a file with the folders it is in, or overwrites it in place. It was modified at
  // `modified`, in seconds since 1970: long ago, unless that is 0, which means now.
  void Write(std::string_view name, std::string_view content,
             std::int64_t modified = 1'000'000'000) const;

  // The same, but another file takes the place of the old one.
  void Replace(std::string_view name, std::string_view content,
               std::int64_t modified = 1'000'000'000) const;

  void MakeFolder(std::string_view name) const;
  void Link(std::string_view name, std::string_view target) const;
  void Remove(std::string_view name) const;
  void Rename(std::string_view from, std::string_view to) const;
  void SetModified(std::string_view name, std::int64_t seconds, std::int64_t nanoseconds = 0) const;

 private:
  std::string path_;
};

// Within its scope the permissions of files hold for the calling thread, also if it is root's.
class WithoutPrivileges {
 public:
  WithoutPrivileges();
  ~WithoutPrivileges();
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;

 private:
  std::array<std::uint32_t, 2> effective_;
};

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_FOLDER_H_
