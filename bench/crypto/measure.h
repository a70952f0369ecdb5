// Times functions against each other: in turns, by processor time, median of many short slices.

#ifndef STRATA_BENCH_CRYPTO_MEASURE_H_
#define STRATA_BENCH_CRYPTO_MEASURE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace strata::bench {

// One way to do an operation: does it `times` times on messages of `size` bytes.
struct Contender {
  std::string name;
  std::function<void(std::size_t size, std::size_t times)> run;
};

// Processor time of this thread, in nanoseconds.
double ThreadNanoseconds();

// The nanoseconds of one operation in each of its slices.
using Slices = std::vector<double>;

// The slices of each of `contenders`, in their order: `slices` of about `slice_ms` milliseconds
// each, which the contenders take in turns.
std::vector<Slices> Measure(const std::vector<Contender>& contenders, std::size_t size, int slices,
                            double slice_ms);

double Median(Slices slices);

// The median of the ratios between slices that were neighbours in time.
double MedianRatio(const Slices& of, const Slices& to);

}  // namespace strata::bench

#endif  // STRATA_BENCH_CRYPTO_MEASURE_H_
