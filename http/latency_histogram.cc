// What is read from histograms.

#include "strata/http/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace strata::http {

void LatencySnapshot::Add(const LatencyHistogram& histogram) {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::uint64_t count = histogram.counts_[i].load(std::memory_order_relaxed);
    counts_[i] += count;
    count_ += count;
  }
  sum_ += histogram.sum_.load(std::memory_order_relaxed);
  max_ = std::max(max_, histogram.max_.load(std::memory_order_relaxed));
}

void LatencySnapshot::Add(const LatencySnapshot& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

LatencySnapshot LatencySnapshot::Since(const LatencySnapshot& earlier) const {
  LatencySnapshot since = *this;
  for (std::size_t i = 0; i < counts_.size(); ++i) since.counts_[i] -= earlier.counts_[i];
  since.count_ -= earlier.count_;
  since.sum_ -= earlier.sum_;
  return since;
}

std::chrono::nanoseconds LatencySnapshot::Quantile(double q) const {
  if (count_ == 0) return {};
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += counts_[bucket]) < rank) ++bucket;
  if (bucket == counts_.size() - 1) return max();
  const std::int64_t below = bucket == 0 ? 0 : internal::LatencyBound(bucket - 1);
  const std::int64_t middle = (below + internal::LatencyBound(bucket)) / 2;
  return std::chrono::nanoseconds(std::min(middle, max_));
}

std::uint64_t LatencySnapshot::CountUpTo(std::chrono::nanoseconds bound) const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i + 1 < counts_.size(); ++i) {
    if (internal::LatencyBound(i) > bound.count()) break;
    count += counts_[i];
  }
  return count;
}

}  // namespace strata::http
