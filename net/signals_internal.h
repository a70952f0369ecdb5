// File: signals_internal.h
//
// The signals of the process on a loop, one implementation for each system.

#ifndef STRATA_NET_SIGNALS_INTERNAL_H_
#define STRATA_NET_SIGNALS_INTERNAL_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace strata::net {

class Loop;

// Belongs to the loop's thread. Destroyed after Stop() and one more Wait() of the loop's poller.
class SignalSource {
 public:
  // FailedPrecondition if another loop has the signals.
  static absl::StatusOr<std::unique_ptr<SignalSource>> Create(Loop& loop);

  virtual ~SignalSource() = default;

  // InvalidArgument for a number that cannot be caught.
  virtual absl::Status Add(int number, absl::AnyInvocable<void()> callback) = 0;

  // Gives the signals back to what they did before.
  virtual void Stop() = 0;
};

}  // namespace strata::net

#endif  // STRATA_NET_SIGNALS_INTERNAL_H_
