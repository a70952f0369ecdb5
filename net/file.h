// File: file.h
//
// A file opened for reading, to be sent by a stream. Many may share it, for it has no position:
//
//   absl::StatusOr<std::shared_ptr<const File>> file = File::Open("index.html");
//   stream.WriteFile(*file, 0, (*file)->size());

#ifndef STRATA_NET_FILE_H_
#define STRATA_NET_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "strata/net/native_socket.h"

namespace strata::net {

// Immutable, so for any number of threads.
class File {
 public:
  // Opens a regular file. NotFound, PermissionDenied, FailedPrecondition (a folder, a device), with
  // the path in the text. Blocks as long as the disk does.
  static absl::StatusOr<std::shared_ptr<const File>> Open(const std::string& path);

  // Takes over the handle of a file that is open for reading.
  explicit File(NativeFile native, std::uint64_t size) : native_(native), size_(size) {}

  ~File();  // Closes it.
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  NativeFile native() const { return native_; }

  // Bytes, when it was opened.
  std::uint64_t size() const { return size_; }

  // Reads from `offset` on. Bytes read: fewer than asked for at the end of the file, 0 behind it.
  absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, std::span<char> buffer) const;

 private:
  NativeFile native_;
  std::uint64_t size_;
};

}  // namespace strata::net

#endif  // STRATA_NET_FILE_H_
