// The VFS of one storage.

#ifndef STRATA_ORM_ENCRYPTED_STORAGE_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_STORAGE_INTERNAL_H_

#include <memory>
#include <string>

#include "sqlite3.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/encrypted_key_source_internal.h"

namespace strata::orm::internal {

class VfsStorage : public EncryptedStorage {
 public:
  VfsStorage(EncryptionKey key, const EncryptionOptions& options, sqlite3_vfs* below);
  ~VfsStorage() override;

  absl::Status Register();

  sqlite3_vfs* below() const { return below_; }
  const std::shared_ptr<KeySource>& keys() const { return keys_; }

  // SQLite's xOpen.
  int OpenFile(const char* name, sqlite3_file* file, int flags, int* flags_out);

  const char* vfs_name() const override { return name_.c_str(); }
  int reserved_bytes() const override;
  absl::Status failure() const override;

 private:
  const std::string name_;
  sqlite3_vfs* const below_;
  const std::shared_ptr<KeySource> keys_;
  sqlite3_vfs vfs_ = {};
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_STORAGE_INTERNAL_H_
