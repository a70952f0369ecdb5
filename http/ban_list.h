// File: ban_list.h
//
// Clients who misbehave again and again are kept out for a while, and for longer each time. One
// BanList serves all loops.
//
//   auto bans = BanList::Create({.strikes = 10, .window = std::chrono::minutes(1)});
//   if ((*bans)->IsBanned(peer, now)) ...       // When a connection is accepted: close it.
//   auto ban = (*bans)->Strike(client, now);    // A malformed request, a wrong password, a 429.
//   if (ban) Log(client, *ban);
//
// So many strikes within a window are a ban. The first lasts `first_ban`; another that begins
// before `memory` has passed since the last one's end lasts twice as long as that one, up to
// `longest_ban`.
//
// A client of IPv6 is its /64, as in rate_limit.h. Behind a proxy the client is whom
// ClientOf() (forwarded.h) found, and the proxies belong into `exempt`: else whoever hides behind
// one has it banned, and everybody with it.
//
// Memory. The table has a fixed number of slots in sets of eight, by a hash under a secret key of
// the process. A newcomer to a full set takes the place of who is worth least: whose window is
// over, then who was banned and is no longer, then who has fewer strikes; of equals the oldest. It
// never takes the place of a ban that runs: if there are eight of these the strike is dropped, and
// counted. So a flood of strikes from everywhere makes nobody's ban end; it can make strikes of
// others be forgotten, those of the most persistent last.
//
// Any thread, at any time. While no ban runs, IsBanned() is one relaxed load.

#ifndef STRATA_HTTP_BAN_LIST_H_
#define STRATA_HTTP_BAN_LIST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/http/network.h"
#include "strata/net/address.h"

namespace strata::http {

class BanList {
 public:
  struct Options {
    // So many strikes within a window, which begins with the first of them. From 1 to kMaxStrikes.
    std::uint32_t strikes = 10;
    std::chrono::seconds window{60};

    // All at least a second, at most kLongest; first_ban at most longest_ban.
    std::chrono::seconds first_ban{60};
    std::chrono::seconds longest_ban = std::chrono::hours(24);
    std::chrono::seconds memory = std::chrono::hours(24);

    // Clients with strikes or bans, 40 bytes each, all there from the beginning; rounded up to a
    // power of two, at least 8, at most kMaxClients.
    std::size_t max_clients = 1 << 14;

    // Never banned, and their strikes not counted.
    NetworkSet exempt = {};
  };

  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::uint32_t kMaxStrikes = 1'000'000;
  static constexpr std::chrono::hours kLongest{24 * 365 * 10};
  static constexpr std::size_t kMaxClients = std::size_t{1} << 24;

  // InvalidArgument for options out of bounds.
  static absl::StatusOr<std::unique_ptr<BanList>> Create(Options options);

  ~BanList();
  BanList(const BanList&) = delete;
  BanList& operator=(const BanList&) = delete;

  bool IsBanned(const net::Address& client, Time now) {
    const std::int64_t now_ns = Nanoseconds(now);
    return now_ns < last_end_ns_.load(std::memory_order_relaxed) && Find(client, now_ns);
  }

  // Counts `weight` strikes against a client. The length of the ban, if one begins by it; none
  // otherwise, also if one runs already.
  std::optional<std::chrono::seconds> Strike(const net::Address& client, Time now,
                                             std::uint32_t weight = 1);

  // For operators.

  // Bans for so long from now, at most kLongest, whether a ban runs or not. False if the client is
  // exempt, or there are eight bans where it belongs.
  bool Ban(const net::Address& client, Time now, std::chrono::seconds length);

  // Ends a ban, and forgets the client's strikes and earlier bans. Whether one ran.
  bool Lift(const net::Address& client, Time now);

  struct Entry {
    // None for what has no IP address: Unix sockets.
    std::optional<Network> client;
    std::chrono::seconds left;  // Rounded up.
    std::uint32_t bans;         // How many so far, with this one, that were not forgotten.
  };

  // The bans that run, at most `most` of them, in no order.
  std::vector<Entry> List(Time now, std::size_t most = 1000) const;

  struct Counts {
    std::uint64_t strikes;
    std::uint64_t bans;
    std::uint64_t lifted;
    std::uint64_t turned_away;  // IsBanned() that were true.
    std::uint64_t dropped;      // Strikes and bans for which there was no room.
  };
  Counts counts() const;

 private:
  struct Slot;
  struct Table;

  explicit BanList(Options options);

  static std::int64_t Nanoseconds(Time time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  }

  bool Find(const net::Address& client, std::int64_t now);
  void BeginBan(Slot& slot, std::int64_t now, std::chrono::seconds length);

  const Options options_;

  // The latest end of all bans that ever began, in nanoseconds of the steady clock.
  std::atomic<std::int64_t> last_end_ns_;
  const std::unique_ptr<Table> table_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_BAN_LIST_H_
