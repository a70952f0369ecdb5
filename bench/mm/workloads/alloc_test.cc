// Allocates or frees at slots chosen uniformly at random, with random sizes from 8 to 1000 bytes:
// nothing predicts what comes next. Threads, if any, share nothing.

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kSlots = 16'384;
constexpr size_t kOperations = 40'000'000;  // By all threads together.

struct alignas(kApart) Worker {
  uint64_t seed;
  size_t operations;
  uint64_t sum;
};

struct Slot {
  void* block;
  size_t size;
};

void Work(Worker* worker) {
  Random random(worker->seed);
  auto* slots = AllocateArray<Slot>(kSlots);
  for (size_t i = 0; i < kSlots; ++i) slots[i] = {nullptr, 0};
  for (size_t i = 0; i < worker->operations; ++i) {
    Slot* slot = &slots[random.Below(kSlots)];
    if (slot->block == nullptr) {
      // The product of two uniform numbers favours small sizes.
      slot->size = 8 + random.Below(1 + random.Below(993));
      slot->block = Allocate(slot->size);
      Stamp(slot->block, slot->size, i);
    } else {
      worker->sum += Unstamp(slot->block, slot->size);
      Release(slot->block);
      slot->block = nullptr;
    }
  }
  for (size_t i = 0; i < kSlots; ++i) Release(slots[i].block);
  Release(slots);
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Worker workers[kMaxThreads] = {};
  for (unsigned i = 0; i < options.threads; ++i) {
    workers[i] = {i, options.Scaled(kOperations) / options.threads, 0};
  }
  RunThreads(Work, workers, options.threads);
  uint64_t sum = 0;
  for (unsigned i = 0; i < options.threads; ++i) sum += workers[i].sum;
  return sum;
}

}  // namespace strata::bench
