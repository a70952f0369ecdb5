// File: rate_limit.h
//
// How often one client may ask: a token bucket for each address, or for each key of another kind,
// in memory that does not grow. One RateLimiter serves all loops.
//
//   auto limiter = RateLimiter::Create({.per_second = 10, .burst = 20});
//   RateDecision decision = (*limiter)->Allow(client_address, std::chrono::steady_clock::now());
//   if (!decision.allowed) ...  // 429, Retry-After: decision.retry_after
//
// The bucket is kept as one time, by the generic cell rate algorithm (ITU-T I.371, Annex A): the
// "theoretical arrival time" at which it will be full again. A request moves that time by 1 / rate;
// one that would move it further than burst / rate from now is refused, and moves nothing. So a
// client may send `burst` requests at once, and `per_second` of them for ever.
//
// A client of IPv6 is the network it has, not one of its 2^64 addresses: a /64 (RIPE-690).
//
// Memory. The table has a fixed number of slots in sets of eight; where a key belongs is decided by
// a hash under a secret key of the process. A slot whose bucket is full again is as good as free,
// and nothing is lost with it. When a newcomer finds eight that are not, the one that owes least
// gives way, and the newcomer takes over its time. (The "Space-Saving" algorithm of Metwally,
// Agrawal and El Abbadi, 2005, with times for counts.) What follows from that:
//
//   - A limit cannot be reset by a flood of other keys. Who owes more than others stays; and who
//     was evicted finds, when he comes back, no less owed in his place than he owed.
//   - A flood has no effect on others unless more keys than there are slots owe something at one
//     time. Then a newcomer does not begin with a full bucket, but with what the least burdened of
//     eight has left. To take all of that away, max_keys * per_second requests a second must be let
//     through: beyond what one server answers, with the default options.
//
// Any thread, at any time, without locks. Threads that ask for a new key at the same instant may
// each have one request counted in a slot of its own, no more.

#ifndef STRATA_HTTP_RATE_LIMIT_H_
#define STRATA_HTTP_RATE_LIMIT_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/net/address.h"

namespace strata::http {

struct RateDecision {
  bool allowed;

  // How many more requests (of cost 1) would be allowed now.
  std::uint32_t remaining;

  // If refused: when the same request would be allowed, if nothing else comes. nanoseconds::max()
  // for a cost above the burst, which never is.
  std::chrono::nanoseconds retry_after;
};

class RateLimiter {
 public:
  struct Options {
    // Cost units a second for ever, from 1e-6 to 1e6; and at once, at least 1. burst / per_second
    // is at most kMaxRefill.
    double per_second = 10;
    std::uint32_t burst = 20;

    // Slots of 16 bytes, all of them there from the beginning; rounded up to a power of two, at
    // least 8, at most kMaxKeys.
    std::size_t max_keys = 1 << 16;

    // How much of an IPv6 address counts, from 1 to 64. For those who were given a /48, a second
    // limiter with 48 bits and a higher rate has what all of it may have.
    unsigned ipv6_prefix_bits = 64;
  };

  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::hours kMaxRefill{24 * 365};
  static constexpr std::size_t kMaxKeys = std::size_t{1} << 26;

  // InvalidArgument for options out of bounds.
  static absl::StatusOr<std::unique_ptr<RateLimiter>> Create(const Options& options);

  // Whether a request of this cost may go on, and counts it if so. A cost of 0 asks how things
  // stand, and is allowed. Times of one thread should not go back; those of several threads may
  // differ by what they are apart.
  RateDecision Allow(const net::Address& client, Time now, std::uint32_t cost = 1);

  // The same for a key of any kind, a user's name or an API key; never the same as an address.
  RateDecision Allow(std::string_view key, Time now, std::uint32_t cost = 1);

  struct Counts {
    std::uint64_t refused;

    // Keys that had to give way while they owed something: a sign that max_keys is too small, or
    // of a flood.
    std::uint64_t evicted;
  };
  Counts counts() const;

  // Slots in all.
  std::size_t capacity() const { return set_count_ * kWays; }

 private:
  static constexpr std::size_t kWays = 8;

  // A line of keys, 0 for none, and a line of their times: nanoseconds of the steady clock. What
  // stands in the slot of another key is no more wrong than what a newcomer takes over, so the two
  // need not change together.
  struct alignas(64) Set {
    std::array<std::atomic<std::uint64_t>, kWays> keys;
    std::array<std::atomic<std::int64_t>, kWays> times;
  };

  // By a part of the hash, so that loops that refuse do not meet in one line.
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> evicted{0};
  };
  static constexpr std::size_t kShards = 16;

  explicit RateLimiter(const Options& options);

  RateDecision AllowHash(std::uint64_t hash, Time now, std::uint32_t cost);
  std::atomic<std::int64_t>& TimeOf(std::uint64_t hash, std::int64_t now, bool insert);

  const std::uint32_t burst_;
  const std::int64_t interval_ns_;  // Of one cost unit.
  const std::int64_t refill_ns_;    // Of the whole burst.
  const unsigned ipv6_prefix_bits_;
  const std::size_t set_count_;
  const std::array<std::uint64_t, 2> address_secret_;
  const std::array<std::uint64_t, 2> name_secret_;
  const std::unique_ptr<Set[]> sets_;
  std::array<Shard, kShards> shards_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_RATE_LIMIT_H_
