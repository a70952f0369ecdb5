// File: timer_wheel.h
//
// Deadlines of a loop, up to millions of them: a hierarchical timing wheel (Varghese and Lauck,
// "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7). Arming and canceling are the
// linking and unlinking of a node, whatever their number, and allocate nothing.
//
// Eleven levels of 64 slots cover all 64 bits of a tick. A node stands on the level of the highest
// of its expiry's six-bit digits that differs from now's, in the slot of that digit; when the time
// comes to a slot of a higher level its nodes move down, each at most ten times in its life. A bit
// for each slot tells which hold something, so that empty time is skipped, not walked.
//
// What a tick is, is the user's matter. One thread at a time.

#ifndef STRATA_NET_TIMER_WHEEL_H_
#define STRATA_NET_TIMER_WHEEL_H_

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace strata::net {

// A place in a list, or the head of one, which then is linked to itself.
struct TimerLink {
  TimerLink* previous = nullptr;
  TimerLink* next = nullptr;
};

// Derive from it what has a deadline. Must not be destroyed while it is armed.
class TimerNode : private TimerLink {
 public:
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  bool armed() const { return next != nullptr; }

 protected:
  TimerNode() = default;
  virtual ~TimerNode() { assert(!armed()); }

  // The deadline is over, and the node no longer armed. May arm, cancel and destroy any node, this
  // one too.
  virtual void OnTimer() = 0;

 private:
  friend class TimerWheel;
  std::uint64_t expiry_ = 0;
};

class TimerWheel {
 public:
  // Now is tick 0.
  TimerWheel();

  // Nodes that are still armed are so no longer.
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // OnTimer() will be called by the first Advance() to `expiry` or later. If that is not after now,
  // by the next Advance(), also to the same tick; never by the one that is under way. A node that
  // is armed is armed anew.
  void Arm(TimerNode& node, std::uint64_t expiry);

  // Nothing for a node that is not armed.
  void Cancel(TimerNode& node);

  // Moves now forward to `tick` (not backward: an earlier one is now) and calls OnTimer() of all
  // that are due, in the order of their expiry; of those with the same one, in no promised order.
  void Advance(std::uint64_t tick);

  // When to call Advance(): exact if that is less than 64 ticks away; else the true expiry or a
  // tick before it, so that at most ten calls come in vain before a timer fires. None if nothing is
  // armed.
  std::optional<std::uint64_t> NextExpiry() const;

 private:
  static constexpr int kDigitBits = 6;
  static constexpr std::size_t kSlots = 1 << kDigitBits;
  static constexpr std::size_t kLevels = (64 + kDigitBits - 1) / kDigitBits;

  static void Append(TimerLink& head, TimerNode& node);
  static void MoveAll(TimerLink& from, TimerLink& to);
  void Unlink(TimerNode& node);
  void Place(TimerNode& node, TimerLink& if_due);
  void Fire(TimerLink& list);

  struct Slot {
    std::size_t level;
    std::size_t index;
    std::uint64_t start;  // The first tick that belongs to it.
  };
  std::optional<Slot> FirstSlot() const;

  std::uint64_t now_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};
  TimerLink due_;  // Armed for now or earlier.
  std::array<TimerLink, kLevels * kSlots> slots_;
};

}  // namespace strata::net

#endif  // STRATA_NET_TIMER_WHEEL_H_
