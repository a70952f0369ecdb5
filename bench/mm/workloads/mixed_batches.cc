// Threads allocate batches in which small sizes are many and large ones few, and free each batch in
// another order than it was allocated: forwards, backwards, every other block first. A part of each
// batch outlives several later ones.

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kGenerations = 4;  // Batches of survivors kept at a time.
constexpr size_t kSurvivors = 200;
constexpr size_t kMaxBatch = 4096;
constexpr size_t kRounds = 10'000;  // By all threads together.

// How many blocks of up to which size make a batch.
struct Share {
  size_t count;
  size_t largest;
};
constexpr Share kShares[] = {{1600, 32}, {1000, 96}, {600, 256},
                             {300, 700}, {60, 2500}, {4, 24000}};

struct Block {
  void* data;
  size_t size;
};

struct alignas(kApart) Worker {
  uint64_t seed;
  size_t rounds;
  uint64_t sum;
};

void Free(Worker* worker, const Block& block) {
  if (block.data == nullptr) return;
  worker->sum += Unstamp(block.data, block.size);
  Release(block.data);
}

// Allocates a batch; returns its length.
size_t Fill(Random* random, Block* batch) {
  size_t count = 0;
  for (const Share& share : kShares) {
    for (size_t i = 0; i < share.count; ++i) {
      const size_t size = random->Between(8, share.largest);
      batch[count] = {Allocate(size), size};
      Stamp(batch[count].data, size, size);
      ++count;
    }
  }
  return count;
}

void FreeBatch(Worker* worker, const Block* batch, size_t count, size_t order) {
  if (order % 3 == 0) {
    for (size_t i = 0; i < count; ++i) Free(worker, batch[i]);
  } else if (order % 3 == 1) {
    for (size_t i = count; i-- > 0;) Free(worker, batch[i]);
  } else {
    for (size_t i = 0; i < count; i += 2) Free(worker, batch[i]);
    for (size_t i = 1; i < count; i += 2) Free(worker, batch[i]);
  }
}

void Work(Worker* worker) {
  Random random(worker->seed);
  auto* batch = AllocateArray<Block>(kMaxBatch);
  auto* survivors = AllocateArray<Block>(kGenerations * kSurvivors);
  for (size_t i = 0; i < kGenerations * kSurvivors; ++i) survivors[i] = {nullptr, 0};
  for (size_t round = 0; round < worker->rounds; ++round) {
    const size_t count = Fill(&random, batch);
    // Some blocks of this batch take the place of the oldest survivors.
    Block* oldest = &survivors[round % kGenerations * kSurvivors];
    for (size_t i = 0; i < kSurvivors; ++i) {
      Block* chosen = &batch[random.Below(count)];
      const Block kept = *chosen;
      *chosen = oldest[i];
      oldest[i] = kept;
    }
    FreeBatch(worker, batch, count, round);
  }
  for (size_t i = 0; i < kGenerations * kSurvivors; ++i) Free(worker, survivors[i]);
  Release(survivors);
  Release(batch);
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Worker workers[kMaxThreads] = {};
  for (unsigned i = 0; i < options.threads; ++i) {
    workers[i] = {i, options.Scaled(kRounds) / options.threads + 1, 0};
  }
  RunThreads(Work, workers, options.threads);
  uint64_t sum = 0;
  for (unsigned i = 0; i < options.threads; ++i) sum += workers[i].sum;
  return sum;
}

}  // namespace strata::bench
