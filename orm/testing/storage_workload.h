// The workload of the tests that break files: transactions of which each is known by its number.

#ifndef STRATA_ORM_TESTING_STORAGE_WORKLOAD_H_
#define STRATA_ORM_TESTING_STORAGE_WORKLOAD_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/database.h"
#include "strata/orm/encrypted.h"
#include "strata/orm/testing/fault_vfs.h"
#include "strata/orm/testing/temp_folder.h"

namespace app {

struct Entry {
  std::int64_t id = 0;
  std::string text;
};
STRATA_TABLE(Entry, id, (text, Indexed()));

}  // namespace app

namespace strata::orm::testing {

using app::Entry;
using Journal = DatabaseOptions::Journal;
using Rows = std::map<std::int64_t, std::string>;

inline constexpr std::int64_t kMaxId = 40;

// Of the places for a fault, a run tries every ninth one, from another one on each time, which is
// in the message of a failure. STRATA_FAULT_STRIDE=1 tries all.
inline std::int64_t FaultStride() {
  const char* text = std::getenv("STRATA_FAULT_STRIDE");
  return text == nullptr ? 9 : std::max(std::atoll(text), 1LL);
}
inline std::int64_t FirstFault() {
  return static_cast<std::int64_t>(std::random_device()()) % FaultStride();
}

// On the VFS that fails.
inline std::shared_ptr<EncryptedStorage> KeyedBy(std::uint8_t first) {
  RegisterFaultVfs();
  std::vector<std::uint8_t> key(EncryptionKey::kBytes);
  std::iota(key.begin(), key.end(), first);
  EncryptionOptions options;
  options.base_vfs = kFaultVfs;
  return *EncryptedStorage::Create(EncryptionKey::FromKey(key), options);
}

// Every fifth one is rolled back, and changes nothing.
inline bool IsRolledBack(int transaction) { return transaction % 5 == 3; }

// What one transaction does: an empty text deletes the row.
inline std::vector<std::pair<std::int64_t, std::string>> ChangesOf(int transaction) {
  std::minstd_rand random(static_cast<unsigned>(transaction) + 1);
  std::vector<std::pair<std::int64_t, std::string>> changes;
  // A large one that is rolled back leaves pages in the log where the next ones are written.
  const std::size_t count = IsRolledBack(transaction) ? 40 : 3 + random() % 8;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = static_cast<std::int64_t>(1 + random() % kMaxId);
    const std::size_t size = random() % 4 == 0 ? 0 : 20 + random() % 1500;
    std::string text = absl::StrCat("secret ", transaction, " ");
    text.resize(std::max(size, text.size()), static_cast<char>('a' + random() % 26));
    changes.emplace_back(id, size == 0 ? "" : text);
  }
  return changes;
}

// The rows after the first `transactions`.
inline Rows RowsAfter(int transactions) {
  Rows rows;
  for (int i = 0; i < transactions; ++i) {
    if (IsRolledBack(i)) continue;
    for (const auto& [id, text] : ChangesOf(i)) {
      if (text.empty()) {
        rows.erase(id);
      } else {
        rows[id] = text;
      }
    }
  }
  return rows;
}

inline absl::Status RunTransaction(Database& db, int transaction) {
  const absl::Status status = db.Transact([transaction](Transaction& t) -> absl::Status {
    for (const auto& [id, text] : ChangesOf(transaction)) {
      Entry entry{id, text};
      absl::Status changed = text.empty() ? t.Delete<Entry>(id) : t.Upsert(&entry);
      if (!changed.ok() && !absl::IsNotFound(changed)) return changed;
    }
    return IsRolledBack(transaction) ? absl::CancelledError("on purpose") : absl::OkStatus();
  });
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

inline absl::StatusOr<Rows> ReadRows(Records& records) {
  Rows rows;
  for (std::int64_t id = 1; id <= kMaxId; ++id) {
    absl::StatusOr<Entry> entry = records.Get<Entry>(id);
    if (entry.ok()) {
      rows[id] = entry->text;
    } else if (!absl::IsNotFound(entry.status())) {
      return entry.status();
    }
  }
  const absl::StatusOr<std::int64_t> count = records.Count<Entry>();
  if (!count.ok()) return count.status();
  if (*count != static_cast<std::int64_t>(rows.size())) return absl::InternalError("other rows");
  return rows;
}

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_STORAGE_WORKLOAD_H_
