// Parts in memory, and in an unlinked file.

#include "strata/http/multipart_form.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/net/file.h"

namespace strata::http {
namespace {

// A file without a name, written at its end.
class TemporaryFile {
 public:
  TemporaryFile() = default;
  ~TemporaryFile() {
    if (fd_ >= 0) close(fd_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool is_open() const { return fd_ >= 0; }
  std::uint64_t size() const { return size_; }

  absl::Status Open(const std::string& folder) {
    fd_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
      // Not every file system can do that.
      std::string path = absl::StrCat(folder, "/form-XXXXXX");
      fd_ = mkostemp(path.data(), O_CLOEXEC);
      if (fd_ >= 0) unlink(path.c_str());
    }
    if (fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("a temporary file in ", folder));
    return absl::OkStatus();
  }

  absl::Status Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return absl::ErrnoToStatus(errno, "writing a temporary file");
      size_ += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return absl::OkStatus();
  }

  // To be read by others; this is closed then.
  std::shared_ptr<const net::File> Share() {
    return std::make_shared<const net::File>(std::exchange(fd_, -1), size_);
  }

 private:
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace

class MultipartForm::Collector final : public MultipartHandler {
 public:
  Collector(std::string_view boundary, const MultipartFormOptions& options)
      : options_(options), parser_(boundary, this, options.limits) {}

  absl::Status Feed(std::string_view bytes) { return Result(parser_.Feed(bytes)); }
  absl::Status Finish() { return Result(parser_.Finish()); }

  std::span<const FormPart> parts() const {
    return whole_ ? std::span<const FormPart>(parts_) : std::span<const FormPart>();
  }

  bool OnPart(const MultipartPart& part) override {
    FormPart& added = parts_.emplace_back();
    added.name = part.name;
    if (part.filename) added.filename = *part.filename;
    added.content_type = part.content_type;
    spooled_ = false;
    return true;
  }

  bool OnData(std::string_view bytes) override {
    FormPart& part = parts_.back();
    part.size_bytes += bytes.size();
    const bool fits = bytes.size() <= options_.max_memory_bytes - memory_bytes_;
    if (!part.filename) {
      if (!fits) {
        return Stop(absl::ResourceExhaustedError("multipart: too many bytes for the memory"));
      }
    } else if (!fits || part.bytes.size() + bytes.size() > options_.max_file_memory_bytes) {
      return Spool(part, bytes);
    }
    part.bytes.append(bytes);
    memory_bytes_ += bytes.size();
    return true;
  }

  bool OnPartEnd() override {
    FormPart& part = parts_.back();
    return !spooled_ || Spool(part, {});
  }

  bool OnEnd() override {
    whole_ = true;
    if (!file_.is_open()) return true;
    const std::shared_ptr<const net::File> shared = file_.Share();
    for (FormPart& part : parts_) {
      if (part.file.bytes > 0) part.file.file = shared;
    }
    return true;
  }

 private:
  absl::Status Result(MultipartError error) const {
    return error == MultipartError::kStopped ? stopped_by_ : ToStatus(error);
  }

  bool Stop(absl::Status status) {
    stopped_by_ = std::move(status);
    return false;
  }

  // The form is not to blame for a full disk.
  bool StopForFile(const absl::Status& status) {
    if (!absl::IsResourceExhausted(status)) return Stop(status);
    return Stop(absl::UnavailableError(status.message()));
  }

  // Writes what the part has in memory, and `bytes` behind it.
  bool Spool(FormPart& part, std::string_view bytes) {
    absl::Status status;
    if (!file_.is_open()) status = file_.Open(options_.temporary_folder);
    if (!spooled_) part.file.offset = file_.size();
    spooled_ = true;
    if (status.ok()) status = file_.Append(part.bytes);
    if (status.ok()) status = file_.Append(bytes);
    memory_bytes_ -= part.bytes.size();
    part.bytes = std::string();
    part.file.bytes = file_.size() - part.file.offset;
    return status.ok() || StopForFile(status);
  }

  const MultipartFormOptions options_;
  MultipartParser parser_;
  std::vector<FormPart> parts_;
  std::size_t memory_bytes_ = 0;  // Of all of them.
  TemporaryFile file_;
  bool spooled_ = false;  // Of the last part: some of it is in the file.
  bool whole_ = false;
  absl::Status stopped_by_;
};

MultipartForm::MultipartForm(std::unique_ptr<Collector> collector)
    : collector_(std::move(collector)) {}
MultipartForm::MultipartForm(MultipartForm&&) noexcept = default;
MultipartForm& MultipartForm::operator=(MultipartForm&&) noexcept = default;
MultipartForm::~MultipartForm() = default;

absl::StatusOr<MultipartForm> MultipartForm::Create(std::string_view content_type,
                                                    const MultipartFormOptions& options) {
  const std::optional<std::string> boundary = MultipartBoundary(content_type);
  if (!boundary) return absl::InvalidArgumentError("not multipart/form-data with a boundary");
  return MultipartForm(std::make_unique<Collector>(*boundary, options));
}

absl::Status MultipartForm::Feed(std::string_view bytes) { return collector_->Feed(bytes); }
absl::Status MultipartForm::Finish() { return collector_->Finish(); }
std::span<const FormPart> MultipartForm::parts() const { return collector_->parts(); }

const FormPart* MultipartForm::Find(std::string_view name) const {
  const std::span<const FormPart> all = parts();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const FormPart& p) { return p.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace strata::http
