#include <algorithm>

#include "strata/orm/log_listeners_internal.h"

namespace strata::orm::internal {

void LogListeners::Add(LogListener* listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(listener);
}

void LogListeners::Remove(LogListener* listener) {
  const std::lock_guard lock(mutex_);
  std::erase(listeners_, listener);
}

void LogListeners::Wake(std::span<const std::string> logs) {
  const std::lock_guard lock(mutex_);
  for (LogListener* listener : listeners_) {
    const bool is_written = std::any_of(logs.begin(), logs.end(), [&](const std::string& log) {
      return SameName(log, listener->log);
    });
    if (is_written) listener->wake();
  }
}

}  // namespace strata::orm::internal
