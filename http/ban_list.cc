// Strikes and bans, in sets of eight.

#include "strata/http/ban_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <mutex>
#include <span>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/http/client_key_internal.h"
#include "strata/http/siphash_internal.h"

namespace strata::http {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kWays = 8;
constexpr std::size_t kMaxLocks = 64;

// No time of the steady clock is before it.
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

std::int64_t InNanoseconds(seconds length) { return nanoseconds(length).count(); }

std::optional<Network> NetworkOf(const ClientKey& client) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(client.bits >> (56 - 8 * i));
  }
  switch (client.kind) {
    case ClientKey::Kind::kIpv4:
      return Network::Of(net::Address::Ipv4(std::span(bytes).subspan<4, 4>(), 0));
    case ClientKey::Kind::kIpv6:
      return Network::Of(net::Address::Ipv6(bytes, 0), ClientKey::kDefaultIpv6Bits);
    case ClientKey::Kind::kOther:
      break;
  }
  return std::nullopt;
}

}  // namespace

struct BanList::Slot {
  ClientKey client{};
  bool used = false;
  std::uint16_t bans = 0;     // Of which the last has not been forgotten.
  std::uint32_t strikes = 0;  // In the window.
  std::int64_t window_end = kNever;
  std::int64_t ban_end = kNever;

  bool Banned(std::int64_t now) const { return now < ban_end; }

  // What the slot is worth: less is replaced first.
  auto Worth(std::int64_t now, std::int64_t memory) const {
    const std::uint32_t strikes_left = now < window_end ? strikes : 0;
    const bool remembered = bans > 0 && now - ban_end < memory;
    return std::tuple(used, strikes_left, remembered, std::max(window_end, ban_end));
  }
};

struct BanList::Table {
  explicit Table(std::size_t max_clients)
      : secret(SipKey::Random()),
        slots(std::bit_ceil(std::max(max_clients, kWays))),
        locks(std::min(slots.size() / kWays, kMaxLocks)) {}

  struct alignas(64) Lock {
    std::mutex mutex;
  };

  // A client's set, locked.
  struct Set {
    std::unique_lock<std::mutex> lock;
    std::span<Slot, kWays> slots;
  };
  Set SetAt(std::size_t index) {
    return {std::unique_lock<std::mutex>(locks[index % locks.size()].mutex),
            std::span(slots).subspan(index * kWays).first<kWays>()};
  }
  Set SetOf(const ClientKey& client) {
    return SetAt(client.Hash(secret) & (slots.size() / kWays - 1));
  }

  static Slot* Find(const Set& set, const ClientKey& client) {
    for (Slot& slot : set.slots) {
      if (slot.used && slot.client == client) return &slot;
    }
    return nullptr;
  }

  // The client's slot, perhaps another's before. Null if bans run in all of them.
  static Slot* FindOrTake(const Set& set, const ClientKey& client, std::int64_t now,
                          std::int64_t memory) {
    if (Slot* slot = Find(set, client)) return slot;
    Slot* least = nullptr;
    for (Slot& slot : set.slots) {
      if (slot.Banned(now)) continue;
      if (!least || slot.Worth(now, memory) < least->Worth(now, memory)) least = &slot;
    }
    if (least) *least = Slot{.client = client, .used = true};
    return least;
  }

  void Count(std::atomic<std::uint64_t>& counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
  }

  const SipKey secret;
  std::vector<Slot> slots;
  std::vector<Lock> locks;

  std::atomic<std::uint64_t> strikes{0};
  std::atomic<std::uint64_t> bans{0};
  std::atomic<std::uint64_t> lifted{0};
  std::atomic<std::uint64_t> turned_away{0};
  std::atomic<std::uint64_t> dropped{0};
};

absl::StatusOr<std::unique_ptr<BanList>> BanList::Create(Options options) {
  const auto bad = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("ban list: ", what...));
  };
  if (options.strikes < 1 || options.strikes > kMaxStrikes) {
    return bad("strikes is ", options.strikes, ", not from 1 to ", kMaxStrikes);
  }
  for (const auto& [name, length] : {std::pair("window", options.window),
                                     {"first_ban", options.first_ban},
                                     {"longest_ban", options.longest_ban},
                                     {"memory", options.memory}}) {
    if (length < seconds(1) || length > kLongest) {
      return bad(name, " is ", length.count(), " s, not from 1 to ", seconds(kLongest).count());
    }
  }
  if (options.first_ban > options.longest_ban) return bad("first_ban is more than longest_ban");
  if (options.max_clients < 1 || options.max_clients > kMaxClients) {
    return bad("max_clients is ", options.max_clients, ", not from 1 to ", kMaxClients);
  }
  return std::unique_ptr<BanList>(new BanList(std::move(options)));
}

BanList::BanList(Options options)
    : options_(std::move(options)),
      last_end_ns_(kNever),
      table_(std::make_unique<Table>(options_.max_clients)) {}

BanList::~BanList() = default;

bool BanList::Find(const net::Address& client, std::int64_t now) {
  const ClientKey key = ClientKey::Of(client);
  const Table::Set set = table_->SetOf(key);
  const Slot* slot = Table::Find(set, key);
  if (!slot || !slot->Banned(now)) return false;
  table_->Count(table_->turned_away);
  return true;
}

void BanList::BeginBan(Slot& slot, std::int64_t now, seconds length) {
  slot.ban_end = now + InNanoseconds(length);
  slot.strikes = 0;
  if (slot.bans < std::numeric_limits<decltype(slot.bans)>::max()) ++slot.bans;
  table_->Count(table_->bans);
  std::int64_t last = last_end_ns_.load(std::memory_order_relaxed);
  while (last < slot.ban_end &&
         !last_end_ns_.compare_exchange_weak(last, slot.ban_end, std::memory_order_relaxed)) {
  }
}

std::optional<seconds> BanList::Strike(const net::Address& client, Time time,
                                       std::uint32_t weight) {
  if (options_.exempt.Contains(client)) return std::nullopt;
  const std::int64_t now = Nanoseconds(time);
  const std::int64_t memory = InNanoseconds(options_.memory);
  const ClientKey key = ClientKey::Of(client);
  const Table::Set set = table_->SetOf(key);
  Slot* slot = Table::FindOrTake(set, key, now, memory);
  table_->Count(slot ? table_->strikes : table_->dropped);
  if (!slot || slot->Banned(now)) return std::nullopt;

  if (now >= slot->window_end) {
    slot->strikes = 0;
    slot->window_end = now + InNanoseconds(options_.window);
  }
  slot->strikes += std::min(weight, options_.strikes);  // The sum stays below twice that.
  if (slot->strikes < options_.strikes) return std::nullopt;

  if (slot->bans > 0 && now - slot->ban_end >= memory) slot->bans = 0;
  seconds length = options_.first_ban;
  for (std::uint32_t i = 0; i < slot->bans && length < options_.longest_ban; ++i) length *= 2;
  length = std::min(length, options_.longest_ban);
  BeginBan(*slot, now, length);
  return length;
}

bool BanList::Ban(const net::Address& client, Time time, seconds length) {
  if (options_.exempt.Contains(client)) return false;
  const std::int64_t now = Nanoseconds(time);
  const ClientKey key = ClientKey::Of(client);
  const Table::Set set = table_->SetOf(key);
  Slot* slot = Table::FindOrTake(set, key, now, InNanoseconds(options_.memory));
  if (!slot) {
    table_->Count(table_->dropped);
    return false;
  }
  BeginBan(*slot, now, std::clamp<seconds>(length, seconds(0), kLongest));
  return true;
}

bool BanList::Lift(const net::Address& client, Time time) {
  const ClientKey key = ClientKey::Of(client);
  const Table::Set set = table_->SetOf(key);
  Slot* slot = Table::Find(set, key);
  if (!slot) return false;
  const bool banned = slot->Banned(Nanoseconds(time));
  *slot = Slot{};
  if (banned) table_->Count(table_->lifted);
  return banned;
}

std::vector<BanList::Entry> BanList::List(Time time, std::size_t most) const {
  const std::int64_t now = Nanoseconds(time);
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < table_->slots.size() / kWays && entries.size() < most; ++i) {
    const Table::Set set = table_->SetAt(i);
    for (const Slot& slot : set.slots) {
      if (!slot.used || !slot.Banned(now) || entries.size() == most) continue;
      entries.push_back({NetworkOf(slot.client),
                         std::chrono::ceil<seconds>(nanoseconds(slot.ban_end - now)), slot.bans});
    }
  }
  return entries;
}

BanList::Counts BanList::counts() const {
  const auto get = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  return {get(table_->strikes), get(table_->bans), get(table_->lifted), get(table_->turned_away),
          get(table_->dropped)};
}

}  // namespace strata::http
