// layout.inc and heap_internal.h describe the same structures.

#include <cstddef>
#include <iterator>

#include "gtest/gtest.h"
#include "strata/mm/heap_internal.h"

extern "C" const uint64_t smm_layout[];

namespace strata::mm {
namespace {

// In the order of testing/layout_table.asm.
constexpr uint64_t kModel[] = {
    kClasses,
    kCodes,
    kCodeLarge,
    kCodeTinyLast,
    kSmallMax,
    kSpanPages,
    offsetof(Block, next),
    offsetof(Block, label),
    sizeof(ArenaLists),
    offsetof(ArenaLists, spare),
    sizeof(Shelf),
    offsetof(Shelf, count),
    offsetof(Shelf, head),
    offsetof(Shelf, bin),
    offsetof(Shelf, lists),
    sizeof(Pool),
    offsetof(Pool, spans),
    offsetof(Pool, partial),
    offsetof(Pool, last),
    offsetof(Pool, empty),
    offsetof(Pool, refills),
    offsetof(Pool, overflows),
    sizeof(PageEntry),
    offsetof(PageEntry, state),
    offsetof(PageEntry, next),
    offsetof(PageEntry, prev),
    offsetof(PageEntry, newer),
    offsetof(PageEntry, older),
    offsetof(PageEntry, dirty),
    sizeof(Span),
    offsetof(Span, code),
    offsetof(Span, free_count),
    offsetof(Span, free),
    offsetof(Span, bump),
    offsetof(Span, carved),
    offsetof(Span, next),
    offsetof(Span, prev),
    offsetof(Span, listed),
    sizeof(Region),
    offsetof(Region, pages),
    offsetof(Region, first),
    sizeof(Contention),
    offsetof(Contention, yields),
    offsetof(Contention, sleeps),
    offsetof(Contention, slept_ns),
    sizeof(LargeGroup),
    offsetof(LargeGroup, pages),
    kLargeGroups,
    sizeof(Heap),
    offsetof(Heap, rseq_offset),
    offsetof(Heap, base),
    offsetof(Heap, window_units),
    offsetof(Heap, page_map),
    offsetof(Heap, key),
    offsetof(Heap, page_info),
    offsetof(Heap, window_pages),
    offsetof(Heap, index_limit),
    offsetof(Heap, lock),
    offsetof(Heap, top),
    offsetof(Heap, oldest),
    offsetof(Heap, dirty_pages),
    offsetof(Heap, free_extents),
    offsetof(Heap, free_pages),
    offsetof(Heap, large_pages),
    offsetof(Heap, large_groups),
    offsetof(Heap, span_pages),
    offsetof(Heap, peak_pages),
    offsetof(Heap, retain_floor),
    offsetof(Heap, retain_share),
    offsetof(Heap, moved),
    offsetof(Heap, bin_map),
    offsetof(Heap, bins),
    offsetof(Heap, mmap_calls),
    offsetof(Heap, binned),
    offsetof(Heap, ways_used),
    offsetof(Heap, secret),
    offsetof(Heap, block_bits),
    offsetof(Heap, trim_lock),
    offsetof(Heap, tiny),
    offsetof(Heap, freeing),
    offsetof(Heap, regions),
};

TEST(Layout, AssemblyAndCxxAgree) {
  for (size_t i = 0; i < std::size(kModel); ++i)
    EXPECT_EQ(smm_layout[i], kModel[i]) << "entry " << i;
}

TEST(Layout, TheFastPathsFieldsShareALine) {
  EXPECT_LE(offsetof(Heap, page_info) + sizeof(void*), 64u);
}

TEST(Layout, SpansFitIntoTheEntriesOfTheirPagesButTheLast) {
  EXPECT_LE(sizeof(Span), sizeof(PageEntry) * (kSpanPages - 1));
}

}  // namespace
}  // namespace strata::mm
