#include <algorithm>
#include <string_view>

#include "strata/orm/log_signal_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {

void LogSignal::Connect(sqlite3* database) {
  sqlite3_update_hook(database, &OnRow, this);
  sqlite3_rollback_hook(
      database, [](void* signal) { static_cast<LogSignal*>(signal)->written_.clear(); }, this);
}

void LogSignal::OnRow(void* signal, int operation, const char*, const char* table, sqlite3_int64) {
  constexpr std::string_view kSuffix = "#log";
  const std::string_view name = table;
  if (operation != SQLITE_INSERT || !name.ends_with(kSuffix)) return;
  // There are as many as there are logs; mostly it is the last one again.
  auto& written = static_cast<LogSignal*>(signal)->written_;
  if (std::find(written.rbegin(), written.rend(), name) == written.rend()) {
    written.emplace_back(name);
  }
}

}  // namespace strata::orm::internal
