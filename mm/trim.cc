// strata_mm_trim: everything that is cached goes back to its span, and every free page to the
// system.

#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"

namespace strata::mm {
namespace {

// membarrier(2): sends each processor of this process back to the start of its restartable
// sequence.
constexpr int kSysMembarrier = 324;
constexpr int kRegisterRseqFence = 1 << 8;
constexpr int kRseqFence = 1 << 7;

constexpr int kSysMadvise = 28;
constexpr int kMadviseDontNeed = 4;

void Drain(Block** list, Block* empty, uint32_t code) {
  Block* blocks = *list;
  *list = empty;
  if (blocks != nullptr && blocks != &smm_sentinels[code]) smm_pool_return(blocks, code);
}

// Takes all arenas from their processors, which use the shelves meanwhile; empties them; gives them
// back. Where the kernel has no fence, arenas keep what they hold.
void DrainArenas() {
  if (SystemCall(kSysMembarrier, kRegisterRseqFence) != 0) return;
  for (uint32_t& offset : smm_arenas.offset) {
    if (offset != 0) __atomic_store_n(&offset, 0, __ATOMIC_SEQ_CST);
  }
  SystemCall(kSysMembarrier, kRseqFence);
  for (int processor = 0; processor < kArenasMax; ++processor) {
    ArenaLists& arena = smm_arenas.arena[processor];
    // Also made while this loop runs; those are in use.
    if (arena.head[0] == nullptr || smm_arenas.offset[processor] != 0) continue;
    for (uint32_t code = 1; code <= kClasses; ++code) {
      Drain(&arena.head[code], &smm_sentinels[code], code);
      Drain(&arena.spare[code], nullptr, code);
    }
    auto offset = static_cast<uint32_t>(reinterpret_cast<char*>(&arena) -
                                        reinterpret_cast<char*>(&smm_arenas));
    __atomic_store_n(&smm_arenas.offset[processor], offset, __ATOMIC_SEQ_CST);
  }
}

void DrainShelf(Shelf* shelf, uint32_t code) {
  Block* lists[kShelfLists + 2];
  int n = 0;
  smm_lock(&shelf->lock, &smm_heap.freeing);
  lists[n++] = shelf->head;
  lists[n++] = shelf->bin;
  for (uint32_t i = 0; i < shelf->count; ++i) lists[n++] = shelf->lists[i];
  shelf->count = 0;
  shelf->head = nullptr;
  shelf->bin = nullptr;
  Unlock(&shelf->lock);
  for (int i = 0; i < n; ++i) Drain(&lists[i], nullptr, code);
}

// Gives back the whole pages of a table between two of its entries.
void PurgeEntries(const void* first, const void* end) {
  constexpr uintptr_t kMask = kPageSize - 1;
  const uintptr_t from = (reinterpret_cast<uintptr_t>(first) + kMask) & ~kMask;
  const uintptr_t to = reinterpret_cast<uintptr_t>(end) & ~kMask;
  if (from < to) {
    SystemCall(kSysMadvise, static_cast<int64_t>(from), static_cast<int64_t>(to - from),
               kMadviseDontNeed);
  }
}

// What the tables hold of pages inside a long free extent is 0, or is not read until it is written.
void PurgeTables() {
  constexpr uint32_t kPagesMin = 512;  // Four pages of the largest table.
  smm_lock(&smm_heap.lock, &smm_heap.medium);
  for (uint32_t bin = smm_bin_of(kPagesMin); bin < kBins; ++bin) {
    for (uint32_t at = smm_heap.bins[bin]; at != 0; at = smm_heap.page_info[at].next) {
      const uint32_t end = at + smm_heap.page_info[at].pages;
      PurgeEntries(&smm_heap.page_info[at + 1], &smm_heap.page_info[end - 1]);
      PurgeEntries(&smm_heap.page_map[at], &smm_heap.page_map[end]);
      if (kSecure) {
        constexpr int kWords = kPageSize / 16 / 32;
        PurgeEntries(&smm_heap.block_bits[at * uint64_t{kWords}],
                     &smm_heap.block_bits[end * uint64_t{kWords}]);
      }
    }
  }
  Unlock(&smm_heap.lock);
}

}  // namespace
}  // namespace strata::mm

extern "C" int strata_mm_trim(void) {
  using namespace strata::mm;
  if (smm_heap_init() == 0) return 0;
  smm_lock(&smm_heap.trim_lock, &smm_heap.freeing);
  // Emptying the arenas frees, and freeing may purge by itself.
  const uint64_t dirty = __atomic_load_n(&smm_heap.dirty_pages, __ATOMIC_RELAXED);
#ifdef STRATA_MM_SECURE
  smm_quarantine_drain();
#endif
  DrainArenas();
  for (int way = 0; way < kShelfWays; ++way) {
    if (((smm_heap.ways_used >> way) & 1) == 0) continue;
    for (uint32_t code = 1; code <= kClasses; ++code) DrainShelf(&smm_shelves[way][code], code);
  }
  for (uint32_t code = 1; code <= kClasses; ++code) smm_pool_trim(code);
  uint64_t purged = smm_extent_purge_all();
  PurgeTables();
  Unlock(&smm_heap.trim_lock);
  return dirty != 0 || purged != 0 ? 1 : 0;
}
