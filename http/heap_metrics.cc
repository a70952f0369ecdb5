// Finding the heap, and reading it.

#include "strata/http/heap_metrics.h"

#include <dlfcn.h>

#include <cstdint>

#include "strata/mm/mm.h"

// Linked into the program, or not.
extern "C" [[gnu::weak]] void strata_mm_get_stats(strata_mm_stats* stats);

namespace strata::http {
namespace {

using GetStats = void (*)(strata_mm_stats*);

GetStats Find() {
  if (strata_mm_get_stats) return strata_mm_get_stats;
  // Preloaded, of which the linker knew nothing.
  return reinterpret_cast<GetStats>(::dlsym(RTLD_DEFAULT, "strata_mm_get_stats"));
}

}  // namespace

bool ExportHeap(MetricsPage& page) {
  static const GetStats get_stats = Find();
  if (!get_stats) return false;
  strata_mm_stats stats;
  get_stats(&stats);
  struct Row {
    std::string_view name;
    std::string_view help;
    std::uint64_t value;
  };
  for (const Row& row : {
           Row{"strata_heap_live_bytes", "Bytes of blocks in use.", stats.live_bytes},
           Row{"strata_heap_held_bytes", "Bytes of spans and large blocks, in use or cached.",
               stats.held_bytes},
           Row{"strata_heap_held_bytes_peak", "The most of these.", stats.held_bytes_peak},
           Row{"strata_heap_retained_bytes", "Bytes of free pages not given back, at most.",
               stats.retained_bytes},
           Row{"strata_heap_reserved_bytes", "Bytes of address space.", stats.reserved_bytes},
           Row{"strata_heap_large_live_bytes", "Bytes of large blocks in use.", stats.large_bytes},
           Row{"strata_heap_arenas", "Arenas of processors.", stats.arenas},
       }) {
    page.Gauge(row.name, row.help).Add(row.value);
  }
  MetricsPage::Family calls = page.Counter("strata_heap_system_calls_total", "System calls.");
  calls.Add(stats.mmap_calls, {{"call", "mmap"}});
  calls.Add(stats.munmap_calls, {{"call", "munmap"}});
  calls.Add(stats.mremap_calls, {{"call", "mremap"}});
  calls.Add(stats.madvise_calls, {{"call", "madvise"}});
  calls.Add(stats.mprotect_calls, {{"call", "mprotect"}});
  const auto sum = [&stats](std::uint64_t strata_mm_contention::*count) {
    return stats.tiny.*count + stats.small.*count + stats.medium.*count + stats.free.*count;
  };
  MetricsPage::Family waits =
      page.Counter("strata_heap_lock_waits_total", "Times that a lock was held by another thread.");
  waits.Add(sum(&strata_mm_contention::spins), {{"end", "spin"}});
  waits.Add(sum(&strata_mm_contention::yields), {{"end", "yield"}});
  waits.Add(sum(&strata_mm_contention::sleeps), {{"end", "sleep"}});
  return true;
}

}  // namespace strata::http
