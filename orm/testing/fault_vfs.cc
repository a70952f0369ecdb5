#include "strata/orm/testing/fault_vfs.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>

#include "sqlite3.h"

namespace strata::orm::testing {
namespace {

constexpr std::int64_t kSectorBytes = 512;

Fault fault;
std::int64_t writes = 0;
bool is_full = false;

// What was written since the last sync: sectors as they were before, and the size.
struct Unsynced {
  sqlite3_file* below;
  std::map<std::int64_t, std::string> sectors;
  std::int64_t size = 0;
};

struct File {
  sqlite3_file handle;
  sqlite3_file* below;  // Lies behind this struct.
  Unsynced* unsynced;
};

std::set<Unsynced*>& OpenFiles() {
  static auto& files = *new std::set<Unsynced*>();
  return files;
}

sqlite3_file* Below(sqlite3_file* file) { return reinterpret_cast<File*>(file)->below; }
Unsynced& UnsyncedOf(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->unsynced; }

void Remember(Unsynced& unsynced, std::int64_t offset, std::int64_t size) {
  if (fault.what != Fault::What::kPowerCut) return;
  for (std::int64_t sector = offset / kSectorBytes; sector * kSectorBytes < offset + size;
       ++sector) {
    if (unsynced.sectors.contains(sector)) continue;
    std::string before(kSectorBytes, '\0');
    unsynced.below->pMethods->xRead(unsynced.below, before.data(), kSectorBytes,
                                    sector * kSectorBytes);
    unsynced.sectors.emplace(sector, std::move(before));
  }
}

void Synced(Unsynced& unsynced) {
  sqlite3_int64 size = 0;
  unsynced.below->pMethods->xFileSize(unsynced.below, &size);
  unsynced.size = size;
  unsynced.sectors.clear();
}

void CutPower() {
  std::mt19937_64 random(fault.seed);
  for (Unsynced* file : OpenFiles()) {
    const auto& below = *file->below->pMethods;
    sqlite3_int64 size = 0;
    below.xFileSize(file->below, &size);
    for (const auto& [sector, before] : file->sectors) {
      if (random() % 2 == 0) continue;
      const std::int64_t at = sector * kSectorBytes;
      const std::int64_t end = std::min<std::int64_t>(at + kSectorBytes, size);
      if (end > at) below.xWrite(file->below, before.data(), static_cast<int>(end - at), at);
    }
    if (size > file->size && random() % 2 == 0) {
      below.xTruncate(file->below,
                      file->size + static_cast<std::int64_t>(
                                       random() % static_cast<std::uint64_t>(size - file->size)));
    }
  }
}

// Counts a write. SQLITE_OK if it is to be done. Of a write at the fault, `*partly` is how many
// bytes are to be written before.
int CountWrite(std::int64_t size, std::int64_t* partly) {
  *partly = 0;
  if (writes++ != fault.at_write || fault.what == Fault::What::kNone) return SQLITE_OK;
  *partly = std::min(fault.torn_sectors * kSectorBytes, size);
  switch (fault.what) {
    case Fault::What::kFull:
      is_full = true;
      return SQLITE_FULL;
    case Fault::What::kFail:
      return SQLITE_IOERR_WRITE;
    default:
      return SQLITE_ABORT;  // Once the part is written.
  }
}

int Ended(int result) {
  if (fault.what == Fault::What::kPowerCut) CutPower();
  if (result == SQLITE_ABORT) _exit(kFaultExitCode);
  return result;
}

int Close(sqlite3_file* file) {
  OpenFiles().erase(&UnsyncedOf(file));
  delete &UnsyncedOf(file);
  return Below(file)->pMethods->xClose(Below(file));
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return Below(file)->pMethods->xRead(Below(file), to, size, offset);
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const auto& below = *Below(file)->pMethods;
  if (is_full) {
    sqlite3_int64 end = 0;
    if (below.xFileSize(Below(file), &end) == SQLITE_OK && offset + size > end) return SQLITE_FULL;
  }
  std::int64_t partly = 0;
  const int result = CountWrite(size, &partly);
  Remember(UnsyncedOf(file), offset, size);
  if (result == SQLITE_OK) return below.xWrite(Below(file), from, size, offset);
  if (partly > 0) below.xWrite(Below(file), from, static_cast<int>(partly), offset);
  return Ended(result);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  std::int64_t partly = 0;
  const int result = CountWrite(0, &partly);
  if (result != SQLITE_OK) return Ended(result);
  const int truncated = Below(file)->pMethods->xTruncate(Below(file), size);
  Synced(UnsyncedOf(file));
  return truncated;
}

int Sync(sqlite3_file* file, int) {
  // To the disk itself it need not go: the machine of the test goes on.
  Synced(UnsyncedOf(file));
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Below(file)->pMethods->xFileSize(Below(file), size);
}

int Lock(sqlite3_file* file, int level) { return Below(file)->pMethods->xLock(Below(file), level); }

int Unlock(sqlite3_file* file, int level) {
  return Below(file)->pMethods->xUnlock(Below(file), level);
}

int CheckReservedLock(sqlite3_file* file, int* reserved) {
  return Below(file)->pMethods->xCheckReservedLock(Below(file), reserved);
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Below(file)->pMethods->xFileControl(Below(file), operation, argument);
}

int SectorSize(sqlite3_file* file) { return Below(file)->pMethods->xSectorSize(Below(file)); }

int DeviceCharacteristics(sqlite3_file* file) {
  return Below(file)->pMethods->xDeviceCharacteristics(Below(file));
}

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  return Below(file)->pMethods->xShmMap(Below(file), region, size, extend, memory);
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Below(file)->pMethods->xShmLock(Below(file), offset, count, flags);
}

void ShmBarrier(sqlite3_file* file) { Below(file)->pMethods->xShmBarrier(Below(file)); }

int ShmUnmap(sqlite3_file* file, int remove) {
  return Below(file)->pMethods->xShmUnmap(Below(file), remove);
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* Default(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* flags_out) {
  auto* file = new (handle) File{{nullptr}, nullptr, nullptr};
  file->below = reinterpret_cast<sqlite3_file*>(file + 1);
  const int result = Default(vfs)->xOpen(Default(vfs), name, file->below, flags, flags_out);
  if (result != SQLITE_OK) return result;
  file->handle.pMethods = &kMethods;
  file->unsynced = new Unsynced{file->below, {}, 0};
  Synced(*file->unsynced);
  OpenFiles().insert(file->unsynced);
  return result;
}

int Delete(sqlite3_vfs* vfs, const char* name, int) {
  std::int64_t partly = 0;
  const int result = CountWrite(0, &partly);
  return result == SQLITE_OK ? Default(vfs)->xDelete(Default(vfs), name, 0) : Ended(result);
}

}  // namespace

void RegisterFaultVfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_initialize();
    sqlite3_vfs* below = sqlite3_vfs_find(nullptr);
    sqlite3_vfs made = *below;  // What is not replaced takes no notice of which VFS it is.
    made.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
    made.zName = kFaultVfs;
    made.pNext = nullptr;
    made.pAppData = below;
    made.xOpen = Open;
    made.xDelete = Delete;
    return made;
  }();
  sqlite3_vfs_register(&vfs, 0);
}

void SetFault(const Fault& chosen) {
  fault = chosen;
  writes = 0;
  is_full = false;
}

std::int64_t CountWrites() { return writes; }

}  // namespace strata::orm::testing
