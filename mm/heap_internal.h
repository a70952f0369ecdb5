// File: heap_internal.h
//
// The allocator's structures as C++ sees them, for what does not run per call: statistics,
// settings, reports, trimming, and tests. Mirrors layout.inc in the same order; layout_test
// compares the two.
//
// Code that includes this runs without a run-time library: no libc, no libstdc++, no allocation.

#ifndef STRATA_MM_HEAP_INTERNAL_H_
#define STRATA_MM_HEAP_INTERNAL_H_

#include <stddef.h>
#include <stdint.h>

namespace strata::mm {

inline constexpr int kPageShift = 12;
inline constexpr int kPageSize = 1 << kPageShift;
inline constexpr int kSpanPages = 16;
inline constexpr int kSpanSize = kSpanPages << kPageShift;
inline constexpr int kClasses = 40;
inline constexpr int kCodeLarge = kClasses + 1;
inline constexpr int kCodes = kClasses + 2;
inline constexpr int kCodeTinyLast = 8;
inline constexpr int kSmallMax = 32768;
inline constexpr int kArenasMax = 1024;
inline constexpr int kProcessorsMax = 8192;
inline constexpr int kShelfLists = 12;
inline constexpr int kShelfWays = 8;
inline constexpr int kShelfWaysSmall = 2;
inline constexpr int kBins = 256;
inline constexpr int kLargeGroups = 32;
inline constexpr int kRegionsMax = 1024;
inline constexpr uint32_t kStateFree = 1;
inline constexpr uint32_t kStateMoved = 2;

// Whether this is the hardened build.
#ifdef STRATA_MM_SECURE
inline constexpr bool kSecure = true;
#else
inline constexpr bool kSecure = false;
#endif
inline constexpr int kQuarantineSlots = 16;

struct Block {
  Block* next;     // As block.inc writes it; null in a sentinel alone.
  uint64_t label;  // The key, and in the low byte what its list's bound leaves.
};

struct ArenaLists {
  Block* head[kCodes];
  Block* spare[kCodes];
  char size[32];
};

struct Shelf {
  uint32_t lock;
  uint32_t count;
  Block* head;
  Block* bin;
  Block* lists[kShelfLists];
  uint64_t pad;
};

struct Span {
  uint32_t pages;
  uint32_t state;
  uint32_t code;
  uint32_t free_count;
  Block* free;
  uint32_t bump;
  uint32_t carved;
  Span* next;
  Span* prev;
  uint32_t listed;
  uint32_t pad;
  uint64_t pad2;
};

struct Pool {
  uint32_t lock;
  uint32_t spans;
  Span* partial;
  Span* last;
  uint32_t empty;
  uint32_t pad;
  uint64_t refills;
  uint64_t overflows;
  uint64_t pad2[2];
};

struct PageEntry {
  uint32_t pages;
  uint32_t state;
  uint32_t next;
  uint32_t prev;
  uint32_t newer;
  uint32_t older;
  uint32_t dirty;
  uint32_t pad;
};

struct Region {
  uint64_t base;
  uint64_t pages;
  uint64_t first;
};

struct Contention {
  uint64_t spins;
  uint64_t yields;
  uint64_t sleeps;
  uint64_t slept_ns;
};

struct LargeGroup {
  uint64_t blocks;
  uint64_t pages;
};

struct Heap {
  uint64_t small_limit;
  int64_t rseq_offset;
  uint64_t base;
  uint64_t window_units;
  uint8_t* page_map;
  uint64_t key;
  PageEntry* page_info;
  uint64_t window_pages;
  uint64_t index_limit;
  uint32_t lock;
  uint32_t ready;
  uint64_t top;
  uint64_t committed;
  uint64_t next_index;
  uint64_t region_count;
  uint32_t oldest;
  uint32_t newest;
  uint64_t dirty_pages;
  uint64_t free_extents;
  uint64_t free_pages;
  uint64_t large_pages;
  LargeGroup large_groups[kLargeGroups];
  uint64_t span_pages;
  uint64_t peak_pages;
  uint64_t retain_floor;
  uint64_t retain_share;
  uint64_t moved;
  uint64_t bin_map[kBins / 64];
  uint32_t bins[kBins];
  uint64_t mmap_calls;
  uint64_t munmap_calls;
  uint64_t mremap_calls;
  uint64_t madvise_calls;
  uint64_t mprotect_calls;
  uint64_t binned;
  uint64_t ways_used;
  int64_t thread_offset;
  uint64_t secret;
  uint32_t* block_bits;
  uint32_t trim_lock;
  uint32_t pad;
  Contention tiny;
  Contention small;
  Contention medium;
  Contention freeing;
  Region regions[kRegionsMax];
};

// What stands before the arenas in smm_arenas, as arena.inc lays it out.
struct Arenas {
  ArenaLists blocked;
  uint32_t unregistered[2];         // Processors -2 and -1.
  uint32_t offset[kProcessorsMax];  // From `blocked` to a processor's arena; 0 for none.
  char pad[56];
  ArenaLists arena[kArenasMax];
};

extern "C" {

extern Heap smm_heap;
extern Pool smm_pools[kCodes];
extern Block smm_sentinels[kCodes];
extern Shelf smm_shelves[kShelfWays][kCodes];
extern Arenas smm_arenas;
extern const uint8_t smm_code_of[kSmallMax / 16 + 1];
extern const uint32_t smm_class_size[kCodes];
extern const uint8_t smm_class_bound[kCodes];
extern const uint8_t smm_class_refill[kCodes];
extern const uint8_t smm_class_shelf[kCodes];

// The routines of the .asm files, each described there.
uint32_t smm_size_class(size_t size);
void smm_copy(void* to, const void* from, size_t bytes);
void smm_zero(void* to, size_t bytes);
uint32_t smm_try_lock(uint32_t* lock);
void smm_lock(uint32_t* lock, Contention* counts);
void smm_yield();
uint64_t smm_sleep();
int64_t smm_system_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d);
void* smm_malloc(size_t size);
void smm_free(void* block);
void* smm_memalign(size_t alignment, size_t size);
uint32_t smm_bin_of(uint32_t pages);
void* smm_address_of(uint32_t index);
uint64_t smm_index_of(const void* address);
uint64_t smm_extent_alloc(uint64_t pages, uint64_t alignment_pages, uint64_t* live);
void smm_extent_free(uint64_t index, uint64_t* live, uint32_t dirty);
uint64_t smm_extent_grow(uint64_t index, uint64_t pages);
void smm_extent_shrink(uint64_t index, uint64_t pages);
uint64_t smm_extent_purge_all();
Block* smm_pool_refill(uint32_t code);
void smm_pool_return(Block* list, uint32_t code);
void smm_pool_trim(uint32_t code);
uint32_t smm_heap_init();
void smm_disable_rseq();
size_t smm_usable_size(const void* block);

}  // extern "C"

#ifdef STRATA_MM_SECURE
extern "C" {
extern Block* smm_quarantine[kCodes][kQuarantineSlots];
void smm_quarantine_drain();
}
#endif

// The block after `block` in a list of free blocks.
inline const Block* Next(const Block* block) {
  if (!kSecure) return block->next;
  return reinterpret_cast<const Block*>(reinterpret_cast<uintptr_t>(block->next) ^ smm_heap.secret ^
                                        reinterpret_cast<uintptr_t>(block));
}

// Linux system calls by number, for what is not on the path of a call.
inline constexpr int kSysWrite = 1;
inline constexpr int kSysOpen = 2;
inline constexpr int kSysRead = 0;
inline constexpr int kSysClose = 3;
inline constexpr int kSysGetPid = 39;

inline int64_t SystemCall(int64_t number, int64_t a = 0, int64_t b = 0, int64_t c = 0,
                          int64_t d = 0) {
  return smm_system_call(number, a, b, c, d);
}

// Unlocks what smm_lock locked.
inline void Unlock(uint32_t* lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

// Text for a file descriptor, in a buffer of its own; what does not fit is written out on the way.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  ~Writer() { Flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& Text(const char* text) {
    while (*text != '\0') Put(*text++);
    return *this;
  }

  // Right-aligned in `width` columns.
  Writer& Number(uint64_t value, int width = 0) { return Digits(value, 10, width); }
  Writer& Address(const void* pointer) {
    return Text("0x").Digits(reinterpret_cast<uintptr_t>(pointer), 16, 0);
  }

  void Flush() {
    int done = 0;
    while (done < used_) {
      int64_t wrote =
          SystemCall(kSysWrite, fd_, reinterpret_cast<int64_t>(buffer_ + done), used_ - done);
      if (wrote <= 0) break;  // Nobody to tell.
      done += static_cast<int>(wrote);
    }
    used_ = 0;
  }

 private:
  void Put(char c) {
    if (used_ == sizeof(buffer_)) Flush();
    buffer_[used_++] = c;
  }

  Writer& Digits(uint64_t value, unsigned base, int width) {
    char digits[24];
    int n = 0;
    do {
      digits[n++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    for (int i = n; i < width; ++i) Put(' ');
    while (n > 0) Put(digits[--n]);
    return *this;
  }

  int fd_;
  int used_ = 0;
  char buffer_[512];
};

}  // namespace strata::mm

#endif  // STRATA_MM_HEAP_INTERNAL_H_
