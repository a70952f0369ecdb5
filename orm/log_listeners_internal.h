// Those who are called after commits that have written to logs of changes.

#ifndef STRATA_ORM_LOG_LISTENERS_INTERNAL_H_
#define STRATA_ORM_LOG_LISTENERS_INTERNAL_H_

#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "strata/orm/store_internal.h"

namespace strata::orm::internal {

// Thread-safe.
class LogListeners {
 public:
  void Add(LogListener* listener);
  // When it returns the listener is not being called, nor will be.
  void Remove(LogListener* listener);

  // Calls the listeners of these logs.
  void Wake(std::span<const std::string> logs);

 private:
  std::mutex mutex_;
  std::vector<LogListener*> listeners_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_LOG_LISTENERS_INTERNAL_H_
