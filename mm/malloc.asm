; malloc.asm -- the uncommon paths of the entry points: the first call, large blocks, aligned
; blocks and realloc. secure.asm stands in its place in the hardened build.

%include "mm/abi.inc"
%include "mm/layout.inc"
%define STRATA_MM_MALLOC_ASM
%include "mm/entry.inc"

extern smm_block_size
extern smm_class_size
extern smm_check_double
extern smm_copy
extern smm_extent_grow
extern smm_extent_shrink
extern smm_fault_block
extern smm_foreign
extern smm_free_moved
extern smm_heap_init
extern smm_index_of
extern smm_large_block
extern smm_move_pages
extern smm_no_memory
extern smm_purge
extern smm_remap_hole
extern smm_zero

EINVAL          equ 22
MOVE_PAGES_MIN  equ 128                 ; 512 KiB: from here on moving pages is cheaper than bytes
MOVED_MAX       equ 8192                ; mappings of their own; the kernel allows a process 65,530
PURGE_PAGES_MIN equ 1024                ; 4 MiB: from here on calloc gets zero pages from the kernel

section .text

; void* smm_malloc_large(size_t size): a block above the size classes; or any, before the heap is
; ready.
proc smm_malloc_large
        cmp     qword [smm_heap + heap.small_limit], 0
        je      .first
        mov     esi, 1
        jmp     smm_large_block
.first: push    rdi
        call    smm_heap_init
        pop     rdi
        test    eax, eax
        jz      smm_no_memory
        malloc_body large_malloc
endproc

; void* smm_malloc(size_t size): as malloc, for this library.
proc smm_malloc
        malloc_body internal_malloc
endproc

; void smm_free(void* block): as free, for this library.
proc smm_free
        free_body internal_free
endproc

; void* smm_calloc_zero(rax: block or 0, rdi: bytes): zeroes a small block.
proc smm_calloc_zero
        test    rax, rax
        jz      .none
        mov     rsi, rdi
        mov     rdi, rax
        push    rax
        call    smm_zero
        pop     rax
.none:  ret
endproc

; void* smm_calloc_large(rdi: bytes; the overflow flag: too many): as calloc.
proc smm_calloc_large
        jo      smm_no_memory
        cmp     qword [smm_heap + heap.small_limit], 0
        jne     .ready
        push    rdi
        call    smm_heap_init
        pop     rdi
        test    eax, eax
        jz      smm_no_memory
        cmp     rdi, SMALL_MAX
        ja      .ready
        push    rdi
        call    smm_malloc
        pop     rdi
        jmp     smm_calloc_zero
.ready: push    rdi
        mov     esi, 1
        call    smm_large_block
        pop     rsi
        test    rax, rax
        jz      .out
        test    edx, edx
        jz      .out                    ; fresh from the kernel
        push    rax
        mov     rdi, rax
        cmp     rsi, PURGE_PAGES_MIN << PAGE_SHIFT
        jb      .zero
        push    rsi
        call    smm_purge
        pop     rsi
        test    rax, rax
        jz      .zeroed
        mov     rdi, [rsp]
.zero:  call    smm_zero
.zeroed:
        pop     rax
.out:   ret
endproc

; void smm_free_outside(void* block): a block that is not in the main window, or not aligned.
proc smm_free_outside
        test    rdi, rdi
        jz      .done
        call    smm_index_of
        cmp     rax, -1
        je      smm_foreign             ; faults, unless it is ld.so's
        test    dil, 15
        jnz     smm_fault_block
        mov     rdx, [smm_heap + heap.page_map]
        movzx   esi, byte [rdx + rax]
        push_block outside_free, smm_overflow, smm_suspect
.done:  ret
        rseq_abort outside_free
endproc

; size_t smm_usable_size(const void* block).
proc smm_usable_size
        xor     eax, eax
        test    rdi, rdi
        jnz     smm_block_size
        ret
endproc

; void* smm_realloc(void* block, size_t size).
proc smm_realloc
        test    rdi, rdi
        jz      .allocate
        test    rsi, rsi
        jz      .release
        js      smm_no_memory           ; beyond PTRDIFF_MAX
        push    rsi
        mov     r9, rsi
        call    smm_block_size
        mov     r9, [rsp]
        cmp     esi, CODE_LARGE
        je      .large
        mov     rdx, [rdi + BLOCK_LABEL]
        xor     rdx, [smm_heap + heap.key]
        shr     rdx, 8
        jz      .suspect
.sound: cmp     r9, rax
        ja      .move
        shr     rax, 1
        cmp     r9, rax
        ja      .keep                   ; more than half of it is still in use
        cmp     rax, 32
        jbe     .keep                   ; not worth a move
        shl     rax, 1
.move:  ; to a new block: rdi the old one, rax its bytes, r9 the new size
        push    rdi
        push    rax
        mov     rdi, r9
        call    smm_malloc
        pop     rdx                     ; old bytes
        pop     rsi                     ; old block
        pop     rcx                     ; new size
        test    rax, rax
        jz      .out
        cmp     rdx, rcx
        cmova   rdx, rcx
        push    rax
        push    rsi
        mov     rdi, rax
        call    smm_copy
        pop     rdi
        call    smm_free
        pop     rax
        ret
.keep:  mov     rax, rdi
        pop     rsi
.out:   ret
.suspect:
        push    rdi
        push    rax
        mov     edx, 1
        call    smm_check_double        ; returns if it is not free after all
        pop     rax
        pop     rdi
        mov     r9, [rsp]
        jmp     .sound
.allocate:
        mov     rdi, rsi
        jmp     smm_malloc
.release:
        call    smm_free
        xor     eax, eax
        ret

.large: cmp     r9, SMALL_MAX
        jbe     .move                   ; to a size class
        pages_of r9
        mov     rdx, rax
        shr     rdx, PAGE_SHIFT         ; pages it has
        cmp     r9, rdx
        je      .keep
        push    rdi
        push    rdx
        push    r8
        mov     rdi, r8
        mov     rsi, r9
        ja      .longer
        mov     rax, rdx                ; shorter: an eighth less is worth cutting off
        shr     rax, 3
        sub     rdx, rax
        cmp     r9, rdx
        ja      .fits
        call    smm_extent_shrink
.fits:  pop     r8
        pop     rdx
        pop     rax
        pop     rsi
        ret
.longer:
        push    r9
        call    smm_extent_grow
        pop     r9
        test    eax, eax
        jnz     .fits
        pop     r8
        pop     rdx
        pop     rdi
        mov     rax, rdx
        shl     rax, PAGE_SHIFT
        cmp     rdx, MOVE_PAGES_MIN
        jb      .move_large
        cmp     qword [smm_heap + heap.moved], MOVED_MAX
        jae     .move_large
        ; Moves the pages to an extent a quarter longer than asked for, so that the next steps of a
        ; growing block find room: untouched pages cost nothing.
        push    rdi
        push    rdx
        mov     rdi, r9
        shr     rdi, 2
        add     rdi, r9
        shl     rdi, PAGE_SHIFT
        mov     esi, 1
        call    smm_large_block
        pop     rdx                     ; old pages
        pop     rdi                     ; old block
        pop     r9                      ; new size
        test    rax, rax
        jz      .tight
        push    r9
        push    rax
        push    rdi
        push    rdx
        mov     rsi, rdx
        shl     rsi, PAGE_SHIFT
        mov     rdx, rax
        push    r8
        call    smm_move_pages
        pop     r8
        pop     rdx
        pop     rdi
        pop     rcx                     ; new block
        pop     r9
        cmp     rax, rcx
        jne     .not_moved
        lock inc qword [smm_heap + heap.moved]
        shl     r8, PAGE_INFO_SHIFT
        add     r8, [smm_heap + heap.page_info]
        or      dword [r8 + page.state], STATE_MOVED
        push    rcx
        call    smm_free_moved
        pop     rax
        ret

.not_moved:
        push    r9
        push    rcx
        push    rdi
        push    rdx
        cmp     rax, -EINVAL
        jne     .repair
        mov     qword [smm_heap + heap.moved], MOVED_MAX    ; this kernel cannot: never again
        jmp     .copy
.repair:
        mov     rdi, rcx                ; the kernel may have unmapped the goal before it gave up
        mov     rsi, rdx
        shl     rsi, PAGE_SHIFT
        call    smm_remap_hole
        cmp     rax, -4095
        jae     .lost
.copy:  pop     rdx
        mov     rsi, [rsp]
        mov     rdi, [rsp + 8]
        shl     rdx, PAGE_SHIFT
        call    smm_copy
        pop     rdi
        call    smm_free
        pop     rax
        pop     r9
        ret
.lost:  pop     rdx                     ; whose the goal is now is unknown: never used again
        pop     rdi
        pop     rcx
        pop     r9
.tight: push    r9                      ; no room for that much: just what is asked for
        mov     rax, rdx
        shl     rax, PAGE_SHIFT
.move_large:
        mov     r9, [rsp]
        jmp     .move
endproc

; void* smm_memalign(size_t alignment, size_t size): alignment is a power of two.
proc smm_memalign
        cmp     qword [smm_heap + heap.small_limit], 0
        jne     .ready
        push    rdi
        push    rsi
        call    smm_heap_init
        pop     rsi
        pop     rdi
        test    eax, eax
        jz      smm_no_memory
.ready: xchg    rdi, rsi                ; rdi: size, rsi: alignment
        cmp     rsi, 16
        jbe     smm_malloc
        cmp     rsi, SMALL_MAX
        ja      .large
        cmp     rdi, SMALL_MAX
        ja      .large
        mov     r10, rsi
        dec     r10
        cmp     rdi, rsi
        cmovb   rdi, rsi
        class_of
        lea     rcx, [smm_class_size]   ; the next class of multiples: blocks begin at multiples of
.look:  test    [rcx + rsi * 4], r10d   ; their size from a multiple of 64 KiB
        jz      .found
        inc     esi
        jmp     .look
.found: pop_block aligned_malloc, smm_refill
        ret
        rseq_abort aligned_malloc
.large: test    rdi, rdi
        js      smm_no_memory
        shr     rsi, PAGE_SHIFT
        mov     ecx, 1
        cmovz   rsi, rcx
        jmp     smm_large_block
endproc
