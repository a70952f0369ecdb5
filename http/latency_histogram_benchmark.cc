// What recording a duration costs a loop.

#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/http/latency_histogram.h"

namespace strata::http {
namespace {

void BM_Record(benchmark::State& state) {
  std::mt19937_64 random(1);  // A fixed seed: every run records the same.
  std::vector<std::chrono::nanoseconds> durations;
  for (int i = 0; i < 4096; ++i) {
    durations.emplace_back(static_cast<std::int64_t>(random() >> (30 + random() % 20)));
  }
  static LatencyHistogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.Record(durations[i++ % durations.size()]);
}
BENCHMARK(BM_Record);

void BM_Snapshot(benchmark::State& state) {
  static LatencyHistogram histogram;
  for (auto _ : state) {
    LatencySnapshot snapshot;
    snapshot.Add(histogram);
    benchmark::DoNotOptimize(snapshot.Quantile(0.99));
  }
}
BENCHMARK(BM_Snapshot);

}  // namespace
}  // namespace strata::http
