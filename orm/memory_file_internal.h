// The files of the engine in memory: a sequence of frames, each with checksums.
//
// A file begins with 8 bytes that tell what it is and 8 random ones. A frame has a head of 16 bytes
// (the size of its content, its type, three zeros, the CRC-32C of the content, that of the head
// before it; all little-endian), then its content. The checksums begin with those random bytes and
// the frame's position in the file: a frame of another file, or from another place, is none.

#ifndef STRATA_ORM_MEMORY_FILE_INTERNAL_H_
#define STRATA_ORM_MEMORY_FILE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace strata::orm::internal {

inline constexpr std::size_t kFileHeadBytes = 16;
inline constexpr std::size_t kFrameHeadBytes = 16;

// Of the content of a frame. A row has to fit in one.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 31;

// A file of the system. Errors name the path.
class File {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // `flags` are those of open(2). NotFound if there is none and it is not to be made.
  static absl::StatusOr<File> Open(const std::string& path, int flags);

  bool is_open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }
  absl::StatusOr<std::uint64_t> Size() const;
  // All of them, at a position; OutOfRange if the file ends before.
  absl::Status ReadAt(std::uint64_t offset, std::size_t size, char* to) const;
  absl::Status WriteAt(std::uint64_t offset, std::string_view bytes) const;
  absl::Status Truncate(std::uint64_t size) const;
  absl::Status Sync() const;  // Content and size.
  // Unavailable if another process, or another File, has the lock. It ends with the File.
  absl::Status Lock() const;

 private:
  int fd_ = -1;
  std::string path_;
};

// The error of the call that has set errno.
absl::Status SystemError(std::string_view what, const std::string& path);

// Puts the file `from` in the place of `to`, and waits until the disk knows.
absl::Status ReplaceFile(const std::string& from, const std::string& to);
// Waits until the disk knows of changes in the folder of `path`.
absl::Status SyncFolder(const std::string& path);

enum class FrameType : std::uint8_t {
  kHeader = 1,
  kRows = 2,
  kEnd = 3,
  kChanges = 4,
  kClosed = 5,
  kEntries = 6
};

// Appends a frame to `out`, as it is at a position of a file with this head.
void AppendFrame(std::string_view head, std::uint64_t offset, FrameType type,
                 std::string_view content, std::string* out);

// Writes frames, one behind the other.
class FrameWriter {
 public:
  // Makes a file, or empties the one that is there.
  static absl::StatusOr<FrameWriter> Make(const std::string& path, std::string_view magic);
  // Goes on in a file with this head, from `offset` on.
  FrameWriter(File file, std::string_view head, std::uint64_t offset);

  // InvalidArgument for more than kMaxFrameBytes. On an error nothing counts as written.
  absl::Status Append(FrameType type, std::string_view content);

  // Frames after `offset` are forgotten.
  absl::Status RollBack(std::uint64_t offset);

  std::uint64_t offset() const { return offset_; }
  const File& file() const { return file_; }

 private:
  File file_;
  std::string head_;  // Of the file.
  std::uint64_t offset_ = 0;
  std::string frame_;
};

// What frames are read from.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t size() const = 0;
  virtual absl::Status ReadAt(std::uint64_t offset, std::size_t size, char* to) const = 0;
};

class FileSource : public Source {
 public:
  FileSource(const File* file, std::uint64_t size) : file_(file), size_(size) {}
  std::uint64_t size() const override { return size_; }
  absl::Status ReadAt(std::uint64_t offset, std::size_t size, char* to) const override {
    return file_->ReadAt(offset, size, to);
  }

 private:
  const File* file_;
  std::uint64_t size_;
};

struct Frame {
  FrameType type = FrameType::kHeader;
  std::string_view content;  // Until the next one is read.
};

class FrameReader {
 public:
  enum class Result : std::uint8_t { kFrame, kEnd, kDamaged };

  // DataLoss if the file does not begin as it has to.
  static absl::StatusOr<FrameReader> Make(const Source* source, std::string_view magic);

  // The next frame. kEnd behind the last one; kDamaged if what comes is no whole frame, and then
  // always. Other errors are those of reading.
  absl::StatusOr<Result> Next(Frame* frame);

  // Whether there is a frame behind `offset`, at whatever position, that `accepts` takes.
  absl::StatusOr<bool> FindLater(std::uint64_t offset,
                                 absl::FunctionRef<bool(const Frame& frame)> accepts);

  std::uint64_t offset() const { return offset_; }  // Of the next frame.
  std::string_view head() const { return head_; }   // Of the file.

 private:
  absl::StatusOr<Result> ReadFrame(std::uint64_t offset, Frame* frame);

  const Source* source_ = nullptr;
  std::string head_;
  std::uint32_t seed_ = 0;
  std::uint64_t offset_ = 0;
  std::string content_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_MEMORY_FILE_INTERNAL_H_
