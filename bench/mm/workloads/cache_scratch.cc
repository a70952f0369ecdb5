// Passive false sharing (the effect described by Berger, McKinley, Blumofe and Wilson, "Hoard: A
// Scalable Memory Allocator for Multithreaded Applications", ASPLOS 2000): one thread allocates
// neighbouring small objects and gives one to each worker. A worker frees it, and then allocates
// and writes objects of its own. An allocator that reuses the given objects puts the workers'
// objects into one cache line.

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kObjectBytes = 8;
constexpr size_t kIterations = 1200;
constexpr size_t kWrites = 1'000'000;  // To each object, by each thread.

struct alignas(kApart) Worker {
  unsigned char* given;
  size_t iterations;
  uint64_t sum;
};

void Work(Worker* worker) {
  worker->sum += *worker->given;
  Release(worker->given);
  for (size_t i = 0; i < worker->iterations; ++i) {
    auto* object = static_cast<volatile unsigned char*>(Allocate(kObjectBytes));
    for (size_t j = 0; j < kObjectBytes; ++j) object[j] = 0;
    for (size_t j = 0; j < kWrites; ++j) {
      object[j % kObjectBytes] = static_cast<unsigned char>(object[j % kObjectBytes] + j);
    }
    worker->sum += object[i % kObjectBytes];
    Release(const_cast<unsigned char*>(object));
  }
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Worker workers[kMaxThreads] = {};
  for (unsigned i = 0; i < options.threads; ++i) {
    workers[i] = {AllocateArray<unsigned char>(kObjectBytes), options.Scaled(kIterations), 0};
    *workers[i].given = static_cast<unsigned char>(i);
  }
  RunThreads(Work, workers, options.threads);
  uint64_t sum = 0;
  for (unsigned i = 0; i < options.threads; ++i) sum += workers[i].sum;
  return sum;
}

}  // namespace strata::bench
