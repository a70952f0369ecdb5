// What a date costs to write and to read.

#include <chrono>

#include "benchmark/benchmark.h"
#include "strata/http/http_date.h"

namespace strata::http {
namespace {

constexpr std::chrono::sys_seconds kTime{std::chrono::seconds(1'700'000'000)};

void BM_FormatHttpDate(benchmark::State& state) {
  char text[kHttpDateBytes];
  std::chrono::sys_seconds time = kTime;
  for (auto _ : state) {
    FormatHttpDate(time, text);
    benchmark::DoNotOptimize(text);
    time += std::chrono::seconds(12'345);
  }
}
BENCHMARK(BM_FormatHttpDate);

void BM_ParseHttpDate(benchmark::State& state) {
  char text[kHttpDateBytes];
  FormatHttpDate(kTime, text);
  for (auto _ : state) {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(ParseHttpDate({text, sizeof(text)}, kTime));
  }
}
BENCHMARK(BM_ParseHttpDate);

}  // namespace
}  // namespace strata::http
