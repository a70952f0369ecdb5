// A program on Strata's allocator, as a user of Strata would write it. Fails where `new` does not
// come from the allocator.

#include <cstdio>
#include <memory>

#include "strata/mm/mm.h"

int main() {
  strata_mm_stats before, after;
  strata_mm_get_stats(&before);
  auto block = std::make_unique<char[]>(1 << 20);
  strata_mm_get_stats(&after);
  std::printf("%zu bytes at %p\n", strata_mm_usable_size(block.get()),
              static_cast<void*>(block.get()));
  return after.live_bytes >= before.live_bytes + (1 << 20) ? 0 : 1;
}
