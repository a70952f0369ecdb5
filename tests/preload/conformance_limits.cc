// When memory runs out: NULL and ENOMEM, no crash, and a heap that works on once memory is back.
//
// Each test runs under a limit that was in force when its process started, as `ulimit -v` sets it,
// so that the allocator meets the limit when it reserves its address space too.

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <iterator>
#include <latch>
#include <thread>

#include "tests/preload/check.h"

namespace strata::preload {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;
constexpr std::size_t kSmall = 100;
constexpr std::size_t kMedium = 20000;
constexpr std::size_t kLarge = 3000000;

// Blocks linked through their first word. The second holds a check value, so that two lists that
// got the same block are found out.
struct Block {
  Block* next;
  std::uint64_t check;
};

std::uint64_t CheckOf(const Block* block, std::size_t size) { return AsNumber(block) * 31 + size; }

struct Ramp {
  Block* first = nullptr;
  std::size_t count = 0;
};

// Allocates until there is no more. At least NULL and ENOMEM must come, and soon.
Ramp AllocateAll(std::size_t size) {
  Ramp ramp;
  for (;;) {
    errno = 0;
    Block* block = static_cast<Block*>(malloc(size));
    if (block == nullptr) break;
    block->check = CheckOf(block, size);
    block->next = ramp.first;
    ramp.first = block;
    ++ramp.count;
  }
  CHECK_EQ(errno, ENOMEM);
  return ramp;
}

void FreeAll(Ramp* ramp, std::size_t size) {
  std::size_t freed = 0;
  for (Block* block = ramp->first; block != nullptr; ++freed) {
    Block* next = block->next;
    if (block->check != CheckOf(block, size)) {
      CHECK(block->check == CheckOf(block, size));
      return;
    }
    free(block);
    block = next;
  }
  CHECK_EQ(freed, ramp->count);
  *ramp = {};
}

// Frees every other block first, and then the rest, so that holes have to be joined.
void FreeAllInTwoRounds(Ramp* ramp, std::size_t size) {
  for (Block* block = ramp->first; block != nullptr && block->next != nullptr;
       block = block->next) {
    Block* doomed = block->next;
    CHECK(doomed->check == CheckOf(doomed, size));
    block->next = doomed->next;
    free(doomed);
    --ramp->count;
  }
  FreeAll(ramp, size);
}

void FailsInEveryWay() {
  errno = 0;
  CHECK_EQ(malloc(kLarge * 2), static_cast<void*>(nullptr));
  CHECK_EQ(errno, ENOMEM);
  errno = 0;
  CHECK_EQ(calloc(2, kLarge), static_cast<void*>(nullptr));
  CHECK_EQ(errno, ENOMEM);
  errno = 0;
  CHECK_EQ(memalign(4096, kLarge * 2), static_cast<void*>(nullptr));
  CHECK_EQ(errno, ENOMEM);
  void* untouched = &untouched;
  CHECK_EQ(posix_memalign(&untouched, 64, kLarge * 2), ENOMEM);
  CHECK_EQ(untouched, static_cast<void*>(&untouched));
}

// `share` is the least part of the limit, in percent, that has to be usable.
void RampUpAndDown(std::size_t limit, std::size_t size, unsigned share) {
  Ramp ramp = AllocateAll(size);
  const std::size_t first_count = ramp.count;
  const std::size_t percent = first_count * size * 100 / limit;
  Note("limit %4zu MiB: %zu blocks of %zu bytes, %zu %% of it", limit / kMib, first_count, size,
       percent);
  CHECK(percent >= share);
  FailsInEveryWay();
  FreeAllInTwoRounds(&ramp, size);
  ramp = AllocateAll(size);
  CHECK(ramp.count >= first_count * 9 / 10);
  FreeAll(&ramp, size);
}

// After memory was full of blocks of one kind, blocks of another get (most of) it.
void RampEveryKind(std::size_t limit, unsigned share) {
  constexpr std::size_t kSizes[] = {kLarge, kSmall, kLarge, kMedium, kSmall, kMedium, kLarge};
  for (const std::size_t size : kSizes) {
    // A thousand million small blocks take a while and show nothing new.
    if (size == kSmall && limit > 512 * kMib) continue;
    RampUpAndDown(limit, size, share);
  }
}

STRATA_LIMITED_TEST(address_space_of_64_mib, RLIMIT_AS, 64 * kMib) { RampEveryKind(64 * kMib, 25); }
STRATA_LIMITED_TEST(address_space_of_128_mib, RLIMIT_AS, 128 * kMib) {
  RampEveryKind(128 * kMib, 40);
}
STRATA_LIMITED_TEST(address_space_of_256_mib, RLIMIT_AS, 256 * kMib) {
  RampEveryKind(256 * kMib, 60);
}
STRATA_LIMITED_TEST(address_space_of_512_mib, RLIMIT_AS, 512 * kMib) {
  RampEveryKind(512 * kMib, 60);
}
STRATA_LIMITED_TEST(address_space_of_1_gib, RLIMIT_AS, 1024 * kMib) {
  RampEveryKind(1024 * kMib, 60);
}
STRATA_LIMITED_TEST(address_space_of_2_gib, RLIMIT_AS, 2048 * kMib) {
  RampEveryKind(2048 * kMib, 60);
}

// Counts pages that may be written, however they were mapped.
STRATA_LIMITED_TEST(data_of_64_mib, RLIMIT_DATA, 64 * kMib) { RampEveryKind(64 * kMib, 50); }
STRATA_LIMITED_TEST(data_of_256_mib, RLIMIT_DATA, 256 * kMib) { RampEveryKind(256 * kMib, 60); }

STRATA_LIMITED_TEST(realloc_that_finds_no_memory_keeps_the_block, RLIMIT_AS, 256 * kMib) {
  char* block = static_cast<char*>(malloc(1));
  std::size_t size = 1;
  *block = 'x';
  for (;;) {
    const std::size_t wanted = size + size / 2 + 1;
    errno = 0;
    char* larger = static_cast<char*>(realloc(Opaque(block), wanted));
    if (larger == nullptr) break;
    block = larger;
    size = wanted;
    CHECK_EQ(block[0], 'x');
    block[size - 1] = 'y';
  }
  CHECK_EQ(errno, ENOMEM);
  CHECK_EQ(block[0], 'x');
  CHECK(size == 1 || block[size - 1] == 'y');
  CHECK(size > 64 * kMib);
  free(block);
}

STRATA_LIMITED_TEST(many_threads_run_out_of_memory_together, RLIMIT_AS, 512 * kMib) {
  constexpr std::size_t kSizes[] = {kSmall, kMedium, kLarge, 700};
  std::thread threads[4];
  std::latch started(std::size(threads));  // A thread needs memory to start.
  for (std::size_t t = 0; t < std::size(threads); ++t) {
    threads[t] = std::thread([&started, size = kSizes[t]] {
      started.arrive_and_wait();
      for (int round = 0; round < 3; ++round) {
        Ramp ramp = AllocateAll(size);
        FreeAllInTwoRounds(&ramp, size);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  RampUpAndDown(512 * kMib, kLarge, 30);
}

// Blocks that were whole before memory ran out are whole after.
STRATA_LIMITED_TEST(blocks_in_use_survive_exhaustion, RLIMIT_AS, 256 * kMib) {
  static void* blocks[3000];
  Random random(3);
  for (void*& block : blocks) {
    block = malloc(1 + random.Below(10000));
    CHECK(block != nullptr);
    if (block != nullptr) Fill(block, malloc_usable_size(block));
  }
  for (const std::size_t size : {kSmall, kMedium, kLarge}) {
    Ramp ramp = AllocateAll(size);
    FreeAll(&ramp, size);
  }
  for (void* block : blocks) {
    CHECK(Intact(block, malloc_usable_size(block)));
    free(block);
  }
}

}  // namespace
}  // namespace strata::preload
