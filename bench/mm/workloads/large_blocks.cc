// Twenty blocks of 5 to 25 MB; one after the other, at random, is replaced and written from end to
// end. Shows what an allocator does with freed pages: giving each back at once costs page faults,
// keeping them all costs memory.

#include <string.h>

#include "bench/mm/workloads/workload.h"

namespace strata::bench {
namespace {

constexpr size_t kBlocks = 20;
constexpr size_t kSmallest = 5u << 20;
constexpr size_t kLargest = 25u << 20;
constexpr size_t kReplacements = 1000;

}  // namespace

uint64_t RunWorkload(const Options& options) {
  Random random(5);
  struct {
    unsigned char* data;
    size_t size;
  } blocks[kBlocks] = {};
  uint64_t sum = 0;
  for (size_t i = 0; i < options.Scaled(kReplacements); ++i) {
    auto* block = &blocks[random.Below(kBlocks)];
    if (block->data != nullptr) sum += block->data[random.Below(block->size)];
    Release(block->data);
    block->size = random.Between(kSmallest, kLargest);
    block->data = AllocateArray<unsigned char>(block->size);
    memset(block->data, static_cast<int>(i & 0xff), block->size);
  }
  for (auto& block : blocks) Release(block.data);
  return sum;
}

}  // namespace strata::bench
