#include "strata/mm/arena.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

namespace strata::mm {
namespace {

struct Point {
  int x = 0;
  int y = 0;
};

bool Aligned(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

// What arena.h shows at its top.
TEST(ArenaTest, ExampleOfTheHeader) {
  Arena arena;
  std::size_t reserved = 0;
  for (int round = 0; round < 3; ++round) {
    std::string_view name = arena.CopyString("a name that outlives its source");
    Point* point = arena.New<Point>(3, 4);
    EXPECT_EQ(name, "a name that outlives its source");
    EXPECT_EQ(point->x + point->y, 7);
    if (round == 0) reserved = arena.bytes_reserved();
    EXPECT_EQ(arena.bytes_reserved(), reserved);
    arena.Reset();
  }
}

TEST(ArenaTest, UnusedArenaHoldsNoMemory) {
  Arena arena;
  EXPECT_EQ(arena.bytes_reserved(), 0u);
  EXPECT_EQ(arena.bytes_used(), 0u);
  arena.Reset();
  EXPECT_EQ(arena.bytes_reserved(), 0u);
}

TEST(ArenaTest, BlocksAreAlignedAndDoNotOverlap) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  struct Piece {
    unsigned char* bytes;
    std::size_t size;
    unsigned char mark;
  };
  Arena arena;
  for (int round = 0; round < 4; ++round) {
    std::vector<Piece> pieces;
    for (int i = 0; i < 5000; ++i) {
      const std::size_t size = random() % (i % 100 == 0 ? 200000 : 300);
      const std::size_t alignment = std::size_t{1} << random() % (i % 50 == 0 ? 14 : 6);
      auto* bytes = static_cast<unsigned char*>(arena.Allocate(size, alignment));
      ASSERT_NE(bytes, nullptr);
      ASSERT_TRUE(Aligned(bytes, alignment));
      const auto mark = static_cast<unsigned char>(random());
      std::memset(bytes, mark, size);
      pieces.push_back({bytes, size, mark});
    }
    for (const Piece& piece : pieces) {
      for (std::size_t i = 0; i < piece.size; ++i) ASSERT_EQ(piece.bytes[i], piece.mark);
    }
    arena.Reset();
    EXPECT_LE(arena.bytes_reserved(), arena.options().max_retained_bytes);
  }
}

TEST(ArenaTest, DefaultAlignmentIsMallocs) {
  Arena arena;
  for (std::size_t size = 1; size < 300; ++size) {
    EXPECT_TRUE(Aligned(arena.Allocate(size), 16));
  }
}

TEST(ArenaTest, NothingGetsAnAddressOfItsOwn) {
  Arena arena;
  void* first = arena.Allocate(0, 1);
  void* second = arena.Allocate(0, 1);
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
}

TEST(ArenaTest, CountsBytesUsedWithPadding) {
  Arena arena;
  ASSERT_NE(arena.Allocate(3, 1), nullptr);
  EXPECT_EQ(arena.bytes_used(), 3u);
  ASSERT_NE(arena.Allocate(8, 8), nullptr);
  EXPECT_EQ(arena.bytes_used(), 16u);
  ASSERT_NE(arena.Allocate(1 << 20, 8), nullptr);
  EXPECT_EQ(arena.bytes_used(), 16u + (1 << 20));
  arena.Reset();
  EXPECT_EQ(arena.bytes_used(), 0u);
}

TEST(ArenaTest, BlocksGrowToTheirBound) {
  Arena arena({.first_block_bytes = 1024, .max_block_bytes = 8192, .max_retained_bytes = 8192});
  std::size_t reserved = 0;
  std::vector<std::size_t> blocks;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE(arena.Allocate(100), nullptr);
    if (arena.bytes_reserved() != reserved) blocks.push_back(arena.bytes_reserved() - reserved);
    reserved = arena.bytes_reserved();
  }
  ASSERT_GE(blocks.size(), 6u);
  EXPECT_EQ(std::vector<std::size_t>(blocks.begin(), blocks.begin() + 5),
            (std::vector<std::size_t>{1024, 2048, 4096, 8192, 8192}));
  EXPECT_EQ(blocks.back(), 8192u);
}

TEST(ArenaTest, LargeRequestLeavesTheCurrentBlockInUse) {
  Arena arena({.first_block_bytes = 4096, .max_block_bytes = 65536});
  char* before = static_cast<char*>(arena.Allocate(16));
  char* large = static_cast<char*>(arena.Allocate(1000000));
  char* after = static_cast<char*>(arena.Allocate(16));
  ASSERT_NE(large, nullptr);
  std::memset(large, 1, 1000000);
  EXPECT_EQ(after, before + 16);
  EXPECT_GE(arena.bytes_reserved(), 1004096u);
  arena.Reset();
  EXPECT_EQ(arena.bytes_reserved(), 4096u);
}

TEST(ArenaTest, ResetRetainsNoMoreThanItsBound) {
  Arena arena({.first_block_bytes = 1024, .max_block_bytes = 4096, .max_retained_bytes = 10000});
  for (int i = 0; i < 1000; ++i) ASSERT_NE(arena.Allocate(100), nullptr);
  EXPECT_GT(arena.bytes_reserved(), 100000u);
  arena.Reset();
  EXPECT_LE(arena.bytes_reserved(), 10000u);
  EXPECT_GE(arena.bytes_reserved(), 5000u);
}

TEST(ArenaTest, RetainingNothingIsPossible) {
  Arena arena({.max_retained_bytes = 0});
  ASSERT_NE(arena.Allocate(100), nullptr);
  arena.Reset();
  EXPECT_EQ(arena.bytes_reserved(), 0u);
  EXPECT_NE(arena.Allocate(100), nullptr);
}

TEST(ArenaTest, SteadyLoadReservesOnce) {
  Arena arena;
  const auto serve = [&arena] {
    for (int i = 0; i < 800; ++i) ASSERT_NE(arena.Allocate(500), nullptr);
    arena.Reset();
  };
  serve();
  const std::size_t reserved = arena.bytes_reserved();
  EXPECT_GT(reserved, 400000u);
  for (int round = 0; round < 5; ++round) serve();
  EXPECT_EQ(arena.bytes_reserved(), reserved);
}

TEST(ArenaTest, ImpossibleRequestsAreNullAndHarmless) {
  Arena arena;
  char* kept = static_cast<char*>(arena.Allocate(1, 1));
  const std::size_t reserved = arena.bytes_reserved();
  for (const std::size_t size : {SIZE_MAX, SIZE_MAX - 16, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
                                 std::size_t{PTRDIFF_MAX} - 100, std::size_t{1} << 48}) {
    EXPECT_EQ(arena.Allocate(size), nullptr) << size;
    EXPECT_EQ(arena.Allocate(size, 1), nullptr) << size;
    EXPECT_EQ(arena.Allocate(size, 4096), nullptr) << size;
  }
  EXPECT_EQ(arena.Allocate(1, std::size_t{1} << 63), nullptr);
  EXPECT_EQ(arena.Allocate(1, std::size_t{1} << 62), nullptr);
  EXPECT_EQ(arena.NewArray<std::uint64_t>(SIZE_MAX / 8 + 2), nullptr);
  EXPECT_EQ(arena.NewArray<std::uint64_t>(SIZE_MAX / 32), nullptr);
  EXPECT_EQ(arena.bytes_used(), 1u);
  EXPECT_EQ(arena.bytes_reserved(), reserved);
  EXPECT_EQ(arena.Allocate(1, 1), kept + 1);
}

TEST(ArenaTest, NewForwardsItsArgumentsAndAligns) {
  struct alignas(64) Wide {
    explicit Wide(const int& value, int&& other) : sum(value + other) {}
    int sum;
  };
  Arena arena;
  ASSERT_NE(arena.Allocate(1, 1), nullptr);
  const int value = 20;
  Wide* wide = arena.New<Wide>(value, 22);
  EXPECT_EQ(wide->sum, 42);
  EXPECT_TRUE(Aligned(wide, 64));
}

TEST(ArenaTest, NewArrayIsZero) {
  Arena arena;
  for (int round = 0; round < 2; ++round) {
    int* numbers = arena.NewArray<int>(500);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(numbers[i], 0);
    std::memset(numbers, 0xff, 500 * sizeof(int));
    arena.Reset();
  }
  EXPECT_NE(arena.NewArray<int>(0), nullptr);
}

TEST(ArenaTest, CopyStringAddsANulAndTellsEmptyFromFailed) {
  Arena arena;
  std::string source = "text with a \0 inside";
  source[12] = '\0';
  const std::string_view copy = arena.CopyString(source);
  EXPECT_EQ(copy, source);
  EXPECT_NE(copy.data(), source.data());
  EXPECT_EQ(copy.data()[copy.size()], '\0');
  const std::string_view empty = arena.CopyString({});
  EXPECT_NE(empty.data(), nullptr);
  EXPECT_EQ(empty.size(), 0u);
}

TEST(ArenaTest, MovingKeepsWhatWasAllocated) {
  static_assert(!std::is_copy_constructible_v<Arena> && !std::is_copy_assignable_v<Arena>);
  static_assert(std::is_nothrow_move_constructible_v<Arena>);
  Arena first({.first_block_bytes = 2048});
  const std::string_view text = first.CopyString("moved");
  ASSERT_NE(first.Allocate(500000), nullptr);
  const std::size_t reserved = first.bytes_reserved();
  Arena second(std::move(first));
  EXPECT_EQ(second.bytes_reserved(), reserved);
  EXPECT_EQ(first.bytes_reserved(), 0u);
  EXPECT_EQ(first.bytes_used(), 0u);
  EXPECT_NE(first.Allocate(10), nullptr);  // Still good for use.
  Arena third;
  ASSERT_NE(third.Allocate(1000), nullptr);
  third = std::move(second);
  EXPECT_EQ(third.bytes_reserved(), reserved);
  EXPECT_EQ(third.options().first_block_bytes, 2048u);
  EXPECT_EQ(text, "moved");
}

#ifdef STRATA_MM_ARENA_POISONS
TEST(ArenaDeathTest, UseAfterResetIsSeenBySanitizers) {
  Arena arena;
  volatile char* bytes = static_cast<char*>(arena.Allocate(64));
  bytes[63] = 1;
  EXPECT_DEATH(bytes[64] = 1, "use-after-poison");
  arena.Reset();
  EXPECT_DEATH(bytes[0] = 1, "use-after-poison");
}
#endif

}  // namespace
}  // namespace strata::mm
