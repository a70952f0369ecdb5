// File: latency_histogram.h
//
// Times in nanoseconds, counted in buckets that are at most a thirty-second part of their value
// wide. Adding one is a handful of instructions and allocates nothing.

#ifndef BENCH_HTTP_LATENCY_HISTOGRAM_H_
#define BENCH_HTTP_LATENCY_HISTOGRAM_H_

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace bench {

class LatencyHistogram {
 public:
  void Add(std::uint64_t ns) {
    ++counts_[BucketOf(ns < kMax ? ns : kMax)];
    ++count_;
  }

  void Clear() { *this = LatencyHistogram(); }

  // The least time that this share of all, between 0 and 1, does not exceed: the upper end of its
  // bucket. 0 if there is none.
  std::uint64_t Quantile(double share) const {
    const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      below += counts_[bucket];
      if (below >= rank && below > 0) return EndOf(bucket);
    }
    return 0;
  }

 private:
  // Below 2 * kParts each value has a bucket; above, each power of two has kParts of them.
  static constexpr unsigned kBits = 5;
  static constexpr std::uint64_t kParts = 1 << kBits;
  static constexpr std::uint64_t kMax = (std::uint64_t{1} << 40) - 1;  // 18 minutes.

  static std::size_t BucketOf(std::uint64_t ns) {
    if (ns < 2 * kParts) return ns;
    const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
    return shift * kParts + (ns >> shift);
  }

  static std::uint64_t EndOf(std::size_t bucket) {
    if (bucket < 2 * kParts) return bucket;
    const std::size_t shift = bucket / kParts - 1;
    return ((bucket % kParts + kParts + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (40 - kBits + 1) * kParts> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace bench

#endif  // BENCH_HTTP_LATENCY_HISTOGRAM_H_
