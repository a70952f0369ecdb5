// Sealed files from a place to another.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/output_file_internal.h"
#include "strata/crypto/sealed_file.h"

namespace strata::crypto {
namespace {

using Bytes = std::span<const std::uint8_t>;

// As large as the default chunk, which then passes in one read and one write.
constexpr std::size_t kPieceBytes = 64 * 1024;

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr mode_t kSealedMode = 0666;
constexpr mode_t kOpenedMode = kOwnerOnly;

std::string NameOf(const FilePlace& place) {
  if (const auto* path = std::get_if<std::string>(&place)) return *path;
  return absl::StrCat("descriptor ", std::get<int>(place));
}

class Input {
 public:
  explicit Input(const FilePlace& place) : name_(NameOf(place)) {
    if (const auto* path = std::get_if<std::string>(&place)) {
      owned_ = OwnedDescriptor(open(path->c_str(), O_RDONLY | O_CLOEXEC));
      descriptor_ = owned_.get();
    } else {
      descriptor_ = std::get<int>(place);
    }
  }

  absl::Status Stat() {
    struct stat of;
    if (descriptor_ < 0 || fstat(descriptor_, &of) != 0) return Error("cannot open ");
    if (!S_ISREG(of.st_mode)) return absl::OkStatus();
    mode_ = of.st_mode & 0777;
    const off_t at = lseek(descriptor_, 0, SEEK_CUR);
    total_ = at < of.st_size ? static_cast<std::uint64_t>(of.st_size - at) : 0;
    return absl::OkStatus();
  }

  // -1 with errno, as read(2).
  ssize_t Read(std::span<std::uint8_t> to) {
    const ssize_t got = read(descriptor_, to.data(), to.size());
    if (got > 0) done_ += static_cast<std::uint64_t>(got);
    return got;
  }

  absl::Status Error(const char* what) const {
    return absl::ErrnoToStatus(errno, absl::StrCat(what, name_));
  }

  // What was sealed of a file that somebody is cutting off is no version of it.
  absl::Status End() const {
    if (done_ >= total_.value_or(0)) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(name_, " became shorter while it was read"));
  }

  // Of the owner alone, if the input is no file.
  mode_t mode() const { return mode_; }
  std::uint64_t done() const { return done_; }
  std::optional<std::uint64_t> total() const { return total_; }

 private:
  std::string name_;
  OwnedDescriptor owned_{-1};
  int descriptor_;
  mode_t mode_ = kOwnerOnly;
  std::uint64_t done_ = 0;
  std::optional<std::uint64_t> total_;
};

class Transfer {
 public:
  Transfer(const FilePlace& from, const FilePlace& to, const FileTransferOptions& options)
      : input_(from), to_(to), options_(options) {}

  // Finds what is wrong with the places before time is spent on a password.
  absl::Status Open() {
    if (absl::Status status = input_.Stat(); !status.ok()) return status;
    return OpenOutput();
  }

  // `transform` is a writer or a reader.
  template <typename Transform>
  absl::Status Run(Transform& transform, mode_t mode) {
    if (absl::Status status = Copy(transform); !status.ok()) return status;
    return output_.has_value() ? output_->Commit(input_.mode() & mode) : absl::OkStatus();
  }

 private:
  absl::Status OpenOutput() {
    if (const auto* descriptor = std::get_if<int>(&to_)) {
      descriptor_ = *descriptor;
      return absl::OkStatus();
    }
    absl::StatusOr<OutputFile> output =
        OutputFile::Create(std::get<std::string>(to_), options_.replace);
    if (!output.ok()) return output.status();
    output_.emplace(*std::move(output));
    descriptor_ = output_->descriptor();
    return absl::OkStatus();
  }

  template <typename Transform>
  absl::Status Copy(Transform& transform) {
    const auto write = [this](Bytes bytes) { return Write(bytes); };
    SecretBytes piece(kPieceBytes);
    for (;;) {
      const ssize_t got = input_.Read(piece.mutable_bytes());
      if (got < 0 && errno != EINTR) return input_.Error("cannot read ");
      if (got == 0) break;
      if (got > 0) {
        const Bytes bytes = piece.bytes().first(static_cast<std::size_t>(got));
        if (absl::Status status = transform.Update(bytes, write); !status.ok()) return status;
      }
      if (absl::Status status = Report(); !status.ok()) return status;
    }
    if (absl::Status status = input_.End(); !status.ok()) return status;
    return transform.Finish(write);
  }

  absl::Status Write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote = write(descriptor_, bytes.data(), bytes.size());
      if (wrote >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
      } else if (errno != EINTR) {
        return absl::ErrnoToStatus(errno, absl::StrCat("cannot write to ", NameOf(to_)));
      } else if (absl::Status status = Report(); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Report() {
    if (options_.progress == nullptr || options_.progress(input_.done(), input_.total())) {
      return absl::OkStatus();
    }
    return absl::CancelledError("stopped");
  }

  Input input_;
  const FilePlace& to_;
  const FileTransferOptions& options_;
  std::optional<OutputFile> output_;
  int descriptor_ = -1;
};

}  // namespace

absl::Status SealFile(const FilePlace& from, const FilePlace& to, const SealedFileKey& key,
                      const FileTransferOptions& transfer, const SealedFileOptions& options) {
  Transfer job(from, to, transfer);
  if (absl::Status status = job.Open(); !status.ok()) return status;
  absl::StatusOr<SealedFileWriter> writer = SealedFileWriter::Create(key, options);
  if (!writer.ok()) return writer.status();
  return job.Run(*writer, kSealedMode);
}

absl::Status OpenFile(const FilePlace& from, const FilePlace& to, const SealedFileKey& key,
                      const FileTransferOptions& transfer, const SealedFileLimits& limits) {
  Transfer job(from, to, transfer);
  if (absl::Status status = job.Open(); !status.ok()) return status;
  absl::StatusOr<SealedFileReader> reader = SealedFileReader::Create(key, limits);
  if (!reader.ok()) return reader.status();
  return job.Run(*reader, kOpenedMode);
}

}  // namespace strata::crypto
