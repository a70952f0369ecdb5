// Files of Linux.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/net/file.h"

namespace strata::net {

absl::StatusOr<std::shared_ptr<const File>> File::Open(const std::string& path) {
  // Not blocking: a FIFO without a writer would hold us up before we see that it is no file.
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  struct stat status;
  absl::Status error;
  if (::fstat(file, &status) != 0) {
    error = absl::ErrnoToStatus(errno, absl::StrCat("stat ", path));
  } else if (!S_ISREG(status.st_mode)) {
    error = absl::FailedPreconditionError(absl::StrCat(path, " is not a regular file"));
  }
  if (!error.ok()) {
    ::close(file);
    return error;
  }
  return std::make_shared<const File>(file, static_cast<std::uint64_t>(status.st_size));
}

File::~File() { ::close(native_); }

absl::StatusOr<std::size_t> File::ReadAt(std::uint64_t offset, std::span<char> buffer) const {
  for (;;) {
    ssize_t size = ::pread(native_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "read of a file");
  }
}

}  // namespace strata::net
