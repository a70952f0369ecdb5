; secure.asm -- the entry points of the hardened build, in place of malloc.asm.
;
; A block is sealed when it is given out and opened when it comes back:
;
;   |<- size asked for ->|<- slack: canary bytes ->|<- trailer, 8 bytes ->|
;
; The trailer tells the slack, mixed with the block's address and the process's secret: what does
; not decode to a slack that fits was written over. A bit for each 16 bytes of the heap says whether
; a block in use begins there, so a free of anything else is always seen. A small block is filled
; when it is freed, takes the place of a random one in its class's quarantine, and that one joins
; the list. When a block leaves its list its label and the start of its filling are looked at.
;
; A block above the size classes lies between closed pages, and is closed itself when it is freed.
; So is one small block in about SAMPLE_RATE. Those to 1 MiB then wait in quarantine, too.

%include "mm/abi.inc"
%include "mm/layout.inc"
%define STRATA_MM_SECURE_ASM
%include "mm/entry.inc"

extern smm_block_size
extern smm_class_size
extern smm_fault_block
extern smm_fault_canary
extern smm_fault_size
extern smm_fault_written
extern smm_foreign
extern smm_free_extent
extern smm_free_large
extern smm_heap_init
extern smm_index_of
extern smm_large_block
extern smm_no_memory
extern smm_sentinels

TRAILER         equ 8
SIZE_MAX_SMALL  equ SMALL_MAX - TRAILER
CANARY_MAX      equ 64                  ; bytes of the slack that are looked at
SAMPLE_RATE     equ 4096                ; a power of two
FILL            equ 0xd5d5d5d5d5d5d5d5
FILL_CHECKED    equ 64                  ; where the part of a free block that is looked at ends
MIX             equ 0x9e3779b97f4a7c15  ; odd: has an inverse modulo 2^64
UNMIX           equ 0xf1de83e19937733d
QUARANTINE      equ 16                  ; slots of a class
QUARANTINE_BIG  equ 4                   ; of one above 1 KiB
CODE_1K         equ 20
QUARANTINE_LARGE_MAX equ (1 << 20) + 65536      ; bytes of a large block that waits, with its guards
REP_MIN         equ 1024                ; from here on the processor's own loop fills faster

THREAD_SAMPLE   equ 36                  ; offsets within smm_thread
THREAD_RANDOM   equ 40

section .bss align=64
; block* smm_quarantine[CODES][QUARANTINE]
data smm_quarantine, CODES * QUARANTINE * 8
        resb    CODES * QUARANTINE * 8

section .text

; random: the thread's next random number in eax; the upper bits are the better ones. Clobbers rcx.
%macro random 0
        mov     rcx, [smm_heap + heap.thread_offset]
        imul    eax, [fs:rcx + THREAD_RANDOM], 1664525
        add     eax, [smm_heap + heap.secret]
        or      eax, 1
        mov     [fs:rcx + THREAD_RANDOM], eax
%endmacro

; unit_of BLOCK, OTHERWISE: rax is the number of the 16 bytes at BLOCK among the heap's; goes to
; OTHERWISE for what is not in the main window or not aligned.
%macro unit_of 2
        mov     rax, %1
        sub     rax, [smm_heap + heap.base]
        ror     rax, 4
        cmp     rax, [smm_heap + heap.window_units]
        jae     %2
%endmacro

; outer_unit: the same for rdi in any region; rax is -1 where it is not the heap's, or not aligned.
; Clobbers rcx, r11.
outer_unit:
        call    smm_index_of
        cmp     rax, -1
        je      .out
        shl     rax, PAGE_SHIFT - 4
        mov     ecx, edi
        and     ecx, PAGE_SIZE - 1
        shr     ecx, 4
        or      rax, rcx
        test    dil, 15
        jz      .out
        mov     rax, -1
.out:   ret

; bit_of: turns unit rax into bit eax of the dword at rcx.
%macro bit_of 0
        mov     rcx, rax
        shr     rcx, 5
        shl     rcx, 2
        add     rcx, [smm_heap + heap.block_bits]
        and     eax, 31
%endmacro

; canary: rcx is the word that fills slack. The same byte eight times: it is written at any address.
%macro canary 0
        movzx   ecx, byte [smm_heap + heap.secret + 3]
        mov     r11, 0x0101010101010101
        imul    rcx, r11
%endmacro

; seal: writes the end of the block rdi, of r10 bytes, for rsi bytes asked for. Clobbers rax, rcx,
; rdx, r8, r11.
seal:
        lea     rdx, [r10 - TRAILER]
        sub     rdx, rsi                ; rdx: the slack
        jz      .trailer
        canary
        mov     r8d, CANARY_MAX
        cmp     r8, rdx
        cmova   r8, rdx
        lea     rax, [rdi + rsi]
        add     r8, rax
.next:  mov     [rax], rcx              ; the last one may reach into the trailer, not yet written
        add     rax, 8
        cmp     rax, r8
        jb      .next
.trailer:
        mov     rax, MIX
        imul    rax, rdx
        mov     rcx, rdi
        xor     rcx, [smm_heap + heap.secret]
        add     rax, rcx
        mov     [rdi + r10 - TRAILER], rax
        ret

; slack_of: rdx is the slack of the block rdi, of r10 bytes; faults if its end was written over.
; Clobbers rax, rcx, r8, r9, r11.
slack_of:
        mov     rdx, [rdi + r10 - TRAILER]
        mov     rcx, rdi
        xor     rcx, [smm_heap + heap.secret]
        sub     rdx, rcx
        mov     rax, UNMIX
        imul    rdx, rax
        lea     r9, [r10 - TRAILER]
        cmp     rdx, r9
        ja      .bad
        test    rdx, rdx
        jz      .good
        canary
        sub     r9, rdx
        add     r9, rdi                 ; r9: where the slack begins
        mov     r8d, CANARY_MAX
        cmp     r8, rdx
        cmova   r8, rdx                 ; r8: bytes to look at
.next:  mov     rax, [r9]
        xor     rax, rcx
        cmp     r8, 8
        jb      .rest
        test    rax, rax
        jnz     .bad
        add     r9, 8
        sub     r8, 8
        jnz     .next
.good:  ret
.rest:  mov     ecx, 8
        sub     ecx, r8d
        shl     ecx, 3
        shl     rax, cl                 ; what is the trailer's does not count
        jz      .good
.bad:   jmp     smm_fault_canary

; fill: fills the block rdi of r10 bytes from its byte r8 on, 0 or 16. Clobbers rax, rcx, r8, xmm0.
fill:
        mov     rax, FILL
        cmp     r10, REP_MIN
        jae     .rep
        movq    xmm0, rax
        punpcklqdq xmm0, xmm0
.next:  movdqa  [rdi + r8], xmm0
        add     r8, 16
        cmp     r8, r10
        jb      .next
        ret
.rep:   push    rdi
        mov     rcx, r10
        sub     rcx, r8
        shr     rcx, 3
        add     rdi, r8
        rep stosq
        pop     rdi
        ret

; take_block: a block of class rsi in rax, from this processor's list; 0 with errno set if there is
; no memory. Clobbers what a System V call does.
take_block:
        pop_block secure_pop, smm_refill
        mov     r9, [rax + BLOCK_LABEL]
        xor     r9, [smm_heap + heap.key]
        shr     r9, 8
        jnz     .written
        mov     r9, rcx                 ; the list's next block, which is in the heap
        sub     r9, [smm_heap + heap.base]
        ror     r9, 4
        cmp     r9, [smm_heap + heap.window_units]
        jae     .outside
        ret
        rseq_abort secure_pop
.outside:
        mov     r9, rsi                 ; or the end of the list
        shl     r9, 4
        lea     r10, [smm_sentinels]
        add     r9, r10
        cmp     rcx, r9
        je      .sound
        mov     rdi, rcx
        mov     r8, rax
        call    smm_index_of
        cmp     rax, -1
        mov     rax, r8
        je      .written
.sound: ret
.written:
        mov     rdi, rax
        jmp     smm_fault_written

; give_block: puts the block rdi of code rsi onto this processor's list.
give_block:
        push_block secure_push, smm_overflow
        ret
        rseq_abort secure_push

; small_block: a sealed block of class esi for rdi bytes; rax is 0 if there is no memory.
small_block:
        push    rdi
        push    rsi
        call    take_block
        pop     rcx
        pop     rsi
        test    rax, rax
        jz      .none
        mov     rdi, rax
        lea     rdx, [smm_class_size]
        mov     r10d, [rdx + rcx * 4]
        mov     rax, FILL
        mov     ecx, FILL_CHECKED
        cmp     rcx, r10
        cmova   rcx, r10
        mov     edx, 16
.look:  cmp     rdx, rcx
        jae     .clean
        cmp     [rdi + rdx], rax
        jne     .written
        add     edx, 8
        jmp     .look
.clean: call    seal
        unit_of rdi, .outside
.bit:   bit_of
        lock bts dword [rcx], eax
        mov     rax, rdi
.none:  ret
.outside:
        call    outer_unit
        jmp     .bit
.written:
        jmp     smm_fault_written

; big_block: a sealed block between closed pages, for rdi bytes at a multiple of rsi pages; rax is 0
; if there is no memory, edx 0 if it is zero.
big_block:
        mov     rax, rdi
        add     rax, TRAILER
        js      smm_no_memory           ; beyond PTRDIFF_MAX, or overflown
        jc      smm_no_memory
        push    rdi
        mov     rdi, rax
        call    smm_large_block
        pop     rsi
        test    rax, rax
        jz      .none
        push    rdx
        mov     rdi, rax
        push    rsi
        call    smm_block_size
        pop     rsi
        mov     r10, rax
        call    seal
        pop     rdx
        mov     rax, rdi
.none:  ret

; void* smm_malloc(size_t size): as malloc.
proc smm_malloc
        cmp     qword [smm_heap + heap.small_limit], 0
        je      .first
.ready: cmp     rdi, SIZE_MAX_SMALL
        ja      .big
        mov     rcx, [smm_heap + heap.thread_offset]
        dec     dword [fs:rcx + THREAD_SAMPLE]
        js      .sampled
        lea     rax, [rdi + TRAILER + 15]
        shr     rax, 4
        lea     rdx, [smm_code_of]
        movzx   esi, byte [rdx + rax]
        jmp     small_block
.sampled:
        random
        and     eax, 2 * SAMPLE_RATE - 1
        mov     [fs:rcx + THREAD_SAMPLE], eax
.big:   mov     esi, 1
        jmp     big_block
.first: push    rdi
        call    smm_heap_init
        pop     rdi
        test    eax, eax
        jnz     .ready
        jmp     smm_no_memory
endproc

; void* smm_calloc(size_t count, size_t size): as calloc.
proc smm_calloc
        mov     rax, rdi
        mul     rsi
        jo      smm_no_memory
        mov     rdi, rax
        cmp     rdi, SIZE_MAX_SMALL
        ja      .big
.zero:  push    rdi
        call    smm_malloc
        pop     rcx
        test    rax, rax
        jz      .none
.clear: mov     rdx, rax
        mov     rdi, rax
        xor     eax, eax
        rep stosb
        mov     rax, rdx
.none:  ret
.big:   cmp     qword [smm_heap + heap.small_limit], 0
        je      .zero
        push    rdi
        mov     esi, 1
        call    big_block
        pop     rcx
        test    rax, rax
        jz      .none
        test    edx, edx
        jz      .none
        jmp     .clear
endproc

; void smm_free(void* block): as free.
proc smm_free
        unit_of rdi, .outside
.unit:  mov     rdx, [smm_heap + heap.page_map]
        mov     rcx, rax
        shr     rcx, PAGE_SHIFT - 4
        movzx   esi, byte [rdx + rcx]
        cmp     esi, CODE_LARGE
        je      .large
        test    esi, esi
        jz      .bad
        bit_of
        lock btr dword [rcx], eax
        jnc     .bad                    ; no block in use begins there
        lea     rdx, [smm_class_size]
        mov     r10d, [rdx + rsi * 4]
        call    slack_of
        xor     r8d, r8d
        call    fill
        random
        mov     ecx, eax
        mov     edx, QUARANTINE
        cmp     esi, CODE_1K
        jbe     .slot
        mov     edx, QUARANTINE_BIG
.slot:  shr     rcx, 8                  ; 24 bits, times the slots
        imul    ecx, edx
        shr     ecx, 24
        mov     eax, esi
        shl     eax, 4                  ; QUARANTINE
        add     eax, ecx
        lea     rdx, [smm_quarantine]
        xchg    rdi, [rdx + rax * 8]
        test    rdi, rdi
        jnz     give_block
.done:  ret
.outside:
        test    rdi, rdi
        jz      .done
        call    smm_index_of
        cmp     rax, -1
        je      smm_foreign             ; faults, unless it is ld.so's
        call    outer_unit
        cmp     rax, -1
        jne     .unit
.bad:   jmp     smm_fault_block
.large: test    edi, PAGE_SIZE - 1
        jnz     .bad
        push    rdi
        call    smm_block_size
        pop     rdi
        mov     r10, rax
        call    slack_of
        jmp     smm_free_large
endproc

; live_size: rax is the bytes asked for at the block rdi, r10 those it holds; faults if it is no
; block in use. Keeps rdi.
live_size:
        call    smm_block_size          ; esi: its code
        mov     r10, rax
        cmp     esi, CODE_LARGE
        je      .live
        unit_of rdi, .outside
.unit:  bit_of
        bt      dword [rcx], eax
        jnc     .bad
.live:  call    slack_of
        lea     rax, [r10 - TRAILER]
        sub     rax, rdx
        ret
.outside:
        call    outer_unit
        cmp     rax, -1
        jne     .unit
.bad:   jmp     smm_fault_size

; size_t smm_usable_size(const void* block): what was asked for.
proc smm_usable_size
        xor     eax, eax
        test    rdi, rdi
        jnz     live_size
        ret
endproc

; void* smm_realloc(void* block, size_t size).
proc smm_realloc
        test    rdi, rdi
        jz      .allocate
        test    rsi, rsi
        jz      .release
        js      smm_no_memory
        push    rsi
        call    live_size
        pop     rsi
        lea     rdx, [r10 - TRAILER]
        cmp     rsi, rdx
        ja      .move
        shr     rdx, 1
        cmp     rsi, rdx
        jb      .move                   ; less than half of it is still in use
        call    seal
        mov     rax, rdi
        ret
.move:  push    rdi
        push    rax                     ; bytes asked for before
        push    rsi
        mov     rdi, rsi
        cmp     rsi, SIZE_MAX_SMALL
        jbe     .exact
        cmp     rsi, rax
        jbe     .exact
        shr     rdi, 2                  ; a growing block grows again
        add     rdi, rsi
        js      .exact_size
        call    smm_malloc
        test    rax, rax
        jnz     .reseal
.exact_size:
        mov     rdi, [rsp]
.exact: call    smm_malloc
        test    rax, rax
        jz      .failed
        jmp     .copy
.reseal:
        mov     rdi, rax
        call    smm_block_size
        mov     r10, rax
        mov     rsi, [rsp]
        call    seal
        mov     rax, rdi
.copy:  pop     rsi
        pop     rcx
        cmp     rcx, rsi
        cmova   rcx, rsi
        pop     rsi                     ; the old block
        push    rax
        push    rsi
        mov     rdi, rax
        rep movsb
        pop     rdi
        call    smm_free
        pop     rax
        ret
.failed:
        add     rsp, 24
        ret
.allocate:
        mov     rdi, rsi
        jmp     smm_malloc
.release:
        call    smm_free
        xor     eax, eax
        ret
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
        cmp     rdi, SIZE_MAX_SMALL
        ja      .large
        lea     r10, [rsi - 1]
        lea     rax, [rdi + TRAILER]
        cmp     rax, rsi
        cmovb   rax, rsi
        add     rax, 15
        shr     rax, 4
        lea     rdx, [smm_code_of]
        movzx   esi, byte [rdx + rax]
        lea     rcx, [smm_class_size]   ; the next class of multiples: blocks begin at multiples of
.look:  test    [rcx + rsi * 4], r10d   ; their size from a multiple of 64 KiB
        jz      small_block
        inc     esi
        jmp     .look
.large: shr     rsi, PAGE_SHIFT
        mov     ecx, 1
        cmovz   rsi, rcx
        jmp     big_block
endproc

; smm_carve_shuffled: threads r8d blocks of r13 bytes that end at rax, in random order, onto the
; list r14, whose label is r9. Clobbers rax, rcx, rdx, rsi, rdi, r8, r10, r11.
proc smm_carve_shuffled
        mov     r11d, r8d               ; r11: blocks
        mov     ecx, r8d
        imul    ecx, r13d
        sub     rax, rcx
        mov     rdi, rax                ; rdi: the first
        random
        shr     eax, 8
        mov     esi, eax
        and     esi, 7
        lea     rcx, [strides]
        movzx   r10d, byte [rcx + rsi]
        shr     eax, 3
        xor     edx, edx
        div     r11d
        mov     esi, edx                ; esi: the block's number
        mov     eax, r10d
        xor     edx, edx
        div     r11d
        mov     r10d, edx               ; r10: from one to the next
        mov     edx, r11d
.next:  add     esi, r10d
        cmp     esi, r11d
        jb      .number
        sub     esi, r11d
.number:
        mov     eax, esi
        imul    eax, r13d
        add     rax, rdi                ; the block
        dec     r9
        store_next rax, r14, rcx
        mov     [rax + BLOCK_LABEL], r9
        mov     r14, rax
        mov     rcx, FILL
        mov     r8d, 16
.fill:  cmp     r8d, r13d
        jae     .filled
        cmp     r8d, FILL_CHECKED
        jae     .filled
        mov     [rax + r8], rcx
        add     r8d, 8
        jmp     .fill
.filled:
        dec     edx
        jnz     .next
        ret
endproc

; smm_quarantine_large, reached from free: the extent rdi, closed, of rsi bytes, waits in quarantine
; unless it is too long; another one that waited is freed.
proc smm_quarantine_large
        cmp     rsi, QUARANTINE_LARGE_MAX
        ja      smm_free_extent
        random
        shr     eax, 8
        and     eax, QUARANTINE_BIG - 1
        lea     rdx, [smm_quarantine + CODE_LARGE * QUARANTINE * 8]
        xchg    rdi, [rdx + rax * 8]
        test    rdi, rdi
        jnz     smm_free_extent
        ret
endproc

; void smm_quarantine_drain(void): all blocks in quarantine join their lists.
proc smm_quarantine_drain
        push    rbx
        xor     ebx, ebx
.next:  xor     edi, edi
        lea     rdx, [smm_quarantine]
        xchg    rdi, [rdx + rbx * 8]
        test    rdi, rdi
        jz      .empty
        mov     esi, ebx
        shr     esi, 4
        cmp     esi, CODE_LARGE
        je      .large
        call    give_block
.empty: inc     ebx
        cmp     ebx, CODES * QUARANTINE
        jb      .next
        pop     rbx
        ret
.large: call    smm_free_extent
        jmp     .empty
endproc

read_only_section
; Primes above every number of blocks that is carved at once: each visits all of them.
strides:
        db      37, 41, 43, 47, 53, 59, 61, 67
