// strata_mm_get_stats and strata_mm_print_stats. Nothing is counted on the path of a call: what is
// in use follows from what spans have given out, what came back to them, and what lists hold, whose
// labels say how long they are.

#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"

static_assert(STRATA_MM_CLASSES == strata::mm::kClasses);

namespace strata::mm {
namespace {

// Blocks in a list, by the label of its first. A list of another processor may change meanwhile: a
// block that is no longer free has no label.
uint64_t Length(const Block* list, uint32_t code) {
  if (list == nullptr || list == &smm_sentinels[code]) return 0;
  uint64_t label = __atomic_load_n(&list->label, __ATOMIC_RELAXED);
  if (((label ^ smm_heap.key) >> 8) != 0) return 0;
  uint64_t bound = smm_class_bound[code];
  uint64_t left = label & 0xff;
  return left <= bound ? bound + 1 - left : 0;
}

uint64_t CachedBlocks(uint32_t code) {
  uint64_t cached = 0;
  for (const ArenaLists& arena : smm_arenas.arena) {
    if (smm_arenas.offset[&arena - smm_arenas.arena] == 0) continue;
    cached += Length(arena.head[code], code) + Length(arena.spare[code], code);
  }
  for (int way = 0; way < kShelfWays; ++way) {
    if (((smm_heap.ways_used >> way) & 1) == 0) continue;
    Shelf& shelf = smm_shelves[way][code];
    smm_lock(&shelf.lock, &smm_heap.freeing);
    cached += Length(shelf.head, code);
    for (uint32_t i = 0; i < shelf.count; ++i) cached += Length(shelf.lists[i], code);
    Unlock(&shelf.lock);
  }
  return cached;
}

void CountClass(uint32_t code, strata_mm_class_stats* stats, strata_mm_stats* sums) {
  Pool& pool = smm_pools[code];
  uint64_t size = smm_class_size[code];
  smm_lock(&pool.lock, &smm_heap.freeing);
  uint64_t spans = pool.spans;
  uint64_t partial = 0;
  uint64_t given = 0;
  for (const Span* span = pool.partial; span != nullptr; span = span->next) {
    ++partial;
    given += span->carved - span->free_count;
  }
  given += (spans - partial) * (kSpanSize / size);
  sums->refills += pool.refills;
  sums->overflows += pool.overflows;
  Unlock(&pool.lock);
  uint64_t cached = CachedBlocks(code);
  if (cached > given) cached = given;
  stats->block_size = size;
  stats->live = given - cached;
  stats->cached = cached;
  stats->spans = spans;
  sums->live_bytes += stats->live * size;
}

void Copy(const Contention& from, strata_mm_contention* to) {
  to->spins = from.spins;
  to->yields = from.yields;
  to->sleeps = from.sleeps;
}

void Waits(Writer& out, const char* name, const strata_mm_contention& counts) {
  out.Text("  ").Text(name).Number(counts.spins, 12).Text(" spins").Number(counts.yields, 10);
  out.Text(" yields").Number(counts.sleeps, 8).Text(" sleeps\n");
}

uint64_t KiB(uint64_t bytes) { return (bytes + 1023) / 1024; }

}  // namespace
}  // namespace strata::mm

extern "C" void strata_mm_get_stats(strata_mm_stats* stats) {
  using namespace strata::mm;
  Heap& heap = smm_heap;
  stats->live_bytes = 0;
  stats->refills = 0;
  stats->overflows = 0;
  for (uint32_t code = 1; code <= kClasses; ++code) {
    CountClass(code, &stats->classes[code - 1], stats);
  }
  stats->arenas = 0;
  for (uint32_t offset : smm_arenas.offset) stats->arenas += offset != 0 ? 1 : 0;

  smm_lock(&heap.lock, &heap.medium);
  stats->large_live = heap.large_count;
  stats->large_bytes = heap.large_pages << kPageShift;
  stats->held_bytes = (heap.large_pages + heap.span_pages) << kPageShift;
  stats->held_bytes_peak = heap.peak_pages << kPageShift;
  stats->retained_bytes = heap.dirty_pages << kPageShift;
  uint64_t reserved = heap.committed;
  for (uint64_t i = 0; i < heap.region_count; ++i) reserved += heap.regions[i].pages;
  stats->reserved_bytes = reserved << kPageShift;
  Unlock(&heap.lock);
  stats->live_bytes += stats->large_bytes;

  stats->binned = heap.binned;
  stats->mmap_calls = heap.mmap_calls;
  stats->munmap_calls = heap.munmap_calls;
  stats->mremap_calls = heap.mremap_calls;
  stats->madvise_calls = heap.madvise_calls;
  stats->mprotect_calls = heap.mprotect_calls;
  Copy(heap.tiny, &stats->tiny);
  Copy(heap.small, &stats->small);
  Copy(heap.medium, &stats->medium);
  Copy(heap.freeing, &stats->free);
}

extern "C" void strata_mm_print_stats(int fd) {
  using namespace strata::mm;
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  Writer out(fd);
  out.Text("strata mm, process ").Number(static_cast<uint64_t>(SystemCall(kSysGetPid)));
  out.Text(", KiB:\n  in use").Number(KiB(stats.live_bytes), 12);
  out.Text("   held").Number(KiB(stats.held_bytes), 12);
  out.Text("   held at peak").Number(KiB(stats.held_bytes_peak), 12);
  out.Text("\n  free pages kept").Number(KiB(stats.retained_bytes), 12);
  out.Text("   address space").Number(KiB(stats.reserved_bytes), 12);
  out.Text("\n  blocks above 32 KiB:").Number(stats.large_live, 8);
  out.Text(" of").Number(KiB(stats.large_bytes), 12).Text(" KiB\n");
  out.Text("  arenas ").Number(stats.arenas).Text(", refills ").Number(stats.refills);
  out.Text(", overflows ").Number(stats.overflows).Text(", binned ").Number(stats.binned);
  out.Text("\n  calls: mmap ").Number(stats.mmap_calls);
  out.Text(", munmap ").Number(stats.munmap_calls);
  out.Text(", mremap ").Number(stats.mremap_calls);
  out.Text(", madvise ").Number(stats.madvise_calls);
  out.Text(", mprotect ").Number(stats.mprotect_calls).Text("\n");
  out.Text("waiting for locks:\n");
  Waits(out, "tiny  ", stats.tiny);
  Waits(out, "small ", stats.small);
  Waits(out, "medium", stats.medium);
  Waits(out, "free  ", stats.free);
  out.Text("   block size        in use        cached    spans\n");
  for (const strata_mm_class_stats& size_class : stats.classes) {
    if (size_class.spans == 0) continue;
    out.Number(size_class.block_size, 13).Number(size_class.live, 14);
    out.Number(size_class.cached, 14).Number(size_class.spans, 9).Text("\n");
  }
}
