// A server under load (the work described by Larson and Krishnan, "Memory Allocation for
// Long-Running Server Applications", ISMM 1998): each thread replaces blocks at random in its array
// of slots, ends, and leaves the array to a thread started in its place. So most blocks are freed
// by another thread than the one that allocated them. Uses C++'s sized delete.

#include <new>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kSlots = 5000;
constexpr size_t kSmallest = 8;
constexpr size_t kLargest = 1000;
constexpr size_t kGenerations = 60;
constexpr size_t kReplacements = 360'000;  // In one thread's life.

struct Block {
  unsigned char* data;
  size_t size;
};

struct alignas(kApart) Shift {
  Block* slots;
  uint64_t seed;
  size_t replacements;
  uint64_t sum;
};

Block NewBlock(Random* random) {
  const size_t size = random->Between(kSmallest, kLargest);
  auto* data = static_cast<unsigned char*>(::operator new(size));
  Escape(data);
  Stamp(data, size, size);
  return {data, size};
}

uint64_t DeleteBlock(const Block& block) {
  const uint64_t tag = Unstamp(block.data, block.size);
  Escape(block.data);
  ::operator delete(block.data, block.size);
  return tag;
}

void Serve(Shift* shift) {
  Random random(shift->seed);
  for (size_t i = 0; i < shift->replacements; ++i) {
    Block* slot = &shift->slots[random.Below(kSlots)];
    shift->sum += DeleteBlock(*slot);
    *slot = NewBlock(&random);
  }
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Shift shifts[kMaxThreads] = {};
  Random random(4);
  for (unsigned i = 0; i < options.threads; ++i) {
    shifts[i].slots = AllocateArray<Block>(kSlots);
    for (size_t j = 0; j < kSlots; ++j) shifts[i].slots[j] = NewBlock(&random);
  }
  for (size_t generation = 0; generation < kGenerations; ++generation) {
    // The arrays move on by one thread, too.
    Block* first = shifts[0].slots;
    for (unsigned i = 0; i + 1 < options.threads; ++i) shifts[i].slots = shifts[i + 1].slots;
    shifts[options.threads - 1].slots = first;
    for (unsigned i = 0; i < options.threads; ++i) {
      shifts[i].seed = generation * kMaxThreads + i;
      shifts[i].replacements = options.Scaled(kReplacements);
    }
    RunThreads(Serve, shifts, options.threads);
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < options.threads; ++i) {
    for (size_t j = 0; j < kSlots; ++j) sum += DeleteBlock(shifts[i].slots[j]);
    Release(shifts[i].slots);
    sum += shifts[i].sum;
  }
  return sum;
}

}  // namespace strata::bench
