// The functions of mm.h, called by name beside the program's own malloc. What they do as the
// process's malloc is tested in tests/preload.

#include "strata/mm/mm.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <list>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/mm/allocator.h"

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr int kErrnoMark = 4095;

bool Aligned(const void* block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

strata_mm_stats Stats() {
  strata_mm_stats stats;
  strata_mm_get_stats(&stats);
  return stats;
}

const strata_mm_class_stats* ClassOf(const strata_mm_stats& stats, std::size_t size) {
  const strata_mm_class_stats* best = nullptr;
  for (const strata_mm_class_stats& one : stats.classes) {
    if (one.block_size < size) continue;
    if (best == nullptr || one.block_size < best->block_size) best = &one;
  }
  return best;
}

// Blocks of a test, freed at its end.
class Blocks {
 public:
  // Room from the start: if the program's own malloc is the one under test, growing would count.
  Blocks() { blocks_.reserve(32768); }
  ~Blocks() { Free(); }
  void* Add(void* block) {
    if (block != nullptr) blocks_.push_back(block);
    return block;
  }
  void Free() {
    for (void* block : blocks_) strata_mm_free(block);
    blocks_.clear();
  }

 private:
  std::vector<void*> blocks_;
};

TEST(MmTest, ExampleOfTheHeader) {
  void* block = strata_mm_malloc(100);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(Aligned(block, 16));
  block = strata_mm_realloc(block, 200);
  EXPECT_GE(strata_mm_usable_size(block), 200u);
  strata_mm_free(block);
}

TEST(MmTest, EverySmallSizeIsAlignedAndApart) {
  constexpr std::size_t kSizes = 3000;
  Blocks blocks;
  std::vector<unsigned char*> found(kSizes);
  for (std::size_t size = 0; size < kSizes; ++size) {
    found[size] = static_cast<unsigned char*>(blocks.Add(strata_mm_malloc(size)));
    ASSERT_TRUE(found[size] != nullptr && Aligned(found[size], 16)) << size;
    std::memset(found[size], static_cast<int>(size % 251), strata_mm_usable_size(found[size]));
  }
  for (std::size_t size = 0; size < kSizes; ++size) {
    const std::size_t usable = strata_mm_usable_size(found[size]);
    ASSERT_GE(usable, size);
    for (std::size_t i = 0; i < usable; ++i) ASSERT_EQ(found[size][i], size % 251) << size;
  }
}

TEST(MmTest, LimitsAreNullAndEnomem) {
  for (const std::size_t size : {SIZE_MAX, std::size_t{PTRDIFF_MAX} + 1, SIZE_MAX - 4096}) {
    errno = 0;
    EXPECT_EQ(strata_mm_malloc(size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(strata_mm_calloc(size, 1), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(strata_mm_realloc(nullptr, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(strata_mm_memalign(64, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  errno = 0;
  EXPECT_EQ(strata_mm_calloc(SIZE_MAX / 2 + 1, 2), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(MmTest, MemalignRoundsUpAndRefusesTheAbsurd) {
  Blocks blocks;
  EXPECT_TRUE(Aligned(blocks.Add(strata_mm_memalign(48, 10)), 64));
  EXPECT_TRUE(Aligned(blocks.Add(strata_mm_memalign(0, 10)), 16));
  EXPECT_TRUE(Aligned(blocks.Add(strata_mm_memalign(kMiB, 10)), kMiB));
  errno = 0;
  EXPECT_EQ(strata_mm_memalign(SIZE_MAX, 10), nullptr);
  EXPECT_EQ(errno, EINVAL);
}

TEST(MmTest, CallocZeroesReusedMemory) {
  for (const std::size_t size : {16ul, 1000ul, 30000ul, 100000ul, 2000000ul}) {
    void* dirty = strata_mm_malloc(size);
    std::memset(dirty, 0xff, size);
    strata_mm_free(dirty);
    auto* zeroed = static_cast<unsigned char*>(strata_mm_calloc(1, size));
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(zeroed[i], 0) << size;
    strata_mm_free(zeroed);
  }
}

TEST(MmTest, ReallocToNothingFrees) {
  const std::uint64_t live = Stats().live_bytes;
  void* block = strata_mm_malloc(5 * kMiB);
  EXPECT_GE(Stats().live_bytes, live + 5 * kMiB);
  EXPECT_EQ(strata_mm_realloc(block, 0), nullptr);
  EXPECT_LT(Stats().live_bytes, live + kMiB);
}

TEST(MmTest, FreeKeepsErrnoAndIgnoresNull) {
  for (const std::size_t size : {1ul, 5000ul, 100000ul, 64 * kMiB}) {
    void* block = strata_mm_malloc(size);
    errno = kErrnoMark;
    strata_mm_free(block);
    EXPECT_EQ(errno, kErrnoMark);
  }
  strata_mm_free(nullptr);
  EXPECT_EQ(errno, kErrnoMark);
  EXPECT_EQ(strata_mm_usable_size(nullptr), 0u);
}

TEST(MmStatsTest, CountsBlocksInTheirClass) {
  for (const std::size_t size : {1ul, 100ul, 129ul, 2000ul, 20000ul}) {
    Blocks blocks;
    const strata_mm_stats before = Stats();
    for (int i = 0; i < 100; ++i) blocks.Add(strata_mm_malloc(size));
    const strata_mm_stats during = Stats();
    ASSERT_NE(ClassOf(during, size), nullptr) << size;
    EXPECT_EQ(ClassOf(during, size)->live, ClassOf(before, size)->live + 100) << size;
    EXPECT_GE(ClassOf(during, size)->spans, 1u);
    EXPECT_EQ(during.live_bytes, before.live_bytes + 100 * ClassOf(during, size)->block_size);
    blocks.Free();
    EXPECT_EQ(ClassOf(Stats(), size)->live, ClassOf(before, size)->live) << size;
  }
}

TEST(MmStatsTest, CountsLargeBlocks) {
  const strata_mm_stats before = Stats();
  void* block = strata_mm_malloc(3 * kMiB);
  const strata_mm_stats during = Stats();
  EXPECT_EQ(during.large_live, before.large_live + 1);
  EXPECT_GE(during.large_bytes, before.large_bytes + 3 * kMiB);
  EXPECT_LE(during.large_bytes, before.large_bytes + 3 * kMiB + 65536);
  strata_mm_free(block);
  const strata_mm_stats after = Stats();
  EXPECT_EQ(after.large_live, before.large_live);
  EXPECT_EQ(after.large_bytes, before.large_bytes);
  EXPECT_GE(after.held_bytes_peak, during.held_bytes);
}

const strata_mm_large_stats& GroupOf(const strata_mm_stats& stats, std::size_t size) {
  int group = 0;
  while (stats.large_groups[group].min_bytes * 2 <= size) ++group;
  return stats.large_groups[group];
}

TEST(MmStatsTest, GroupsLargeBlocksByDoublingsOfTheirSize) {
  const strata_mm_stats before = Stats();
  void* block = strata_mm_malloc(3 * kMiB);
  EXPECT_EQ(GroupOf(Stats(), 3 * kMiB).live, GroupOf(before, 3 * kMiB).live + 1);
  EXPECT_EQ(GroupOf(Stats(), 3 * kMiB).bytes, GroupOf(before, 3 * kMiB).bytes + 3 * kMiB);
  // In place, and to pages of another group.
  block = strata_mm_realloc(block, kMiB);
  EXPECT_EQ(GroupOf(Stats(), 3 * kMiB).live, GroupOf(before, 3 * kMiB).live);
  EXPECT_EQ(GroupOf(Stats(), kMiB).live, GroupOf(before, kMiB).live + 1);
  block = strata_mm_realloc(block, 40 * kMiB);
  EXPECT_EQ(GroupOf(Stats(), kMiB).live, GroupOf(before, kMiB).live);
  EXPECT_EQ(GroupOf(Stats(), 40 * kMiB).live, GroupOf(before, 40 * kMiB).live + 1);
  strata_mm_free(block);
  const strata_mm_stats after = Stats();
  for (int i = 0; i < STRATA_MM_LARGE_GROUPS; ++i) {
    EXPECT_EQ(after.large_groups[i].live, before.large_groups[i].live) << i;
    EXPECT_EQ(after.large_groups[i].bytes, before.large_groups[i].bytes) << i;
  }
}

TEST(MmStatsTest, CountsFreeExtents) {
  constexpr int kBlocks = 20;
  strata_mm_trim();
  void* blocks[kBlocks];
  for (void*& block : blocks) block = strata_mm_malloc(kMiB);
  const strata_mm_stats full = Stats();
  for (int i = 0; i < kBlocks; i += 2) strata_mm_free(blocks[i]);
  const strata_mm_stats holes = Stats();
  EXPECT_GE(holes.free_extents, full.free_extents + kBlocks / 2 - 1);
  EXPECT_EQ(holes.free_bytes, full.free_bytes + kBlocks / 2 * kMiB);
  for (int i = 1; i < kBlocks; i += 2) strata_mm_free(blocks[i]);
  EXPECT_LT(Stats().free_extents, holes.free_extents);
}

TEST(MmStatsTest, ArenasHoldWhatTheClassesSay) {
  {
    Blocks blocks;
    for (int i = 0; i < 100; ++i) blocks.Add(strata_mm_malloc(100));
  }
  strata_mm_arena_stats arenas[64];
  const std::size_t count = strata_mm_get_arena_stats(arenas, 64);
  EXPECT_EQ(count, Stats().arenas);
  EXPECT_EQ(strata_mm_get_arena_stats(nullptr, 0), count);
  std::uint64_t cached = 0;
  for (std::size_t i = 0; i < count && i < 64; ++i) cached += arenas[i].cached;
  std::uint64_t in_arenas = 0;
  for (const strata_mm_class_stats& one : Stats().classes) in_arenas += one.in_arenas;
  EXPECT_EQ(cached, in_arenas);
  if (count != 0) {
    EXPECT_GT(cached, 0u);
  }
}

TEST(MmStatsTest, FiguresAgreeWithEachOther) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Blocks blocks;
  for (int i = 0; i < 20000; ++i)
    blocks.Add(strata_mm_malloc(random() % (i % 100 ? 2000 : 200000)));
  const strata_mm_stats stats = Stats();
  std::uint64_t in_classes = 0;
  for (const strata_mm_class_stats& one : stats.classes) in_classes += one.live * one.block_size;
  EXPECT_EQ(in_classes + stats.large_bytes, stats.live_bytes);
  EXPECT_EQ(stats.live_bytes + stats.cached_bytes + stats.unused_bytes, stats.held_bytes);
  for (const strata_mm_class_stats& one : stats.classes) {
    EXPECT_EQ(one.in_arenas + one.on_shelves, one.cached);
    EXPECT_EQ(one.live + one.cached + one.unused, one.spans * (65536 / one.block_size));
    EXPECT_LE(one.empty, one.spans);
  }
  EXPECT_LE(stats.retained_bytes, stats.free_bytes);
  EXPECT_GE(stats.held_bytes_peak, stats.held_bytes);
  EXPECT_GE(stats.reserved_bytes, stats.held_bytes);
}

TEST(MmStatsTest, TrimLeavesNothingRetained) {
  {
    Blocks blocks;
    for (int i = 0; i < 2000; ++i) blocks.Add(strata_mm_malloc(16 + i * 100));
  }
  EXPECT_EQ(strata_mm_trim(), 1);
  const strata_mm_stats stats = Stats();
  EXPECT_EQ(stats.retained_bytes, 0u);
  for (const strata_mm_class_stats& one : stats.classes) EXPECT_EQ(one.cached, 0u);
}

// What `print` writes, through a file.
std::string Written(void (*print)(int fd)) {
  std::FILE* file = std::tmpfile();
  print(fileno(file));
  std::rewind(file);
  std::string text(65536, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(MmStatsTest, ReportIsLinesOfText) {
  void* block = strata_mm_malloc(100);
  const std::string text = Written(&strata_mm_print_stats);
  strata_mm_free(block);
  ASSERT_GT(text.size(), 200u);
  EXPECT_EQ(text.back(), '\n');
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << int{c};
}

// tools/heap, which reads it, is what finds wrong syntax.
TEST(MmStatsTest, JsonHasTheFigures) {
  Blocks blocks;
  for (int i = 0; i < 2000; ++i) blocks.Add(strata_mm_malloc(20000));
  void* block = strata_mm_malloc(3 * kMiB);
  const std::string text = Written(&strata_mm_print_json);
  strata_mm_free(block);
  EXPECT_EQ(text.find('{'), 0u);
  EXPECT_EQ(text.substr(text.size() - 2), "}\n");
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
  for (const char* part :
       {"\"process\":", "\"live_bytes\":", "\"contention\":{\"tiny\":{\"spins\":", "\"slept_ns\":",
        "\"classes\":[{\"block_size\":", "{\"block_size\":20480,\"live\":2000,",
        "{\"min_bytes\":2097152,\"live\":1,\"bytes\":3145728}", "\"arenas\":["}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(AllocatorTest, ContainersLiveInThisHeap) {
  const std::uint64_t live = Stats().live_bytes;
  {
    std::vector<std::uint64_t, strata::mm::Allocator<std::uint64_t>> numbers(1'000'000, 7);
    EXPECT_GE(Stats().live_bytes, live + 8'000'000);
    std::list<int, strata::mm::Allocator<int>> rebound(100, 7);
    EXPECT_EQ(rebound.size(), 100u);
  }
  EXPECT_LT(Stats().live_bytes, live + 100'000);
}

TEST(AllocatorTest, AlignsAndRefuses) {
  constexpr std::size_t kAlignment = 65536;  // More than any block has by itself.
  struct alignas(kAlignment) Wide {
    char bytes[kAlignment];
  };
  strata::mm::Allocator<Wide> wide;
  Wide* made[4];
  Blocks between;  // Of an odd number of pages, so that no extent is aligned by chance.
  for (Wide*& one : made) {
    between.Add(strata_mm_malloc(9 * 4096));
    one = wide.allocate(1);
    EXPECT_TRUE(Aligned(one, kAlignment));
  }
  for (Wide* one : made) wide.deallocate(one, 1);
  EXPECT_THROW((void)wide.allocate(SIZE_MAX / kAlignment + 2), std::bad_array_new_length);
  EXPECT_THROW((void)wide.allocate(std::size_t{1} << 40), std::bad_alloc);
  EXPECT_TRUE(wide == strata::mm::Allocator<int>());
}

TEST(MmTest, ManyThreadsShareTheHeap) {
  constexpr int kThreads = 4;
  constexpr int kBlocks = 20000;
  static unsigned char* made[kThreads][kBlocks];
  std::thread([] {}).join();  // What the C library sets up for the first thread stays.
  const std::uint64_t live_before = Stats().live_bytes;
  std::thread threads[kThreads];
  for (int t = 0; t < kThreads; ++t) {
    threads[t] = std::thread([t] {
      std::mt19937 random(t);
      for (unsigned char*& made_block : made[t]) {
        const std::size_t size = 1 + random() % 500;
        auto* block = static_cast<unsigned char*>(strata_mm_malloc(size));
        block[0] = static_cast<unsigned char>(t);
        block[size - 1] = static_cast<unsigned char>(t);
        made_block = block;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Stats().live_bytes, live_before + kThreads * kBlocks * std::uint64_t{16});
  // Each frees what its neighbour made.
  for (int t = 0; t < kThreads; ++t) {
    threads[t] = std::thread([t] {
      const int owner = (t + 1) % kThreads;
      for (unsigned char* block : made[owner]) {
        EXPECT_EQ(block[0], owner);
        strata_mm_free(block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Thread-local storage of the C library, where its malloc is ours.
  EXPECT_LE(Stats().live_bytes, live_before + 65536);
}

}  // namespace
