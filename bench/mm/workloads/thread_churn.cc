// Many short-lived threads. Each frees what the thread before it left, allocates blocks of many
// sizes, frees half of them and leaves the rest. What an allocator sets up for each thread, and
// gives back at its end, is most of the cost.

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr unsigned kLanes = 16;  // Threads at a time.
constexpr size_t kWaves = 1100;
constexpr size_t kBlocks = 200;  // By each thread; half of them outlive it.

struct alignas(kApart) Lane {
  uint64_t seed;
  void* left[kBlocks];
  size_t left_sizes[kBlocks];
  size_t left_count;
  uint64_t sum;
};

Lane lanes[kLanes];

void FreeLeft(Lane* lane) {
  for (size_t i = 0; i < lane->left_count; ++i) {
    lane->sum += Unstamp(lane->left[i], lane->left_sizes[i]);
    Release(lane->left[i]);
  }
  lane->left_count = 0;
}

void Live(Lane* lane) {
  FreeLeft(lane);
  Random random(lane->seed);
  void* own[kBlocks];
  size_t own_sizes[kBlocks];
  size_t own_count = 0;
  for (size_t i = 0; i < kBlocks; ++i) {
    const size_t size = random.Between(16, 32u << (i % 7));
    void* block = Allocate(size);
    Stamp(block, size, size + i);
    if (i % 2 == 0) {
      own[own_count] = block;
      own_sizes[own_count++] = size;
    } else {
      lane->left[lane->left_count] = block;
      lane->left_sizes[lane->left_count++] = size;
    }
  }
  for (size_t i = 0; i < own_count; ++i) {
    lane->sum += Unstamp(own[i], own_sizes[i]);
    Release(own[i]);
  }
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  for (size_t wave = 0; wave < options.Scaled(kWaves); ++wave) {
    for (unsigned i = 0; i < kLanes; ++i) lanes[i].seed = wave * kLanes + i;
    RunThreads(Live, lanes, kLanes);
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    FreeLeft(&lanes[i]);
    sum += lanes[i].sum;
  }
  return sum;
}

}  // namespace strata::bench
