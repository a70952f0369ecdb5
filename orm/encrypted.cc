// The VFS that encrypts, and its registration with SQLite.

#include "strata/orm/encrypted.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/encrypted_journal_internal.h"
#include "strata/orm/encrypted_log_internal.h"
#include "strata/orm/encrypted_main_file_internal.h"
#include "strata/orm/encrypted_storage_internal.h"

namespace strata::orm {
namespace internal {
namespace {

sqlite3_vfs* Below(sqlite3_vfs* vfs) { return static_cast<VfsStorage*>(vfs->pAppData)->below(); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  return static_cast<VfsStorage*>(vfs->pAppData)->OpenFile(name, file, flags, flags_out);
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync) {
  return Below(vfs)->xDelete(Below(vfs), name, sync);
}

int Access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return Below(vfs)->xAccess(Below(vfs), name, flags, result);
}

int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* full) {
  return Below(vfs)->xFullPathname(Below(vfs), name, size, full);
}

int Randomness(sqlite3_vfs* vfs, int size, char* bytes) {
  return Below(vfs)->xRandomness(Below(vfs), size, bytes);
}

int Sleep(sqlite3_vfs* vfs, int microseconds) {
  return Below(vfs)->xSleep(Below(vfs), microseconds);
}

int CurrentTime(sqlite3_vfs* vfs, double* time) {
  return Below(vfs)->xCurrentTime(Below(vfs), time);
}

int GetLastError(sqlite3_vfs* vfs, int size, char* text) {
  return Below(vfs)->xGetLastError(Below(vfs), size, text);
}

std::string NewVfsName() {
  static std::atomic<std::uint64_t> made{0};
  return absl::StrCat("strata-encrypted-", made.fetch_add(1));
}

}  // namespace

VfsStorage::VfsStorage(EncryptionKey key, const EncryptionOptions& options, sqlite3_vfs* below)
    : name_(NewVfsName()),
      below_(below),
      keys_(std::make_shared<KeySource>(std::move(key), options)) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(VfsHandle);
  vfs_.mxPathname = below->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Open;
  vfs_.xDelete = Delete;
  vfs_.xAccess = Access;
  vfs_.xFullPathname = FullPathname;
  vfs_.xRandomness = Randomness;
  vfs_.xSleep = Sleep;
  vfs_.xCurrentTime = CurrentTime;
  vfs_.xGetLastError = GetLastError;
}

VfsStorage::~VfsStorage() { sqlite3_vfs_unregister(&vfs_); }

absl::Status VfsStorage::Register() {
  const int result = sqlite3_vfs_register(&vfs_, 0);
  return result == SQLITE_OK ? absl::OkStatus() : absl::InternalError(sqlite3_errstr(result));
}

int VfsStorage::reserved_bytes() const { return static_cast<int>(kReservedBytes); }

absl::Status VfsStorage::failure() const { return LastFailure(); }

int VfsStorage::OpenFile(const char* name, sqlite3_file* file, int flags, int* flags_out) {
  ForgetFailure();
  std::unique_ptr<VfsFile> object;
  MainFile* opened = nullptr;
  JournalFile* journal = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
    auto main = std::make_unique<MainFile>(below_, keys_);
    opened = main.get();
    object = std::move(main);
  } else if ((flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0) {
    auto& main = static_cast<MainFile&>(*ObjectOf(sqlite3_database_file_object(name)));
    if ((flags & SQLITE_OPEN_WAL) != 0) {
      object = std::make_unique<LogFile>(below_, main);
    } else {
      auto made = std::make_unique<JournalFile>(below_, main);
      journal = made.get();
      object = std::move(made);
    }
  } else if ((flags & SQLITE_OPEN_SUPER_JOURNAL) != 0) {
    object = std::make_unique<VfsFile>(below_);  // Names of files, and nothing of their content.
  } else {
    return Fail(SQLITE_CANTOPEN, absl::FailedPreconditionError(
                                     "temporary files are not encrypted: temp_store has to be "
                                     "MEMORY"));
  }
  int result = object->OpenBelow(name, flags, flags_out);
  if (result == SQLITE_OK && opened != nullptr) {
    result = opened->Start(
        name, flags_out == nullptr ? flags : *flags_out | (flags & SQLITE_OPEN_CREATE));
  }
  if (result != SQLITE_OK) return result;
  if (journal != nullptr) journal->Attach();
  BindHandle(file, std::move(object));
  return SQLITE_OK;
}

}  // namespace internal

absl::StatusOr<std::shared_ptr<EncryptedStorage>> EncryptedStorage::Create(
    EncryptionKey key, const EncryptionOptions& options) {
  if (absl::Status status = internal::CheckKey(key); !status.ok()) return status;
  if (options.cipher != PageCipher::kAes256Gcm &&
      options.cipher != PageCipher::kAes256CtrUnauthenticated) {
    return absl::InvalidArgumentError("no such cipher");
  }
  const crypto::PasswordCost cost =
      std::visit([](const auto& chosen) { return crypto::PasswordCost(chosen); }, options.cost);
  if (absl::Status status = crypto::CheckPasswordCost(cost); !status.ok()) return status;
  sqlite3_initialize();
  sqlite3_vfs* below =
      sqlite3_vfs_find(options.base_vfs.empty() ? nullptr : options.base_vfs.c_str());
  if (below == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("SQLite has no VFS ", options.base_vfs));
  }
  auto storage = std::make_shared<internal::VfsStorage>(std::move(key), options, below);
  if (absl::Status status = storage->Register(); !status.ok()) return status;
  return storage;
}

}  // namespace strata::orm
