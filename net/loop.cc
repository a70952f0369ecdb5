// The event loop.

#include "strata/net/loop.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <utility>

#include "strata/net/signals_internal.h"
#include "strata/net/timer.h"

namespace strata::net {
namespace {

// How often the end of a loop waits for the system to give back what it still holds of the sockets:
// at most a few seconds.
constexpr int kMaxEndRounds = 500;
constexpr int kEndRoundMs = 10;

}  // namespace

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create(Options options) {
  absl::StatusOr<std::unique_ptr<Poller>> poller = Poller::Create(options.poller);
  if (!poller.ok()) return poller.status();
  return std::unique_ptr<Loop>(new Loop(std::move(options), *std::move(poller)));
}

Loop::Loop(Options options, std::shared_ptr<Poller> poller)
    : options_(std::move(options)),
      poller_(std::move(poller)),
      mailbox_(new Mailbox(this, poller_, options_.max_posted_tasks)),
      created_(std::chrono::steady_clock::now()),
      now_(created_) {
  poller_->set_after_wait([this] {
    mailbox_->Awake();
    UpdateNow();
  });
}

Loop::~Loop() {
  mailbox_->EnterThread();
  ended_ = true;
  EndMembers();
  if (signals_) signals_->Stop();
  for (int i = 0; i < kMaxEndRounds; ++i) {
    poller_->Wait(member_count_ > 0 ? kEndRoundMs : 0);
    if (member_count_ == 0) break;
  }
  mailbox_->Close();
  poller_->set_after_wait(nullptr);  // The mailbox may keep the poller for a while.
}

void Loop::UpdateNow() {
  now_ = std::chrono::steady_clock::now();
  auto passed = now_ - created_;
  now_ms_ = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
}

void Loop::Run() {
  mailbox_->EnterThread();
  while (!stop_.load(std::memory_order_acquire)) Turn(std::nullopt);
  stop_ = false;
}

void Loop::RunOnce(std::chrono::milliseconds max_wait) {
  mailbox_->EnterThread();
  Turn(std::max(max_wait, std::chrono::milliseconds(0)));
}

void Loop::Stop() {
  stop_.store(true, std::memory_order_release);
  mailbox_->PostAlways([] {});  // Wakes it.
}

int Loop::WaitTimeout(std::optional<std::chrono::milliseconds> max_wait) {
  std::uint64_t wait = max_wait ? static_cast<std::uint64_t>(max_wait->count())
                                : std::numeric_limits<std::uint64_t>::max();
  const std::optional<std::uint64_t> look = mailbox_->LookAfterMs(now_ms_);
  if (look) wait = std::min(wait, *look);
  if (const std::optional<std::uint64_t> expiry = timers_.NextExpiry()) {
    wait = std::min(wait, UntilExpiry(*expiry));
  } else if (!max_wait && !look) {
    return -1;
  }
  return static_cast<int>(std::min<std::uint64_t>(wait, std::numeric_limits<int>::max()));
}

// now_ms() is as old as the turn. Reading the clock in each turn would be felt; for an expiry that
// is far, most of the way is waited for first.
std::uint64_t Loop::UntilExpiry(std::uint64_t expiry) {
  constexpr std::uint64_t kFarMs = 1000;
  if (expiry > now_ms_ && expiry - now_ms_ > kFarMs) return (expiry - now_ms_) / 2;
  UpdateNow();
  return expiry > now_ms_ ? expiry - now_ms_ : 0;
}

void Loop::Turn(std::optional<std::chrono::milliseconds> max_wait) {
  const bool may_sleep = to_flush_.empty() && mailbox_->PrepareToSleep();
  poller_->Wait(may_sleep ? WaitTimeout(max_wait) : 0);
  counters_.turns.Add(1);
  timers_.Advance(now_ms_);
  counters_.tasks.Add(mailbox_->RunAll([this](Task& task) { Call("posted task", task); }));
  Flush();
  graveyard_.clear();
  if (draining_ && member_count_ == 0) {
    draining_ = false;
    drain_deadline_.reset();
    stop_ = true;
  }
}

void Loop::FlushLater(LoopMember& member) { to_flush_.push_back(&member); }

void Loop::CancelFlush(LoopMember& member) { std::erase(to_flush_, &member); }

void Loop::Flush() {
  // A stream over a stream flushes into the one below, which then flushes in the same turn. What
  // asks again after that has its next turn.
  constexpr int kPasses = 2;
  for (int pass = 0; pass < kPasses && !to_flush_.empty(); ++pass) {
    flushing_.swap(to_flush_);
    for (LoopMember* member : flushing_) member->OnFlush();
    flushing_.clear();
  }
}

void Loop::Add(LoopMember& member) {
  member.next_ = members_;
  if (members_) members_->previous_ = &member;
  members_ = &member;
  ++member_count_;
}

void Loop::Remove(LoopMember& member) {
  CancelFlush(member);
  (member.previous_ ? member.previous_->next_ : members_) = member.next_;
  if (member.next_) member.next_->previous_ = member.previous_;
  member.previous_ = member.next_ = nullptr;
  --member_count_;
}

void Loop::Drain(std::chrono::milliseconds grace) {
  mailbox_->PostAlways([this, grace] {
    if (!draining_) {
      draining_ = true;
      DrainMembers();
    }
    drain_deadline_ = std::make_unique<Timer>(*this, [this] { EndMembers(); });
    drain_deadline_->Arm(grace);
  });
}

// Members are removed by the poller's OnDetached() alone, so none goes while these run.
void Loop::DrainMembers() {
  for (LoopMember *member = members_, *next; member; member = next) {
    next = member->next_;
    member->OnDrain();
  }
}

void Loop::EndMembers() {
  for (LoopMember *member = members_, *next; member; member = next) {
    next = member->next_;
    member->OnLoopEnd();
  }
}

absl::Status Loop::OnSignal(int number, absl::AnyInvocable<void()> callback) {
  if (!signals_) {
    absl::StatusOr<std::unique_ptr<SignalSource>> signals = SignalSource::Create(*this);
    if (!signals.ok()) return signals.status();
    signals_ = *std::move(signals);
  }
  return signals_->Add(number, std::move(callback));
}

Loop::Activity Loop::activity() const {
  return {callback_.load(std::memory_order_relaxed), serial_.load(std::memory_order_relaxed)};
}

void Loop::CallbackThrew(const char* name, std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "strata::net: the callback \"%s\" threw: %s\n", name, thrown.what());
  } catch (...) {
    std::fprintf(stderr, "strata::net: the callback \"%s\" threw\n", name);
  }
  std::terminate();
}

}  // namespace strata::net
