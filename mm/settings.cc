// What happens when the library is loaded and when the process ends: settings, fork, the report.

#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"

// libc's, where there is a libc.
extern "C" __attribute__((weak)) int __register_atfork(void (*prepare)(), void (*parent)(),
                                                       void (*child)(), void* dso);
extern "C" __attribute__((weak)) unsigned long getauxval(unsigned long type);

namespace strata::mm {
namespace {

constexpr int kStandardError = 2;
constexpr unsigned long kAuxSecure = 23;
constexpr uint64_t kRetainPercentMax = 1000;
constexpr uint64_t kFloorMiBMax = 1 << 20;

// The setting `stats`.
enum ExitReport : uint64_t { kNone, kTable, kJson };

uint64_t exit_report = kNone;

bool StartsWith(const char* text, const char* prefix) {
  while (*prefix != '\0') {
    if (*text++ != *prefix++) return false;
  }
  return true;
}

// If `text` is `name`=digits, up to a comma or the end, sets `*value` and returns true.
bool Parse(const char* text, const char* name, uint64_t max, uint64_t* value) {
  if (!StartsWith(text, name)) return false;
  while (*name++ != '\0') ++text;
  if (*text++ != '=') return false;
  uint64_t number = 0;
  bool digits = false;
  for (; *text >= '0' && *text <= '9' && number <= max; ++text) {
    number = number * 10 + static_cast<unsigned>(*text - '0');
    digits = true;
  }
  if (!digits || number > max || (*text != ',' && *text != '\0')) return false;
  *value = number;
  return true;
}

void Apply(const char* text) {
  uint64_t value = 0;
  if (Parse(text, "stats", kJson, &value)) {
    exit_report = value;
  } else if (Parse(text, "rseq", 1, &value)) {
    if (value == 0) smm_disable_rseq();
  } else if (Parse(text, "retain", kRetainPercentMax, &value)) {
    smm_heap.retain_share = value * 256 / 100;
  } else if (Parse(text, "retain_min", kFloorMiBMax, &value)) {
    smm_heap.retain_floor = value << (20 - kPageShift);
  } else {
    Writer error(kStandardError);
    error.Text("strata mm: STRATA_MM: cannot use '");
    char setting[64];
    int n = 0;
    while (n < 63 && text[n] != '\0' && text[n] != ',') {
      setting[n] = text[n];
      ++n;
    }
    setting[n] = '\0';
    error.Text(setting)
        .Text("'; there are stats=0..2, rseq=0..1, retain=0..1000 (percent), ")
        .Text("retain_min=0..1048576 (MiB)\n");
  }
}

void ReadSettings(char** environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    if (!StartsWith(*environment, "STRATA_MM=")) continue;
    const char* text = *environment + sizeof("STRATA_MM=") - 1;
    while (*text != '\0') {
      Apply(text);
      while (*text != '\0' && *text != ',') ++text;
      if (*text == ',') ++text;
    }
  }
}

bool WayUsed(int way) { return ((smm_heap.ways_used >> way) & 1) != 0; }

uint64_t ways_locked = 0;

// A fork copies one thread and all locks, so it must not happen while another thread holds one.
// Taken in the order in which they nest.
void BeforeFork() {
  smm_lock(&smm_heap.trim_lock, &smm_heap.medium);
  ways_locked = 0;
  for (int way = 0; way < kShelfWays; ++way) {
    if (!WayUsed(way)) continue;
    ways_locked |= uint64_t{1} << way;
    for (Shelf& shelf : smm_shelves[way]) smm_lock(&shelf.lock, &smm_heap.medium);
  }
  for (Pool& pool : smm_pools) smm_lock(&pool.lock, &smm_heap.medium);
  smm_lock(&smm_heap.lock, &smm_heap.medium);
}

void AfterFork() {
  Unlock(&smm_heap.lock);
  for (Pool& pool : smm_pools) Unlock(&pool.lock);
  for (int way = 0; way < kShelfWays; ++way) {
    if (((ways_locked >> way) & 1) == 0) continue;
    for (Shelf& shelf : smm_shelves[way]) Unlock(&shelf.lock);
  }
  Unlock(&smm_heap.trim_lock);
}

// A way first used while the fork was under way may be held by a thread that the child lacks: it
// holds at most a list in transit, which the child never sees again.
void AfterForkInChild() {
  for (int way = 0; way < kShelfWays; ++way) {
    if (((ways_locked >> way) & 1) == 0 && WayUsed(way)) {
      for (Shelf& shelf : smm_shelves[way]) Unlock(&shelf.lock);
    }
  }
  AfterFork();
}

}  // namespace

extern "C" {

// glibc passes main's arguments to constructors.
__attribute__((constructor)) static void Start(int, char**, char** environment) {
  if (smm_heap_init() == 0) return;
  // A program with more rights than its caller takes no settings from it.
  if (getauxval == nullptr || getauxval(kAuxSecure) == 0) ReadSettings(environment);
  if (__register_atfork != nullptr) {
    __register_atfork(BeforeFork, AfterFork, AfterForkInChild, nullptr);
  }
}

__attribute__((destructor)) static void Stop() {
  if (exit_report == kTable) strata_mm_print_stats(kStandardError);
  if (exit_report == kJson) strata_mm_print_json(kStandardError);
}

}  // extern "C"
}  // namespace strata::mm
