; heap.asm -- the heap's storage, and how it comes to be.
;
; The first call of any entry point makes the heap: the tables and the main window of address space,
; of which nothing is touched yet. Everything before that finds small_limit and window_units 0,
; which sends it here.

%include "mm/abi.inc"
%include "mm/layout.inc"
%define STRATA_MM_HEAP_ASM
%include "mm/arena.inc"

extern __rseq_offset:weak
extern __rseq_size:weak
extern smm_class_bound
extern smm_map_tables
extern smm_report_foreign
extern smm_reserve
extern smm_system_call
extern smm_unmap
extern smm_yield

SYS_getrlimit   equ 97
SYS_getrandom   equ 318
RLIMIT_DATA     equ 2                   ; what is writable; RLIMIT_AS: all that is mapped
RLIMIT_AS       equ 9
GRND_NONBLOCK   equ 1

WINDOW_BYTES    equ 1 << 40             ; 1 TiB of address space costs nothing until used
WINDOW_MIN      equ 1 << 20
ALIGN_BIG       equ 2 << 20             ; a huge page, where address space is plenty
ALIGN_SMALL     equ SPAN_SIZE
%ifdef STRATA_MM_SECURE
BITS_BYTES      equ PAGE_SIZE / 16 / 8  ; a bit for each block that could begin in a page
%else
BITS_BYTES      equ 0
%endif
ENTRY_BYTES     equ (1 << PAGE_INFO_SHIFT) + 1 + BITS_BYTES     ; of tables for each page
RETAIN_FLOOR    equ 1024                ; 4 MiB
RETAIN_SHARE    equ 192                 ; 3/4

section .bss align=4096

align 4096, resb 1
data smm_heap, heap_size
        resb    heap_size
align 64, resb 1
data smm_pools, CODES * POOL_SIZE
        resb    CODES * POOL_SIZE
align 64, resb 1
data smm_sentinels, CODES * 16
        resb    CODES * 16
align 64, resb 1
data smm_shelves, SHELF_WAYS * CODES * SHELF_SIZE
        resb    SHELF_WAYS * CODES * SHELF_SIZE
align 64, resb 1
data smm_arenas, ARENAS_BYTES
        resb    ARENAS_BYTES

; Each thread's own: a struct rseq that no kernel knows, for where glibc has none registered, and
; the shelf the thread took last. The hardened build's: blocks until the next one that gets pages of
; its own, and the state of its random numbers.
section .tdata progbits alloc noexec write tls align=32
global smm_thread:data hidden 48
smm_thread:
        dd      0, -1                   ; cpu_id: not registered
        dq      0, 0, 0
        dd      0, 1000, 0, 0

section .text

; uint32_t smm_heap_init(void): makes the heap, once; 1 if there is one, 0 if there can be none.
proc smm_heap_init
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        lea     rbx, [smm_heap]
        xor     eax, eax
        mov     ecx, 1
        lock cmpxchg dword [rbx + heap.ready], ecx
        je      .make
.wait:  mov     eax, [rbx + heap.ready]
        cmp     eax, 1
        jne     .decided
        pause
        call    smm_yield               ; another thread makes it: system calls, so not long
        jmp     .wait
.decided:
        cmp     eax, 2
        sete    al
        movzx   eax, al
.out:   pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
.make:  call    choose_key
        call    reserve_window
        test    eax, eax
        jnz     .fill
        mov     dword [rbx + heap.ready], 3
        xor     eax, eax
        jmp     .out
.fill:  call    fill_sentinels
        mov     qword [rbx + heap.top], SPAN_PAGES      ; page index 0 means none
        mov     qword [rbx + heap.retain_floor], RETAIN_FLOOR
        mov     qword [rbx + heap.retain_share], RETAIN_SHARE
        mov     qword [rbx + heap.ways_used], 1
        mov     rax, [rbx + heap.window_pages]
        add     rax, SPAN_PAGES
        mov     [rbx + heap.next_index], rax
        call    find_rseq
        mov     qword [rbx + heap.small_limit], SMALL_MAX + 1
        mov     dword [rbx + heap.ready], 2
        mov     eax, 1
        jmp     .out
endproc

; choose_key: a random key for the labels of free blocks, and the process's secret. Clobbers r12.
choose_key:
        push    0
        push    0
        mov     edi, SYS_getrandom
        mov     rsi, rsp
        mov     edx, 16
        mov     ecx, GRND_NONBLOCK
        call    smm_system_call
        pop     r12
        pop     rcx
        mov     [rbx + heap.secret], rcx
        cmp     rax, 16
        je      .have
        rdtsc                           ; too early for the kernel's: better than none
        shl     rdx, 32
        or      rax, rdx
        mov     r12, 0x9e3779b97f4a7c15
        imul    r12, rax
        mov     rax, r12
        bswap   rax
        mov     [rbx + heap.secret], rax
.have:  and     r12, -256
        mov     [rbx + heap.key], r12
        ret

; reserve_window: the tables and the main window, as large as may be had; eax is 0 on failure.
; Clobbers rbp, r12-r14.
reserve_window:
        mov     esi, RLIMIT_AS
        call    soft_limit
        mov     rbp, rax
        mov     esi, RLIMIT_DATA
        call    soft_limit
        cmp     rbp, rax
        cmova   rbp, rax                ; rbp: what the heap and its tables may have at most
        mov     r12, WINDOW_BYTES
        mov     r14d, ALIGN_BIG
        mov     rax, rbp
        shr     rax, 2
        cmp     rax, r12
        jae     .try
        mov     r12, rax                ; a quarter of what is allowed; the rest comes in regions
        mov     r14d, ALIGN_SMALL
.try:   and     r12, -SPAN_SIZE
        cmp     r12, WINDOW_MIN
        jb      .none
        mov     r13, r12                ; r13: the pages that the tables have room for
        shr     r13, PAGE_SHIFT
        mov     rax, r13
        shr     rax, 2
        lea     r13, [r13 + rax + 2 * SPAN_PAGES]
        mov     rax, rbp
        shr     rax, PAGE_SHIFT
        cmp     rax, WINDOW_BYTES >> PAGE_SHIFT
        jae     .tables
        cmp     r13, rax
        cmovb   r13, rax
.tables:
        imul    rdi, r13, ENTRY_BYTES
        call    smm_map_tables
        cmp     rax, -4095
        jae     .less
        mov     [rbx + heap.page_info], rax
        lea     rdi, [r12 + r14]
        call    smm_reserve
        cmp     rax, -4095
        jae     .unmap
        lea     rax, [rax + r14 - 1]
        mov     rcx, r14
        neg     rcx
        and     rax, rcx
        mov     [rbx + heap.base], rax
        mov     [rbx + heap.index_limit], r13
        mov     rax, r13
        shl     rax, PAGE_INFO_SHIFT
        add     rax, [rbx + heap.page_info]
%if BITS_BYTES
        mov     [rbx + heap.block_bits], rax
        imul    rcx, r13, BITS_BYTES
        add     rax, rcx
%endif
        mov     [rbx + heap.page_map], rax
        shr     r12, PAGE_SHIFT
        mov     [rbx + heap.window_pages], r12
        shl     r12, PAGE_SHIFT - 4
        mov     [rbx + heap.window_units], r12
        mov     eax, 1
        ret
.unmap: mov     rdi, [rbx + heap.page_info]
        imul    rsi, r13, ENTRY_BYTES
        call    smm_unmap
.less:  shr     r12, 2
        jmp     .try
.none:  xor     eax, eax
        ret

; soft_limit: rax is the soft limit esi, unlimited where that cannot be told.
soft_limit:
        push    -1                      ; struct rlimit
        push    -1
        mov     edi, SYS_getrlimit
        mov     rdx, rsp
        call    smm_system_call
        pop     rax
        pop     rcx
        ret

; fill_sentinels: the ends of the lists, and the blocked arena: its lists look empty to malloc and
; full to free.
fill_sentinels:
        lea     rdx, [smm_sentinels]
        lea     rdi, [smm_class_bound]
        lea     rsi, [smm_arenas]
        mov     r8, rdx
        xor     ecx, ecx
.next:  movzx   eax, byte [rdi + rcx]   ; 0 for codes that have no list
        inc     eax
        add     rax, [rbx + heap.key]
        mov     [rdx + BLOCK_LABEL], rax
%ifdef STRATA_MM_SECURE
        mov     rax, [rbx + heap.secret]
        xor     rax, rdx
        mov     [rdx + BLOCK_NEXT], rax ; none
%endif
        mov     [rsi + arena.head + rcx * 8], r8
        add     rdx, 16
        inc     ecx
        cmp     ecx, CODES
        jb      .next
        ret

; find_rseq: where this process's threads have their struct rseq.
find_rseq:
        mov     rdx, [smm_thread wrt ..gottpoff]
        mov     [rbx + heap.thread_offset], rdx
        mov     rcx, [__rseq_size wrt ..got]
        mov     rax, [__rseq_offset wrt ..got]
        test    rcx, rcx
        jz      .own
        test    rax, rax
        jz      .own
        cmp     dword [rcx], 0          ; glibc knows rseq, but was told not to use it
        je      .own
        mov     rdx, [rax]
.own:   mov     [rbx + heap.rseq_offset], rdx
        ret

; void smm_disable_rseq(void): from now on every thread takes the path without restartable
; sequences. For the time before there are threads.
proc smm_disable_rseq
        mov     rdx, [smm_heap + heap.thread_offset]
        mov     [smm_heap + heap.rseq_offset], rdx
        ret
endproc

; The ends of a process that gave the allocator a wrong pointer, on an aligned stack; no return.
; fault NAME: void smm_fault_NAME(const void* block), for smm_report_NAME in fault.cc.
%macro fault 1
extern smm_report_%1
proc smm_fault_%1
        and     rsp, -16
        call    smm_report_%1
        ud2
endproc
%endmacro

fault block
fault size
fault span
%ifdef STRATA_MM_SECURE
fault written
fault canary
%endif

; void smm_foreign(const void* block): frees a pointer outside the heap: ignored if ld.so made it,
; else reported, with no return.
proc smm_foreign
        push    rbp
        mov     rbp, rsp
        and     rsp, -16
        call    smm_report_foreign
        mov     rsp, rbp
        pop     rbp
        ret
endproc
