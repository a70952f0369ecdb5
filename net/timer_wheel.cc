// The timing wheel.

#include "strata/net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace strata::net {

TimerWheel::TimerWheel() {
  due_ = {&due_, &due_};
  for (TimerLink& head : slots_) head = {&head, &head};
}

TimerWheel::~TimerWheel() {
  TimerLink all{&all, &all};
  MoveAll(due_, all);
  for (TimerLink& head : slots_) MoveAll(head, all);
  while (all.next != &all) Unlink(*static_cast<TimerNode*>(all.next));
}

void TimerWheel::Append(TimerLink& head, TimerNode& node) {
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
}

void TimerWheel::MoveAll(TimerLink& from, TimerLink& to) {
  if (from.next == &from) return;
  from.next->previous = to.previous;
  to.previous->next = from.next;
  from.previous->next = &to;
  to.previous = from.previous;
  from = {&from, &from};
}

void TimerWheel::Unlink(TimerNode& node) {
  TimerLink* const before = node.previous;
  before->next = node.next;
  node.next->previous = before;
  // The last one of a slot: what is left is its head, whose address tells which.
  if (before == node.next) {
    const std::size_t offset =
        reinterpret_cast<std::uintptr_t>(before) - reinterpret_cast<std::uintptr_t>(slots_.data());
    if (offset < sizeof(slots_)) {
      const std::size_t index = offset / sizeof(TimerLink);
      occupied_[index / kSlots] &= ~(std::uint64_t{1} << (index % kSlots));
    }
  }
  node.previous = node.next = nullptr;
}

void TimerWheel::Place(TimerNode& node, TimerLink& if_due) {
  if (node.expiry_ <= now_) {
    Append(if_due, node);
    return;
  }
  const auto level = static_cast<std::size_t>(std::bit_width(node.expiry_ ^ now_) - 1) / kDigitBits;
  const std::size_t index = (node.expiry_ >> (level * kDigitBits)) % kSlots;
  Append(slots_[level * kSlots + index], node);
  occupied_[level] |= std::uint64_t{1} << index;
}

void TimerWheel::Arm(TimerNode& node, std::uint64_t expiry) {
  if (node.armed()) Unlink(node);
  node.expiry_ = expiry;
  Place(node, due_);
}

void TimerWheel::Cancel(TimerNode& node) {
  if (node.armed()) Unlink(node);
}

// The lowest level that holds anything has the earliest: all on it share now's higher digits.
std::optional<TimerWheel::Slot> TimerWheel::FirstSlot() const {
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto index = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
    const std::size_t shift = level * kDigitBits;
    // On the highest level no digit is above.
    const std::uint64_t above =
        shift + kDigitBits < 64 ? now_ >> (shift + kDigitBits) << (shift + kDigitBits) : 0;
    return Slot{level, index, above | std::uint64_t{index} << shift};
  }
  return std::nullopt;
}

void TimerWheel::Fire(TimerLink& list) {
  while (list.next != &list) {
    auto& node = *static_cast<TimerNode*>(list.next);
    Unlink(node);
    node.OnTimer();
  }
}

void TimerWheel::Advance(std::uint64_t tick) {
  // In lists of our own, so that what callbacks arm for now waits for the next call.
  TimerLink firing{&firing, &firing};
  MoveAll(due_, firing);
  Fire(firing);
  for (;;) {
    const std::optional<Slot> first = FirstSlot();
    if (!first || first->start > tick) break;
    now_ = first->start;
    TimerLink moving{&moving, &moving};
    MoveAll(slots_[first->level * kSlots + first->index], moving);
    occupied_[first->level] &= ~(std::uint64_t{1} << first->index);
    while (moving.next != &moving) {
      auto& node = *static_cast<TimerNode*>(moving.next);
      Unlink(node);
      Place(node, firing);
    }
    Fire(firing);
  }
  now_ = std::max(now_, tick);
}

std::optional<std::uint64_t> TimerWheel::NextExpiry() const {
  if (due_.next != &due_) return now_;
  const std::optional<Slot> first = FirstSlot();
  if (!first) return std::nullopt;
  return first->start;
}

}  // namespace strata::net
