#include "strata/ws/hub.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <span>
#include <utility>

#include "strata/net/counter.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"
#include "strata/ws/topic_tree_internal.h"

// One lock, of the state, guards the tree of topics and, for each loop, a log of what its shard has
// to do: who joins a channel, who leaves it, and which message goes to a channel. So all loops see
// one order. The loop takes entries off its log, turn by turn, and does them without the lock: the
// members of a channel are its own.

namespace strata::ws {
namespace {

// After so many bytes of messages, and so many entries, a loop goes on in its next turn, so that
// what sockets were given leaves in between. Less than a stream's high watermark, for a reader that
// keeps up is not to have a backlog.
constexpr std::size_t kTurnBytes = 64 << 10;
constexpr std::size_t kTurnEntries = 256;

// So many sockets get their share before it leaves: each holds a chunk of the loop's pool until
// then.
constexpr std::size_t kFlushSockets = 32;

}  // namespace

struct Hub::Message {
  std::string topic;
  EncodedMessage encoded;
  std::uint64_t serial = 0;

  std::size_t bytes() const {
    const bool shared = encoded.plain() == encoded.compressed() || !encoded.compressed();
    return encoded.plain()->size() + (shared ? 0 : encoded.compressed()->size());
  }
  std::size_t history_bytes() const { return bytes() + topic.size() + kHistoryOverhead; }
};

// The subscribers of one filter on one loop.
struct Hub::Channel : net::RefCounted {
  explicit Channel(Shard* shard) : shard(shard) {}

  Shard* const shard;
  std::size_t count = 0;             // Of subscriptions; with the lock.
  std::vector<Membership*> members;  // The loop's.
};

// One subscription.
struct Hub::Membership : net::RefCounted {
  SubscriberPtr subscriber;
  net::RefPtr<Channel> channel;
  TopicTree<Topic>::Node* node = nullptr;  // With the lock, until it is left.
  std::size_t place = 0;                   // Among the channel's members; the loop's.
};

// What the tree knows of a topic or filter.
struct Hub::Topic {
  std::vector<net::RefPtr<Channel>> channels;  // None is without a subscription.
  std::deque<std::shared_ptr<const Message>> history;
  std::size_t history_bytes = 0;
  std::list<TopicTree<Topic>::Node*>::iterator recent;  // With a history.

  bool empty() const { return channels.empty() && history.empty(); }
};

// A loop's part of a hub.
class Hub::Shard final : public net::RefCounted {
 public:
  struct Entry {
    enum class Kind : std::uint8_t { kJoin, kLeave, kReplay, kMessage };
    Kind kind = Kind::kMessage;
    net::RefPtr<Membership> membership =
        {};                             // Who joins, leaves, or gets a message of the history.
    net::RefPtr<Channel> channel = {};  // Whom a message goes to.
    std::shared_ptr<const Message> message = {};
  };

  Shard(std::shared_ptr<State> state, net::RefPtr<net::Mailbox> mailbox)
      : state_(std::move(state)), mailbox_(std::move(mailbox)) {}

  const net::RefPtr<net::Mailbox>& mailbox() const { return mailbox_; }

  // With the lock. True if Wake() is to follow, without it.
  bool Log(Entry entry) {
    if (dead) return false;
    if (entry.message) waiting_bytes += entry.message->bytes();
    log.push_back(std::move(entry));
    return !std::exchange(scheduled, true);
  }

  // Has the loop work off the log. Not lost if the loop has ended: the log is given up then.
  // Without the lock.
  void Wake() {
    mailbox_->PostAlways([visit = std::make_unique<Visit>(this)] { visit->Run(); });
  }

  // With the lock, but for counters.
  std::deque<Entry> log;
  std::size_t waiting_bytes = 0;
  std::vector<net::RefPtr<Shard>> to_wake;  // By this one, which is scheduled.
  bool scheduled = false;
  bool dead = false;

  net::Counter delivered;
  net::Counter dropped;
  net::Counter closed_slow;

 private:
  // A task that knows if it was destroyed without having run.
  class Visit {
   public:
    explicit Visit(Shard* shard) : shard_(shard) {}
    ~Visit() {
      if (shard_) shard_->GiveUp();
    }
    void Run() { std::exchange(shard_, nullptr)->WorkOff(); }

   private:
    net::RefPtr<Shard> shard_;
  };

  void WorkOff();
  void Do(std::span<Entry> entries);
  void Join(Membership& membership);
  void Leave(const Membership& membership);
  void Deliver(std::span<const Entry> messages, bool all);
  void GiveUp();

  const std::shared_ptr<State> state_;
  const net::RefPtr<net::Mailbox> mailbox_;
};

class Hub::State : public std::enable_shared_from_this<State> {
 public:
  using Node = TopicTree<Topic>::Node;
  using Wakes = std::vector<net::RefPtr<Shard>>;

  explicit State(HubOptions options)
      : options(std::move(options)), pool_(this->options.deflate_pool) {
    if (this->options.deflate) {
      deflater_ =
          MakeDeflater({.server_no_context_takeover = true, .client_no_context_takeover = true},
                       Role::kServer, &pool_);
    }
  }

  net::RefPtr<Shard> ShardOf(const net::RefPtr<net::Mailbox>& mailbox) {
    std::lock_guard<std::mutex> lock(mutex);
    std::erase_if(shards_, [this](const net::RefPtr<Shard>& shard) {
      if (!shard->mailbox()->closed()) return false;
      Retire(*shard);
      return true;
    });
    for (const net::RefPtr<Shard>& shard : shards_) {
      if (shard->mailbox() == mailbox) return shard;
    }
    return shards_.emplace_back(new Shard(shared_from_this(), mailbox));
  }

  EncodedMessage Encode(bool text, std::string_view message) {
    std::unique_lock<std::mutex> lock(deflate_mutex_, std::defer_lock);
    MessageDeflater* deflater = nullptr;
    if (deflater_ && message.size() >= options.deflate_pool.min_bytes) {
      lock.lock();
      deflater = deflater_.get();
    }
    return text ? EncodedMessage::Text(message, deflater)
                : EncodedMessage::Binary(message, deflater);
  }

  HubResult Publish(std::string_view topic, const EncodedMessage& encoded);
  HubResult Subscribe(Subscriber& subscriber, std::string_view filter, std::size_t history);
  void Leave(Subscriber& subscriber, std::string_view filter);
  void LeaveAll(Subscriber& subscriber, bool ends);
  void Forget(std::string_view topic);
  void Close();
  std::size_t CountSubscribers(std::string_view filter);
  std::size_t CountReached(std::string_view topic);
  HubCounters Counters();

  const HubOptions options;
  std::mutex mutex;

 private:
  std::vector<std::shared_ptr<const Message>> HistoryOf(std::string_view filter, std::size_t most);
  void Keep(std::shared_ptr<const Message> message);
  void ForgetNode(Node* node);
  void AfterThisTurn(Wakes* wakes);
  // The last entry of the membership, whose node loses it.
  void LogLeave(const net::RefPtr<Membership>& membership, Wakes* wakes);
  void Retire(const Shard& shard) {
    delivered_ += shard.delivered.Get();
    dropped_ += shard.dropped.Get();
    closed_slow_ += shard.closed_slow.Get();
  }
  static std::size_t CountOf(const Topic& topic) {
    std::size_t count = 0;
    for (const net::RefPtr<Channel>& channel : topic.channels) count += channel->count;
    return count;
  }

  TopicTree<Topic> tree_;
  std::list<Node*> recent_;  // Topics with a history, the one published on last at the end.
  std::vector<net::RefPtr<Shard>> shards_;
  std::size_t history_bytes_ = 0;
  std::uint64_t serial_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t subscriptions_ = 0;
  std::uint64_t delivered_ = 0;  // By shards whose loops have ended, as the next two.
  std::uint64_t dropped_ = 0;
  std::uint64_t closed_slow_ = 0;
  bool closed_ = false;

  std::mutex deflate_mutex_;
  DeflatePool pool_;
  std::unique_ptr<MessageDeflater> deflater_;
};

// ---- The loop's side ----------------------------------------------------------------------------

void Hub::Shard::WorkOff() {
  std::vector<Entry> entries;
  std::vector<net::RefPtr<Shard>> others;
  bool more;
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    others.swap(to_wake);
    std::size_t bytes = 0;
    while (!log.empty() && bytes < kTurnBytes && entries.size() < kTurnEntries) {
      if (const Message* const message = log.front().message.get()) {
        bytes += message->bytes();
        waiting_bytes -= message->bytes();
      }
      entries.push_back(std::move(log.front()));
      log.pop_front();
    }
    // While there is more, nobody else wakes the loop.
    more = scheduled = !log.empty();
    if (!more) std::deque<Entry>().swap(log);
  }
  for (const net::RefPtr<Shard>& shard : others) shard->Wake();
  Do(entries);
  if (more) Wake();
}

void Hub::Shard::Do(std::span<Entry> entries) {
  for (bool nothing_sent = true; !entries.empty();) {
    Entry& entry = entries.front();
    std::size_t count = 1;
    switch (entry.kind) {
      case Entry::Kind::kJoin:
        Join(*entry.membership);
        break;
      case Entry::Kind::kLeave:
        Leave(*entry.membership);
        break;
      case Entry::Kind::kReplay:
        entry.membership->subscriber->Deliver(entry.message);
        nothing_sent = false;
        break;
      case Entry::Kind::kMessage:
        // A burst goes to one member after the other.
        while (count < entries.size() && entries[count].kind == Entry::Kind::kMessage &&
               entries[count].channel == entry.channel) {
          ++count;
        }
        Deliver(entries.first(count), nothing_sent && count == entries.size());
        nothing_sent = false;
        break;
    }
    entries = entries.subspan(count);
  }
}

void Hub::Shard::Join(Membership& membership) {
  std::vector<Membership*>& members = membership.channel->members;
  membership.place = members.size();
  members.push_back(&membership);
}

void Hub::Shard::Leave(const Membership& membership) {
  std::vector<Membership*>& members = membership.channel->members;
  members[membership.place] = members.back();
  members[membership.place]->place = membership.place;
  members.pop_back();
}

// Messages of one channel. Nobody joins or leaves by what is called in here: that is logged.
// `all`: nothing else of this turn's goes to any socket, so that each one's share can leave.
void Hub::Shard::Deliver(std::span<const Entry> messages, bool all) {
  std::size_t unsent = 0;
  for (Membership* const member : messages.front().channel->members) {
    Subscriber& subscriber = *member->subscriber;
    for (const Entry& entry : messages) {
      // Another filter of the subscriber's may have matched.
      if (std::exchange(subscriber.last_serial_, entry.message->serial) != entry.message->serial) {
        subscriber.Deliver(entry.message);
      }
    }
    if (all && ++unsent == kFlushSockets) {
      unsent = 0;
      mailbox_->loop()->Flush();
    }
  }
}

void Hub::Shard::GiveUp() {
  std::deque<Entry> entries;
  std::vector<net::RefPtr<Shard>> others;
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    dead = true;
    waiting_bytes = 0;
    entries.swap(log);
    others.swap(to_wake);
  }
  for (const net::RefPtr<Shard>& shard : others) shard->Wake();
}

// ---- The hub's side, with the lock --------------------------------------------------------------

HubResult Hub::State::Publish(std::string_view topic, const EncodedMessage& encoded) {
  if (!IsValidTopic(topic) || !encoded.plain()) return HubResult::kBadTopic;
  auto message = std::make_shared<Message>();
  message->topic = topic;
  message->encoded = encoded;
  Wakes wakes;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (closed_) return HubResult::kClosed;
    std::vector<Channel*> channels;
    bool full = false;
    tree_.ForFiltersOf(topic, [&](Node& node) {
      for (const net::RefPtr<Channel>& channel : node.value.channels) {
        const Shard& shard = *channel->shard;
        full |= shard.log.size() >= options.max_waiting_messages ||
                shard.waiting_bytes >= options.max_waiting_bytes;
        channels.push_back(channel.get());
      }
    });
    full |=
        options.history_messages > 0 && tree_.size() + tree_.Missing(topic) > options.max_levels;
    if (full) {
      ++refused_;
      return HubResult::kFull;
    }
    ++published_;
    message->serial = ++serial_;
    for (Channel* const channel : channels) {
      if (channel->shard->Log({.kind = Shard::Entry::Kind::kMessage,
                               .channel = net::RefPtr<Channel>(channel),
                               .message = message})) {
        wakes.emplace_back(channel->shard);
      }
    }
    if (options.history_messages > 0) Keep(std::move(message));
    AfterThisTurn(&wakes);
  }
  for (const net::RefPtr<Shard>& shard : wakes) shard->Wake();
  return HubResult::kOk;
}

// A burst that one turn of a loop publishes is to leave in one write, on all loops: those others
// are woken after it, by the loop's own shard.
void Hub::State::AfterThisTurn(Wakes* wakes) {
  if (wakes->empty()) return;
  for (const net::RefPtr<Shard>& own : shards_) {
    if (own->dead || !own->mailbox()->InLoopThread()) continue;
    // What it has logged itself has scheduled it already.
    const bool is_new = std::erase(*wakes, own) > 0 || !std::exchange(own->scheduled, true);
    own->to_wake.insert(own->to_wake.end(), wakes->begin(), wakes->end());
    wakes->clear();
    if (is_new) wakes->push_back(own);
    return;
  }
}

void Hub::State::Keep(std::shared_ptr<const Message> message) {
  const std::size_t bytes = message->history_bytes();
  if (bytes > options.history_bytes || bytes > options.max_history_bytes) {
    if (Node* const node = tree_.Find(message->topic)) ForgetNode(node);
    return;
  }
  Node& node = tree_.Make(message->topic);
  Topic& topic = node.value;
  if (topic.history.empty()) {
    topic.recent = recent_.insert(recent_.end(), &node);
  } else {
    recent_.splice(recent_.end(), recent_, topic.recent);
  }
  topic.history.push_back(std::move(message));
  topic.history_bytes += bytes;
  history_bytes_ += bytes;
  while (topic.history.size() > options.history_messages ||
         topic.history_bytes > options.history_bytes) {
    const std::size_t oldest = topic.history.front()->history_bytes();
    topic.history.pop_front();
    topic.history_bytes -= oldest;
    history_bytes_ -= oldest;
  }
  while (history_bytes_ > options.max_history_bytes) ForgetNode(recent_.front());
}

void Hub::State::ForgetNode(Node* node) {
  Topic& topic = node->value;
  if (topic.history.empty()) return;
  history_bytes_ -= std::exchange(topic.history_bytes, 0);
  recent_.erase(topic.recent);
  std::deque<std::shared_ptr<const Message>>().swap(topic.history);
  tree_.Prune(node);
}

void Hub::State::Forget(std::string_view topic) {
  if (!IsValidTopic(topic)) return;
  std::lock_guard<std::mutex> lock(mutex);
  if (Node* const node = tree_.Find(topic)) ForgetNode(node);
}

HubResult Hub::State::Subscribe(Subscriber& subscriber, std::string_view filter,
                                std::size_t history) {
  if (!IsValidTopicFilter(filter)) return HubResult::kBadTopic;
  Shard& shard = *subscriber.shard_;
  bool wake;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (closed_ || subscriber.left_ || shard.dead) return HubResult::kClosed;
    if (const Node* const node = tree_.Find(filter)) {
      for (const auto& membership : subscriber.memberships_) {
        if (membership->node == node) return HubResult::kOk;
      }
    }
    if (subscriber.memberships_.size() >= options.max_subscriptions ||
        tree_.size() + tree_.Missing(filter) > options.max_levels ||
        shard.log.size() >= options.max_waiting_messages) {
      return HubResult::kFull;
    }
    Node& node = tree_.Make(filter);
    net::RefPtr<Channel> channel;
    for (const auto& one : node.value.channels) {
      if (one->shard == &shard) channel = one;
    }
    if (!channel) channel = node.value.channels.emplace_back(new Channel(&shard));
    ++channel->count;
    ++subscriptions_;
    const net::RefPtr<Membership> membership(new Membership);
    membership->subscriber = SubscriberPtr(&subscriber);
    membership->channel = std::move(channel);
    membership->node = &node;
    subscriber.memberships_.push_back(membership);
    wake = shard.Log({.kind = Shard::Entry::Kind::kJoin, .membership = membership});
    for (auto& message : HistoryOf(filter, history)) {
      wake |= shard.Log({.kind = Shard::Entry::Kind::kReplay,
                         .membership = membership,
                         .message = std::move(message)});
    }
  }
  if (wake) shard.Wake();
  return HubResult::kOk;
}

std::vector<std::shared_ptr<const Hub::Message>> Hub::State::HistoryOf(std::string_view filter,
                                                                       std::size_t most) {
  std::vector<std::shared_ptr<const Message>> messages;
  if (most == 0 || recent_.empty()) return messages;
  tree_.ForTopicsOf(filter, [&](const Node& node) {
    const auto& history = node.value.history;
    const std::size_t count = std::min(most, history.size());
    messages.insert(messages.end(), history.end() - static_cast<std::ptrdiff_t>(count),
                    history.end());
  });
  std::sort(messages.begin(), messages.end(),
            [](const auto& a, const auto& b) { return a->serial < b->serial; });
  return messages;
}

void Hub::State::LogLeave(const net::RefPtr<Membership>& membership, Wakes* wakes) {
  --subscriptions_;
  Channel& channel = *membership->channel;
  Node* const node = std::exchange(membership->node, nullptr);
  if (--channel.count == 0) {
    std::erase_if(node->value.channels, [&](const auto& one) { return one.get() == &channel; });
    if (node->value.channels.empty()) node->value.channels.shrink_to_fit();
    tree_.Prune(node);
  }
  if (channel.shard->Log({.kind = Shard::Entry::Kind::kLeave, .membership = membership})) {
    wakes->emplace_back(channel.shard);
  }
}

void Hub::State::Leave(Subscriber& subscriber, std::string_view filter) {
  Wakes wakes;
  net::RefPtr<Membership> left;
  {
    std::lock_guard<std::mutex> lock(mutex);
    const Node* const node = tree_.Find(filter);
    for (net::RefPtr<Membership>& membership : subscriber.memberships_) {
      if (!node || membership->node != node) continue;
      left = std::exchange(membership, subscriber.memberships_.back());
      subscriber.memberships_.pop_back();
      LogLeave(left, &wakes);
      break;
    }
  }
  for (const net::RefPtr<Shard>& shard : wakes) shard->Wake();
}

void Hub::State::LeaveAll(Subscriber& subscriber, bool ends) {
  Wakes wakes;
  std::vector<net::RefPtr<Membership>> left;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (ends) subscriber.left_ = true;
    left.swap(subscriber.memberships_);
    for (const auto& membership : left) LogLeave(membership, &wakes);
  }
  for (const net::RefPtr<Shard>& shard : wakes) shard->Wake();
}

void Hub::State::Close() {
  std::lock_guard<std::mutex> lock(mutex);
  closed_ = true;
  while (!recent_.empty()) ForgetNode(recent_.front());
  // Those which have subscribers stay for these, and go with the last of them.
  for (const net::RefPtr<Shard>& shard : shards_) Retire(*shard);
  shards_.clear();
}

std::size_t Hub::State::CountSubscribers(std::string_view filter) {
  if (!IsValidTopicFilter(filter)) return 0;
  std::lock_guard<std::mutex> lock(mutex);
  const Node* const node = tree_.Find(filter);
  return node ? CountOf(node->value) : 0;
}

std::size_t Hub::State::CountReached(std::string_view topic) {
  if (!IsValidTopic(topic)) return 0;
  std::lock_guard<std::mutex> lock(mutex);
  std::size_t count = 0;
  tree_.ForFiltersOf(topic, [&](const Node& node) { count += CountOf(node.value); });
  return count;
}

HubCounters Hub::State::Counters() {
  std::lock_guard<std::mutex> lock(mutex);
  HubCounters counters{.published = published_,
                       .refused = refused_,
                       .delivered = delivered_,
                       .dropped = dropped_,
                       .closed_slow = closed_slow_,
                       .subscriptions = subscriptions_,
                       .levels = tree_.size(),
                       .history_bytes = history_bytes_};
  for (const net::RefPtr<Shard>& shard : shards_) {
    counters.delivered += shard->delivered.Get();
    counters.dropped += shard->dropped.Get();
    counters.closed_slow += shard->closed_slow.Get();
  }
  return counters;
}

// ---- Subscriber ---------------------------------------------------------------------------------

Subscriber::Subscriber(std::shared_ptr<Hub::State> state, net::RefPtr<Hub::Shard> shard,
                       Socket& socket)
    : state_(std::move(state)), shard_(std::move(shard)), socket_(&socket) {}

Subscriber::~Subscriber() = default;

HubResult Subscriber::Subscribe(std::string_view filter, std::size_t history) {
  return state_->Subscribe(*this, filter, history);
}

HubResult Subscriber::Unsubscribe(std::string_view filter) {
  if (!IsValidTopicFilter(filter)) return HubResult::kBadTopic;
  state_->Leave(*this, filter);
  return HubResult::kOk;
}

void Subscriber::UnsubscribeAll() { state_->LeaveAll(*this, false); }

void Subscriber::Deliver(const std::shared_ptr<const Hub::Message>& message) {
  if (ended_) return;
  if (waits_) return Hold(message);
  if (!Send(*message)) Drop(*message, false);
}

// False if the socket refuses it.
bool Subscriber::Send(const Hub::Message& message) {
  switch (socket_->Send(message.encoded)) {
    case SendResult::kBacklog:
      waits_ = true;
      [[fallthrough]];
    case SendResult::kQueued:
      shard_->delivered.Add(1);
      return true;
    case SendResult::kRefused:
      return false;
    case SendResult::kClosed:
      return true;  // OnSocketClosed() comes.
  }
  return true;
}

std::size_t Subscriber::BytesOf(const Hub::Message& message) const {
  return message.encoded.plain()->size();
}

void Subscriber::Hold(const std::shared_ptr<const Hub::Message>& message) {
  if (!socket_->is_open()) return;  // OnSocketClosed() comes.
  const HubOptions& options = state_->options;
  const std::size_t bytes = BytesOf(*message);
  const auto fits = [&] {
    return !held_ ? options.max_held_messages > 0
                  : held_->messages.size() < options.max_held_messages &&
                        held_->bytes + bytes <= options.max_held_bytes;
  };
  const bool ever_fits = bytes <= options.max_held_bytes && options.max_held_messages > 0;
  if (options.slow_policy == SlowPolicy::kDropOldest && ever_fits) {
    while (!fits()) Drop(*PopHeld(), false);
  } else if (!ever_fits || !fits()) {
    if (options.slow_policy != SlowPolicy::kClose) return Drop(*message, false);
    ended_ = true;
    shard_->closed_slow.Add(1);
    while (held_) {
      PopHeld();
      dropped_.fetch_add(1, std::memory_order_relaxed);
      shard_->dropped.Add(1);
    }
    socket_->Close(CloseCode::kTryAgainLater, "too slow");
    return Drop(*message, true);
  }
  if (!held_) held_ = std::make_unique<Held>();
  held_->messages.push_back(message);
  held_->bytes += bytes;
  held_count_.store(held_->messages.size(), std::memory_order_relaxed);
}

std::shared_ptr<const Hub::Message> Subscriber::PopHeld() {
  std::shared_ptr<const Hub::Message> oldest = std::move(held_->messages.front());
  held_->messages.pop_front();
  held_->bytes -= BytesOf(*oldest);
  held_count_.store(held_->messages.size(), std::memory_order_relaxed);
  if (held_->messages.empty()) held_.reset();
  return oldest;
}

void Subscriber::Drop(const Hub::Message& message, bool closes) {
  const std::uint64_t dropped = dropped_.fetch_add(1, std::memory_order_relaxed) + 1;
  shard_->dropped.Add(1);
  if (state_->options.on_slow) {
    state_->options.on_slow(*this, {.topic = message.topic, .dropped = dropped, .closes = closes});
  }
}

void Subscriber::OnSocketWritable(Socket&) {
  waits_ = false;
  while (held_ && !waits_) {
    const auto message = PopHeld();
    if (!Send(*message)) Drop(*message, false);
  }
}

void Subscriber::OnSocketClosed(Socket&) {
  ended_ = true;
  held_.reset();
  held_count_.store(0, std::memory_order_relaxed);
  state_->LeaveAll(*this, true);
  Unref();  // The socket's, of Hub::Add().
}

// ---- Hub ----------------------------------------------------------------------------------------

Hub::Hub(HubOptions options) : state_(std::make_shared<State>(std::move(options))) {}

Hub::~Hub() { state_->Close(); }

SubscriberPtr Hub::Add(Socket& socket) {
  SubscriberPtr subscriber(
      new Subscriber(state_, state_->ShardOf(socket.stream().loop()->mailbox()), socket));
  if (socket.AddObserver(*subscriber)) {
    subscriber->Ref();  // Until OnSocketClosed().
  } else {
    subscriber->ended_ = subscriber->left_ = true;
  }
  return subscriber;
}

HubResult Hub::PublishText(std::string_view topic, std::string_view message) {
  return state_->Publish(topic, state_->Encode(true, message));
}

HubResult Hub::PublishBinary(std::string_view topic, std::string_view message) {
  return state_->Publish(topic, state_->Encode(false, message));
}

HubResult Hub::Publish(std::string_view topic, const EncodedMessage& message) {
  return state_->Publish(topic, message);
}

void Hub::Forget(std::string_view topic) { state_->Forget(topic); }

std::size_t Hub::CountSubscribers(std::string_view filter) const {
  return state_->CountSubscribers(filter);
}

std::size_t Hub::CountReached(std::string_view topic) const { return state_->CountReached(topic); }

HubCounters Hub::counters() const { return state_->Counters(); }

}  // namespace strata::ws
