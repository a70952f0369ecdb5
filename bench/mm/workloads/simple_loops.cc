// Plain loops over small sizes: a number of blocks is allocated, then freed in the same order, in
// reverse, or in a scattered one. With more than one thread each runs the same loops.

#include <initializer_list>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kMaxBlocks = 1600;
constexpr size_t kBlockCounts[] = {25, 100, 400, kMaxBlocks};
constexpr size_t kPairsPerCount = 5'000'000;  // For each order of freeing, by all threads.
constexpr size_t kStride = 7;                 // Coprime to all counts: visits each block once.

struct alignas(kApart) Worker {
  uint64_t seed;
  size_t pairs;
  uint64_t sum;
};

enum class Order { kSame, kReverse, kScattered };

size_t Position(Order order, size_t i, size_t count) {
  switch (order) {
    case Order::kSame:
      return i;
    case Order::kReverse:
      return count - 1 - i;
    case Order::kScattered:
      return i * kStride % count;
  }
  return i;
}

// Allocates and frees `count` blocks.
uint64_t Loop(Random* random, Order order, size_t count, void** blocks, uint16_t* sizes) {
  for (size_t i = 0; i < count; ++i) {
    // Steps through the sizes rather than drawing each: programs allocate runs of similar sizes.
    sizes[i] = static_cast<uint16_t>(16 + (i * 24 + (random->Next() & 63)) % 512);
    blocks[i] = Allocate(sizes[i]);
    Stamp(blocks[i], sizes[i], i);
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t position = Position(order, i, count);
    sum += Unstamp(blocks[position], sizes[position]);
    Release(blocks[position]);
  }
  return sum + sizes[0];
}

void Work(Worker* worker) {
  Random random(worker->seed);
  void* blocks[kMaxBlocks];
  uint16_t sizes[kMaxBlocks];
  for (const Order order : {Order::kSame, Order::kReverse, Order::kScattered}) {
    for (const size_t count : kBlockCounts) {
      for (size_t done = 0; done < worker->pairs; done += count) {
        worker->sum += Loop(&random, order, count, blocks, sizes);
      }
    }
  }
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Worker workers[kMaxThreads] = {};
  for (unsigned i = 0; i < options.threads; ++i) {
    workers[i] = {i, options.Scaled(kPairsPerCount) / options.threads, 0};
  }
  if (options.threads == 1) {
    Work(&workers[0]);  // A process that never had a second thread takes shorter paths in places.
  } else {
    RunThreads(Work, workers, options.threads);
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < options.threads; ++i) sum += workers[i].sum;
  return sum;
}

}  // namespace strata::bench
