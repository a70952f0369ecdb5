// A database that the tool has open, and its key.

#ifndef STRATA_TOOLS_ORM_SESSION_H_
#define STRATA_TOOLS_ORM_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/sqlite_internal.h"
#include "tools/orm/arguments.h"

namespace strata::orm_tool {

// The storage of files with a key from there; `twice` asks a terminal so. Null if none is given.
absl::StatusOr<std::shared_ptr<orm::EncryptedStorage>> StorageOf(const KeySource& source,
                                                                 bool twice);

class Session {
 public:
  // Asks for the key; the file is opened when it is used.
  static absl::StatusOr<std::unique_ptr<Session>> Start(const Arguments& arguments);

  // Opens the file, if it is not open: with the journal that it has, or if there is no file and one
  // may be made, with a write-ahead log.
  absl::StatusOr<orm::internal::Connection*> Open();

  // For commands that want the file for themselves. FailedPrecondition within a transaction, and
  // for a database in memory, which would be gone.
  absl::Status Close();

  bool IsInTransaction() const;

  const std::string& file() const { return file_; }
  const std::shared_ptr<orm::EncryptedStorage>& storage() const { return storage_; }
  void set_storage(std::shared_ptr<orm::EncryptedStorage> storage) {
    storage_ = std::move(storage);
  }

  // How to open it. NotFound if there is no file, and none is to be made.
  absl::StatusOr<orm::DatabaseOptions> Options() const;

 private:
  Session() = default;

  std::string file_;
  bool create_ = false;
  bool read_only_ = false;
  std::shared_ptr<orm::EncryptedStorage> storage_;
  std::unique_ptr<orm::internal::Connection> connection_;
};

// An SQL name, quoted.
std::string Quoted(std::string_view name);

// The values of a query of one column.
absl::StatusOr<std::vector<std::string>> Texts(orm::internal::Connection& connection,
                                               std::string_view sql, std::string_view value = "");

}  // namespace strata::orm_tool

#endif  // STRATA_TOOLS_ORM_SESSION_H_
