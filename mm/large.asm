; large.asm -- blocks that are extents, what a block's size is, and how a call fails.

%include "mm/abi.inc"
%include "mm/layout.inc"

extern __errno_location:weak
extern smm_address_of
extern smm_class_size
extern smm_extent_alloc
extern smm_extent_free
extern smm_fault_block
extern smm_fault_size
extern smm_heap
extern smm_index_of
extern smm_malloc
extern smm_memalign
%ifdef STRATA_MM_SECURE
extern smm_close
extern smm_commit
extern smm_quarantine_large
%endif

ENOMEM          equ 12
EINVAL          equ 22

section .text

; void* smm_no_memory(void): sets errno to ENOMEM; 0.
proc smm_no_memory
        mov     edi, ENOMEM
        jmp     smm_fail
endproc

; void* smm_fail(int error): sets errno, where there is a libc; 0.
proc smm_fail
        mov     rax, [__errno_location wrt ..got]
        test    rax, rax
        jz      .none
        push    rbx
        push    rbp
        mov     rbp, rsp
        and     rsp, -16
        mov     ebx, edi
        call    rax
        mov     [rax], ebx
        mov     rsp, rbp
        pop     rbp
        pop     rbx
        xor     eax, eax
.none:  ret
endproc

; smm_large_block: an extent of rdi bytes at a multiple of rsi pages, as a block. rax is its
; address, or 0 with errno set; edx is 0 if it is known to be zero; r8 is its page index. The
; hardened build leaves pages around it that nothing may touch, and in the entry of its first page
; how many it has and how many are before it.
proc smm_large_block
        test    rdi, rdi
        js      .refused                ; beyond PTRDIFF_MAX
        pages_of rdi
        lea     rdx, [smm_heap + heap.large_pages]
%ifdef STRATA_MM_SECURE
        push    rdi
        push    rsi
        lea     rdi, [rdi + rsi + 1]
        call    smm_extent_alloc
        pop     rsi
        pop     rdi
        test    rax, rax
        jz      .refused
        push    rdx
        push    rdi
        push    rsi
        push    rax
        call    guard
        pop     rdi                     ; the extent
        pop     r8
        pop     rcx
        pop     rdx
        test    eax, eax
        jz      .unguarded
        add     r8, rdi                 ; the block
        mov     rax, r8
        shl     rax, PAGE_INFO_SHIFT
        add     rax, [smm_heap + heap.page_info]
        mov     [rax + page.pages], ecx
        sub     rdi, r8
        neg     rdi
        mov     [rax + page.next], edi
        mov     rax, r8
%else
        call    smm_extent_alloc
        test    rax, rax
        jz      .refused
        mov     r8, rax
%endif
        mov     rcx, [smm_heap + heap.page_map]
        mov     byte [rcx + rax], CODE_LARGE
        mov     rdi, rax
        jmp     smm_address_of          ; keeps rdx and r8
%ifdef STRATA_MM_SECURE
.unguarded:
        lea     rsi, [smm_heap + heap.large_pages]
        mov     edx, 1
        call    smm_extent_free
%endif
.refused:
        jmp     smm_no_memory
endproc

%ifdef STRATA_MM_SECURE
; guard: closes the extent [rsp + 8], and opens what is its block: [rsp + 24] pages from page
; [rsp + 16] of it on. eax is 0 if the kernel refused.
guard:
        mov     edi, [rsp + 8]
        call    smm_address_of
        mov     rdi, rax
        mov     rsi, [rsp + 16]
        add     rsi, [rsp + 24]
        inc     rsi
        shl     rsi, PAGE_SHIFT
        push    rdi
        call    smm_close
        pop     rdi
        test    rax, rax
        jnz     .refused
        mov     rsi, [rsp + 16]
        shl     rsi, PAGE_SHIFT
        add     rdi, rsi
        mov     rsi, [rsp + 24]
        shl     rsi, PAGE_SHIFT
        call    smm_commit
        test    rax, rax
        jnz     .refused
        inc     eax
        ret
.refused:
        xor     eax, eax
        ret
%endif


; void smm_free_large(void* block): a block that is an extent.
; void smm_free_moved(void* block): the same, where the pages have gone elsewhere.
proc smm_free_large
        mov     r10d, 1
        jmp     free_extent
endproc

proc smm_free_moved
        xor     r10d, r10d
        jmp     free_extent
endproc

; free_extent: the same, r10 tells which.
proc free_extent
        call    smm_index_of
        test    edi, PAGE_SIZE - 1
        jnz     smm_fault_block
        mov     rcx, [smm_heap + heap.page_map]
        xor     edx, edx
        xchg    [rcx + rax], dl         ; of two frees at once one finds the code gone
        cmp     dl, CODE_LARGE
        jne     smm_fault_block
        mov     rdi, rax
%ifdef STRATA_MM_SECURE
        mov     rdx, rax
        shl     rdx, PAGE_INFO_SHIFT
        add     rdx, [smm_heap + heap.page_info]
        mov     ecx, [rdx + page.next]
        sub     rdi, rcx                ; the extent
        mov     rdx, rdi
        shl     rdx, PAGE_INFO_SHIFT
        add     rdx, [smm_heap + heap.page_info]
        mov     esi, [rdx + page.pages]
        shl     rsi, PAGE_SHIFT
        push    rdi
        call    smm_address_of
        mov     rdi, rax
        call    smm_close               ; until it is used again, whoever still uses it is stopped
        pop     rdi
        jmp     smm_quarantine_large    ; goes on at smm_free_extent with an extent that was there
endproc

; void smm_free_extent(rdi: the first page): frees the extent of a large block.
proc smm_free_extent
        mov     r10d, 1
%endif
        lea     rsi, [smm_heap + heap.large_pages]
        mov     edx, r10d
        jmp     smm_extent_free
endproc

; smm_block_size: rax is the bytes that the block rdi holds, esi its code, r8 its page index.
; Faults if it is no block. Keeps rdi.
proc smm_block_size
        call    smm_index_of
        cmp     rax, -1
        je      .bad
        mov     r8, rax
        mov     rdx, [smm_heap + heap.page_map]
        movzx   esi, byte [rdx + rax]
        cmp     esi, CODE_LARGE
        je      .large
        test    esi, esi
        jz      .bad
        lea     rdx, [smm_class_size]
        mov     eax, [rdx + rsi * 4]
        ret
.large: test    edi, PAGE_SIZE - 1
        jnz     .bad
        shl     rax, PAGE_INFO_SHIFT
        add     rax, [smm_heap + heap.page_info]
        mov     eax, [rax + page.pages]
        shl     rax, PAGE_SHIFT
        ret
.bad:   jmp     smm_fault_size
endproc

; void* smm_memalign_any(size_t alignment, size_t size): as glibc's memalign: rounds the alignment
; up to a power of two.
proc smm_memalign_any
        cmp     rdi, 16
        jbe     .small
        lea     rcx, [rdi - 1]
        bsr     rcx, rcx
        cmp     ecx, 62
        ja      .invalid
        mov     edi, 2
        shl     rdi, cl
        jmp     smm_memalign
.small: mov     rdi, rsi
        jmp     smm_malloc
.invalid:
        mov     edi, EINVAL
        jmp     smm_fail
endproc
