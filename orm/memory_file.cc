#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/crc32c.h"
#include "strata/orm/memory_file_internal.h"

namespace strata::orm::internal {
namespace {

using crypto::ExtendCrc32c;

template <typename T>
void Put(char* to, T number) {  // The machine is little-endian: x86-64.
  std::memcpy(to, &number, sizeof(number));
}

template <typename T>
T Get(const char* from) {
  T number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

// Where the checksums of a frame begin.
std::uint32_t SeedAt(std::uint32_t seed, std::uint64_t offset) {
  char bytes[sizeof(offset)];
  Put(bytes, offset);
  return ExtendCrc32c(seed, std::string_view(bytes, sizeof(bytes)));
}

std::uint32_t SeedOf(std::string_view head) { return crypto::Crc32c(head.substr(8)); }

// What can be told without checksums. `room` is the rest of the file from there on.
bool MayBeHead(const char* head, std::uint64_t room) {
  const std::uint64_t size = Get<std::uint32_t>(head);
  return size <= kMaxFrameBytes && size <= room - kFrameHeadBytes &&
         Get<std::uint32_t>(head + 4) <= static_cast<std::uint32_t>(FrameType::kEntries);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status SystemError(std::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrCat(path, ": ", what, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<File> File::Open(const std::string& path, int flags) {
  File file;
  file.path_ = path;
  do {
    file.fd_ = open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (file.fd_ < 0 && errno == EINTR);
  if (file.fd_ < 0) return SystemError("cannot be opened", path);
  return file;
}

absl::StatusOr<std::uint64_t> File::Size() const {
  struct stat status;
  if (fstat(fd_, &status) != 0) return SystemError("has no size", path_);
  return static_cast<std::uint64_t>(status.st_size);
}

absl::Status File::ReadAt(std::uint64_t offset, std::size_t size, char* to) const {
  while (size > 0) {
    const ssize_t done = pread(fd_, to, size, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return SystemError("cannot be read", path_);
    if (done == 0) return absl::OutOfRangeError(absl::StrCat(path_, ": has become shorter"));
    to += done;
    offset += static_cast<std::uint64_t>(done);
    size -= static_cast<std::size_t>(done);
  }
  return absl::OkStatus();
}

absl::Status File::WriteAt(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t done = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return SystemError("cannot be written", path_);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return absl::OkStatus();
}

absl::Status File::Truncate(std::uint64_t size) const {
  int result;
  do {
    result = ftruncate(fd_, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? absl::OkStatus() : SystemError("cannot be cut off", path_);
}

absl::Status File::Sync() const {
  // Not tried again: after an error the system may have dropped what was to be written.
  return fdatasync(fd_) == 0 ? absl::OkStatus() : SystemError("cannot be synced", path_);
}

absl::Status File::Lock() const {
  if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return SystemError("cannot be locked", path_);
  return absl::UnavailableError(absl::StrCat(path_, ": another process has the lock"));
}

absl::Status SyncFolder(const std::string& path) {
  const absl::StatusOr<File> folder = File::Open(FolderOf(path), O_RDONLY | O_DIRECTORY);
  return folder.ok() ? folder->Sync() : folder.status();
}

absl::Status ReplaceFile(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return SystemError("cannot be replaced", to);
  return SyncFolder(to);
}

void AppendFrame(std::string_view file_head, std::uint64_t offset, FrameType type,
                 std::string_view content, std::string* out) {
  const std::uint32_t seed = SeedAt(SeedOf(file_head), offset);
  char head[kFrameHeadBytes] = {};
  Put(head, static_cast<std::uint32_t>(content.size()));
  head[4] = static_cast<char>(type);
  Put(head + 8, ExtendCrc32c(seed, content));
  Put(head + 12, ExtendCrc32c(seed, std::string_view(head, 12)));
  out->append(head, sizeof(head));
  out->append(content);
}

absl::StatusOr<FrameWriter> FrameWriter::Make(const std::string& path, std::string_view magic) {
  absl::StatusOr<File> file = File::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  if (!file.ok()) return file.status();
  char head[kFileHeadBytes];
  std::memcpy(head, magic.data(), 8);
  if (getrandom(head + 8, 8, 0) != 8) return SystemError("no random bytes for", path);
  const std::string_view bytes(head, sizeof(head));
  if (absl::Status status = file->WriteAt(0, bytes); !status.ok()) return status;
  return FrameWriter(*std::move(file), bytes, sizeof(head));
}

FrameWriter::FrameWriter(File file, std::string_view head, std::uint64_t offset)
    : file_(std::move(file)), head_(head), offset_(offset) {}

absl::Status FrameWriter::Append(FrameType type, std::string_view content) {
  if (content.size() > kMaxFrameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_.path(), ": more than ", kMaxFrameBytes, " bytes for a row"));
  }
  frame_.clear();
  AppendFrame(head_, offset_, type, content, &frame_);
  if (absl::Status status = file_.WriteAt(offset_, frame_); !status.ok()) return status;
  offset_ += frame_.size();
  return absl::OkStatus();
}

absl::Status FrameWriter::RollBack(std::uint64_t offset) {
  absl::Status status = file_.Truncate(offset);
  if (status.ok()) offset_ = offset;
  return status;
}

absl::StatusOr<FrameReader> FrameReader::Make(const Source* source, std::string_view magic) {
  FrameReader reader;
  reader.source_ = source;
  if (source->size() < kFileHeadBytes) return absl::DataLossError("the file has no head");
  reader.head_.resize(kFileHeadBytes);
  absl::Status status = source->ReadAt(0, kFileHeadBytes, reader.head_.data());
  if (!status.ok()) return status;
  if (!reader.head_.starts_with(magic)) return absl::DataLossError("the file is of another kind");
  reader.seed_ = SeedOf(reader.head_);
  reader.offset_ = kFileHeadBytes;
  return reader;
}

absl::StatusOr<FrameReader::Result> FrameReader::ReadFrame(std::uint64_t offset, Frame* frame) {
  if (source_->size() - offset < kFrameHeadBytes) return Result::kDamaged;
  char head[kFrameHeadBytes];
  if (absl::Status status = source_->ReadAt(offset, sizeof(head), head); !status.ok()) {
    return status;
  }
  if (!MayBeHead(head, source_->size() - offset)) return Result::kDamaged;
  const std::uint64_t size = Get<std::uint32_t>(head);
  const std::uint32_t seed = SeedAt(seed_, offset);
  if (ExtendCrc32c(seed, std::string_view(head, 12)) != Get<std::uint32_t>(head + 12)) {
    return Result::kDamaged;
  }
  content_.resize(size);
  absl::Status status = source_->ReadAt(offset + kFrameHeadBytes, size, content_.data());
  if (!status.ok()) return status;
  if (ExtendCrc32c(seed, content_) != Get<std::uint32_t>(head + 8)) return Result::kDamaged;
  frame->type = static_cast<FrameType>(head[4]);
  frame->content = content_;
  return Result::kFrame;
}

absl::StatusOr<FrameReader::Result> FrameReader::Next(Frame* frame) {
  if (offset_ == source_->size()) return Result::kEnd;
  const absl::StatusOr<Result> result = ReadFrame(offset_, frame);
  if (result.ok() && *result == Result::kFrame) offset_ += kFrameHeadBytes + content_.size();
  return result;
}

absl::StatusOr<bool> FrameReader::FindLater(std::uint64_t offset,
                                            absl::FunctionRef<bool(const Frame& frame)> accepts) {
  constexpr std::size_t kWindow = std::size_t{64} << 10;
  std::string window;
  for (++offset; offset < source_->size();) {
    window.resize(std::min<std::uint64_t>(kWindow, source_->size() - offset));
    if (window.size() < kFrameHeadBytes) return false;
    absl::Status status = source_->ReadAt(offset, window.size(), window.data());
    if (!status.ok()) return status;
    const std::size_t positions = window.size() - kFrameHeadBytes + 1;
    for (std::size_t i = 0; i < positions; ++i) {
      if (!MayBeHead(window.data() + i, source_->size() - offset - i)) continue;
      Frame frame;
      const absl::StatusOr<Result> result = ReadFrame(offset + i, &frame);
      if (!result.ok()) return result.status();
      if (*result == Result::kFrame && accepts(frame)) return true;
    }
    offset += positions;
  }
  return false;
}

}  // namespace strata::orm::internal
