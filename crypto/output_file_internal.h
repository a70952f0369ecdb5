// A file that appears at its path when it is complete, and not before.

#ifndef STRATA_CRYPTO_OUTPUT_FILE_INTERNAL_H_
#define STRATA_CRYPTO_OUTPUT_FILE_INTERNAL_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace strata::crypto {

// A descriptor that is closed with its owner.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor();
  OwnedDescriptor(OwnedDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  // Negative if there is none.
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

class OutputFile {
 public:
  enum class Temporary {
    kUnnamedIfPossible,  // O_TMPFILE: the kernel removes it, however the process ends.
    kNamed,              // Where the file system, or a system without /proc, does not allow that.
  };

  // Makes a temporary file, 0600, in the folder of `path`. AlreadyExists if there is a file and it
  // is not to be replaced, FailedPrecondition if there is something else than a file.
  static absl::StatusOr<OutputFile> Create(const std::string& path, bool replace,
                                           Temporary temporary = Temporary::kUnnamedIfPossible);

  // Removes the temporary file, if it has a name and has not been committed.
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;

  // To be written to.
  int descriptor() const { return file_.get(); }

  // Gives the file its permissions, waits until it is on the disk, and puts it at its path.
  absl::Status Commit(mode_t mode);

 private:
  OutputFile(std::string path, bool replace, OwnedDescriptor folder);

  bool OpenNamed();
  absl::Status CheckPlace() const;
  bool GiveName();
  bool MoveToPlace();
  absl::Status Error(const char* what) const;

  std::string path_;
  bool replace_;
  std::string name_;       // The last part of the path.
  std::string temporary_;  // The temporary file's name in the folder; empty if it has none.
  OwnedDescriptor folder_;
  OwnedDescriptor file_{-1};
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_OUTPUT_FILE_INTERNAL_H_
