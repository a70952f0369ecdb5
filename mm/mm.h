// File: mm.h
//
// Strata's memory allocator, called by name. Nobody needs this header to use the allocator as the
// process's malloc: preload `libstrata_mm.so`, or write `malloc = "//mm:malloc"` in a cc_binary.
//
//   #include "strata/mm/mm.h"
//
//   void* block = strata_mm_malloc(100);   // 16-byte aligned, at least 100 bytes
//   block = strata_mm_realloc(block, 200);
//   strata_mm_free(block);
//
// Plain C, usable from C and C++. Every function may be called from any thread at any time: before
// main(), in atexit handlers, at thread exit, and in the child of a fork(). None may be called in a
// signal handler. The functions named after a C function behave as ISO C23 and POSIX.1-2017
// describe it, and as glibc 2.36 does where those leave a choice. Sizes and alignments are bytes.

#ifndef STRATA_MM_MM_H_
#define STRATA_MM_MM_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

// Returns a block of at least `size` bytes, aligned to 16, contents undefined; for 0 a block that
// can be freed. NULL and errno = ENOMEM when there is no memory or `size` exceeds PTRDIFF_MAX.
// The caller owns the block and gives it to strata_mm_free or strata_mm_realloc, on any thread.
void* strata_mm_malloc(size_t size);

// As strata_mm_malloc for `count` objects of `size` bytes, zeroed. NULL and ENOMEM also where the
// product overflows.
void* strata_mm_calloc(size_t count, size_t size);

// Makes `block` at least `size` bytes long, in place or by moving its contents; returns where it
// now is. A NULL `block` allocates; `size` 0 frees and returns NULL. On failure returns NULL with
// errno = ENOMEM, and `block` stays as it was.
void* strata_mm_realloc(void* block, size_t size);

// As strata_mm_malloc with an address that is a multiple of `alignment`. An `alignment` that is not
// a power of two is rounded up to one (as glibc's memalign does); beyond PTRDIFF_MAX / 2 + 1 it is
// an error: NULL and errno = EINVAL.
void* strata_mm_memalign(size_t alignment, size_t size);

// Gives `block` back. NULL is ignored. errno is kept. A pointer that is no block of this allocator,
// or one freed already, ends the process with one line on standard error where it is seen; what
// goes unseen is listed in the README.
void strata_mm_free(void* block);

// Bytes that may be used at `block`, at least what was asked for; 0 for NULL.
size_t strata_mm_usable_size(const void* block);

// Returns to the system all memory that holds no block: empties the arenas and purges free pages.
// Returns 1 if any memory went back, else 0.
int strata_mm_trim(void);

// A size class as strata_mm_get_stats reports it. Counts are of blocks.
struct strata_mm_class_stats {
  uint64_t block_size;  // Bytes a block of this class holds.
  uint64_t live;        // Blocks in use.
  uint64_t cached;      // Free blocks outside their spans: the sum of the next two.
  uint64_t in_arenas;   // Of these, in the lists of processors, ready for use.
  uint64_t on_shelves;  // Of these, between processors.
  uint64_t unused;      // Free blocks in spans: given back to them, or never given out.
  uint64_t spans;       // Spans of 64 KiB that the class holds.
  uint64_t empty;       // Of these, without a live block, kept for the next.
  uint64_t refills;     // Times a span had to give out blocks.
  uint64_t overflows;   // Times blocks went back to their spans.
};

// Large blocks in use of at least so many bytes, and less than twice as many.
struct strata_mm_large_stats {
  uint64_t min_bytes;  // 4 KiB for the first group.
  uint64_t live;       // Blocks.
  uint64_t bytes;      // In them, in whole pages.
};

// How often a thread met a held lock, by what it was about to do.
struct strata_mm_contention {
  uint64_t spins;     // Times a lock was found held.
  uint64_t yields;    // Times a thread then gave up its processor.
  uint64_t sleeps;    // Times it slept, after many yields.
  uint64_t slept_ns;  // Nanoseconds it was asleep.
};

enum { STRATA_MM_CLASSES = 40, STRATA_MM_LARGE_GROUPS = 32 };

// What the allocator holds. All sizes are bytes. Collected without stopping other threads: figures
// of a busy process are near each other's time, not of one instant.
struct strata_mm_stats {
  uint64_t live_bytes;       // In blocks in use, rounded up as they are allocated.
  uint64_t held_bytes;       // In spans and large blocks, in use or cached; without free pages.
  uint64_t held_bytes_peak;  // The most that held_bytes has been.
  uint64_t cached_bytes;     // In free blocks outside their spans.
  uint64_t unused_bytes;     // In spans, neither live nor cached: fragmentation within them.
  uint64_t free_extents;     // Runs of free pages between spans and large blocks.
  uint64_t free_bytes;       // In them, resident or not: fragmentation between them.
  uint64_t retained_bytes;   // In free pages not yet given back to the system, at most.
  uint64_t reserved_bytes;   // Address space of the heap in use (committed), not its tables.
  uint64_t large_live;       // Blocks in use above the largest size class (32 KiB).
  uint64_t large_bytes;      // Their bytes.
  uint64_t arenas;           // Per-processor arenas in use; 0 on the path without rseq.
  uint64_t refills;          // Those of all classes.
  uint64_t overflows;
  uint64_t binned;      // Blocks freed into a bin because every arena's lock was held.
  uint64_t mmap_calls;  // System calls made, by kind.
  uint64_t munmap_calls;
  uint64_t mremap_calls;
  uint64_t madvise_calls;
  uint64_t mprotect_calls;
  struct strata_mm_contention tiny;    // Allocating blocks to 128 bytes.
  struct strata_mm_contention small;   // Allocating blocks to 32 KiB.
  struct strata_mm_contention medium;  // Pages of spans, medium and large blocks.
  struct strata_mm_contention free;    // Freeing.
  struct strata_mm_class_stats classes[STRATA_MM_CLASSES];            // By block_size.
  struct strata_mm_large_stats large_groups[STRATA_MM_LARGE_GROUPS];  // By min_bytes.
};

// What a processor's arena holds ready.
struct strata_mm_arena_stats {
  uint32_t processor;
  uint64_t cached;        // Free blocks.
  uint64_t cached_bytes;  // In them.
};

// Fills `*stats`. `stats` must not be NULL. Nothing is counted on the path of a call for this: it
// reads lists and spans, some microseconds for each class and as long as its spans are many.
void strata_mm_get_stats(struct strata_mm_stats* stats);

// Fills `arenas` with the first `capacity` arenas, by processor; returns how many there are.
size_t strata_mm_get_arena_stats(struct strata_mm_arena_stats* arenas, size_t capacity);

// Writes the figures of strata_mm_get_stats as a table to the file descriptor `fd`, as
// `STRATA_MM=stats=1` does at exit. Allocates nothing.
void strata_mm_print_stats(int fd);

// Writes the figures of strata_mm_get_stats and strata_mm_get_arena_stats as a JSON object (RFC
// 8259) and a newline, as `STRATA_MM=stats=2` does at exit. Members have the names of the structs';
// classes and groups without a span or a block are left out. Allocates nothing.
void strata_mm_print_json(int fd);

#pragma GCC visibility pop

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // STRATA_MM_MM_H_
