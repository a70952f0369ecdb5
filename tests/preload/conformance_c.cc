// The C functions: what each returns, for good arguments and bad ones.
//
// Where ISO C and POSIX leave a choice the answer wanted is glibc's, with two exceptions that C23
// settles: aligned_alloc refuses an alignment that is no power of two, and free_sized exists.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "tests/preload/check.h"

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void __libc_free(void*);
void* __libc_memalign(size_t, size_t);
void* __libc_valloc(size_t);
void* __libc_pvalloc(size_t);
}

namespace strata::preload {
namespace {

// Left in errno before a call, to see whether the call wrote there.
constexpr int kErrnoMark = 4095;

constexpr std::size_t kMib = std::size_t{1} << 20;
constexpr std::size_t kTooLarge[] = {
    std::size_t{1} << 47,
    std::size_t{1} << 62,  // Below PTRDIFF_MAX, but no machine has it.
    PTRDIFF_MAX - 4096,
    PTRDIFF_MAX - 1,
    std::size_t{PTRDIFF_MAX},
    std::size_t{PTRDIFF_MAX} + 1,
    SIZE_MAX - 65536,
    SIZE_MAX - 4096,
    SIZE_MAX - 4095,
    SIZE_MAX - 64,
    SIZE_MAX - 16,
    SIZE_MAX - 15,
    SIZE_MAX - 1,
    SIZE_MAX};

bool Aligned(const void* block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

// What every fresh block must be. Fills it to its usable size.
void CheckBlock(void* block, std::size_t size, std::size_t alignment = 16) {
  CHECK(block != nullptr);
  if (block == nullptr) return;
  CHECK_EQ(AsNumber(block) % alignment, 0u);
  const std::size_t usable = malloc_usable_size(block);
  CHECK(usable >= size);
  Fill(block, usable);
}

void CheckFailed(void* block, int want_errno) {
  CHECK_EQ(block, static_cast<void*>(nullptr));
  CHECK_EQ(errno, want_errno);
  errno = kErrnoMark;
}

// Sizes worth trying above the small ones: around powers of two and pages, to 64 MiB.
template <typename Visitor>
void ForEachSampleSize(Visitor visit) {
  for (std::size_t power = 4096; power <= 64 * kMib; power *= 2) {
    for (const std::size_t size :
         {power - 17, power - 16, power - 1, power, power + 1, power + 16, power * 5 / 4 + 3}) {
      visit(size);
    }
  }
}

STRATA_TEST(malloc_aligns_every_size_to_16_and_blocks_do_not_overlap) {
  constexpr std::size_t kSizes = 4097;
  static void* blocks[kSizes];
  for (std::size_t size = 0; size < kSizes; ++size) {
    blocks[size] = malloc(Opaque(size));
    CheckBlock(blocks[size], size);
  }
  for (std::size_t size = 0; size < kSizes; ++size) {
    CHECK(Intact(blocks[size], malloc_usable_size(blocks[size])));
    free(blocks[size]);
  }
  ForEachSampleSize([](std::size_t size) {
    void* block = malloc(size);
    CheckBlock(block, size);
    free(block);
  });
}

STRATA_TEST(calloc_and_realloc_align_every_size_to_16) {
  for (std::size_t size = 0; size <= 4096; ++size) {
    void* zeroed = calloc(1, size);
    CheckBlock(zeroed, size);
    void* fresh = realloc(nullptr, size);
    CheckBlock(fresh, size);
    fresh = realloc(fresh, size * 2 + 1);
    CheckBlock(fresh, size * 2 + 1);
    free(zeroed);
    free(fresh);
  }
}

STRATA_TEST(malloc_of_nothing_gives_blocks_of_their_own) {
  void* first = malloc(Opaque<std::size_t>(0));
  void* second = malloc(Opaque<std::size_t>(0));
  CHECK(first != nullptr);
  CHECK(second != nullptr);
  CHECK(first != second);
  free(first);
  free(second);
}

STRATA_TEST(success_keeps_errno) {
  errno = kErrnoMark;
  for (std::size_t size = 1; size < 32 * kMib; size = size * 3 + 1) {
    void* block = malloc(size);
    block = realloc(block, size * 2);
    void* zeroed = calloc(size, 1);
    CHECK_EQ(errno, kErrnoMark);
    free(block);
    free(zeroed);
  }
  CHECK_EQ(errno, kErrnoMark);
}

STRATA_TEST(too_large_a_size_is_null_and_enomem_everywhere) {
  errno = kErrnoMark;
  for (const std::size_t limit : kTooLarge) {
    const std::size_t size = Opaque(limit);
    CheckFailed(malloc(size), ENOMEM);
    CheckFailed(calloc(1, size), ENOMEM);
    CheckFailed(calloc(size, 1), ENOMEM);
    CheckFailed(realloc(nullptr, size), ENOMEM);
    CheckFailed(reallocarray(nullptr, 1, size), ENOMEM);
    CheckFailed(reallocarray(nullptr, size, 1), ENOMEM);
    CheckFailed(memalign(16, size), ENOMEM);
    CheckFailed(memalign(64, size), ENOMEM);
    CheckFailed(memalign(2 * kMib, size), ENOMEM);
    CheckFailed(aligned_alloc(64, size), ENOMEM);
    CheckFailed(valloc(size), ENOMEM);
    CheckFailed(pvalloc(size), ENOMEM);
    CheckFailed(__libc_malloc(size), ENOMEM);
    CheckFailed(__libc_calloc(1, size), ENOMEM);
    CheckFailed(__libc_realloc(nullptr, size), ENOMEM);
    CheckFailed(__libc_memalign(64, size), ENOMEM);
    CheckFailed(__libc_valloc(size), ENOMEM);
    CheckFailed(__libc_pvalloc(size), ENOMEM);
    void* untouched = &untouched;
    CHECK_EQ(posix_memalign(&untouched, 64, size), ENOMEM);
    CHECK_EQ(untouched, static_cast<void*>(&untouched));
  }
}

STRATA_TEST(failed_realloc_keeps_the_block) {
  for (const std::size_t old_size : {1ul, 24ul, 1000ul, 40000ul, 300000ul, 5000000ul}) {
    void* block = malloc(old_size);
    Fill(block, old_size);
    for (const std::size_t size : kTooLarge) {
      errno = kErrnoMark;
      CheckFailed(realloc(Opaque(block), Opaque(size)), ENOMEM);
      CheckFailed(reallocarray(Opaque(block), 1, Opaque(size)), ENOMEM);
      CHECK(Intact(block, old_size));
    }
    free(block);
  }
}

STRATA_TEST(overflowing_product_is_null_and_enomem) {
  const std::size_t products[][2] = {
      {SIZE_MAX / 2 + 1, 2},   {std::size_t{1} << 32, std::size_t{1} << 32},
      {SIZE_MAX, SIZE_MAX},    {3, SIZE_MAX / 3 + 1},
      {SIZE_MAX / 48 + 1, 48}, {std::size_t{1} << 60, 17}};
  void* block = malloc(100);
  Fill(block, 100);
  errno = kErrnoMark;
  for (const auto& product : products) {
    const std::size_t a = Opaque(product[0]);
    const std::size_t b = Opaque(product[1]);
    CheckFailed(calloc(a, b), ENOMEM);
    CheckFailed(calloc(b, a), ENOMEM);
    CheckFailed(__libc_calloc(a, b), ENOMEM);
    CheckFailed(reallocarray(nullptr, a, b), ENOMEM);
    CheckFailed(reallocarray(Opaque(block), a, b), ENOMEM);
    CheckFailed(reallocarray(Opaque(block), b, a), ENOMEM);
    CHECK(Intact(block, 100));
  }
  free(block);
}

STRATA_TEST(calloc_of_nothing_gives_a_block) {
  void* blocks[] = {calloc(0, 0), calloc(0, 8), calloc(8, 0), calloc(0, Opaque(SIZE_MAX)),
                    calloc(Opaque(SIZE_MAX), 0)};
  for (void* block : blocks) {
    CHECK(block != nullptr);
    free(block);
  }
}

STRATA_TEST(calloc_zeroes_what_was_dirty) {
  for (std::size_t size = 1; size <= 48 * kMib; size += size / 6 + 1) {
    // Several, for a list hands out last what it got last.
    void* dirty[3];
    for (void*& block : dirty) {
      block = malloc(size);
      memset(block, 0xee, size);
    }
    for (void* block : dirty) free(block);
    for (void*& block : dirty) {
      block = calloc(size, 1);
      const char* bytes = static_cast<const char*>(block);
      CHECK(block != nullptr && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
    }
    for (void* block : dirty) free(block);
  }
}

STRATA_TEST(realloc_keeps_contents_from_any_size_to_any_other) {
  const std::size_t sizes[] = {1,      8,       16,      17,      100,     129,   1000,
                               2600,   4096,    20000,   32768,   32769,   70000, 262144,
                               262145, 1000000, 1048576, 4000001, 33554432};
  for (const std::size_t from : sizes) {
    for (const std::size_t to : sizes) {
      char* block = static_cast<char*>(malloc(from));
      for (std::size_t i = 0; i < from; i += i < 4096 ? 1 : 997)
        block[i] = static_cast<char>(i * 7);
      block[from - 1] = 'z';
      block = static_cast<char*>(realloc(block, to));
      CHECK(block != nullptr && Aligned(block, 16));
      CHECK(malloc_usable_size(block) >= to);
      bool same = true;
      const std::size_t kept = std::min(from, to);
      for (std::size_t i = 0; i + 1 < kept; i += i < 4096 ? 1 : 997) {
        same = same && block[i] == static_cast<char>(i * 7);
      }
      if (to >= from) same = same && block[from - 1] == 'z';
      CHECK(same);
      block[to - 1] = 'y';
      free(block);
    }
  }
}

STRATA_TEST(realloc_grows_step_by_step_between_neighbours) {
  char* block = nullptr;
  void* neighbours[64] = {};
  std::size_t old_size = 0;
  for (std::size_t size = 1; size < 24 * kMib; size += size / 5 + 1) {
    block = static_cast<char*>(realloc(block, size));
    CHECK(block != nullptr);
    bool same = true;
    for (std::size_t i = 0; i < old_size; i += i / 64 + 1) same = same && block[i] == char(i % 251);
    CHECK(same);
    for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<char>(i % 251);
    void*& neighbour = neighbours[size % 64];
    free(neighbour);
    neighbour = malloc(size);
    old_size = size;
  }
  for (void* neighbour : neighbours) free(neighbour);
  free(block);
}

STRATA_TEST(realloc_to_nothing_frees_and_gives_null) {
  for (std::size_t size = 1; size < 16 * kMib; size = size * 5 + 3) {
    void* block = malloc(size);
    errno = kErrnoMark;
    CHECK_EQ(realloc(block, Opaque<std::size_t>(0)), static_cast<void*>(nullptr));
    CHECK_EQ(errno, kErrnoMark);
    block = malloc(size);
    CHECK_EQ(reallocarray(block, Opaque<std::size_t>(0), 8), static_cast<void*>(nullptr));
  }
  // If it did not free, this would hold 64 GiB.
  for (int i = 0; i < 65536; ++i) {
    void* block = malloc(kMib);
    CHECK(block != nullptr);
    if (block == nullptr) return;
    CHECK_EQ(realloc(block, Opaque<std::size_t>(0)), static_cast<void*>(nullptr));
  }
  void* block = realloc(nullptr, Opaque<std::size_t>(0));
  CHECK(block != nullptr);
  free(block);
}

STRATA_TEST(posix_memalign_refuses_bad_alignments_and_touches_nothing) {
  for (const std::size_t alignment :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{7},
        std::size_t{12}, std::size_t{24}, std::size_t{48}, std::size_t{65}, std::size_t{4097},
        SIZE_MAX}) {
    void* untouched = &untouched;
    errno = kErrnoMark;
    CHECK_EQ(posix_memalign(&untouched, alignment, 100), EINVAL);
    CHECK_EQ(errno, kErrnoMark);
    CHECK_EQ(untouched, static_cast<void*>(&untouched));
  }
}

STRATA_TEST(aligned_alloc_refuses_what_is_no_power_of_two) {
  for (const std::size_t alignment : {0, 3, 12, 24, 48, 65, 4097}) {
    errno = kErrnoMark;
    CheckFailed(aligned_alloc(Opaque(alignment), 96), EINVAL);
  }
  void* block = aligned_alloc(64, Opaque<std::size_t>(100));  // C23: any size.
  CheckBlock(block, 100, 64);
  free(block);
}

STRATA_TEST(memalign_rounds_an_odd_alignment_up) {
  const std::size_t pairs[][2] = {{0, 16},   {1, 16},      {3, 16},      {24, 32},       {48, 64},
                                  {65, 128}, {1000, 1024}, {4097, 8192}, {70000, 131072}};
  for (const auto& [asked, given] : pairs) {
    for (const std::size_t size : {0ul, 1ul, 100ul, 5000ul, 100000ul, 3000000ul}) {
      void* block = memalign(Opaque(asked), size);
      CheckBlock(block, size, given);
      free(block);
    }
  }
}

STRATA_TEST(memalign_refuses_an_absurd_alignment) {
  errno = kErrnoMark;
  CheckFailed(memalign(Opaque((std::size_t{1} << 63) + 1), 16), EINVAL);
  CheckFailed(memalign(Opaque(SIZE_MAX), 16), EINVAL);
  CheckFailed(memalign(Opaque(std::size_t{1} << 62), 16), ENOMEM);
  CheckFailed(memalign(Opaque(std::size_t{1} << 48), 16), ENOMEM);
}

STRATA_TEST(aligned_blocks_of_every_power_of_two) {
  const std::size_t sizes[] = {0, 1, 16, 24, 100, 512, 4000, 4096, 10000, 65536, 262143, 2000000};
  for (std::size_t alignment = 1; alignment <= 32 * kMib; alignment *= 2) {
    static void* blocks[std::size(sizes) * 3];
    std::size_t count = 0;
    const std::size_t want = std::max<std::size_t>(alignment, 16);
    for (const std::size_t size : sizes) {
      CheckBlock(blocks[count++] = memalign(alignment, size), size, want);
      CheckBlock(blocks[count++] = aligned_alloc(alignment, size), size, want);
      void* block = nullptr;
      CHECK_EQ(posix_memalign(&block, std::max<std::size_t>(alignment, 8), size), 0);
      CheckBlock(blocks[count++] = block, size, want);
    }
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(Intact(blocks[i], malloc_usable_size(blocks[i])));
      free(blocks[i]);
    }
  }
}

STRATA_TEST(realloc_of_an_aligned_block_keeps_contents) {
  for (std::size_t alignment = 32; alignment <= kMib; alignment *= 2) {
    for (const std::size_t size : {10ul, 700ul, 9000ul, 400000ul}) {
      void* const aligned = memalign(alignment, size);
      Fill(aligned, size);
      void* larger = realloc(aligned, size * 3);
      CHECK(larger != nullptr);
      CHECK(Intact(larger, size, 0, aligned));
      void* smaller = realloc(larger, 5);
      CHECK(smaller != nullptr);
      free(smaller);
    }
  }
}

STRATA_TEST(valloc_and_pvalloc_give_pages) {
  const std::size_t page = sysconf(_SC_PAGESIZE);
  for (const std::size_t size : {1ul, 100ul, 4095ul, 4096ul, 4097ul, 100000ul}) {
    void* block = valloc(size);
    CheckBlock(block, size, page);
    void* whole = pvalloc(size);
    CheckBlock(whole, (size + page - 1) / page * page, page);
    free(block);
    free(whole);
  }
}

STRATA_TEST(free_keeps_errno) {
  for (std::size_t size = 1; size < 256 * kMib; size = size * 3 + 5) {
    void* block = malloc(size);
    memset(block, 1, std::min(size, kMib));
    errno = kErrnoMark;
    free(block);
    CHECK_EQ(errno, kErrnoMark);
  }
  errno = kErrnoMark;
  free(nullptr);
  CHECK_EQ(errno, kErrnoMark);
}

STRATA_TEST(usable_size_of_null_is_zero_and_of_a_block_is_steady) {
  CHECK_EQ(malloc_usable_size(nullptr), 0u);
  ForEachSampleSize([](std::size_t size) {
    if (size > 4 * kMib) return;
    void* block = malloc(size);
    const std::size_t usable = malloc_usable_size(block);
    CHECK_EQ(malloc_usable_size(block), usable);
    CHECK(usable < size * 2 + 4096);
    free(block);
  });
}

STRATA_TEST(glibc_aliases_work_on_the_same_heap) {
  void* block = __libc_malloc(100);
  CheckBlock(block, 100);
  block = realloc(block, 5000);
  CheckBlock(block, 5000);
  block = __libc_realloc(block, 300000);
  CheckBlock(block, 300000);
  free(block);
  __libc_free(malloc(10));
  free(__libc_calloc(10, 10));
  void* aligned = __libc_memalign(256, 10);
  CheckBlock(aligned, 10, 256);
  free(aligned);
  free(__libc_valloc(10));
  free(__libc_pvalloc(10));
  auto* posix_memalign_alias = Find<int(void**, std::size_t, std::size_t)>("__posix_memalign");
  CHECK(posix_memalign_alias != nullptr);
  if (posix_memalign_alias != nullptr) {
    CHECK_EQ(posix_memalign_alias(&aligned, 128, 10), 0);
    CheckBlock(aligned, 10, 128);
    free(aligned);
    CHECK_EQ(posix_memalign_alias(&aligned, 24, 10), EINVAL);
  }
}

STRATA_TEST(cfree_frees) {
  for (const char* name : {"cfree", "__libc_cfree"}) {
    auto* cfree_function = Find<void(void*)>(name);
    CHECK(cfree_function != nullptr);
    if (cfree_function == nullptr) continue;
    for (int i = 0; i < 100000; ++i) cfree_function(malloc(100000));
    cfree_function(nullptr);
  }
}

STRATA_TEST(sized_frees_free) {
  auto* sized = Find<void(void*, std::size_t)>("free_sized");
  auto* aligned_sized = Find<void(void*, std::size_t, std::size_t)>("free_aligned_sized");
  CHECK(sized != nullptr);
  CHECK(aligned_sized != nullptr);
  if (sized == nullptr || aligned_sized == nullptr) return;
  errno = kErrnoMark;
  sized(nullptr, 0);
  aligned_sized(nullptr, 64, 10);
  for (std::size_t size = 0; size < 4 * kMib; size = size * 3 / 2 + 1) {
    sized(malloc(size), size);
    sized(calloc(1, size), size);
    sized(realloc(malloc(1), size + 1), size + 1);
    aligned_sized(aligned_alloc(64, size), 64, size);
    aligned_sized(aligned_alloc(8192, size), 8192, size);
  }
  CHECK_EQ(errno, kErrnoMark);
}

STRATA_TEST(reallocarr_returns_an_error_and_stores_the_pointer) {
  // NetBSD's: the first argument is the address of the pointer; errno is left alone.
  auto* reallocarr = Find<int(void*, std::size_t, std::size_t)>("reallocarr");
  CHECK(reallocarr != nullptr);
  if (reallocarr == nullptr) return;
  void* block = nullptr;
  errno = kErrnoMark;
  CHECK_EQ(reallocarr(&block, 10, 100), 0);
  CheckBlock(block, 1000);
  Fill(block, 1000);
  void* const before = block;
  CHECK(reallocarr(&block, SIZE_MAX / 2, 4) != 0);
  CHECK(reallocarr(&block, 1, std::size_t{PTRDIFF_MAX} + 1) != 0);
  CHECK_EQ(block, before);
  CHECK(Intact(block, 1000));
  CHECK_EQ(errno, kErrnoMark);
  CHECK_EQ(reallocarr(&block, 100, 100), 0);
  CHECK(Intact(block, 1000, 0, before));
  CHECK_EQ(reallocarr(&block, 0, 100), 0);
  CHECK_EQ(block, static_cast<void*>(nullptr));
}

STRATA_TEST(reallocf_frees_on_failure) {
  auto* reallocf = Find<void*(void*, std::size_t)>("reallocf");
  CHECK(reallocf != nullptr);
  if (reallocf == nullptr) return;
  void* block = reallocf(nullptr, 100);
  CheckBlock(block, 100);
  block = reallocf(block, 9000);
  CheckBlock(block, 9000);
  free(block);
  for (int i = 0; i < 65536; ++i) {  // 64 GiB, were they not freed.
    void* doomed = malloc(kMib);
    CHECK(doomed != nullptr);
    if (doomed == nullptr) return;
    errno = kErrnoMark;
    CheckFailed(reallocf(doomed, Opaque(SIZE_MAX)), ENOMEM);
  }
}

STRATA_TEST(libc_functions_that_allocate_use_the_same_heap) {
  free(strdup("a string"));
  free(strndup("a string", 3));
  char* printed = nullptr;
  CHECK(asprintf(&printed, "%05000d", 7) == 5000);
  free(printed);
  free(getcwd(nullptr, 0));
  free(realpath("/proc/self/exe", nullptr));
  char* memory = nullptr;
  std::size_t length = 0;
  FILE* stream = open_memstream(&memory, &length);
  for (int i = 0; i < 100000; ++i) fprintf(stream, "%d\n", i);
  fclose(stream);
  CHECK(length == 588890);
  stream = fmemopen(memory, length, "r");
  char* line = nullptr;
  std::size_t capacity = 0;
  std::size_t lines = 0;
  while (getline(&line, &capacity, stream) > 0) ++lines;
  CHECK_EQ(lines, 100000u);
  fclose(stream);
  free(line);
  free(memory);
}

}  // namespace
}  // namespace strata::preload
