// Folders of tests.

#include "strata/http/testing/folder.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace strata::http::testing {
namespace {

void Need(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

void WriteFile(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  Need(file >= 0, path);
  Need(::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()), path);
  ::close(file);
}

// Of the calling thread (capget(2)).
using Capabilities = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Capabilities GetCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Capabilities capabilities{};
  Need(::syscall(SYS_capget, &header, capabilities.data()) == 0, "capget");
  return capabilities;
}

void SetCapabilities(const Capabilities& capabilities) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Need(::syscall(SYS_capset, &header, capabilities.data()) == 0, "capset");
}

}  // namespace

TestFolder::TestFolder() {
  const char* const base = std::getenv("TEST_TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/folder.XXXXXX";
  Need(::mkdtemp(path_.data()) != nullptr, path_);
  Need(::chmod(path_.c_str(), 0755) == 0, path_);
}

TestFolder::~TestFolder() { std::filesystem::remove_all(path_); }

std::string TestFolder::Path(std::string_view name) const {
  return name.empty() ? path_ : path_ + "/" + std::string(name);
}

void TestFolder::Write(std::string_view name, std::string_view content,
                       std::int64_t modified) const {
  const std::string path = Path(name);
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  WriteFile(path, content);
  if (modified != 0) SetModified(name, modified);
}

void TestFolder::Replace(std::string_view name, std::string_view content,
                         std::int64_t modified) const {
  const std::string temporary = std::string(name) + ".new";
  Write(temporary, content, modified);
  Rename(temporary, name);
}

void TestFolder::MakeFolder(std::string_view name) const {
  std::filesystem::create_directories(Path(name));
}

void TestFolder::Link(std::string_view name, std::string_view target) const {
  const std::string path = Path(name);
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  Need(::symlink(std::string(target).c_str(), path.c_str()) == 0, path);
}

void TestFolder::Remove(std::string_view name) const { std::filesystem::remove_all(Path(name)); }

void TestFolder::Rename(std::string_view from, std::string_view to) const {
  Need(::rename(Path(from).c_str(), Path(to).c_str()) == 0, Path(from));
}

void TestFolder::SetModified(std::string_view name, std::int64_t seconds,
                             std::int64_t nanoseconds) const {
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                             {.tv_sec = seconds, .tv_nsec = nanoseconds}};
  Need(::utimensat(AT_FDCWD, Path(name).c_str(), times, 0) == 0, Path(name));
}

WithoutPrivileges::WithoutPrivileges() {
  Capabilities now = GetCapabilities();
  effective_ = {now[0].effective, now[1].effective};
  now[0].effective = now[1].effective = 0;
  SetCapabilities(now);
}

WithoutPrivileges::~WithoutPrivileges() {
  Capabilities now = GetCapabilities();
  now[0].effective = effective_[0];
  now[1].effective = effective_[1];
  SetCapabilities(now);
}

}  // namespace strata::http::testing
