// Wakes those who read logs of changes, after commits.

#ifndef STRATA_ORM_LOG_SIGNAL_INTERNAL_H_
#define STRATA_ORM_LOG_SIGNAL_INTERNAL_H_

#include <string>
#include <vector>

#include "sqlite3.h"
#include "strata/orm/log_listeners_internal.h"

namespace strata::orm::internal {

// Used by the one thread that uses the connection, but for the listeners.
class LogSignal {
 public:
  LogSignal() = default;
  LogSignal(const LogSignal&) = delete;
  LogSignal& operator=(const LogSignal&) = delete;

  // From now on it sees what the connection writes: SQLite asks it for each row.
  void Connect(sqlite3* database);

  // The logs that have been written to since the last call; none outside of a commit.
  std::vector<std::string> Take() { return std::move(written_); }

  LogListeners& listeners() { return listeners_; }

 private:
  static void OnRow(void* signal, int operation, const char* schema, const char* table,
                    sqlite3_int64 row);

  std::vector<std::string> written_;
  LogListeners listeners_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_LOG_SIGNAL_INTERNAL_H_
