#include "bench/http/latency_histogram.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace bench {
namespace {

TEST(LatencyHistogramTest, IsZeroWithoutTimes) {
  EXPECT_EQ(LatencyHistogram().Quantile(0.5), 0u);
  LatencyHistogram histogram;
  histogram.Add(5);
  histogram.Clear();
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
}

TEST(LatencyHistogramTest, IsExactWhileTimesAreSmall) {
  LatencyHistogram histogram;
  for (std::uint64_t ns = 1; ns <= 60; ++ns) histogram.Add(ns);
  EXPECT_EQ(histogram.Quantile(0), 1u);
  EXPECT_EQ(histogram.Quantile(0.5), 30u);
  EXPECT_EQ(histogram.Quantile(1), 60u);
}

TEST(LatencyHistogramTest, FindsAnyTimeWithinAThirtySecondPart) {
  for (std::uint64_t ns = 1; ns < std::uint64_t{1} << 39; ns += ns / 50 + 1) {
    LatencyHistogram histogram;
    histogram.Add(ns);
    EXPECT_GE(histogram.Quantile(0.5), ns);
    EXPECT_LE(histogram.Quantile(0.5), ns + ns / 32);
  }
}

TEST(LatencyHistogramTest, CountsAnyTimeBeyondItsEndAsItsEnd) {
  LatencyHistogram histogram;
  histogram.Add(~std::uint64_t{0});
  EXPECT_EQ(histogram.Quantile(0.5), (std::uint64_t{1} << 40) - 1);
}

TEST(LatencyHistogramTest, FindsTheQuantilesOfManyTimes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> distribution(12, 1.5);
  LatencyHistogram histogram;
  std::vector<std::uint64_t> times;
  for (int i = 0; i < 10'000; ++i) {
    times.push_back(static_cast<std::uint64_t>(distribution(random)));
    histogram.Add(times.back());
  }
  std::sort(times.begin(), times.end());
  for (const std::size_t rank : {5'000u, 9'900u, 9'990u}) {
    const std::uint64_t time = times[rank - 1];
    const std::uint64_t found = histogram.Quantile(static_cast<double>(rank) / 10'000);
    EXPECT_GE(found, time) << rank;
    EXPECT_LE(found, time + time / 32) << rank;
  }
}

}  // namespace
}  // namespace bench
