// The posting of tasks to a loop.

#include "strata/net/mailbox.h"

#include <utility>

namespace strata::net {

constinit thread_local char Mailbox::this_thread_;

Mailbox::Mailbox(Loop* loop, std::shared_ptr<Poller> poller, std::size_t capacity)
    : loop_(loop), poller_(std::move(poller)), capacity_(capacity) {}

Mailbox::~Mailbox() { Close(); }

void Mailbox::EnterThread() { thread_.store(&this_thread_, std::memory_order_relaxed); }

// An address that no node has.
Mailbox::Node* Mailbox::ClosedMark() {
  static char mark;
  return reinterpret_cast<Node*>(&mark);
}

Error Mailbox::Post(Task task) {
  if (waiting_.load(std::memory_order_relaxed) >= capacity_) {
    return closed() ? Error::kClosed : Error::kQueueFull;
  }
  return Push(std::move(task), /*expected=*/false, /*more=*/false);
}

Error Mailbox::PostAlways(Task task) {
  return Push(std::move(task), /*expected=*/false, /*more=*/false);
}

Error Mailbox::PostExpected(Task task, bool more) {
  return Push(std::move(task), /*expected=*/true, more);
}

Error Mailbox::Push(Task task, bool expected, bool more) {
  auto node = std::make_unique<Node>(Node{nullptr, std::move(task), expected});
  node->next = head_.load(std::memory_order_relaxed);
  waiting_.fetch_add(1, std::memory_order_relaxed);
  // Sequentially consistent, as are the loads and stores of sleeping_: of "pushed, then saw nobody
  // asleep" and "fell asleep, then saw nothing pushed" at most one may happen.
  do {
    if (node->next == ClosedMark()) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      return Error::kClosed;
    }
  } while (!head_.compare_exchange_weak(node->next, node.get()));
  node.release();
  if (!more && sleeping_.load() && sleeping_.exchange(false)) poller_->Wake();
  return Error::kOk;
}

Mailbox::Node* Mailbox::Reverse(Node* node) {
  Node* reversed = nullptr;
  while (node) {
    Node* next = std::exchange(node->next, reversed);
    reversed = std::exchange(node, next);
  }
  return reversed;
}

bool Mailbox::PrepareToSleep() {
  sleeping_.store(true);
  if (head_.load() == nullptr) return true;
  sleeping_.store(false, std::memory_order_relaxed);
  return false;
}

void Mailbox::Close() {
  loop_ = nullptr;
  Node* node = head_.exchange(ClosedMark());
  if (node == ClosedMark()) return;
  for (node = Reverse(node); node;) {
    std::unique_ptr<Node> owned(node);
    node = node->next;
  }
}

}  // namespace strata::net
