// What a thread is in the middle of, so that it does not wait for itself.

#ifndef STRATA_ORM_WITHIN_INTERNAL_H_
#define STRATA_ORM_WITHIN_INTERNAL_H_

#include "absl/status/status.h"

namespace strata::orm::internal {

// While it lives, its thread uses the store. Nested, for several stores.
class Within {
 public:
  explicit Within(const void* store) : store_(store), outer_(innermost) { innermost = this; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;
  ~Within() { innermost = outer_; }

  // FailedPrecondition if this thread uses it.
  static absl::Status Not(const void* store) {
    for (const Within* each = innermost; each != nullptr; each = each->outer_) {
      if (each->store_ != store) continue;
      return absl::FailedPreconditionError(
          "within a transaction, use the Transaction; the rows of ForEach() come one after "
          "another");
    }
    return absl::OkStatus();
  }

 private:
  static inline constinit thread_local const Within* innermost = nullptr;

  const void* const store_;
  const Within* const outer_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_WITHIN_INTERNAL_H_
