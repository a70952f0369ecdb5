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
//   ResourceExhausted  the header asks for more work for a password than the limits allow; or a key
//                      has sealed 2^32 pages (16 TiB) in this process, and RekeyDatabase() is due

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

}  // namespace strata::orm

#endif  // STRATA_ORM_ENCRYPTED_H_
