// strata_mm_get_stats, and what writes it down. Nothing is counted on the path of a call: what is
// in use follows from what spans have given out, what came back to them, and what lists hold, whose
// labels say how long they are.

#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"

static_assert(STRATA_MM_CLASSES == strata::mm::kClasses);
static_assert(STRATA_MM_LARGE_GROUPS == strata::mm::kLargeGroups);

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

// Where the free blocks of a class are that its spans have given out.
struct Cached {
  uint64_t in_arenas = 0;
  uint64_t on_shelves = 0;
};

uint64_t InArena(const ArenaLists& arena, uint32_t code) {
  return Length(arena.head[code], code) + Length(arena.spare[code], code);
}

// Blocks in a bin, which other threads only add to while its shelf is locked. They are few: a free
// comes here only while every shelf of the class is held.
uint64_t InBin(const Block* bin, uint32_t code) {
  constexpr uint64_t kBinMax = 4096;
  uint64_t blocks = 0;
  while (bin != nullptr && bin != &smm_sentinels[code] && blocks < kBinMax) {
    ++blocks;
    bin = Next(bin);
  }
  return blocks;
}

Cached CountCached(uint32_t code) {
  Cached cached;
  for (int processor = 0; processor < kArenasMax; ++processor) {
    if (smm_arenas.offset[processor] == 0) continue;
    cached.in_arenas += InArena(smm_arenas.arena[processor], code);
  }
  for (int way = 0; way < kShelfWays; ++way) {
    if (((smm_heap.ways_used >> way) & 1) == 0) continue;
    Shelf& shelf = smm_shelves[way][code];
    smm_lock(&shelf.lock, &smm_heap.freeing);
    cached.on_shelves += Length(shelf.head, code);
    cached.on_shelves += InBin(__atomic_load_n(&shelf.bin, __ATOMIC_ACQUIRE), code);
    for (uint32_t i = 0; i < shelf.count; ++i) cached.on_shelves += Length(shelf.lists[i], code);
    Unlock(&shelf.lock);
  }
#ifdef STRATA_MM_SECURE
  for (Block* const& slot : smm_quarantine[code]) {
    cached.on_shelves += __atomic_load_n(&slot, __ATOMIC_RELAXED) != nullptr ? 1 : 0;
  }
#endif
  return cached;
}

uint64_t Least(uint64_t a, uint64_t b) { return a < b ? a : b; }

void CountClass(uint32_t code, strata_mm_class_stats* stats, strata_mm_stats* sums) {
  Pool& pool = smm_pools[code];
  const uint64_t size = smm_class_size[code];
  const uint64_t blocks_in_span = kSpanSize / size;
  smm_lock(&pool.lock, &smm_heap.freeing);
  stats->spans = pool.spans;
  stats->empty = pool.empty;
  stats->refills = pool.refills;
  stats->overflows = pool.overflows;
  uint64_t partial = 0;
  uint64_t given = 0;
  for (const Span* span = pool.partial; span != nullptr; span = span->next) {
    ++partial;
    given += span->carved - span->free_count;
  }
  Unlock(&pool.lock);
  given += (stats->spans - partial) * blocks_in_span;
  // What other threads moved meanwhile may be seen twice.
  const Cached cached = CountCached(code);
  stats->block_size = size;
  stats->in_arenas = Least(cached.in_arenas, given);
  stats->on_shelves = Least(cached.on_shelves, given - stats->in_arenas);
  stats->cached = stats->in_arenas + stats->on_shelves;
  stats->live = given - stats->cached;
  stats->unused = stats->spans * blocks_in_span - given;
  sums->live_bytes += stats->live * size;
  sums->cached_bytes += stats->cached * size;
  sums->unused_bytes += stats->spans * kSpanSize - given * size;
  sums->refills += stats->refills;
  sums->overflows += stats->overflows;
}

void CountLarge(const LargeGroup& group, int doublings, strata_mm_large_stats* stats,
                strata_mm_stats* sums) {
  stats->min_bytes = uint64_t{kPageSize} << doublings;
  stats->live = group.blocks;
  stats->bytes = group.pages << kPageShift;
  sums->large_live += stats->live;
  sums->large_bytes += stats->bytes;
}

void Copy(const Contention& from, strata_mm_contention* to) {
  to->spins = from.spins;
  to->yields = from.yields;
  to->sleeps = from.sleeps;
  to->slept_ns = from.slept_ns;
}

void Waits(Writer& out, const char* name, const strata_mm_contention& counts) {
  out.Text("  ").Text(name).Number(counts.spins, 12).Text(" spins").Number(counts.yields, 10);
  out.Text(" yields").Number(counts.sleeps, 8).Text(" sleeps").Number(counts.slept_ns / 1000, 10);
  out.Text(" us\n");
}

// The members of a JSON object, one call each.
class JsonObject {
 public:
  explicit JsonObject(Writer& out) : out_(out) { out_.Text("{"); }
  ~JsonObject() { out_.Text("}"); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  JsonObject& Number(const char* name, uint64_t value) {
    Name(name).Number(value);
    return *this;
  }
  Writer& Name(const char* name) {
    if (!first_) out_.Text(",");
    first_ = false;
    return out_.Text("\"").Text(name).Text("\":");
  }

 private:
  Writer& out_;
  bool first_ = true;
};

void WriteWaits(Writer& out, JsonObject& json, const char* name,
                const strata_mm_contention& counts) {
  json.Name(name);
  JsonObject(out)
      .Number("spins", counts.spins)
      .Number("yields", counts.yields)
      .Number("sleeps", counts.sleeps)
      .Number("slept_ns", counts.slept_ns);
}

void WriteSums(JsonObject& json, const strata_mm_stats& stats) {
  json.Number("live_bytes", stats.live_bytes)
      .Number("held_bytes", stats.held_bytes)
      .Number("held_bytes_peak", stats.held_bytes_peak)
      .Number("cached_bytes", stats.cached_bytes)
      .Number("unused_bytes", stats.unused_bytes)
      .Number("free_extents", stats.free_extents)
      .Number("free_bytes", stats.free_bytes)
      .Number("retained_bytes", stats.retained_bytes)
      .Number("reserved_bytes", stats.reserved_bytes)
      .Number("large_live", stats.large_live)
      .Number("large_bytes", stats.large_bytes)
      .Number("refills", stats.refills)
      .Number("overflows", stats.overflows)
      .Number("binned", stats.binned)
      .Number("mmap_calls", stats.mmap_calls)
      .Number("munmap_calls", stats.munmap_calls)
      .Number("mremap_calls", stats.mremap_calls)
      .Number("madvise_calls", stats.madvise_calls)
      .Number("mprotect_calls", stats.mprotect_calls);
}

void WriteClass(Writer& out, const strata_mm_class_stats& stats) {
  JsonObject(out)
      .Number("block_size", stats.block_size)
      .Number("live", stats.live)
      .Number("cached", stats.cached)
      .Number("in_arenas", stats.in_arenas)
      .Number("on_shelves", stats.on_shelves)
      .Number("unused", stats.unused)
      .Number("spans", stats.spans)
      .Number("empty", stats.empty)
      .Number("refills", stats.refills)
      .Number("overflows", stats.overflows);
}

// A JSON array: `write` writes the element `i`, if it is to be there, after calling `next`.
template <typename Write>
void WriteArray(Writer& out, int count, Write write) {
  out.Text("[");
  bool first = true;
  for (int i = 0; i < count; ++i) {
    write(i, [&out, &first] {
      if (!first) out.Text(",");
      first = false;
    });
  }
  out.Text("]");
}

strata_mm_arena_stats CountArena(uint32_t processor) {
  strata_mm_arena_stats stats = {processor, 0, 0};
  for (uint32_t code = 1; code <= kClasses; ++code) {
    const uint64_t blocks = InArena(smm_arenas.arena[processor], code);
    stats.cached += blocks;
    stats.cached_bytes += blocks * smm_class_size[code];
  }
  return stats;
}

uint64_t KiB(uint64_t bytes) { return (bytes + 1023) / 1024; }

}  // namespace
}  // namespace strata::mm

extern "C" void strata_mm_get_stats(strata_mm_stats* stats) {
  using namespace strata::mm;
  Heap& heap = smm_heap;
  stats->live_bytes = 0;
  stats->cached_bytes = 0;
  stats->unused_bytes = 0;
  stats->large_live = 0;
  stats->large_bytes = 0;
  stats->refills = 0;
  stats->overflows = 0;
  for (uint32_t code = 1; code <= kClasses; ++code) {
    CountClass(code, &stats->classes[code - 1], stats);
  }
  stats->arenas = 0;
  for (uint32_t offset : smm_arenas.offset) stats->arenas += offset != 0 ? 1 : 0;

  smm_lock(&heap.lock, &heap.medium);
  for (int i = 0; i < kLargeGroups; ++i) {
    CountLarge(heap.large_groups[i], i, &stats->large_groups[i], stats);
  }
  stats->free_extents = heap.free_extents;
  stats->free_bytes = heap.free_pages << kPageShift;
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
  out.Text("\n  cached").Number(KiB(stats.cached_bytes), 12);
  out.Text("   unused in spans").Number(KiB(stats.unused_bytes), 9);
  out.Text("   free extents").Number(stats.free_extents, 9);
  out.Text(" of").Number(KiB(stats.free_bytes), 12);
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
  out.Text("   block size        in use     in arenas    on shelves        unused    spans\n");
  for (const strata_mm_class_stats& size_class : stats.classes) {
    if (size_class.spans == 0) continue;
    out.Number(size_class.block_size, 13).Number(size_class.live, 14);
    out.Number(size_class.in_arenas, 14).Number(size_class.on_shelves, 14);
    out.Number(size_class.unused, 14).Number(size_class.spans, 9).Text("\n");
  }
}

extern "C" size_t strata_mm_get_arena_stats(strata_mm_arena_stats* arenas, size_t capacity) {
  using namespace strata::mm;
  size_t count = 0;
  for (uint32_t processor = 0; processor < kArenasMax; ++processor) {
    if (smm_arenas.offset[processor] == 0) continue;
    if (count < capacity) arenas[count] = CountArena(processor);
    ++count;
  }
  return count;
}

extern "C" void strata_mm_print_json(int fd) {
  using namespace strata::mm;
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  Writer out(fd);
  {
    JsonObject json(out);
    json.Number("process", static_cast<uint64_t>(SystemCall(kSysGetPid)));
    WriteSums(json, stats);
    json.Name("contention");
    {
      JsonObject waits(out);
      WriteWaits(out, waits, "tiny", stats.tiny);
      WriteWaits(out, waits, "small", stats.small);
      WriteWaits(out, waits, "medium", stats.medium);
      WriteWaits(out, waits, "free", stats.free);
    }
    json.Name("classes");
    WriteArray(out, STRATA_MM_CLASSES, [&](int i, auto next) {
      if (stats.classes[i].spans == 0) return;
      next();
      WriteClass(out, stats.classes[i]);
    });
    json.Name("large_groups");
    WriteArray(out, STRATA_MM_LARGE_GROUPS, [&](int i, auto next) {
      const strata_mm_large_stats& group = stats.large_groups[i];
      if (group.live == 0) return;
      next();
      JsonObject(out)
          .Number("min_bytes", group.min_bytes)
          .Number("live", group.live)
          .Number("bytes", group.bytes);
    });
    json.Name("arenas");
    WriteArray(out, kArenasMax, [&](int processor, auto next) {
      if (smm_arenas.offset[processor] == 0) return;
      next();
      const strata_mm_arena_stats arena = CountArena(static_cast<uint32_t>(processor));
      JsonObject(out)
          .Number("processor", arena.processor)
          .Number("cached", arena.cached)
          .Number("cached_bytes", arena.cached_bytes);
    });
  }
  out.Text("\n");
}
