// File: hub.h
//
// Topics: what is published on one goes to all sockets that have subscribed to it, on any number of
// loops.
//
//   Hub hub;
//
//   class Reader : public SocketHandler {
//     void OnOpen(Socket& socket) override {
//       subscriber_ = hub.Add(socket);
//       subscriber_->Subscribe("news/+");
//     }
//     void OnMessage(Socket&, bool, std::string_view text) override {
//       hub.PublishText("news/sport", text);
//     }
//     SubscriberPtr subscriber_;
//   };
//
// A topic is levels between slashes, "news/sport/tennis", any of which may be empty. A filter is a
// topic, or has wildcards: "+" stands for any one level, "#", as the last level, for any number of
// levels, none included: "news/#" matches "news" too. Both stand alone in their level, and in no
// topic. No level is special otherwise. At most 1024 bytes and 32 levels.
//
// Order. All that is published through a hub has one order, in which each subscriber gets its
// share, once, however many of its filters match. A subscription holds for what is published after
// Subscribe() has returned, and not for what was published before, but for the history that it asks
// for; one that ends may still get what was published before that.
//
// Bursts. What a turn of a loop publishes is given to other loops at its end. So it leaves in one
// write for each socket, unless the loop was at work already on what had been published before.
// What other threads publish is on its way at once.
//
// Slow readers. Messages go to the socket until that has a backlog (SendResult::kBacklog); then the
// hub holds them, up to the bounds of HubOptions, until the socket is writable. Beyond these
// HubOptions::slow_policy says what is lost; each loss is counted, and told to on_slow.
//
// All functions may be called by any thread, on_slow included, and by handlers; those of a
// Subscriber also after its socket and the hub have ended.

#ifndef STRATA_WS_HUB_H_
#define STRATA_WS_HUB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/net/ref_ptr.h"
#include "strata/ws/deflate.h"
#include "strata/ws/encoder.h"
#include "strata/ws/socket.h"

namespace strata::ws {

class Subscriber;
using SubscriberPtr = net::RefPtr<Subscriber>;

// What happens to a message for a subscriber for whom as much is held as may be.
enum class SlowPolicy : std::uint8_t {
  kDropNewest,  // It is not sent.
  kDropOldest,  // It is held in place of those that are held the longest.
  kClose,       // The connection is closed with 1013, and what is held for it dropped.
};

struct SlowEvent {
  std::string_view topic;     // Of the message that was dropped, lent.
  std::uint64_t dropped = 0;  // Of this subscriber's, up to now.
  bool closes = false;        // By SlowPolicy::kClose; the last event of this subscriber.
};

struct HubOptions {
  SlowPolicy slow_policy = SlowPolicy::kDropOldest;

  // What is held for one subscriber, beside what its socket has taken: that is at most
  // StreamOptions::high_watermark_bytes and one message more.
  std::size_t max_held_messages = 1024;
  std::size_t max_held_bytes = 1 << 20;

  // Called on the subscriber's loop for each message that it loses, by the policy or because its
  // socket refuses it (SendResult::kRefused). It may be called until all sockets have closed that
  // were added to the hub.
  absl::AnyInvocable<void(Subscriber& subscriber, const SlowEvent& event) const> on_slow = {};

  // The last messages of each topic, kept for those who subscribe later: 1 is MQTT's retained
  // message. A message larger than history_bytes empties its topic's history. Beyond
  // max_history_bytes in all, the topic goes that was published on the longest ago. Bytes are those
  // of frames, of topics' names, and kHistoryOverhead for each message.
  std::size_t history_messages = 0;
  std::size_t history_bytes = 64 << 10;
  std::size_t max_history_bytes = 64 << 20;

  // Different beginnings of all topics and filters that are subscribed to or have a history.
  std::size_t max_levels = 1 << 20;

  // Filters of one subscriber.
  std::size_t max_subscriptions = 256;

  // What waits for one loop to send it to its sockets.
  std::size_t max_waiting_messages = 1 << 16;
  std::size_t max_waiting_bytes = 64 << 20;

  // Whether messages are compressed, once, for sockets whose peers can inflate them.
  bool deflate = true;
  DeflatePoolOptions deflate_pool = {};
};

inline constexpr std::size_t kHistoryOverhead = 128;

enum class HubResult : std::uint8_t {
  kOk,
  kBadTopic,  // No topic, or no filter.
  kFull,      // A bound of HubOptions is reached; nothing was done.
  kClosed,    // The socket, its loop or the hub has ended.
};

// As of now; not all of the same instant.
struct HubCounters {
  std::uint64_t published = 0;      // Messages.
  std::uint64_t refused = 0;        // Of Publish(), by kFull.
  std::uint64_t delivered = 0;      // Messages that sockets have taken.
  std::uint64_t dropped = 0;        // Messages that subscribers have lost.
  std::uint64_t closed_slow = 0;    // Connections, by SlowPolicy::kClose.
  std::uint64_t subscriptions = 0;  // That there are.
  std::uint64_t levels = 0;         // See HubOptions::max_levels.
  std::uint64_t history_bytes = 0;
};

class Hub {
 public:
  explicit Hub(HubOptions options = {});
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // A subscriber with no filter yet. On the socket's loop, once for each socket (each one that is
  // added gets messages for itself); of a server's side. It ends with the socket: whoever holds it
  // longer holds a few hundred bytes.
  SubscriberPtr Add(Socket& socket);

  // It is up to the caller that text is UTF-8. kOk if nobody has subscribed; kFull if one of the
  // loops whose sockets have is too far behind: then nobody gets it.
  HubResult PublishText(std::string_view topic, std::string_view message);
  HubResult PublishBinary(std::string_view topic, std::string_view message);
  HubResult Publish(std::string_view topic, const EncodedMessage& message);

  // Empties a topic's history.
  void Forget(std::string_view topic);

  // How many subscribers have this very filter.
  std::size_t CountSubscribers(std::string_view filter) const;

  // How many subscriptions match a topic; those of one subscriber are counted each.
  std::size_t CountReached(std::string_view topic) const;

  HubCounters counters() const;

 private:
  friend class Subscriber;
  class State;
  class Shard;
  struct Channel;
  struct Membership;
  struct Message;
  struct Topic;

  const std::shared_ptr<State> state_;
};

// One socket in a hub.
class Subscriber final : public net::RefCounted, private SocketObserver {
 public:
  // Of the history of each topic that the filter matches it gets up to the last `history` messages,
  // oldest first. kOk and nothing more if it has the filter already.
  HubResult Subscribe(std::string_view filter, std::size_t history = SIZE_MAX);

  // kOk if it has not got the filter.
  HubResult Unsubscribe(std::string_view filter);
  void UnsubscribeAll();

  // Messages that it has lost, and that are held for it.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  std::size_t held_messages() const { return held_count_.load(std::memory_order_relaxed); }

  Socket& socket() const { return *socket_; }

 private:
  friend class Hub;

  Subscriber(std::shared_ptr<Hub::State> state, net::RefPtr<Hub::Shard> shard, Socket& socket);
  ~Subscriber() override;

  // All on the loop.
  void Deliver(const std::shared_ptr<const Hub::Message>& message);
  void Hold(const std::shared_ptr<const Hub::Message>& message);
  bool Send(const Hub::Message& message);
  std::shared_ptr<const Hub::Message> PopHeld();
  void Drop(const Hub::Message& message, bool closes);
  std::size_t BytesOf(const Hub::Message& message) const;
  void OnSocketWritable(Socket& socket) override;
  void OnSocketClosed(Socket& socket) override;

  struct Held {
    std::deque<std::shared_ptr<const Hub::Message>> messages;
    std::size_t bytes = 0;
  };

  const std::shared_ptr<Hub::State> state_;
  const net::RefPtr<Hub::Shard> shard_;
  const SocketPtr socket_;
  std::vector<net::RefPtr<Hub::Membership>> memberships_;  // With the state's lock.
  bool left_ = false;                                      // The same.

  // The loop's.
  std::unique_ptr<Held> held_;  // Null if nothing is held.
  std::uint64_t last_serial_ = 0;
  bool waits_ = false;  // The socket owes OnSocketWritable().
  bool ended_ = false;

  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::size_t> held_count_{0};
};

}  // namespace strata::ws

#endif  // STRATA_WS_HUB_H_
