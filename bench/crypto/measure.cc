// Slices in turns, so that what disturbs the machine disturbs all alike.

#include "bench/crypto/measure.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace strata::bench {
namespace {

double TimeOf(const Contender& contender, std::size_t size, std::size_t times) {
  const double before = ThreadNanoseconds();
  contender.run(size, times);
  return ThreadNanoseconds() - before;
}

// How often it fits into `slice_ms`.
std::size_t Calibrate(const Contender& contender, std::size_t size, double slice_ms) {
  const double wanted = slice_ms * 1e6;
  std::size_t times = 1;
  for (;;) {
    const double took = TimeOf(contender, size, times);
    if (took >= wanted / 4) {
      return std::max<std::size_t>(
          1, static_cast<std::size_t>(static_cast<double>(times) * wanted / took));
    }
    times *= 2;
  }
}

}  // namespace

double ThreadNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::vector<Slices> Measure(const std::vector<Contender>& contenders, std::size_t size, int slices,
                            double slice_ms) {
  std::vector<std::size_t> times;
  for (const Contender& contender : contenders) {
    times.push_back(Calibrate(contender, size, slice_ms));
  }
  std::vector<Slices> taken(contenders.size());
  for (int slice = 0; slice < slices; ++slice) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      taken[i].push_back(TimeOf(contenders[i], size, times[i]) / static_cast<double>(times[i]));
    }
  }
  return taken;
}

double Median(Slices slices) {
  const auto middle = slices.begin() + static_cast<std::ptrdiff_t>(slices.size() / 2);
  std::nth_element(slices.begin(), middle, slices.end());
  return *middle;
}

double MedianRatio(const Slices& of, const Slices& to) {
  Slices ratios;
  for (std::size_t i = 0; i < of.size(); ++i) ratios.push_back(of[i] / to[i]);
  return Median(std::move(ratios));
}

}  // namespace strata::bench
