// How a file is made beside its place and moved there.

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/output_file_internal.h"
#include "strata/crypto/random.h"

namespace strata::crypto {
namespace {

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

// Where a file without a name is linked from: linkat(2) from its descriptor takes a capability.
constexpr char kOpenFiles[] = "/proc/self/fd";

// Of a fixed size, so that it fits where the output's own name does.
std::string TemporaryName() {
  return absl::StrCat(".sealed-", absl::Hex(SecureRandom::Uint64(), absl::kZeroPad16), ".tmp");
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return path.substr(0, slash + 1);
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

OutputFile::OutputFile(std::string path, bool replace, OwnedDescriptor folder)
    : path_(std::move(path)),
      replace_(replace),
      name_(path_.substr(path_.rfind('/') + 1)),
      folder_(std::move(folder)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      replace_(other.replace_),
      name_(std::move(other.name_)),
      temporary_(std::exchange(other.temporary_, {})),
      folder_(std::move(other.folder_)),
      file_(std::move(other.file_)) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) unlinkat(folder_.get(), temporary_.c_str(), 0);
}

absl::Status OutputFile::Error(const char* what) const {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path_));
}

absl::StatusOr<OutputFile> OutputFile::Create(const std::string& path, bool replace,
                                              Temporary temporary) {
  OutputFile file(
      path, replace,
      OwnedDescriptor(open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (file.folder_.get() < 0) return file.Error("cannot open the folder of");
  if (absl::Status status = file.CheckPlace(); !status.ok()) return status;
  if (temporary == Temporary::kUnnamedIfPossible && access(kOpenFiles, X_OK) == 0) {
    file.file_ = OwnedDescriptor(
        openat(file.folder_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, kOwnerOnly));
  }
  if (file.file_.get() < 0 && !file.OpenNamed()) return file.Error("cannot make a file for");
  return file;
}

bool OutputFile::OpenNamed() {
  const std::string name = TemporaryName();
  file_ = OwnedDescriptor(
      openat(folder_.get(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kOwnerOnly));
  if (file_.get() < 0) return false;
  temporary_ = name;
  return true;
}

// What is found may change until the end: this is to fail early, and not to put a file where a
// device is.
absl::Status OutputFile::CheckPlace() const {
  struct stat there;
  if (fstatat(folder_.get(), name_.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT && !name_.empty() ? absl::OkStatus() : Error("cannot write to");
  }
  if (!S_ISREG(there.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " is not a regular file"));
  }
  if (!replace_) return absl::AlreadyExistsError(absl::StrCat(path_, " exists"));
  return absl::OkStatus();
}

bool OutputFile::GiveName() {
  if (!temporary_.empty()) return true;
  const std::string name = TemporaryName();
  const std::string open_file = absl::StrCat(kOpenFiles, "/", file_.get());
  if (linkat(AT_FDCWD, open_file.c_str(), folder_.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return false;
  }
  temporary_ = name;
  return true;
}

bool OutputFile::MoveToPlace() {
  const unsigned flags = replace_ ? 0 : RENAME_NOREPLACE;
  if (renameat2(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str(), flags) == 0) {
    temporary_.clear();
    return true;
  }
  // NFS does not know the flag. The temporary name then goes with this object.
  return errno == EINVAL && !replace_ &&
         linkat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str(), 0) == 0;
}

absl::Status OutputFile::Commit(mode_t mode) {
  if (fchmod(file_.get(), mode) != 0) return Error("cannot set the permissions of");
  if (fsync(file_.get()) != 0) return Error("cannot write to");
  if (!GiveName() || !MoveToPlace()) return Error("cannot put in place");
  // Some file systems have no fsync of folders.
  if (fsync(folder_.get()) != 0 && errno != EINVAL) return Error("cannot write the folder of");
  return absl::OkStatus();
}

}  // namespace strata::crypto
