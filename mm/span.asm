; span.asm -- spans of 64 KiB, each cut into blocks of one size class, and the pools that hold them.
;
; A pool lists its class's spans that have room. Blocks leave a span in lists of at most a page, the
; unused end of the span last, so that memory is touched only as it is needed; they come back in
; whole lists. Blocks smaller than a cache line leave it so that one and the next are in different
; lines: they may go to two threads, which would then fight for the line at every write. A span
; counts what came back: one without a live block goes back to the heap, but for one that the pool
; keeps.

%include "mm/abi.inc"
%include "mm/layout.inc"
%include "mm/block.inc"

extern smm_address_of
%ifdef STRATA_MM_SECURE
extern smm_carve_shuffled
extern smm_commit
%endif
extern smm_class_refill
extern smm_class_size
extern smm_extent_alloc
extern smm_extent_free
extern smm_fault_span
extern smm_heap
extern smm_index_of
extern smm_lock
extern smm_pools
extern smm_sentinels

EMPTY_SPANS_MAX equ 1                   ; kept by a pool
LINE_SIZE       equ 64                  ; of the caches

section .text

; pool_of REGISTER, CODE: the address of a code's pool.
%macro pool_of 2
        mov     %1, %2
        shl     %1, 6
        lea     rcx, [smm_pools]
        add     %1, rcx
%endmacro

; unlink: takes the span rax out of its pool r12's list. Clobbers rcx and rdx.
unlink: mov     rcx, [rax + span.next]
        mov     rdx, [rax + span.prev]
        mov     dword [rax + span.listed], 0
        test    rdx, rdx
        jz      .first
        mov     [rdx + span.next], rcx
        jmp     .next
.first: mov     [r12 + pool.partial], rcx
.next:  test    rcx, rcx
        jz      .last
        mov     [rcx + span.prev], rdx
        ret
.last:  mov     [r12 + pool.last], rdx
        ret

; append: puts the span rax at the end of its pool r12's list. Clobbers rcx.
append: mov     rcx, [r12 + pool.last]
        mov     dword [rax + span.listed], 1
        mov     qword [rax + span.next], 0
        mov     [rax + span.prev], rcx
        mov     [r12 + pool.last], rax
        test    rcx, rcx
        jz      .only
        mov     [rcx + span.next], rax
        ret
.only:  mov     [r12 + pool.partial], rax
        ret

; set_codes: gives the 16 pages from index rax on the code esi. Clobbers rcx and rdx.
set_codes:
        mov     rdx, 0x0101010101010101
        mov     ecx, esi
        imul    rdx, rcx
        mov     rcx, [smm_heap + heap.page_map]
        mov     [rcx + rax], rdx
        mov     [rcx + rax + 8], rdx
        ret

; new_span: a new span for the pool r12 of class ebx, in its list; rax is the span, or 0.
new_span:
        sub     rsp, 8
        mov     edi, SPAN_PAGES
        mov     esi, SPAN_PAGES
        lea     rdx, [smm_heap + heap.span_pages]
        call    smm_extent_alloc
        test    rax, rax
        jz      .out
%ifdef STRATA_MM_SECURE
        push    rax
        mov     rdi, rax
        call    smm_address_of
        mov     rdi, rax
        mov     esi, SPAN_SIZE
        call    smm_commit              ; free pages may be closed
        mov     rcx, rax
        pop     rax
        test    rcx, rcx
        jnz     .closed
%endif
        mov     esi, ebx
        call    set_codes
        shl     rax, PAGE_INFO_SHIFT
        add     rax, [smm_heap + heap.page_info]
        xor     ecx, ecx
        mov     [rax + span.code], ebx
        mov     [rax + span.free_count], ecx
        mov     [rax + span.free], rcx
        mov     [rax + span.bump], ecx
        mov     [rax + span.carved], ecx
        call    append
        inc     dword [r12 + pool.spans]
        inc     dword [r12 + pool.empty]
.out:   add     rsp, 8
        ret
%ifdef STRATA_MM_SECURE
.closed:
        mov     rdi, rax
        lea     rsi, [smm_heap + heap.span_pages]
        mov     edx, 1
        call    smm_extent_free
        xor     eax, eax
        jmp     .out
%endif

; lock_pool COUNTS: locks the pool r12.
%macro lock_pool 1
        mov     rdi, r12
        lea     rsi, [smm_heap + %1]
        call    smm_lock
%endmacro

; block* smm_pool_refill(uint32_t code): a list of at least one block of the class, labelled; or 0
; where there is no memory.
proc smm_pool_refill
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        mov     ebx, edi
        pool_of r12, rbx
        lea     rcx, [smm_class_size]
        mov     r13d, [rcx + rbx * 4]
        cmp     ebx, CODE_TINY_LAST
        ja      .small
        lock_pool heap.tiny
        jmp     .locked
.small: lock_pool heap.small
.locked:
        inc     qword [r12 + pool.refills]
        mov     rax, [r12 + pool.partial]
        test    rax, rax
        jnz     .have
        call    new_span
        test    rax, rax
        jz      .out
.have:  mov     rbp, rax                ; rbp: the span
        mov     eax, [rbp + span.free_count]
        cmp     eax, [rbp + span.carved]
        jne     .used
        dec     dword [r12 + pool.empty]
.used:  lea     rcx, [smm_class_refill]
        movzx   r8d, byte [rcx + rbx]   ; r8: blocks to take
        mov     r14d, ebx               ; r14: the list so far, ends in the sentinel
        shl     r14d, 4
        lea     rcx, [smm_sentinels]
        add     r14, rcx
        mov     r9, [r14 + BLOCK_LABEL] ; r9: its label
        test    eax, eax
        jz      .carve
        cmp     r8d, eax
        cmova   r8d, eax
        sub     [rbp + span.free_count], r8d
        mov     rax, [rbp + span.free]
.take:  load_next rdx, rax
        dec     r9
        store_next rax, r14, rcx
        mov     [rax + BLOCK_LABEL], r9
        mov     r14, rax
        mov     rax, rdx
        dec     r8d
        jnz     .take
        mov     [rbp + span.free], rax
        jmp     .taken

.carve: mov     ecx, [rbp + span.bump]
        mov     edx, r13d
        imul    edx, r8d
        add     edx, ecx                ; where the carved part will end
.fit:   cmp     edx, SPAN_SIZE
        jbe     .fits
        sub     edx, r13d
        dec     r8d
        jmp     .fit
.fits:  mov     [rbp + span.bump], edx
        add     [rbp + span.carved], r8d
        mov     rdi, rbp
        sub     rdi, [smm_heap + heap.page_info]
        shr     rdi, PAGE_INFO_SHIFT
        call    smm_address_of          ; keeps rdx
        add     rax, rdx                ; where the carved part ends
%ifdef STRATA_MM_SECURE
        call    smm_carve_shuffled
        jmp     .taken
%endif
        imul    r8d, r13d
        mov     rdi, rax
        sub     rdi, r8                 ; where it begins
        mov     r10d, 1                 ; r10: blocks from one of the list to the next
        cmp     r13d, LINE_SIZE
        jae     .apart
        mov     r10d, 2
        cmp     r13d, 16
        jne     .apart
        mov     r10d, 4
.apart: mov     r11d, r10d
        imul    r11d, r13d
.round: sub     rax, r13                ; from the end, so that the list ascends
        mov     rsi, rax
        cmp     rsi, rdi
        jb      .taken
.thread:
        dec     r9
        store_next rsi, r14, rcx
        mov     [rsi + BLOCK_LABEL], r9
        mov     r14, rsi
        sub     rsi, r11
        cmp     rsi, rdi
        jae     .thread
        dec     r10d
        jnz     .round

.taken: cmp     dword [rbp + span.free_count], 0
        jne     .keep
        mov     ecx, [rbp + span.bump]
        add     ecx, r13d
        cmp     ecx, SPAN_SIZE
        jbe     .keep
        mov     rax, rbp                ; nothing left in it
        call    unlink
.keep:  mov     rax, r14
.out:   mov     dword [r12 + pool.lock], 0
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
endproc

; void smm_pool_return(block* list, uint32_t code): puts a list of blocks, which ends in a sentinel,
; back into their spans. Labels do not matter.
proc smm_pool_return
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        mov     ebx, esi
        mov     rbp, rdi
        pool_of r12, rbx
        xor     r13d, r13d              ; r13: spans to give back, by span.next
        lock_pool heap.freeing
        inc     qword [r12 + pool.overflows]
.next:  load_next r14, rbp
        test    r14, r14                ; only the sentinel has none
        jz      .done
        mov     rdi, rbp
        call    smm_index_of
        cmp     rax, -1
        je      .corrupt
        and     rax, -SPAN_PAGES
        shl     rax, PAGE_INFO_SHIFT
        add     rax, [smm_heap + heap.page_info]
        cmp     [rax + span.code], ebx
        jne     .corrupt
        mov     rcx, [rax + span.free]
        store_next rbp, rcx, rdx
        mov     [rax + span.free], rbp
        cmp     dword [rax + span.listed], 0
        jne     .listed
        call    append
.listed:
        mov     ecx, [rax + span.free_count]
        inc     ecx
        mov     [rax + span.free_count], ecx
        cmp     ecx, [rax + span.carved]
        jb      .more
        ja      .corrupt                ; more came back than there are
        call    emptied
.more:  mov     rbp, r14
        jmp     .next
.done:  mov     dword [r12 + pool.lock], 0
.give:  test    r13, r13
        jz      .out
        mov     rax, r13
        mov     r13, [r13 + span.next]
        sub     rax, [smm_heap + heap.page_info]
        shr     rax, PAGE_INFO_SHIFT
        xor     esi, esi
        call    set_codes
        mov     rdi, rax
        lea     rsi, [smm_heap + heap.span_pages]
        mov     edx, 1
        call    smm_extent_free
        jmp     .give
.out:   pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
.corrupt:
        mov     rdi, rbp
        jmp     smm_fault_span
endproc

; emptied: the span rax of pool r12 has no live block: kept, ready to be carved anew, or chained to
; r13. Clobbers rcx and rdx.
emptied:
        cmp     dword [r12 + pool.empty], EMPTY_SPANS_MAX
        jae     .give
        inc     dword [r12 + pool.empty]
        xor     ecx, ecx
        mov     [rax + span.free_count], ecx
        mov     [rax + span.free], rcx
        mov     [rax + span.bump], ecx
        mov     [rax + span.carved], ecx
        ret
.give:  call    unlink
        dec     dword [r12 + pool.spans]
        mov     [rax + span.next], r13
        mov     r13, rax
        ret

; void smm_pool_trim(uint32_t code): gives back the empty span that the pool keeps, if any.
proc smm_pool_trim
        push    rbx
        push    rbp
        push    r12
        mov     ebx, edi
        pool_of r12, rbx
        xor     ebp, ebp
        lock_pool heap.freeing
        mov     rax, [r12 + pool.partial]
.next:  test    rax, rax
        jz      .done
        mov     ecx, [rax + span.free_count]
        cmp     ecx, [rax + span.carved]
        je      .empty
        mov     rax, [rax + span.next]
        jmp     .next
.empty: call    unlink
        dec     dword [r12 + pool.spans]
        dec     dword [r12 + pool.empty]
        mov     rbp, rax
.done:  mov     dword [r12 + pool.lock], 0
        test    rbp, rbp
        jz      .out
        mov     rax, rbp
        sub     rax, [smm_heap + heap.page_info]
        shr     rax, PAGE_INFO_SHIFT
        xor     esi, esi
        call    set_codes
        mov     rdi, rax
        lea     rsi, [smm_heap + heap.span_pages]
        mov     edx, 1
        call    smm_extent_free
.out:   pop     r12
        pop     rbp
        pop     rbx
        ret
endproc
