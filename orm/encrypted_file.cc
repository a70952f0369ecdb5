#include <algorithm>
#include <utility>

#include "strata/orm/encrypted_file_internal.h"

namespace strata::orm::internal {
namespace {

absl::Status& ThreadsFailure() {
  thread_local absl::Status failure;
  return failure;
}

std::span<std::uint8_t> Bytes(void* bytes, int size) {
  return {static_cast<std::uint8_t*>(bytes), static_cast<std::size_t>(size)};
}

std::span<const std::uint8_t> Bytes(const void* bytes, int size) {
  return {static_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(size)};
}

const sqlite3_io_methods& MethodsBelow(sqlite3_file* handle) {
  return *ObjectOf(handle)->below()->pMethods;
}

int Close(sqlite3_file* handle) {
  const std::unique_ptr<VfsFile> object(ObjectOf(handle));
  handle->pMethods = nullptr;
  return object->Close();
}

int Read(sqlite3_file* handle, void* to, int size, sqlite3_int64 offset) {
  return ObjectOf(handle)->Read(Bytes(to, size), offset);
}

int Write(sqlite3_file* handle, const void* from, int size, sqlite3_int64 offset) {
  return ObjectOf(handle)->Write(Bytes(from, size), offset);
}

int Truncate(sqlite3_file* handle, sqlite3_int64 size) { return ObjectOf(handle)->Truncate(size); }

int Sync(sqlite3_file* handle, int flags) { return ObjectOf(handle)->Sync(flags); }

int FileSize(sqlite3_file* handle, sqlite3_int64* size) {
  std::int64_t found = 0;
  const int result = ObjectOf(handle)->FileSize(&found);
  *size = found;
  return result;
}

int Lock(sqlite3_file* handle, int level) { return ObjectOf(handle)->Lock(level); }

int Unlock(sqlite3_file* handle, int level) { return ObjectOf(handle)->Unlock(level); }

int CheckReservedLock(sqlite3_file* handle, int* reserved) {
  return MethodsBelow(handle).xCheckReservedLock(ObjectOf(handle)->below(), reserved);
}

int FileControl(sqlite3_file* handle, int operation, void* argument) {
  return ObjectOf(handle)->FileControl(operation, argument);
}

int SectorSize(sqlite3_file* handle) {
  return MethodsBelow(handle).xSectorSize(ObjectOf(handle)->below());
}

int DeviceCharacteristics(sqlite3_file* handle) {
  // That writes are atomic, or appended safely, is no longer true where they go elsewhere.
  constexpr int kKept = SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_SEQUENTIAL |
                        SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN | SQLITE_IOCAP_IMMUTABLE;
  return MethodsBelow(handle).xDeviceCharacteristics(ObjectOf(handle)->below()) & kKept;
}

int ShmMap(sqlite3_file* handle, int region, int size, int extend, void volatile** memory) {
  return MethodsBelow(handle).xShmMap(ObjectOf(handle)->below(), region, size, extend, memory);
}

int ShmLock(sqlite3_file* handle, int offset, int count, int flags) {
  return MethodsBelow(handle).xShmLock(ObjectOf(handle)->below(), offset, count, flags);
}

void ShmBarrier(sqlite3_file* handle) {
  MethodsBelow(handle).xShmBarrier(ObjectOf(handle)->below());
}

int ShmUnmap(sqlite3_file* handle, int remove) {
  return MethodsBelow(handle).xShmUnmap(ObjectOf(handle)->below(), remove);
}

// Version 3 would map pages into memory, where they are sealed.
constexpr sqlite3_io_methods MethodsOfVersion(int version) {
  sqlite3_io_methods methods = {};
  methods.iVersion = version;
  methods.xClose = Close;
  methods.xRead = Read;
  methods.xWrite = Write;
  methods.xTruncate = Truncate;
  methods.xSync = Sync;
  methods.xFileSize = FileSize;
  methods.xLock = Lock;
  methods.xUnlock = Unlock;
  methods.xCheckReservedLock = CheckReservedLock;
  methods.xFileControl = FileControl;
  methods.xSectorSize = SectorSize;
  methods.xDeviceCharacteristics = DeviceCharacteristics;
  if (version >= 2) {
    methods.xShmMap = ShmMap;
    methods.xShmLock = ShmLock;
    methods.xShmBarrier = ShmBarrier;
    methods.xShmUnmap = ShmUnmap;
  }
  return methods;
}

constexpr sqlite3_io_methods kMethods = MethodsOfVersion(1);
constexpr sqlite3_io_methods kMethodsWithShm = MethodsOfVersion(2);

}  // namespace

int Fail(int code, absl::Status reason) {
  ThreadsFailure() = std::move(reason);
  return code;
}

const absl::Status& LastFailure() { return ThreadsFailure(); }

void ForgetFailure() { ThreadsFailure() = absl::OkStatus(); }

VfsFile::VfsFile(sqlite3_vfs* vfs)
    : vfs_(vfs),
      memory_(std::make_unique<std::byte[]>(static_cast<std::size_t>(vfs->szOsFile))),
      below_(reinterpret_cast<sqlite3_file*>(memory_.get())) {}

VfsFile::~VfsFile() {
  if (below_->pMethods != nullptr) below_->pMethods->xClose(below_);
}

int VfsFile::OpenBelow(const char* name, int flags, int* flags_out) {
  return vfs_->xOpen(vfs_, name, below_, flags, flags_out);
}

int VfsFile::Close() {
  const int result = below_->pMethods->xClose(below_);
  below_->pMethods = nullptr;
  return result;
}

int VfsFile::Read(std::span<std::uint8_t> to, std::int64_t offset) {
  return ReadBelow(to, static_cast<std::uint64_t>(offset));
}

int VfsFile::Write(std::span<const std::uint8_t> from, std::int64_t offset) {
  return WriteBelow(from, static_cast<std::uint64_t>(offset));
}

int VfsFile::Truncate(std::int64_t size) { return TruncateBelow(static_cast<std::uint64_t>(size)); }

int VfsFile::Sync(int flags) { return below_->pMethods->xSync(below_, flags); }

int VfsFile::FileSize(std::int64_t* size) {
  std::uint64_t below = 0;
  const int result = SizeBelow(&below);
  *size = static_cast<std::int64_t>(below);
  return result;
}

int VfsFile::Lock(int level) { return below_->pMethods->xLock(below_, level); }

int VfsFile::Unlock(int level) { return below_->pMethods->xUnlock(below_, level); }

int VfsFile::FileControl(int operation, void* argument) {
  return below_->pMethods->xFileControl(below_, operation, argument);
}

int VfsFile::ReadBelow(std::span<std::uint8_t> to, std::uint64_t offset) const {
  return below_->pMethods->xRead(below_, to.data(), static_cast<int>(to.size()),
                                 static_cast<sqlite3_int64>(offset));
}

int VfsFile::WriteBelow(std::span<const std::uint8_t> from, std::uint64_t offset) const {
  return below_->pMethods->xWrite(below_, from.data(), static_cast<int>(from.size()),
                                  static_cast<sqlite3_int64>(offset));
}

int VfsFile::TruncateBelow(std::uint64_t size) const {
  return below_->pMethods->xTruncate(below_, static_cast<sqlite3_int64>(size));
}

int VfsFile::SizeBelow(std::uint64_t* size) const {
  sqlite3_int64 found = 0;
  const int result = below_->pMethods->xFileSize(below_, &found);
  *size = static_cast<std::uint64_t>(found);
  return result;
}

void BindHandle(sqlite3_file* handle, std::unique_ptr<VfsFile> object) {
  const sqlite3_io_methods& below = *object->below()->pMethods;
  const bool has_shm = below.iVersion >= 2 && below.xShmMap != nullptr;
  handle->pMethods = has_shm ? &kMethodsWithShm : &kMethods;
  reinterpret_cast<VfsHandle*>(handle)->object = object.release();
}

VfsFile* ObjectOf(sqlite3_file* handle) { return reinterpret_cast<VfsHandle*>(handle)->object; }

}  // namespace strata::orm::internal
