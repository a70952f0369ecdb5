// The cost of one malloc and its free, in processor cycles:
//
//   pairs --threads 2 --mode tight    # malloc, free, malloc, free
//   pairs --threads 2 --mode batch    # 64 mallocs, then 64 frees in the same order
//   cycles 18.3
//
// Cycles are the CPU time of the process, which counts only what these threads ran for on a shared
// machine, times the frequency of the time stamp counter. The loop around the calls is included.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "bench/mm/workloads/workload.h"

namespace {

using strata::bench::Escape;

constexpr size_t kBlockBytes = 32;
constexpr size_t kBatch = 64;
constexpr size_t kPairs = 48'000'000;  // By all threads together.
constexpr long kCalibrationNs = 50'000'000;
constexpr int kUsageError = 2;

struct Worker {
  bool is_batch;
  size_t pairs;
};

// malloc itself rather than the workloads' checked one: a test for NULL would be a part of the
// figure. The write makes the figure that of a usable block.
void* NewBlock() {
  void* block = malloc(kBlockBytes);
  *static_cast<volatile char*>(block) = 1;
  return block;
}

void RunPairs(Worker* worker) {
  if (!worker->is_batch) {
    for (size_t i = 0; i < worker->pairs; ++i) {
      void* block = NewBlock();
      Escape(block);
      free(block);
    }
    return;
  }
  void* blocks[kBatch];
  for (size_t i = 0; i < worker->pairs; i += kBatch) {
    for (void*& block : blocks) block = NewBlock();
    Escape(blocks);
    for (void* block : blocks) free(block);
  }
}

long long Nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Returns ticks of the time stamp counter per nanosecond.
double TimeStampRate() {
  const long long start_ns = Nanoseconds(CLOCK_MONOTONIC);
  const uint64_t start = __rdtsc();
  long long now_ns;
  do {
    now_ns = Nanoseconds(CLOCK_MONOTONIC);
  } while (now_ns - start_ns < kCalibrationNs);
  return static_cast<double>(__rdtsc() - start) / static_cast<double>(now_ns - start_ns);
}

}  // namespace

int main(int argc, char** argv) {
  unsigned threads = 1;
  bool is_batch = false;
  bool valid = argc % 2 == 1;
  for (int i = 1; valid && i < argc; i += 2) {
    if (strcmp(argv[i], "--threads") == 0) {
      threads = static_cast<unsigned>(atoi(argv[i + 1]));
    } else if (strcmp(argv[i], "--mode") == 0) {
      is_batch = strcmp(argv[i + 1], "batch") == 0;
      valid = is_batch || strcmp(argv[i + 1], "tight") == 0;
    } else {
      valid = false;
    }
  }
  if (!valid || threads < 1 || threads > strata::bench::kMaxThreads) {
    fprintf(stderr, "usage: %s [--threads 1..%u] [--mode tight|batch]\n", argv[0],
            strata::bench::kMaxThreads);
    return kUsageError;
  }
  const double rate = TimeStampRate();
  Worker workers[strata::bench::kMaxThreads];
  for (unsigned i = 0; i < threads; ++i) workers[i] = {is_batch, kPairs / threads};
  const long long start_ns = Nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  if (threads == 1) {
    RunPairs(&workers[0]);
  } else {
    strata::bench::RunThreads(RunPairs, workers, threads);
  }
  const long long used_ns = Nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start_ns;
  printf("cycles %.2f\n", static_cast<double>(used_ns) * rate / kPairs);
  return 0;
}
