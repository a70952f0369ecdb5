// Files of Windows.

#include <windows.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/net/file.h"

namespace strata::net {
namespace {

absl::Status Failure(const char* what, const std::string& path) {
  const DWORD code = ::GetLastError();
  const std::string text = absl::StrCat(what, " ", path, ": error ", code);
  if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND) {
    return absl::NotFoundError(text);
  }
  if (code == ERROR_ACCESS_DENIED) return absl::PermissionDeniedError(text);
  return absl::UnknownError(text);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const File>> File::Open(const std::string& path) {
  HANDLE file = ::CreateFileA(path.c_str(), GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return Failure("open", path);
  LARGE_INTEGER size;
  absl::Status error;
  if (::GetFileType(file) != FILE_TYPE_DISK) {
    error = absl::FailedPreconditionError(absl::StrCat(path, " is not a regular file"));
  } else if (!::GetFileSizeEx(file, &size)) {
    error = Failure("size of", path);
  }
  if (!error.ok()) {
    ::CloseHandle(file);
    return error;
  }
  return std::make_shared<const File>(file, static_cast<std::uint64_t>(size.QuadPart));
}

File::~File() { ::CloseHandle(native_); }

absl::StatusOr<std::size_t> File::ReadAt(std::uint64_t offset, std::span<char> buffer) const {
  OVERLAPPED position{};
  position.Offset = static_cast<DWORD>(offset);
  position.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD size = 0;
  const auto wanted = static_cast<DWORD>(buffer.size() < 1u << 30 ? buffer.size() : 1u << 30);
  if (::ReadFile(native_, buffer.data(), wanted, &size, &position)) return size;
  if (::GetLastError() == ERROR_HANDLE_EOF) return 0;
  return Failure("read of", "a file");
}

}  // namespace strata::net
