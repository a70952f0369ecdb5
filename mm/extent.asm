; extent.asm -- runs of pages: the source of spans, medium and large blocks.
;
; Free extents hang in bins by length: one bin for each length to 64 pages, eight for each doubling
; above, with a bitmap of the bins that are not empty. A request takes the shortest extent of the
; first bin that serves it, cuts off what is too much, and grows the heap only when no bin serves.
; Freed extents merge with their free neighbours at once: the first and the last page of an extent
; say what it is. Dirty ones also hang in a list by age; what exceeds the share of live pages that
; may stay is purged, oldest first, outside the lock.
;
; Within this file rbx, rbp, r12 and r13 are a routine's own, r14 is &smm_heap and r15 the table of
; page entries. All routines below `in_heap` are called with the heap's lock held.

%include "mm/abi.inc"
%include "mm/layout.inc"

extern smm_address_of
extern smm_commit
extern smm_lock
extern smm_map
extern smm_purge
extern smm_remap_empty
extern smm_heap

GROW_PAGES_MIN  equ 256                 ; 1 MiB: fewer would cost a system call too often
REGION_SLACK    equ SPAN_SIZE - PAGE_SIZE
BIN_WALK        equ 8                   ; steps to keep a bin about in address order
BIN_SCAN        equ 16                  ; extents of a bin looked at for the best fit

section .text

; in_heap ... out_of_heap: the frame of this file's routines.
%macro in_heap 0
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        lea     r14, [smm_heap]
        mov     r15, [r14 + heap.page_info]
%endmacro

%macro out_of_heap 0
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
%endmacro

%macro lock_heap 0
        lea     rdi, [r14 + heap.lock]
        lea     rsi, [r14 + heap.medium]
        call    smm_lock
%endmacro

%macro unlock_heap 0
        mov     dword [r14 + heap.lock], 0
%endmacro

; entry_of REGISTER: turns a page index into the address of its entry.
%macro entry_of 1
        shl     %1, PAGE_INFO_SHIFT
        add     %1, r15
%endmacro

; count_large PAGES, INC or DEC, ADD or SUB: a large block of so many pages, for the statistics.
; Clobbers r10.
%macro count_large 3
        bsr     r10, %1
        shl     r10d, GROUP_SHIFT
        %2      qword [r14 + heap.large_groups + r10 + group.blocks]
        %3      [r14 + heap.large_groups + r10 + group.pages], %1
%endmacro

; if_spans LIVE, THEN: goes to THEN if LIVE counts the pages of spans. Clobbers r11.
%macro if_spans 2
        lea     r11, [r14 + heap.span_pages]
        cmp     %1, r11
        je      %2
%endmacro

; uint32_t smm_bin_of(uint32_t pages): the bin of free extents of that length. Preserves all
; registers but rax, rcx and r11.
proc smm_bin_of
        lea     eax, [rdi - 1]
        cmp     eax, BINS_EXACT
        jae     .long
        ret
.long:  bsr     eax, edi
        lea     ecx, [rax - 3]
        mov     r11d, edi
        shr     r11d, cl
        and     r11d, 7                 ; the three bits below the highest
        lea     eax, [rax * 8 + BINS_EXACT - 6 * 8]
        add     eax, r11d
        ret
endproc

; bin_insert: hangs the extent edi, whose pages, state and dirty are set in its entry, into its bin
; and, if dirty, into the list by age. Clobbers rax, rcx, rdx, rsi, r8, r9, r11.
bin_insert:
        mov     esi, edi
        entry_of rsi                    ; rsi: the entry
        mov     r8d, edi                ; r8: the index
        mov     eax, [rsi + page.pages]
        inc     qword [r14 + heap.free_extents]
        add     [r14 + heap.free_pages], rax
        or      dword [rsi + page.state], STATE_FREE
        lea     ecx, [rdi + rax - 1]
        entry_of rcx
        mov     [rcx + page.pages], eax
        or      dword [rcx + page.state], STATE_FREE
        mov     edi, eax
        call    smm_bin_of
        mov     edi, r8d
        bts     [r14 + heap.bin_map], rax
        lea     r9, [r14 + heap.bins + rax * 4]
        xor     edx, edx                ; rdx: the extent to hang it behind, 0 for the front
        mov     ecx, [r9]
        mov     r11d, BIN_WALK
.walk:  test    ecx, ecx
        jz      .place
        cmp     ecx, edi
        ja      .place
        mov     edx, ecx
        entry_of rcx
        mov     ecx, [rcx + page.next]
        dec     r11d
        jnz     .walk
.place: test    edx, edx
        jz      .front
        mov     eax, edx
        entry_of rax
        mov     ecx, [rax + page.next]
        mov     [rax + page.next], edi
        jmp     .linked
.front: mov     ecx, [r9]
        mov     [r9], edi
.linked:
        mov     [rsi + page.prev], edx
        mov     [rsi + page.next], ecx
        jecxz   .age
        entry_of rcx
        mov     [rcx + page.prev], edi
.age:   mov     eax, [rsi + page.dirty]
        test    eax, eax
        jz      .clean
        add     [r14 + heap.dirty_pages], rax
        mov     ecx, [r14 + heap.newest]
        mov     [rsi + page.older], ecx
        mov     dword [rsi + page.newer], 0
        mov     [r14 + heap.newest], edi
        jecxz   .first
        entry_of rcx
        mov     [rcx + page.newer], edi
.clean: ret
.first: mov     [r14 + heap.oldest], edi
        ret

; bin_remove: takes the extent edi out of its bin and out of the list by age, and marks both of its
; ends as in use. Its entry keeps pages, dirty and the other state. Clobbers as bin_insert does.
bin_remove:
        mov     esi, edi
        entry_of rsi
        mov     r8d, edi
        mov     eax, [rsi + page.pages]
        dec     qword [r14 + heap.free_extents]
        sub     [r14 + heap.free_pages], rax
        and     dword [rsi + page.state], ~STATE_FREE
        lea     ecx, [rdi + rax - 1]
        entry_of rcx
        and     dword [rcx + page.state], ~STATE_FREE
        mov     ecx, [rsi + page.next]
        mov     edx, [rsi + page.prev]
        jecxz   .no_next
        mov     r9d, ecx
        entry_of r9
        mov     [r9 + page.prev], edx
.no_next:
        test    edx, edx
        jz      .was_first
        entry_of rdx
        mov     [rdx + page.next], ecx
        jmp     .age
.was_first:
        mov     r9d, ecx                ; the bin's new first extent
        mov     edi, eax
        call    smm_bin_of
        mov     edi, r8d
        mov     [r14 + heap.bins + rax * 4], r9d
        test    r9d, r9d
        jnz     .age
        btr     [r14 + heap.bin_map], rax
.age:   mov     eax, [rsi + page.dirty]
        test    eax, eax
        jz      .clean
        sub     [r14 + heap.dirty_pages], rax
        mov     ecx, [rsi + page.newer]
        mov     edx, [rsi + page.older]
        mov     eax, ecx
        jecxz   .was_newest
        entry_of rax
        mov     [rax + page.older], edx
        jmp     .older
.was_newest:
        mov     [r14 + heap.newest], edx
.older: test    edx, edx
        jz      .was_oldest
        entry_of rdx
        mov     [rdx + page.newer], ecx
        ret
.was_oldest:
        mov     [r14 + heap.oldest], ecx
.clean: ret

; insert_free: frees the pages from edi on, esi of them, edx of which may be resident; ecx holds
; state bits to keep. Merges them with free neighbours.
insert_free:
        push    rbx
        push    rbp
        push    r12
        push    r13
        mov     ebx, edi
        mov     ebp, esi
        mov     r12d, edx
        mov     r13d, ecx
        lea     edi, [rbx - 1]
        mov     eax, edi
        entry_of rax
        test    dword [rax + page.state], STATE_FREE
        jz      .after
        sub     edi, [rax + page.pages]
        inc     edi                     ; the neighbour before
        mov     ebx, edi
        call    absorb
.after: lea     edi, [rbx + rbp]
        mov     eax, edi
        entry_of rax
        test    dword [rax + page.state], STATE_FREE
        jz      .insert
        call    absorb
.insert:
        mov     eax, ebx
        entry_of rax
        mov     [rax + page.pages], ebp
        mov     [rax + page.dirty], r12d
        mov     [rax + page.state], r13d
        lea     ecx, [rbx + rbp - 1]
        entry_of rcx
        mov     [rcx + page.state], r13d
        mov     edi, ebx
        call    bin_insert
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

; insert_rest: the same for what is cut off another extent, in whose mapping it is.
insert_rest:
        test    ecx, STATE_MOVED
        jz      insert_free
        lock inc qword [r14 + heap.moved]
        jmp     insert_free

; absorb: takes the free extent edi out and adds it to ebp pages, r12d dirty, r13d state.
absorb:
        call    bin_remove
        mov     eax, [rsi + page.state]
        test    eax, r13d               ; two moved ones are one from now on
        jz      .add
        lock dec qword [r14 + heap.moved]
.add:
        add     ebp, [rsi + page.pages]
        add     r12d, [rsi + page.dirty]
        or      r13d, [rsi + page.state]
        ret

; find: the best free extent for ebp pages at a multiple of r12 pages. Returns its index in eax, or
; 0, and in edx the pages to leave before the aligned part. Clobbers as bin_insert does, and r10.
find:
        mov     edi, ebp
        call    smm_bin_of
        mov     r10d, eax               ; r10: the bin
.bin:   mov     ecx, r10d               ; the first bin from here on that is not empty
        mov     eax, ecx
        shr     eax, 6
        mov     rdx, [r14 + heap.bin_map + rax * 8]
        shr     rdx, cl
        test    rdx, rdx
        jnz     .found
        inc     eax
        cmp     eax, BINS / 64
        jae     .none
        mov     r10d, eax
        shl     r10d, 6
        jmp     .bin
.none:  xor     eax, eax
        ret
.found: bsf     rdx, rdx
        add     r10d, edx
        mov     r8d, [r14 + heap.bins + r10 * 4]
        mov     r9d, BIN_SCAN
        xor     r11d, r11d              ; best so far
        xor     edx, edx                ; and what it leaves before
.scan:  mov     edi, r8d
        call    lead_pages              ; eax
        mov     esi, r8d
        entry_of rsi
        lea     ecx, [rax + rbp]
        cmp     ecx, [rsi + page.pages]
        ja      .next
        test    r11d, r11d
        jz      .better
        mov     ecx, r11d
        entry_of rcx
        mov     ecx, [rcx + page.pages]
        cmp     [rsi + page.pages], ecx
        jae     .next
.better:
        mov     r11d, r8d
        mov     edx, eax
        cmp     r10d, BINS_EXACT        ; all of one length: the first that fits
        jb      .take
.next:  mov     r8d, [rsi + page.next]
        test    r8d, r8d
        jz      .scanned
        dec     r9d
        jnz     .scan
.scanned:
        test    r11d, r11d
        jnz     .take
        inc     r10d
        cmp     r10d, BINS
        jb      .bin
.take:  mov     eax, r11d
        ret

; lead_pages: pages from page edi to the next multiple of r12 pages, in eax. Clobbers rcx.
lead_pages:
        xor     eax, eax
        cmp     r12, 1
        je      .done
        call    smm_address_of
        shr     rax, PAGE_SHIFT
        neg     rax
        lea     rcx, [r12 - 1]
        and     rax, rcx
.done:  ret

; commit_to: makes the window accessible up to page rdi; rax is 0 on failure.
commit_to:
        push    rbx
        push    rbp
        push    rdi
        mov     rbx, rdi
        mov     rbp, [r14 + heap.committed]
        cmp     rbx, rbp
        jbe     .yes
        mov     rax, rbp                ; an eighth more than there is, if it may be had
        shr     rax, 3
        mov     ecx, GROW_PAGES_MIN
        cmp     rax, rcx
        cmovb   rax, rcx
        add     rax, rbp
        cmp     rax, rbx
        cmovb   rax, rbx
        cmp     rax, [r14 + heap.window_pages]
        cmova   rax, [r14 + heap.window_pages]
        mov     [rsp], rax
        call    .try
        jz      .yes
        mov     [rsp], rbx              ; else just what is asked for
        call    .try
        jz      .yes
        xor     eax, eax
        jmp     .out
.yes:   mov     eax, 1
.out:   pop     rdi
        pop     rbp
        pop     rbx
        ret
; tries up to the page at [rsp + 8]; Z set if that worked
.try:   mov     rdi, rbp
        shl     rdi, PAGE_SHIFT
        add     rdi, [r14 + heap.base]
        mov     rsi, [rsp + 8]
        sub     rsi, rbp
        shl     rsi, PAGE_SHIFT
        call    smm_commit
        test    rax, rax
        jnz     .refused
        mov     rcx, [rsp + 8]
        mov     [r14 + heap.committed], rcx
.refused:
        ret

; grow_window: ebp pages at a multiple of r12 pages from the end of the window's used part. Returns
; the index in eax, or 0; edx is what may be dirty in it.
grow_window:
        push    rbx
        push    r13
        mov     rbx, [r14 + heap.top]
        lea     edi, [rbx - 1]          ; a free extent at the end is part of the new one
        mov     eax, edi
        entry_of rax
        test    dword [rax + page.state], STATE_FREE
        jz      .align
        sub     edi, [rax + page.pages]
        inc     edi
        mov     ebx, edi
.align: mov     edi, ebx
        call    lead_pages
        lea     r13, [rbx + rax]        ; r13: where the new extent begins
        lea     rdi, [r13 + rbp]
        cmp     rdi, [r14 + heap.window_pages]
        ja      .none
        call    commit_to
        test    eax, eax
        jz      .none
        mov     rcx, [r14 + heap.top]
        lea     rax, [r13 + rbp]
        mov     [r14 + heap.top], rax
        cmp     r13, rcx
        ja      .gap
        xor     edx, edx
        cmp     rbx, rcx
        je      .done
        mov     edi, ebx                ; begins in the free extent: what is before stays free
        call    bin_remove
        mov     edx, [rsi + page.dirty]
        push    rdx
        push    qword [rsi + page.state]
        mov     edi, r13d
        call    mark_used               ; first: a merge looks at the pages beside it
        pop     rcx
        mov     edi, ebx
        mov     esi, r13d
        sub     esi, ebx
        jz      .whole
        cmp     edx, esi
        cmova   edx, esi
        call    insert_rest
.whole: pop     rdx
        jmp     .done
.gap:   mov     edi, ecx                ; never used: free and clean
        mov     esi, r13d
        sub     esi, ecx
        xor     edx, edx
        xor     ecx, ecx
        call    insert_free
        xor     edx, edx
.done:  mov     eax, r13d
        pop     r13
        pop     rbx
        ret
.none:  xor     eax, eax
        pop     r13
        pop     rbx
        ret

; add_region: maps a part of the address space outside the window with room for ebp pages at a
; multiple of r12 pages, as one free extent. eax is 0 if there is none to be had.
add_region:
        push    rbx
        push    r13
        cmp     qword [r14 + heap.region_count], REGIONS_MAX
        jae     .none
        lea     rbx, [rbp + SPAN_PAGES - 1]
        cmp     r12, SPAN_PAGES
        jbe     .least
        add     rbx, r12
.least: and     rbx, -SPAN_PAGES        ; rbx: the least that does
        mov     rax, [r14 + heap.index_limit]
        shr     rax, 6
        and     rax, -SPAN_PAGES
        mov     ecx, GROW_PAGES_MIN
        cmp     rax, rcx
        cmovb   rax, rcx
        mov     r13, rax                ; r13: a good size
        cmp     r13, rbx
        cmovb   r13, rbx
        call    .map
        jnz     .mapped
        mov     r13, rbx
        call    .map
        jnz     .mapped
.none:  xor     eax, eax
        pop     r13
        pop     rbx
        ret
.mapped:
        mov     rcx, [r14 + heap.region_count]
        imul    rdx, rcx, REGION_SIZE
        lea     rdx, [r14 + heap.regions + rdx]
        mov     rdi, [r14 + heap.next_index]
        mov     [rdx + region.base], rax
        mov     [rdx + region.first], rdi
        mov     [rdx + region.pages], r13
        inc     rcx
        mov     [r14 + heap.region_count], rcx
        lea     rax, [rdi + r13 + SPAN_PAGES]   ; entries between regions are never free
        mov     [r14 + heap.next_index], rax
        mov     esi, r13d
        xor     edx, edx
        xor     ecx, ecx
        call    insert_free
        mov     eax, 1
        pop     r13
        pop     rbx
        ret
; maps r13 pages; Z set on failure, else rax is the first address, a multiple of a span's size
.map:   mov     rax, [r14 + heap.next_index]
        lea     rax, [rax + r13 + SPAN_PAGES]
        cmp     rax, [r14 + heap.index_limit]
        ja      .full
        mov     rdi, r13
        shl     rdi, PAGE_SHIFT
        add     rdi, REGION_SLACK
        call    smm_map
        cmp     rax, -4095
        jae     .full
        add     rax, REGION_SLACK
        and     rax, -SPAN_SIZE
        ret
.full:  xor     eax, eax
        ret

; take: gives ebp pages of the free extent eax to the caller, after leaving edx pages. What is
; before and behind stays free. Returns the index in eax; edx is what may be dirty in it.
take:
        push    rbx
        push    r13
        push    rdx
        mov     ebx, eax
        mov     edi, eax
        call    bin_remove
        mov     r13d, [rsi + page.state]
        mov     edx, [rsi + page.pages]
        mov     r9d, [rsi + page.dirty]
        pop     rax                     ; pages before
        push    r9
        sub     edx, eax
        sub     edx, ebp                ; pages behind
        push    rdx
        lea     edi, [rbx + rax]
        call    mark_used               ; first: a merge looks at the pages beside it
        mov     edi, ebx
        mov     esi, eax
        add     ebx, eax
        test    eax, eax
        jz      .behind
        mov     edx, r9d
        call    .leave
.behind:
        pop     rsi
        test    esi, esi
        jz      .done
        lea     edi, [rbx + rbp]
        mov     edx, [rsp]
        call    .leave
.done:  pop     rdx
        mov     eax, ebx
        pop     r13
        pop     rbx
        ret
; frees esi pages from edi on, of which no more than edx are dirty
.leave: cmp     edx, esi
        cmova   edx, esi
        mov     ecx, r13d
        jmp     insert_rest

; mark_used: writes the ends of the extent edi of ebp pages. Keeps rax and rdx.
mark_used:
        mov     ecx, edi
        entry_of rcx
        mov     [rcx + page.pages], ebp
        and     dword [rcx + page.state], STATE_MOVED
        lea     ecx, [rdi + rbp - 1]
        entry_of rcx
        mov     [rcx + page.pages], ebp
        and     dword [rcx + page.state], STATE_MOVED
        ret

; note_peak: remembers the most pages ever in use.
note_peak:
        mov     rcx, [r14 + heap.large_pages]
        add     rcx, [r14 + heap.span_pages]
        cmp     rcx, [r14 + heap.peak_pages]
        jbe     .done
        mov     [r14 + heap.peak_pages], rcx
.done:  ret

; purge_excess: while more dirty pages are free than may stay, gives the oldest extent's back. The
; lock is released during each system call.
purge_excess:
        push    rbx
        push    rbp
        push    r13
.again: mov     rax, [r14 + heap.large_pages]
        imul    rax, [r14 + heap.retain_share]
        shr     rax, 8
        mov     rdx, [r14 + heap.span_pages]
        shr     rdx, 3
        add     rax, rdx
        add     rax, [r14 + heap.retain_floor]
        cmp     [r14 + heap.dirty_pages], rax
        jbe     .done
        mov     edi, [r14 + heap.oldest]
        test    edi, edi
        jz      .done
        mov     ebx, edi
        call    purge_extent
        test    eax, eax
        jz      .again
.done:  pop     r13
        pop     rbp
        pop     rbx
        ret

; purge_extent: gives back the pages of the free extent edi. eax is 0 if the kernel did so.
; Clobbers rbx, rbp and r13.
purge_extent:
        mov     ebx, edi
        call    bin_remove
        mov     ebp, [rsi + page.pages]
        mov     r13d, [rsi + page.state]
        unlock_heap
        mov     edi, ebx
        call    smm_address_of
        mov     rdi, rax
        mov     rsi, rbp
        shl     rsi, PAGE_SHIFT
        test    r13d, STATE_MOVED
        jz      .purge
        call    smm_remap_empty         ; joins the mapping of its neighbours again
        cmp     rax, -4095
        jb      .remapped
        mov     edi, ebx
        call    smm_address_of
        mov     rdi, rax
        mov     rsi, rbp
        shl     rsi, PAGE_SHIFT
.purge: call    smm_purge
        jmp     .relock
.remapped:
        and     r13d, ~STATE_MOVED
        lock dec qword [r14 + heap.moved]
        xor     eax, eax
.relock:
        push    rax
        lock_heap
        pop     rax
        xor     edx, edx
        test    rax, rax
        cmovnz  edx, ebp                ; locked in memory, perhaps: they stay what they were
        push    rax
        mov     edi, ebx
        mov     esi, ebp
        mov     ecx, r13d
        call    insert_free
        pop     rax
        ret

; uint64_t smm_extent_alloc(uint64_t pages, uint64_t alignment_pages, uint64_t* live): the index of
; the first of `pages` pages, or 0. `alignment_pages` is a power of two. `live` is heap.large_pages
; or heap.span_pages, which counts them from now on. In edx: 0 if the pages are known to be zero.
proc smm_extent_alloc
        in_heap
        cmp     rdi, [r14 + heap.index_limit]
        jae     .never
        cmp     rsi, [r14 + heap.index_limit]
        jae     .never
        mov     rbp, rdi
        mov     r12, rsi
        mov     r13, rdx
        lock_heap
.search:
        call    find
        test    eax, eax
        jnz     .cut
        call    grow_window
        test    eax, eax
        jnz     .have
        call    add_region
        test    eax, eax
        jnz     .search
        unlock_heap
.never: xor     eax, eax
        out_of_heap
.cut:   call    take
.have:  mov     edi, eax
        call    mark_used
        add     [r13], rbp
        if_spans r13, .counted
        count_large rbp, inc, add
.counted:
        call    note_peak
        unlock_heap
        out_of_heap
endproc

; void smm_extent_free(uint64_t index, uint64_t* live, uint32_t dirty): frees an extent, and purges
; what is then too much to keep. `dirty` is 0 if none of its pages can be resident.
proc smm_extent_free
        in_heap
        mov     ebx, edi
        mov     r13, rsi
        mov     ebp, edx
        lock_heap
        mov     eax, ebx
        entry_of rax
        mov     esi, [rax + page.pages]
        mov     ecx, [rax + page.state]
        sub     [r13], rsi
        if_spans r13, .counted
        count_large rsi, dec, sub
.counted:
        xor     edx, edx
        test    ebp, ebp
        cmovnz  edx, esi
        mov     edi, ebx
        call    insert_free
        call    purge_excess
        unlock_heap
        out_of_heap
endproc

; uint64_t smm_extent_grow(uint64_t index, uint64_t pages): makes a large block's extent longer in
; place: 1 if that was possible, else 0.
proc smm_extent_grow
        in_heap
        mov     ebx, edi
        mov     r13, rsi                ; pages it shall have
        lock_heap
        mov     eax, ebx
        entry_of rax
        mov     ebp, [rax + page.pages] ; pages it has
        lea     r12d, [rbx + rbp]       ; the page behind
        mov     eax, r12d
        entry_of rax
        mov     rdx, r12                ; rdx: where what is free behind ends
        test    dword [rax + page.state], STATE_FREE
        jz      .behind
        mov     ecx, [rax + page.pages]
        add     rdx, rcx
.behind:
        lea     rcx, [rbx + r13]        ; where the extent shall end
        cmp     rcx, rdx
        jbe     .take
        cmp     rdx, [r14 + heap.top]   ; more is to be had at the top alone
        jne     .no
        cmp     rcx, [r14 + heap.window_pages]
        ja      .no
        mov     rdi, rcx
        push    rdx
        call    commit_to
        pop     rdx
        test    eax, eax
        jz      .no
        lea     rcx, [rbx + r13]
        mov     [r14 + heap.top], rcx
.take:  mov     rax, r13
        sub     rax, rbp
        add     [r14 + heap.large_pages], rax
        count_large rbp, dec, sub
        count_large r13, inc, add
        mov     ebp, r13d
        mov     edi, ebx
        cmp     rdx, r12
        je      .mark                   ; nothing free behind: all came from the top
        mov     edi, r12d
        call    bin_remove
        mov     eax, [rsi + page.pages]
        mov     edx, [rsi + page.dirty]
        push    qword [rsi + page.state]
        mov     edi, ebx
        call    mark_used               ; first: a merge looks at the pages beside it
        pop     rcx
        lea     rdi, [rbx + rbp]        ; the rest
        lea     rsi, [r12 + rax]
        sub     rsi, rdi
        jbe     .taken
        cmp     edx, esi
        cmova   edx, esi
        call    insert_rest
        jmp     .taken
.mark:  call    mark_used
.taken: call    note_peak
        unlock_heap
        mov     eax, 1
        out_of_heap
.no:    unlock_heap
        xor     eax, eax
        out_of_heap
endproc

; void smm_extent_shrink(uint64_t index, uint64_t pages): makes a large block's extent shorter.
proc smm_extent_shrink
        in_heap
        mov     ebx, edi
        mov     r13, rsi
        lock_heap
        mov     eax, ebx
        entry_of rax
        mov     r12d, [rax + page.pages]
        mov     ebp, r13d
        mov     edi, ebx
        call    mark_used
        mov     rsi, r12
        sub     rsi, r13
        sub     [r14 + heap.large_pages], rsi
        count_large r12, dec, sub
        count_large r13, inc, add
        mov     eax, ebx
        entry_of rax
        mov     ecx, [rax + page.state]
        lea     edi, [rbx + rbp]
        mov     edx, esi
        call    insert_rest
        call    purge_excess
        unlock_heap
        out_of_heap
endproc

; uint64_t smm_extent_purge_all(void): gives back all free pages; the number of extents that were.
proc smm_extent_purge_all
        in_heap
        xor     r12d, r12d
        lock_heap
.next:  mov     edi, [r14 + heap.oldest]
        test    edi, edi
        jz      .done
        call    purge_extent
        test    eax, eax
        jnz     .done
        inc     r12
        jmp     .next
.done:  unlock_heap
        mov     rax, r12
        out_of_heap
endproc
