// Timers on a loop's wheel.

#include "strata/net/timer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace strata::net {

Timer::~Timer() {
  Cancel();
  if (destroyed_) *destroyed_ = true;
}

void Timer::Arm(std::chrono::milliseconds delay) {
  // now_ms() has lost up to a millisecond.
  auto ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), -1) + 1);
  loop_.timers().Arm(*this, loop_.now_ms() + ticks);
}

void Timer::OnTimer() {
  loop_.counting().timers.Add(1);
  absl::AnyInvocable<void()> running = std::move(callback_);
  bool destroyed = false;
  destroyed_ = &destroyed;
  loop_.Call("timer", running);
  if (destroyed) return;
  destroyed_ = nullptr;
  callback_ = std::move(running);
}

}  // namespace strata::net
