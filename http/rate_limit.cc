// Token buckets as times, in sets of eight.

#include "strata/http/rate_limit.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/http/client_key_internal.h"
#include "strata/http/siphash_internal.h"

namespace strata::http {
namespace {

constexpr double kMinRate = 1e-6;

// An interval is kept in whole nanoseconds: at this rate it is off by a thousandth at most.
constexpr double kMaxRate = 1e6;

constexpr double kNanosecondsPerSecond = 1e9;

std::array<std::uint64_t, 2> RandomSecret() {
  const SipKey key = SipKey::Random();
  return {key.k0, key.k1};
}

std::int64_t IntervalOf(double per_second) {
  return static_cast<std::int64_t>(std::llround(kNanosecondsPerSecond / per_second));
}

std::int64_t Nanoseconds(RateLimiter::Time time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

absl::StatusOr<std::unique_ptr<RateLimiter>> RateLimiter::Create(const Options& options) {
  const auto bad = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("rate limit: ", what...));
  };
  if (!(options.per_second >= kMinRate && options.per_second <= kMaxRate)) {
    return bad("per_second is ", options.per_second, ", not from ", kMinRate, " to ", kMaxRate);
  }
  if (options.burst < 1) return bad("burst is 0");
  const double refill_seconds = options.burst / options.per_second;
  if (refill_seconds > static_cast<double>(std::chrono::seconds(kMaxRefill).count())) {
    return bad("burst / per_second is ", refill_seconds, " s, more than a year");
  }
  if (options.max_keys < 1 || options.max_keys > kMaxKeys) {
    return bad("max_keys is ", options.max_keys, ", not from 1 to ", kMaxKeys);
  }
  if (options.ipv6_prefix_bits < 1 || options.ipv6_prefix_bits > 64) {
    return bad("ipv6_prefix_bits is ", options.ipv6_prefix_bits, ", not from 1 to 64");
  }
  return std::unique_ptr<RateLimiter>(new RateLimiter(options));
}

RateLimiter::RateLimiter(const Options& options)
    : burst_(options.burst),
      interval_ns_(IntervalOf(options.per_second)),
      refill_ns_(interval_ns_ * options.burst),
      ipv6_prefix_bits_(options.ipv6_prefix_bits),
      set_count_(std::bit_ceil(std::max(options.max_keys, kWays)) / kWays),
      address_secret_(RandomSecret()),
      name_secret_(RandomSecret()),
      sets_(new Set[set_count_]()) {}

RateDecision RateLimiter::Allow(const net::Address& client, Time now, std::uint32_t cost) {
  const SipKey secret = {address_secret_[0], address_secret_[1]};
  return AllowHash(ClientKey::Of(client, ipv6_prefix_bits_).Hash(secret), now, cost);
}

RateDecision RateLimiter::Allow(std::string_view key, Time now, std::uint32_t cost) {
  return AllowHash(SipHash({name_secret_[0], name_secret_[1]}, key), now, cost);
}

RateDecision RateLimiter::AllowHash(std::uint64_t hash, Time now, std::uint32_t cost) {
  const std::int64_t now_ns = Nanoseconds(now);
  std::atomic<std::int64_t>& time = TimeOf(hash | (hash == 0), now_ns, cost > 0);

  const auto decision = [this](bool allowed, std::int64_t owed, std::chrono::nanoseconds wait) {
    const std::int64_t left = std::max<std::int64_t>(refill_ns_ - owed, 0) / interval_ns_;
    return RateDecision{allowed, static_cast<std::uint32_t>(left), wait};
  };
  std::int64_t was = time.load(std::memory_order_relaxed);
  std::int64_t full = std::max(was, now_ns);
  if (cost == 0) return decision(true, full - now_ns, {});

  std::chrono::nanoseconds wait = std::chrono::nanoseconds::max();
  if (cost <= burst_) {
    const std::int64_t price = cost * interval_ns_;
    while (full + price - now_ns <= refill_ns_) {
      if (time.compare_exchange_weak(was, full + price, std::memory_order_relaxed)) {
        return decision(true, full + price - now_ns, {});
      }
      full = std::max(was, now_ns);
    }
    wait = std::chrono::nanoseconds(full + price - now_ns - refill_ns_);
  }
  shards_[hash >> 60].refused.fetch_add(1, std::memory_order_relaxed);
  return decision(false, full - now_ns, wait);
}

std::atomic<std::int64_t>& RateLimiter::TimeOf(std::uint64_t hash, std::int64_t now, bool insert) {
  Set& set = sets_[hash & (set_count_ - 1)];
  for (;;) {
    for (std::size_t i = 0; i < kWays; ++i) {
      if (set.keys[i].load(std::memory_order_relaxed) == hash) return set.times[i];
    }
    // The one that owes least, or nothing, or was never used.
    std::size_t least = 0;
    std::int64_t least_time = set.times[0].load(std::memory_order_relaxed);
    for (std::size_t i = 1; i < kWays; ++i) {
      const std::int64_t time = set.times[i].load(std::memory_order_relaxed);
      if (time < least_time) {
        least = i;
        least_time = time;
      }
    }
    if (!insert) return set.times[least];
    std::uint64_t key = set.keys[least].load(std::memory_order_relaxed);
    // If another thread has taken it meanwhile, what that one put there may be this very key.
    if (key == hash ||
        set.keys[least].compare_exchange_strong(key, hash, std::memory_order_relaxed)) {
      if (least_time > now) {
        shards_[hash >> 60].evicted.fetch_add(1, std::memory_order_relaxed);
      }
      return set.times[least];
    }
  }
}

RateLimiter::Counts RateLimiter::counts() const {
  Counts counts = {};
  for (const Shard& shard : shards_) {
    counts.refused += shard.refused.load(std::memory_order_relaxed);
    counts.evicted += shard.evicted.load(std::memory_order_relaxed);
  }
  return counts;
}

}  // namespace strata::http
