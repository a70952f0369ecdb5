; layout_table.asm -- what layout.inc says, as a table that layout_test compares with C++.

%include "mm/abi.inc"
%include "mm/layout.inc"

read_only_section

; const uint64_t smm_layout[]
data smm_layout, layout_end - smm_layout
        dq      CLASSES, CODES, CODE_LARGE, CODE_TINY_LAST, SMALL_MAX, SPAN_PAGES
        dq      BLOCK_NEXT, BLOCK_LABEL
        dq      ARENA_SIZE, arena.spare
        dq      SHELF_SIZE, shelf.count, shelf.head, shelf.bin, shelf.lists
        dq      POOL_SIZE, pool.spans, pool.partial, pool.last, pool.empty, pool.refills
        dq      pool.overflows
        dq      1 << PAGE_INFO_SHIFT, page.state, page.next, page.prev, page.newer, page.older
        dq      page.dirty
        dq      span_size, span.code, span.free_count, span.free, span.bump, span.carved
        dq      span.next, span.prev, span.listed
        dq      REGION_SIZE, region.pages, region.first
        dq      CONTENTION_SIZE, contention.yields, contention.sleeps, contention.slept_ns
        dq      1 << GROUP_SHIFT, group.pages, GROUPS
        dq      heap_size, heap.rseq_offset, heap.base, heap.window_units, heap.page_map
        dq      heap.key, heap.page_info, heap.window_pages, heap.index_limit, heap.lock
        dq      heap.top, heap.oldest, heap.dirty_pages, heap.free_extents, heap.free_pages
        dq      heap.large_pages, heap.large_groups, heap.span_pages
        dq      heap.peak_pages, heap.retain_floor, heap.retain_share, heap.moved
        dq      heap.bin_map, heap.bins, heap.mmap_calls, heap.binned, heap.ways_used
        dq      heap.secret, heap.block_bits, heap.trim_lock, heap.tiny, heap.freeing, heap.regions
layout_end:
