// Opening below a folder: by one system call, or name by name.

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <string_view>
#include <utility>

#include "strata/http/path_resolver_internal.h"

namespace strata::http {
namespace {

// As the kernel's own bound.
constexpr int kMaxLinks = 40;

// Names opened for one path: those of the longest path, and as many again for links.
constexpr int kMaxSteps = 4096;

// A rename anywhere in the system while ".." of a link is resolved makes openat2() ask to be called
// again. So often, before the walk does it, which needs no such luck.
constexpr int kMaxTries = 8;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { Reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  int Release() { return std::exchange(value_, -1); }
  void Reset(int value) {
    if (value_ >= 0) ::close(value_);
    value_ = value;
  }

 private:
  int value_;
};

// A descriptor, or an error's negative number.
int OpenOne(int folder, const char* name, int flags) {
  for (;;) {
    const int file = ::openat(folder, name, flags | O_CLOEXEC);
    if (file >= 0) return file;
    if (errno != EINTR) return -errno;
  }
}

int OpenBelow(int root, const char* path, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = resolve;
  for (;;) {
    const long file = ::syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (file >= 0) return static_cast<int>(file);
    if (errno != EINTR) return -errno;
  }
}

bool IsLink(int file) {
  struct stat status;
  return ::fstat(file, &status) == 0 && S_ISLNK(status.st_mode);
}

// One walk. The names behind us have been opened, none of them as a link; so ".." of a link is the
// name before, from the root on again, and the kernel is never asked for it.
class Walk {
 public:
  Walk(int root, SymlinkPolicy policy, std::string path)
      : root_(root), policy_(policy), todo_(std::move(path)) {}

  int Run(int flags) {
    for (int steps = 0; steps < kMaxSteps; ++steps) {
      const std::string name = TakeName();
      if (name.empty()) return OpenOne(Here(), ".", flags);
      if (name == ".") continue;
      if (name == "..") {
        if (!GoUp()) return -EXDEV;
        continue;
      }
      // A slash behind the last name asks for a folder.
      const bool last = todo_.empty();
      const int folder_flags = O_PATH | O_DIRECTORY;
      int file = OpenOne(Here(), name.c_str(), (last ? flags : folder_flags) | O_NOFOLLOW);
      // O_PATH opens a link itself; everything else fails on it, with one of two errors.
      const bool opened_link = file >= 0 && last && (flags & O_PATH) != 0 && IsLink(file);
      if (opened_link) {
        ::close(file);
        file = -ELOOP;
      }
      if (file == -ELOOP || file == -ENOTDIR) {
        const int followed = Follow(name, file);
        if (followed != 0) return followed;
        continue;
      }
      if (file < 0 || last) return file;
      here_.Reset(file);
      if (!done_.empty()) done_ += '/';
      done_ += name;
    }
    return -ELOOP;
  }

 private:
  int Here() const { return here_.get() >= 0 ? here_.get() : root_; }

  // The next name, empty at the end. Leaves what is behind it, the slash included.
  std::string TakeName() {
    const std::size_t begin = todo_.find_first_not_of('/');
    if (begin == std::string::npos) {
      todo_.clear();
      return {};
    }
    const std::size_t end = std::min(todo_.find('/', begin), todo_.size());
    std::string name = todo_.substr(begin, end - begin);
    todo_.erase(0, end);
    return name;
  }

  bool GoUp() {
    if (done_.empty()) return false;
    const std::size_t slash = done_.rfind('/');
    todo_ = (slash == std::string::npos ? "" : done_.substr(0, slash)) + "/" + todo_;
    done_.clear();
    here_.Reset(-1);
    return true;
  }

  // Puts what a link says in its place. 0, or an error; `error` if it is no link.
  int Follow(const std::string& name, int error) {
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(Here(), name.c_str(), target.data(), target.size());
    if (size < 0) return errno == EINVAL ? error : -errno;
    if (policy_ == SymlinkPolicy::kNever || ++links_ > kMaxLinks) return -ELOOP;
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    if (text.starts_with('/')) return -EXDEV;
    if (text.size() + todo_.size() + done_.size() >= 2 * PATH_MAX) return -ENAMETOOLONG;
    todo_.insert(0, text);
    return 0;
  }

  const int root_;
  const SymlinkPolicy policy_;
  std::string todo_;
  std::string done_;
  Descriptor here_{-1};  // Of done_; none for the root.
  int links_ = 0;
};

}  // namespace

PathResolver::PathResolver(int root, SymlinkPolicy policy, bool use_openat2)
    : root_(root), policy_(policy), use_openat2_(use_openat2) {
  if (!use_openat2_) return;
  // ENOSYS of old kernels, EPERM of filters that do not know the call.
  const Descriptor probe(OpenBelow(root_, ".", O_PATH, RESOLVE_BENEATH));
  use_openat2_ = probe.get() >= 0;
}

int PathResolver::Open(const std::string& path, int flags) const {
  const char* const name = path.empty() ? "." : path.c_str();
  if (use_openat2_) {
    std::uint64_t resolve = RESOLVE_NO_MAGICLINKS;
    if (policy_ != SymlinkPolicy::kFollow) resolve |= RESOLVE_BENEATH;
    if (policy_ == SymlinkPolicy::kNever) resolve |= RESOLVE_NO_SYMLINKS;
    for (int tries = 0; tries < kMaxTries; ++tries) {
      const int file = OpenBelow(root_, name, flags, resolve);
      if (file != -EAGAIN) return file;
    }
  }
  if (policy_ == SymlinkPolicy::kFollow) return OpenOne(root_, name, flags);
  return Walk(root_, policy_, path).Run(flags);
}

}  // namespace strata::http
