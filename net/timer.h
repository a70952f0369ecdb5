// File: timer.h
//
// A timer on a loop: arming and canceling cost a few nanoseconds and no memory, so that each of a
// million connections can have some.
//
//   Timer timer(loop, [] { puts("a second later"); });
//   timer.Arm(std::chrono::seconds(1));
//
// Resolution is 1 ms. The time runs from Loop::now_ms(), the beginning of the turn; a timer never
// fires earlier than its delay after that. Belongs to the loop's thread, its destruction too, which
// cancels it; its own callback may destroy it.

#ifndef STRATA_NET_TIMER_H_
#define STRATA_NET_TIMER_H_

#include <chrono>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "strata/net/loop.h"
#include "strata/net/timer_wheel.h"

namespace strata::net {

class Timer final : private TimerNode {
 public:
  Timer(Loop& loop, absl::AnyInvocable<void()> callback)
      : loop_(loop), callback_(std::move(callback)) {}
  ~Timer() override;

  // Calls back once after `delay`; what was armed before is forgotten. A repeating timer arms
  // itself again in its callback. A negative delay is none.
  void Arm(std::chrono::milliseconds delay);

  // Nothing if it is not armed.
  void Cancel() { loop_.timers().Cancel(*this); }

  bool armed() const { return TimerNode::armed(); }

 private:
  void OnTimer() override;

  Loop& loop_;
  absl::AnyInvocable<void()> callback_;
  bool* destroyed_ = nullptr;  // While the callback runs: where it wants to know.
};

}  // namespace strata::net

#endif  // STRATA_NET_TIMER_H_
