// Which bucket a duration is in, and what the buckets tell.

#include "strata/http/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using internal::LatencyBound;
using internal::LatencyBucket;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kLast = internal::kLatencyBuckets - 1;

TEST(LatencyHistogramTest, BucketsBeginWhereTheOneBeforeEnds) {
  EXPECT_EQ(LatencyBucket(0), 0u);
  EXPECT_EQ(LatencyBucket(-5), 0u);
  for (std::size_t bucket = 0; bucket < kLast; ++bucket) {
    const std::int64_t bound = LatencyBound(bucket);
    ASSERT_EQ(LatencyBucket(bound), bucket) << bound;
    ASSERT_EQ(LatencyBucket(bound + 1), bucket + 1) << bound;
    ASSERT_EQ(LatencyBucket(bound - 1), bucket) << bound;
  }
  EXPECT_EQ(LatencyBound(0), 1'000);
  EXPECT_EQ(LatencyBound(1), 1'100);
  EXPECT_EQ(LatencyBound(90), 10'000);
  EXPECT_EQ(LatencyBound(91), 11'000);
  EXPECT_EQ(LatencyBound(kLast - 1), 100'000'000'000);
  EXPECT_EQ(LatencyBucket(nanoseconds::max().count()), kLast);
}

TEST(LatencyHistogramTest, BucketsAreWhatDivisionSays) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto n = static_cast<std::int64_t>(random() >> (27 + random() % 30));
    if (n <= 1000 || n > 100'000'000'000) continue;
    std::int64_t unit = 1;
    while ((n - 1) / unit >= 100) unit *= 10;
    const std::int64_t bound = ((n - 1) / unit + 1) * unit;
    ASSERT_EQ(LatencyBound(LatencyBucket(n)), bound) << n;
  }
}

TEST(LatencyHistogramTest, CountsSumsAndRemembersTheLargest) {
  LatencyHistogram histogram;
  for (const nanoseconds duration : {nanoseconds(500), nanoseconds(milliseconds(2)),
                                     nanoseconds(seconds(200)), nanoseconds(-1)}) {
    histogram.Record(duration);
  }
  LatencySnapshot snapshot;
  snapshot.Add(histogram);
  EXPECT_EQ(snapshot.count(), 4u);
  EXPECT_DOUBLE_EQ(snapshot.sum_seconds(), 200.0020005);
  EXPECT_EQ(snapshot.max(), seconds(200));
}

TEST(LatencyHistogramTest, QuantilesAreOffByFivePercentAtMost) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> distribution(std::log(1e6), 2);  // Around a millisecond.
  auto histogram = std::make_unique<LatencyHistogram>();
  std::vector<std::int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    const auto n = static_cast<std::int64_t>(std::clamp(distribution(random), 1e3, 9e10));
    all.push_back(n);
    histogram->Record(nanoseconds(n));
  }
  std::sort(all.begin(), all.end());
  LatencySnapshot snapshot;
  snapshot.Add(*histogram);
  for (const double q : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(std::ceil(q * 20'000), 1.0));
    const auto exact = static_cast<double>(all[rank - 1]);
    EXPECT_NEAR(static_cast<double>(snapshot.Quantile(q).count()), exact, exact * 0.05 + 500) << q;
  }
}

TEST(LatencyHistogramTest, QuantilesOfLittle) {
  LatencySnapshot snapshot;
  EXPECT_EQ(snapshot.Quantile(0.5), nanoseconds(0));
  LatencyHistogram histogram;
  histogram.Record(nanoseconds(100));
  snapshot.Add(histogram);
  EXPECT_EQ(snapshot.Quantile(0.5), nanoseconds(100));
  histogram.Record(seconds(500));
  LatencySnapshot two;
  two.Add(histogram);
  EXPECT_EQ(two.Quantile(1), seconds(500));
  EXPECT_EQ(two.Quantile(2), seconds(500));
  EXPECT_EQ(two.Quantile(-1), nanoseconds(500));
}

TEST(LatencyHistogramTest, RoundBoundsAreExact) {
  LatencyHistogram histogram;
  for (const nanoseconds bound : {nanoseconds(microseconds(1)), nanoseconds(microseconds(250)),
                                  nanoseconds(milliseconds(5)), nanoseconds(seconds(100))}) {
    histogram.Record(bound - nanoseconds(1));
    histogram.Record(bound);
    histogram.Record(bound + nanoseconds(1));
  }
  LatencySnapshot snapshot;
  snapshot.Add(histogram);
  EXPECT_EQ(snapshot.CountUpTo(nanoseconds(999)), 0u);
  EXPECT_EQ(snapshot.CountUpTo(microseconds(1)), 2u);
  EXPECT_EQ(snapshot.CountUpTo(microseconds(250)), 5u);
  EXPECT_EQ(snapshot.CountUpTo(milliseconds(5)), 8u);
  EXPECT_EQ(snapshot.CountUpTo(seconds(100)), 11u);
  EXPECT_EQ(snapshot.CountUpTo(std::chrono::hours(1)), 11u);
}

TEST(LatencyHistogramTest, SnapshotsAddUp) {
  LatencyHistogram one;
  LatencyHistogram two;
  one.Record(milliseconds(1));
  two.Record(milliseconds(2));
  two.Record(milliseconds(3));
  LatencySnapshot first;
  first.Add(one);
  LatencySnapshot second;
  second.Add(two);
  second.Add(first);
  EXPECT_EQ(second.count(), 3u);
  EXPECT_EQ(second.CountUpTo(milliseconds(1)), 1u);
  EXPECT_DOUBLE_EQ(second.sum_seconds(), 0.006);
  EXPECT_EQ(second.max(), milliseconds(3));
}

TEST(LatencyHistogramTest, WhatWasRecordedSince) {
  LatencyHistogram histogram;
  histogram.Record(milliseconds(1));
  histogram.Record(milliseconds(500));
  LatencySnapshot earlier;
  earlier.Add(histogram);
  for (int i = 0; i < 10; ++i) histogram.Record(milliseconds(20));
  LatencySnapshot later;
  later.Add(histogram);
  const LatencySnapshot since = later.Since(earlier);
  EXPECT_EQ(since.count(), 10u);
  EXPECT_EQ(since.CountUpTo(milliseconds(1)), 0u);
  EXPECT_GE(since.Quantile(0.99), milliseconds(19));
  EXPECT_LE(since.Quantile(0.99), milliseconds(21));
  EXPECT_NEAR(since.sum_seconds(), 0.2, 1e-9);
  EXPECT_EQ(later.Since(later).count(), 0u);
  EXPECT_EQ(later.Since(later).Quantile(0.5), nanoseconds(0));
}

TEST(LatencyHistogramTest, OneThreadRecordsWhileOthersRead) {
  LatencyHistogram histogram;
  std::thread recorder([&histogram] {
    for (int i = 0; i < 100'000; ++i) histogram.Record(microseconds(i));
  });
  std::uint64_t last = 0;
  while (last < 100'000) {
    LatencySnapshot snapshot;
    snapshot.Add(histogram);
    EXPECT_GE(snapshot.count(), last);
    last = snapshot.count();
  }
  recorder.join();
}

}  // namespace
}  // namespace strata::http
