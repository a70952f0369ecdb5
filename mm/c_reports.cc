// The reports and controls that glibc's malloc.h has beside the allocation functions:
// malloc_trim(3), mallinfo(3), malloc_stats(3), malloc_info(3), mallopt(3).

#include <errno.h>
#include <limits.h>
#include <malloc.h>

#include "strata/mm/heap_internal.h"
#include "strata/mm/mm.h"

// libc's, where there is a libc.
extern "C" __attribute__((weak)) int fputs(const char* text, FILE* file);

namespace strata::mm {
namespace {

constexpr int kStandardError = 2;

int Clip(size_t value) { return value > INT_MAX ? INT_MAX : static_cast<int>(value); }

// `value` in decimal at the end of `digits`, which holds 24 characters.
const char* Decimal(uint64_t value, char* digits) {
  char* at = digits + 23;
  *at = '\0';
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return at;
}

}  // namespace
}  // namespace strata::mm

using strata::mm::Clip;
using strata::mm::Decimal;

#pragma GCC visibility push(default)

extern "C" {

// `pad` is not needed: what is kept follows what is in use.
int malloc_trim(size_t) __THROW { return strata_mm_trim(); }

// Tuning is by STRATA_MM. Succeeds, as glibc does for what it knows, so that no caller gives up.
int mallopt(int, int) __THROW { return 1; }

struct mallinfo2 mallinfo2() __THROW {
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  struct mallinfo2 info;
  size_t cached = 0;
  info.ordblks = 0;
  for (const strata_mm_class_stats& size_class : stats.classes) {
    info.ordblks += size_class.cached;
    cached += size_class.cached * size_class.block_size;
  }
  info.arena = stats.held_bytes - stats.large_bytes;
  info.smblks = info.ordblks;
  info.hblks = stats.large_live;
  info.hblkhd = stats.large_bytes;
  info.usmblks = 0;
  info.fsmblks = cached;
  info.uordblks = stats.live_bytes;
  info.fordblks = stats.held_bytes - stats.live_bytes;
  info.keepcost = stats.retained_bytes;
  return info;
}

struct mallinfo mallinfo() __THROW {
  struct mallinfo2 wide = mallinfo2();
  struct mallinfo info;
  info.arena = Clip(wide.arena);
  info.ordblks = Clip(wide.ordblks);
  info.smblks = Clip(wide.smblks);
  info.hblks = Clip(wide.hblks);
  info.hblkhd = Clip(wide.hblkhd);
  info.usmblks = Clip(wide.usmblks);
  info.fsmblks = Clip(wide.fsmblks);
  info.uordblks = Clip(wide.uordblks);
  info.fordblks = Clip(wide.fordblks);
  info.keepcost = Clip(wide.keepcost);
  return info;
}

void malloc_stats() __THROW { strata_mm_print_stats(strata::mm::kStandardError); }

int malloc_info(int options, FILE* file) __THROW {
  if (options != 0 || file == nullptr || fputs == nullptr) return EINVAL;
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  char digits[24];
  fputs("<malloc version=\"strata-1\">\n<sizes>\n", file);
  for (const strata_mm_class_stats& size_class : stats.classes) {
    if (size_class.spans == 0) continue;
    fputs("  <size bytes=\"", file);
    fputs(Decimal(size_class.block_size, digits), file);
    fputs("\" live=\"", file);
    fputs(Decimal(size_class.live, digits), file);
    fputs("\" cached=\"", file);
    fputs(Decimal(size_class.cached, digits), file);
    fputs("\"/>\n", file);
  }
  fputs("</sizes>\n<system type=\"current\" size=\"", file);
  fputs(Decimal(stats.held_bytes + stats.retained_bytes, digits), file);
  fputs("\"/>\n<system type=\"max\" size=\"", file);
  fputs(Decimal(stats.held_bytes_peak, digits), file);
  fputs("\"/>\n</malloc>\n", file);
  return 0;
}

}  // extern "C"

#pragma GCC visibility pop
