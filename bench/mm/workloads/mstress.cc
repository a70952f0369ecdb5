// Threads build chains of blocks whose sizes follow a power law, keep some of them for long, and
// exchange others through shared slots. Every round ends all threads and starts new ones, which
// inherit what was exchanged.

#include <atomic>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kRounds = 60;
constexpr size_t kChainsPerRound = 70'000;  // By each thread.
constexpr size_t kRetained = 600;           // Chains that a thread keeps at a time.
constexpr size_t kShared = 400;             // Slots through which threads exchange chains.

// The head of each block; the rest is payload.
struct Node {
  Node* next;
  size_t size;
};

std::atomic<Node*> shared[kShared];

struct alignas(kApart) Worker {
  uint64_t seed;
  size_t chains;
  uint64_t sum;
};

// Half of all blocks have up to 64 bytes, and each doubling of the size is half as likely, to 32
// KB.
size_t RandomSize(Random* random) {
  const uint64_t bits = random->Next();
  const int doublings = __builtin_ctzll(bits | 1u << 9);
  const size_t ceiling = size_t{64} << doublings;
  return sizeof(Node) + 8 + ((bits >> 32) & (ceiling - 1));
}

Node* NewChain(Random* random) {
  Node* head = nullptr;
  const size_t length = random->Between(1, 8);
  for (size_t i = 0; i < length; ++i) {
    const size_t size = RandomSize(random);
    auto* node = static_cast<Node*>(Allocate(size));
    Stamp(node + 1, size - sizeof(Node), size);
    node->next = head;
    node->size = size;
    head = node;
  }
  return head;
}

uint64_t FreeChain(Node* node) {
  uint64_t sum = 0;
  while (node != nullptr) {
    Node* next = node->next;
    sum += Unstamp(node + 1, node->size - sizeof(Node));
    Release(node);
    node = next;
  }
  return sum;
}

void Work(Worker* worker) {
  Random random(worker->seed);
  auto** retained = AllocateArray<Node*>(kRetained);
  for (size_t i = 0; i < kRetained; ++i) retained[i] = nullptr;
  for (size_t i = 0; i < worker->chains; ++i) {
    Node* chain = NewChain(&random);
    const size_t fate = random.Below(4);
    if (fate == 0) {
      chain = shared[random.Below(kShared)].exchange(chain, std::memory_order_acq_rel);
    } else if (fate == 1) {
      Node** place = &retained[random.Below(kRetained)];
      Node* old = *place;
      *place = chain;
      chain = old;
    }
    worker->sum += FreeChain(chain);
  }
  for (size_t i = 0; i < kRetained; ++i) worker->sum += FreeChain(retained[i]);
  Release(retained);
}

}  // namespace

uint64_t RunWorkload(const Options& options) {
  uint64_t sum = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    Worker workers[kMaxThreads] = {};
    for (unsigned i = 0; i < options.threads; ++i) {
      workers[i] = {round * kMaxThreads + i, options.Scaled(kChainsPerRound), 0};
    }
    RunThreads(Work, workers, options.threads);
    for (unsigned i = 0; i < options.threads; ++i) sum += workers[i].sum;
  }
  for (auto& slot : shared) sum += FreeChain(slot.exchange(nullptr));
  return sum;
}

}  // namespace strata::bench
