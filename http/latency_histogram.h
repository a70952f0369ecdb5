// File: latency_histogram.h
//
// How long things take: counts by duration, fine enough for any quantile, in fixed memory (6 KB).
//
//   LatencyHistogram histogram;                   // One for each loop.
//   histogram.Record(now - began);                // By the loop: a few nanoseconds.
//   LatencySnapshot all;
//   for (const auto& one : histograms) all.Add(one);  // By any thread, at any time.
//   all.Quantile(0.99);
//
// A bucket is one of the 90 numbers of two decimal digits times a power of ten, from 1 us to 100 s,
// and has the durations above the one before it, itself included. So a quantile is off by 5 % at
// most, and the round bounds of a Prometheus histogram (0.25 ms, 5 ms, 1 s) lie between two buckets
// and are exact. (Such buckets are those of Circonus's "log linear histogram".)

#ifndef STRATA_HTTP_LATENCY_HISTOGRAM_H_
#define STRATA_HTTP_LATENCY_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace strata::http {

namespace internal {

inline constexpr std::size_t kFirstDecade = 3;  // 10^3 ns.
inline constexpr std::size_t kDecades = 8;
inline constexpr std::size_t kPerDecade = 90;

// The first has all up to 1 us, the last all above 100 s.
inline constexpr std::size_t kLatencyBuckets = 1 + kDecades * kPerDecade + 1;

inline constexpr std::array<std::uint64_t, kFirstDecade + kDecades + 1> kPowersOfTen = [] {
  std::array<std::uint64_t, kFirstDecade + kDecades + 1> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& one : powers) {
    one = power;
    power *= 10;
  }
  return powers;
}();

// To divide by a power of ten: n / 10^k is (n >> k) / 5^k, and that, as n has k + 2 digits at most,
// ((n >> k) * kInverses[k]) >> kInverseShift. The product is below 101 * 2^52, and what the inverse
// is too large by, below 5^k / 2^52 of it, adds less than 1 / 5^k for k to 9: no quotient changes.
inline constexpr int kInverseShift = 52;
inline constexpr std::array<std::uint64_t, kFirstDecade + kDecades - 1> kInverses = [] {
  std::array<std::uint64_t, kFirstDecade + kDecades - 1> inverses{};
  std::uint64_t power = 1;
  for (std::uint64_t& one : inverses) {
    one = ((std::uint64_t{1} << kInverseShift) + power - 1) / power;
    power *= 5;
  }
  return inverses;
}();

constexpr std::size_t LatencyBucket(std::int64_t nanoseconds) {
  // Each bucket has its upper bound, and not the lower one.
  const auto n = static_cast<std::uint64_t>(nanoseconds > 0 ? nanoseconds - 1 : 0);
  if (n < kPowersOfTen[kFirstDecade]) return 0;
  if (n >= kPowersOfTen[kFirstDecade + kDecades]) return kLatencyBuckets - 1;
  // log10(2) is 1233 / 4096, nearly.
  std::size_t decade = static_cast<std::size_t>(std::bit_width(n)) * 1233 >> 12;
  decade -= n < kPowersOfTen[decade];
  const std::size_t k = decade - 1;
  const std::size_t two_digits = (n >> k) * kInverses[k] >> kInverseShift;
  return 1 + (decade - kFirstDecade) * kPerDecade + (two_digits - 10);
}

// The upper bound of a bucket but the last, in nanoseconds.
constexpr std::int64_t LatencyBound(std::size_t bucket) {
  if (bucket == 0) return static_cast<std::int64_t>(kPowersOfTen[kFirstDecade]);
  const std::size_t decade = (bucket - 1) / kPerDecade + kFirstDecade;
  const std::size_t two_digits = (bucket - 1) % kPerDecade + 10;
  return static_cast<std::int64_t>((two_digits + 1) * kPowersOfTen[decade - 1]);
}

}  // namespace internal

// Counts at one time, perhaps of several histograms. A value.
class LatencySnapshot;

class LatencyHistogram {
 public:
  LatencyHistogram() = default;
  LatencyHistogram(const LatencyHistogram&) = delete;
  LatencyHistogram& operator=(const LatencyHistogram&) = delete;

  // By one thread at a time. What is negative counts as nothing.
  void Record(std::chrono::nanoseconds duration) {
    const std::int64_t nanoseconds = duration.count() > 0 ? duration.count() : 0;
    Add(counts_[internal::LatencyBucket(nanoseconds)], 1);
    Add(sum_, static_cast<std::uint64_t>(nanoseconds));
    if (nanoseconds > max_.load(std::memory_order_relaxed)) {
      max_.store(nanoseconds, std::memory_order_relaxed);
    }
  }

 private:
  friend class LatencySnapshot;

  static void Add(std::atomic<std::uint64_t>& counter, std::uint64_t count) {
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, internal::kLatencyBuckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};  // In nanoseconds: overflows after 584 years of durations.
  std::atomic<std::int64_t> max_{0};
};

class LatencySnapshot {
 public:
  // By any thread. What is recorded meanwhile may be counted in part.
  void Add(const LatencyHistogram& histogram);
  void Add(const LatencySnapshot& other);

  // What was recorded since `earlier` was taken of the same histograms. The largest is that of all
  // times.
  LatencySnapshot Since(const LatencySnapshot& earlier) const;

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  double sum_seconds() const { return static_cast<double>(sum_) * 1e-9; }

  // The duration that a share `q` (from 0 to 1) of all stay within: the middle of its bucket; the
  // largest recorded if it is above 100 s. Zero if there are none.
  std::chrono::nanoseconds Quantile(double q) const;

  // How many were not longer. Exact for a bound of two decimal digits from 1 us to 100 s; others
  // are rounded down to such a one.
  std::uint64_t CountUpTo(std::chrono::nanoseconds bound) const;

 private:
  std::array<std::uint64_t, internal::kLatencyBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_LATENCY_HISTOGRAM_H_
