// Every block is freed by another thread than the one that allocated it, and blocks flow one way
// only: half of the threads fill batches, and the others free them. First blocks of 64 bytes only,
// then of mixed sizes.
//
// One way, because a thread that frees as much as it allocates lives on what it was given, and no
// block ever has to find its way home. And with the default of two threads not more of them than
// processors: with four, the scheduler decides who waits for whom, and the same allocator cost from
// one to four seconds.

#include <initializer_list>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kBatchBlocks = 1024;
constexpr size_t kQueueBatches = 64;
constexpr size_t kBatches = 6000;  // By each producer in each phase.

struct Batch {
  void* blocks[kBatchBlocks];
  uint16_t sizes[kBatchBlocks];
};

class alignas(kApart) Queue {
 public:
  void Push(Batch* batch) {
    pthread_mutex_lock(&mutex_);
    while (count_ == kQueueBatches) pthread_cond_wait(&not_full_, &mutex_);
    batches_[(first_ + count_++) % kQueueBatches] = batch;
    pthread_cond_signal(&not_empty_);
    pthread_mutex_unlock(&mutex_);
  }

  Batch* Pop() {
    pthread_mutex_lock(&mutex_);
    while (count_ == 0) pthread_cond_wait(&not_empty_, &mutex_);
    Batch* batch = batches_[first_];
    first_ = (first_ + 1) % kQueueBatches;
    --count_;
    pthread_cond_signal(&not_full_);
    pthread_mutex_unlock(&mutex_);
    return batch;
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t not_empty_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t not_full_ = PTHREAD_COND_INITIALIZER;
  Batch* batches_[kQueueBatches] = {};
  size_t first_ = 0;
  size_t count_ = 0;
};

struct alignas(kApart) Worker {
  Queue* queue;
  bool is_producer;
  bool is_mixed;
  size_t batches;
  uint64_t seed;
  uint64_t sum;
};

Batch* Fill(Random* random, bool is_mixed) {
  auto* batch = static_cast<Batch*>(Allocate(sizeof(Batch)));
  for (size_t i = 0; i < kBatchBlocks; ++i) {
    const size_t size = is_mixed ? random->Between(16, 16u << (i % 6)) : 64;
    batch->blocks[i] = Allocate(size);
    batch->sizes[i] = static_cast<uint16_t>(size);
    Stamp(batch->blocks[i], size, size + i);
  }
  return batch;
}

uint64_t Free(Batch* batch) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBatchBlocks; ++i) {
    sum += Unstamp(batch->blocks[i], batch->sizes[i]);
    Release(batch->blocks[i]);
  }
  Release(batch);
  return sum;
}

void Work(Worker* worker) {
  Random random(worker->seed);
  for (size_t i = 0; i < worker->batches; ++i) {
    if (worker->is_producer) {
      worker->queue->Push(Fill(&random, worker->is_mixed));
    } else {
      worker->sum += Free(worker->queue->Pop());
    }
  }
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  const unsigned producers = options.threads < 2 ? 1 : options.threads / 2;
  uint64_t sum = 0;
  for (const bool is_mixed : {false, true}) {
    Queue queue;
    Worker workers[kMaxThreads] = {};
    for (unsigned i = 0; i < producers * 2; ++i) {
      workers[i] = {&queue, i % 2 == 0, is_mixed, options.Scaled(kBatches), i, 0};
    }
    RunThreads(Work, workers, producers * 2);
    for (unsigned i = 0; i < producers * 2; ++i) sum += workers[i].sum;
  }
  return sum;
}

}  // namespace strata::bench
