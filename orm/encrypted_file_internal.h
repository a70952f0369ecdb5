// The files of the encrypting VFS, each above a file of the VFS below it.

#ifndef STRATA_ORM_ENCRYPTED_FILE_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_FILE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "sqlite3.h"

namespace strata::orm::internal {

// Keeps the reason of an error for the thread that it happened in, and returns `code`, which is all
// that SQLite takes.
int Fail(int code, absl::Status reason);

// The last reason; OK after ForgetFailure().
const absl::Status& LastFailure();
void ForgetFailure();

// What SQLite does with a file. As it stands all goes to the file below; derived classes change
// what they encrypt. Returns SQLite's result codes. Used by one thread at a time.
class VfsFile {
 public:
  explicit VfsFile(sqlite3_vfs* vfs);
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;
  virtual ~VfsFile();

  // `name` is SQLite's own pointer, which has more behind the text than the text.
  int OpenBelow(const char* name, int flags, int* flags_out);

  virtual int Close();
  virtual int Read(std::span<std::uint8_t> to, std::int64_t offset);
  virtual int Write(std::span<const std::uint8_t> from, std::int64_t offset);
  virtual int Truncate(std::int64_t size);
  virtual int Sync(int flags);
  virtual int FileSize(std::int64_t* size);
  virtual int Lock(int level);
  virtual int Unlock(int level);
  virtual int FileControl(int operation, void* argument);

  // What lies below.
  sqlite3_file* below() const { return below_; }

 protected:
  // The same for the file below. A short read fills the rest with zeros.
  int ReadBelow(std::span<std::uint8_t> to, std::uint64_t offset) const;
  int WriteBelow(std::span<const std::uint8_t> from, std::uint64_t offset) const;
  int TruncateBelow(std::uint64_t size) const;
  int SizeBelow(std::uint64_t* size) const;

 private:
  sqlite3_vfs* vfs_;
  std::unique_ptr<std::byte[]> memory_;
  sqlite3_file* below_;
};

// What SQLite has of such a file.
struct VfsHandle {
  sqlite3_file file;  // First: SQLite knows this part alone.
  VfsFile* object;
};

// Makes `handle` that of `object`, which is owned by it until it is closed.
void BindHandle(sqlite3_file* handle, std::unique_ptr<VfsFile> object);

// The object of a handle made by BindHandle().
VfsFile* ObjectOf(sqlite3_file* handle);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_FILE_INTERNAL_H_
