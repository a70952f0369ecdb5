// Encrypting, decrypting, rekeying and checking whole files.

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/random.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/encrypted_cipher_internal.h"
#include "strata/orm/encrypted_file_internal.h"
#include "strata/orm/encrypted_main_file_internal.h"
#include "strata/orm/encrypted_storage_internal.h"
#include "strata/orm/sqlite_internal.h"

namespace strata::orm {
namespace {

using internal::Connection;
using internal::MainFile;
using internal::VfsStorage;

VfsStorage& Impl(const std::shared_ptr<EncryptedStorage>& storage) {
  return static_cast<VfsStorage&>(*storage);  // Create() makes no others.
}

// A file name as a URI of SQLite's, which may name a VFS.
std::string UriOf(const std::string& path, std::string_view parameters) {
  std::string uri = path.starts_with('/') ? "file:" : "file:./";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      absl::StrAppend(&uri, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      uri += c;
    }
  }
  return absl::StrCat(uri, "?", parameters);
}

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

absl::Status At(std::string_view path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

void Remove(const std::string& path) {
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(path + suffix, error);
  }
}

absl::StatusOr<std::int64_t> Number(Connection& connection, std::string_view sql) {
  absl::StatusOr<internal::Statement> statement = connection.Prepare(sql, false);
  if (!statement.ok()) return statement.status();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return connection.Error();
  return sqlite3_column_int64(statement->get(), 0);
}

// The file below an open database of an EncryptedStorage.
MainFile& MainFileOf(Connection& connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return static_cast<MainFile&>(*internal::ObjectOf(file));
}

// All that is in `from`, into a new file that `uri` names, whose pages have so many reserved bytes.
absl::Status CopyInto(Connection& from, const std::string& path, const std::string& uri,
                      int reserved_bytes) {
  if (path.empty()) return absl::InvalidArgumentError("a database needs a path");
  if (Exists(path)) return absl::AlreadyExistsError(absl::StrCat(path, ": is there already"));
  sqlite3_file_control(from.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved_bytes);
  absl::Status status = from.Execute(absl::StrCat("VACUUM INTO ", Quoted(uri)));
  if (!status.ok()) Remove(path);
  return At(path, status);
}

// Another process's changes would be neither here nor there.
DatabaseOptions Alone(std::shared_ptr<FileStorage> storage) {
  DatabaseOptions options;
  options.journal = DatabaseOptions::Journal::kDelete;
  options.create = false;
  options.exclusive = true;
  options.busy_timeout = std::chrono::milliseconds(100);
  options.storage = std::move(storage);
  return options;
}

// Pages of `from` over those of `to`, in one transaction of the latter.
absl::Status CopyPages(Connection& from, Connection& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
  if (backup == nullptr) return to.Error();
  const int result = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (result == SQLITE_DONE) return absl::OkStatus();
  absl::Status status = to.Error();
  return status.ok() ? internal::StatusOfCode(result, sqlite3_errstr(result)) : status;
}

// Writes all pages again, with what they have now: SQLite has no call for it, but copies a database
// over another one.
absl::Status RewritePages(Connection& connection, const std::string& path,
                          const EncryptionOptions& options) {
  const std::string copy_path = path + "-rekey";
  Remove(copy_path);  // What a crash has left.
  EncryptionOptions copy_options;
  copy_options.base_vfs = options.base_vfs;
  auto storage = EncryptedStorage::Create(
      EncryptionKey::FromKey(crypto::SecureRandom::Secret(EncryptionKey::kBytes).bytes()),
      copy_options);
  if (!storage.ok()) return storage.status();
  DatabaseOptions copy_database = Alone(*storage);
  copy_database.create = true;
  copy_database.synchronous = DatabaseOptions::Synchronous::kOff;
  absl::Status status;
  {
    auto copy = Connection::Open(copy_path, copy_database);
    status = copy.status();
    if (status.ok()) status = CopyPages(connection, **copy);
    if (status.ok()) status = CopyPages(**copy, connection);
  }
  Remove(copy_path);
  return status;
}

}  // namespace

absl::Status EncryptDatabase(const std::string& plain, const std::string& encrypted,
                             const std::shared_ptr<EncryptedStorage>& storage) {
  const VfsStorage& impl = Impl(storage);
  DatabaseOptions options;
  options.read_only = true;
  auto from = Connection::Open(plain, options);
  if (!from.ok()) return from.status();
  const absl::StatusOr<std::int64_t> page_bytes = Number(**from, "PRAGMA page_size");
  if (!page_bytes.ok()) return page_bytes.status();
  return CopyInto(
      **from, encrypted,
      UriOf(encrypted, absl::StrCat("vfs=", impl.vfs_name(), "&strata_page_bytes=", *page_bytes)),
      impl.reserved_bytes());
}

absl::Status DecryptDatabase(const std::string& encrypted,
                             const std::shared_ptr<EncryptedStorage>& storage,
                             const std::string& plain) {
  DatabaseOptions options;
  options.read_only = true;
  options.storage = storage;
  auto from = Connection::Open(encrypted, options);
  if (!from.ok()) return from.status();
  return CopyInto(**from, plain, UriOf(plain, absl::StrCat("vfs=", Impl(storage).below()->zName)),
                  0);
}

absl::Status RekeyDatabase(const std::string& path, const std::shared_ptr<EncryptedStorage>& from,
                           const std::shared_ptr<EncryptedStorage>& to) {
  auto opened = Connection::Open(path, Alone(from));
  if (!opened.ok()) return opened.status();
  Connection& connection = **opened;
  // The lock stays with an exclusive connection until it is closed.
  absl::Status status = connection.Execute("BEGIN EXCLUSIVE");
  if (status.ok()) status = connection.Execute("COMMIT");
  MainFile& file = MainFileOf(connection);
  if (status.ok()) status = file.BeginRekey();
  if (status.ok()) status = RewritePages(connection, path, Impl(from).keys()->options());
  if (status.ok()) status = file.EndRekey(Impl(to).keys());
  return At(path, status);
}

absl::Status CheckDatabase(const std::string& path,
                           const std::shared_ptr<EncryptedStorage>& storage) {
  DatabaseOptions options;
  options.read_only = true;
  options.storage = storage;
  auto opened = Connection::Open(path, options);
  if (!opened.ok()) return opened.status();
  Connection& connection = **opened;
  absl::Status status = connection.Execute("BEGIN");
  if (status.ok()) status = connection.Execute("SELECT count(*) FROM sqlite_schema");
  if (status.ok()) status = MainFileOf(connection).CheckAll();
  if (!status.ok()) return At(path, status);
  absl::StatusOr<internal::Statement> check =
      connection.Prepare("PRAGMA integrity_check(1)", false);
  if (!check.ok()) return At(path, check.status());
  if (sqlite3_step(check->get()) != SQLITE_ROW) return At(path, connection.Error());
  const std::string found = reinterpret_cast<const char*>(sqlite3_column_text(check->get(), 0));
  return found == "ok" ? absl::OkStatus() : absl::DataLossError(absl::StrCat(path, ": ", found));
}

}  // namespace strata::orm
