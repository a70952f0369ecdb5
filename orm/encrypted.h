// File: encrypted.h
//
// Databases whose files can neither be read nor changed unseen without the key:
//
//   using strata::orm::EncryptedStorage;
//   using strata::orm::EncryptionKey;
//   absl::StatusOr<std::shared_ptr<EncryptedStorage>> storage =
//       EncryptedStorage::Create(EncryptionKey::FromPassword("correct horse"));
//   if (!storage.ok()) return storage.status();
//   auto db = Database::Open("people.db", {.storage = *storage});
//
// Each page is sealed by AES-256-GCM with a nonce of its own for each time it is written, and bound
// to its number and file; so are the rollback journal and the write-ahead log. Temporary tables and
// indexes are in memory. DESIGN.md has the format, and what each part proves.
//
// What is not hidden: the size of the file and of its parts, when and which pages are written, and
// the -shm file beside a write-ahead log, which has page numbers and a checksum of 64 bits over the
// log (`exclusive` of DatabaseOptions keeps it in memory).
//
// What is not prevented: that somebody puts an older copy of the whole file in its place, or takes
// the log or the journal away as a whole; what those hold is then an older state.
//
// Errors besides those of database_options.h:
//
//   Unauthenticated    another key or password
//   DataLoss           no encrypted database (a plain one, another file), a truncated or a damaged
//                      one; the page that is damaged when it is read
//   Unimplemented      a newer version of the format
//   ResourceExhausted  the header asks for more work for a password than the limits allow; or a
//                      connection has sealed 2^32 pages (16 TiB), and RekeyDatabase() is due

#ifndef STRATA_ORM_ENCRYPTED_H_
#define STRATA_ORM_ENCRYPTED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/password.h"
#include "strata/crypto/sealed_file.h"
#include "strata/orm/database_options.h"

namespace strata::orm {

// 32 random bytes, or a password: FromKey() and FromPassword(), as for sealed files.
using EncryptionKey = crypto::SealedFileKey;

enum class PageCipher : std::uint8_t {
  kAes256Gcm = 1,
  // Nobody reads the pages, but whoever changes one is not noticed. For comparisons.
  kAes256CtrUnauthenticated = 2,
};

struct EncryptionOptions {
  // Of files that are made; the others say it in their header.
  PageCipher cipher = PageCipher::kAes256Gcm;
  // What a password costs: scrypt with 128 MiB, some 0.3 s, once for each file and storage. At
  // least what CheckPasswordCost() of password.h asks for.
  std::variant<crypto::ScryptCost, crypto::Pbkdf2Cost> cost =
      crypto::ScryptCost{.log2_n = 17, .r = 8, .p = 1};

  // What is spent on a password because a header, which anybody may have written, says so.
  crypto::SealedFileLimits scrypt_limits = {};
  std::uint32_t max_pbkdf2_iterations = 4'000'000;

  // The SQLite VFS that has the files; the default one if empty.
  std::string base_vfs = {};
};

// Opens and makes files with one key. Thread-safe, and for any number of databases.
class EncryptedStorage : public FileStorage {
 public:
  // InvalidArgument for a key or options out of bounds.
  static absl::StatusOr<std::shared_ptr<EncryptedStorage>> Create(
      EncryptionKey key, const EncryptionOptions& options = {});
};

// What follows is for files of which no other connection is open; Unavailable if one is at work.

// Makes `encrypted` of the plain database `plain`, or the other way round: all tables, indexes,
// views and triggers, and only what is in use of the pages. The source is not changed, and the
// destination may not be there, or is AlreadyExists; it is complete if the call returns OK, and
// removed if not. Rows that have no INTEGER PRIMARY KEY may get another rowid.
absl::Status EncryptDatabase(const std::string& plain, const std::string& encrypted,
                             const std::shared_ptr<EncryptedStorage>& storage);
absl::Status DecryptDatabase(const std::string& encrypted,
                             const std::shared_ptr<EncryptedStorage>& storage,
                             const std::string& plain);

// Seals all pages anew by a new key of the file, and gives the file the key or password of `to`.
// Until it returns OK, and after a crash at any time, either `from` opens the database as it was,
// or `to`. After a crash it may be called again.
//
// Takes the space of the database twice meanwhile, for the journal, and for a copy beside it
// ("-rekey", sealed by a key that is nowhere but in memory).
absl::Status RekeyDatabase(const std::string& path, const std::shared_ptr<EncryptedStorage>& from,
                           const std::shared_ptr<EncryptedStorage>& to);

// Reads each page, whether it is in use or not, the header, and the write-ahead log as far as it
// counts; then lets SQLite check its structures (PRAGMA integrity_check). DataLoss says what it
// has found first. Others may have the database open.
absl::Status CheckDatabase(const std::string& path,
                           const std::shared_ptr<EncryptedStorage>& storage);

}  // namespace strata::orm

#endif  // STRATA_ORM_ENCRYPTED_H_
