; arena.asm -- what happens when a list of free blocks runs empty or full.
;
; A processor's arena has two lists for each class: the one in use, and a spare. Whole lists move:
; an empty list is replaced by the spare, else by one from a shelf, else by one cut from a span; a
; full one becomes the spare, and the spare before it goes to a shelf, or back to its spans if that
; is full. No block is touched on the way, so a list filled on one processor serves another for the
; price of one lock.
;
; A class's shelves are taken round-robin: a thread keeps to the one that it last took without
; waiting, and moves on to the next when it finds it held. Where there are no restartable sequences
; the shelves are the arenas: malloc and free work on a shelf's own list under its lock, and a block
; freed while all shelves are held goes into a bin.

%include "mm/abi.inc"
%include "mm/layout.inc"
%include "mm/arena.inc"

extern smm_check_double
extern smm_class_shelf
extern smm_fault_block
extern smm_free_large
extern smm_lock
extern smm_no_memory
extern smm_pool_refill
extern smm_pool_return
extern smm_sentinels
extern smm_shelves

THREAD_WAY      equ 32                  ; offset of the thread's shelf within smm_thread

section .text

; sentinel_of REGISTER, CODE: the end of the class's lists. Clobbers rcx.
%macro sentinel_of 2
        mov     %1, %2
        shl     %1, 4
        lea     rcx, [smm_sentinels]
        add     %1, rcx
%endmacro

; contention_of CODE: rsi is the counts of threads that wait to allocate a block of the class.
%macro contention_of 1
        lea     rsi, [smm_heap + heap.tiny]
        cmp     %1, CODE_TINY_LAST
        jbe     %%tiny
        lea     rsi, [smm_heap + heap.small]
%%tiny:
%endmacro

; ways_of CODE: r9d is the number of the class's shelves.
%macro ways_of 1
        mov     r9d, SHELF_WAYS
        cmp     %1, CODE_TINY_LAST
        jbe     %%tiny
        mov     r9d, SHELF_WAYS_SMALL
%%tiny:
%endmacro

; find_shelf: tries the shelves of class edi, from the thread's own. rax is one, now locked, and the
; thread's own from now on; or 0 if all are held, and then rdx is the thread's own. Clobbers rcx,
; r8-r11.
find_shelf:
        mov     r8, [smm_heap + heap.thread_offset]
        ways_of edi
        mov     r11d, r9d               ; tries
        dec     r9d
        mov     r10d, [fs:r8 + THREAD_WAY]
.next:  call    .place
        cmp     dword [rdx + shelf.lock], 0
        jne     .busy
        xor     eax, eax
        push    rcx
        mov     ecx, 1
        lock cmpxchg dword [rdx + shelf.lock], ecx
        pop     rcx
        je      .got
.busy:  inc     r10d
        dec     r11d
        jnz     .next
        call    .place                  ; around once: its own again; r11 is 0
        jmp     .mark
.got:   mov     r11, rdx
.mark:  mov     [fs:r8 + THREAD_WAY], r10d
        bt      qword [smm_heap + heap.ways_used], rcx
        jc      .known
        lock bts qword [smm_heap + heap.ways_used], rcx
.known: mov     rax, r11
        ret
; rdx is the shelf of way r10, rcx the way
.place: mov     ecx, r10d
        and     ecx, r9d
        imul    edx, ecx, CODES
        add     edx, edi
        shl     rdx, 7
        lea     rax, [smm_shelves]
        add     rdx, rax
        ret

; lock_shelf: a shelf of class edi, locked, in rax; waits for one, with the counts rsi.
lock_shelf:
        call    find_shelf
        test    rax, rax
        jz      .wait
        ret
.wait:  mov     rdi, rdx
        call    smm_lock
        mov     rax, rdi
        ret

; take_list: a list of blocks of class ebx in rax: from a shelf, else from a span; 0 if there is no
; memory.
take_list:
        mov     edi, ebx
        contention_of ebx
        call    lock_shelf
        mov     ecx, [rax + shelf.count]
        test    ecx, ecx
        jz      .others
        dec     ecx
        mov     [rax + shelf.count], ecx
        mov     rdx, [rax + shelf.lists + rcx * 8]
        mov     dword [rax + shelf.lock], 0
        mov     rax, rdx
        ret
.others:
        mov     rdx, [rax + shelf.head] ; left by a thread without an arena
        test    rdx, rdx
        jz      .none
        compare_next rdx, rcx
        je      .none
        mov     qword [rax + shelf.head], 0
        mov     dword [rax + shelf.lock], 0
        mov     rax, rdx
        ret
.none:  mov     dword [rax + shelf.lock], 0
        ways_of ebx                     ; a list left on another shelf, if it is not held
        mov     eax, ebx
        shl     rax, 7
        lea     rdx, [smm_shelves]
        add     rdx, rax
.look:  cmp     dword [rdx + shelf.count], 0
        jne     .try
.skip:  add     rdx, CODES * SHELF_SIZE
        dec     r9d
        jnz     .look
        mov     edi, ebx
        jmp     smm_pool_refill
.try:   xor     eax, eax
        mov     ecx, 1
        lock cmpxchg dword [rdx + shelf.lock], ecx
        jne     .skip
        mov     ecx, [rdx + shelf.count]
        sub     ecx, 1
        jc      .gone
        mov     [rdx + shelf.count], ecx
        mov     rax, [rdx + shelf.lists + rcx * 8]
        mov     dword [rdx + shelf.lock], 0
        ret
.gone:  mov     dword [rdx + shelf.lock], 0
        jmp     .skip

; give_list: puts the list rdi of class ebx on a shelf, or back into its spans.
give_list:
        push    rdi
        mov     edi, ebx
        lea     rsi, [smm_heap + heap.freeing]
        call    lock_shelf
        pop     rdi
        mov     ecx, [rax + shelf.count]
        lea     rdx, [smm_class_shelf]
        movzx   edx, byte [rdx + rbx]
        cmp     ecx, edx
        jae     .full
        mov     [rax + shelf.lists + rcx * 8], rdi
        inc     ecx
        mov     [rax + shelf.count], ecx
        mov     dword [rax + shelf.lock], 0
        ret
.full:  mov     dword [rax + shelf.lock], 0
        mov     esi, ebx
        jmp     smm_pool_return

; have_arena: Z clear if this thread's processor has an arena, made now if need be. r8 is the offset
; of struct rseq. Keeps rdi and rsi.
have_arena:
        movsxd  rcx, dword [fs:r8 + RSEQ_PROCESSOR]
        cmp     ecx, ARENAS_MAX         ; unsigned: also refuses the negative
        jae     .none
        lea     rdx, [smm_arenas]
        cmp     dword [rdx + rcx * 4 + ARENA_TABLE], 0
        je      .make
        ret
.none:  xor     ecx, ecx                ; sets Z
        ret
.make:  push    rdi
        push    rsi
        push    rbx
        push    rcx
        lea     rdi, [smm_heap + heap.lock]
        lea     rsi, [smm_heap + heap.medium]
        call    smm_lock
        mov     rbx, [rsp]              ; the processor
        imul    edi, ebx, ARENA_SIZE
        add     edi, ARENA_STORAGE      ; its arena's offset
        lea     rdx, [smm_arenas]
        cmp     qword [rdx + rdi + arena.head], 0
        jne     .made                   ; by another thread, or a trim has it
        lea     rax, [smm_sentinels]
        xor     ecx, ecx
        lea     rsi, [rdx + rdi]
.head:  mov     [rsi + arena.head + rcx * 8], rax
        add     rax, 16
        inc     ecx
        cmp     ecx, CODES
        jb      .head
        mov     [rdx + rbx * 4 + ARENA_TABLE], edi
.made:  mov     dword [smm_heap + heap.lock], 0
        mov     eax, [rdx + rbx * 4 + ARENA_TABLE]
        pop     rcx
        pop     rbx
        pop     rsi
        pop     rdi
        test    eax, eax
        ret

; install: makes the list rbp of class ebx this processor's, if it has none; else its spare, if it
; has none; else puts it on a shelf. r8 is the offset of struct rseq.
install:
        rseq_begin install_head
        this_arena
        mov     rax, [rdx + arena.head + rbx * 8]
        test    ecx, ecx
        jz      .shelf
        compare_next rax, rcx
        jne     .spare
        mov     [rdx + arena.head + rbx * 8], rbp
        rseq_commit install_head
        ret
.spare:
        rseq_begin install_spare
        this_arena
        test    ecx, ecx
        jz      .shelf
        cmp     qword [rdx + arena.spare + rbx * 8], 0
        jne     .shelf
        mov     [rdx + arena.spare + rbx * 8], rbp
        rseq_commit install_spare
        ret
.shelf: mov     rdi, rbp
        jmp     give_list
        rseq_abort install_head
        rseq_abort install_spare

; void* smm_refill(esi: code): a block of the class, whose list on this processor is empty; or 0
; with errno set. Clobbers what a System V call does.
proc smm_refill
        push    rbx
        push    rbp
        push    r12
        mov     ebx, esi
        mov     r8, [smm_heap + heap.rseq_offset]
        call    have_arena
        jz      .locked
        rseq_begin take_spare
        this_arena
        test    ecx, ecx
        jz      .locked
        mov     r12, [rdx + arena.spare + rbx * 8]
        test    r12, r12
        jz      .shelf
        mov     qword [rdx + arena.spare + rbx * 8], 0
        rseq_commit take_spare
        jmp     .have
.shelf: call    take_list
        mov     r12, rax
        test    rax, rax
        jz      .none
.have:  load_next rbp, r12
        mov     qword [r12 + BLOCK_LABEL], 0
        compare_next rbp, rcx
        je      .done                   ; it was the only one
        mov     r8, [smm_heap + heap.rseq_offset]
        call    install
.done:  mov     rax, r12
        pop     r12
        pop     rbp
        pop     rbx
        ret
.none:  pop     r12
        pop     rbp
        pop     rbx
        jmp     smm_no_memory
        rseq_abort take_spare

; The path without restartable sequences.
.locked:
        mov     edi, ebx
        contention_of ebx
        call    lock_shelf
        mov     rbp, rax
        mov     rax, [rbp + shelf.head]
        test    rax, rax
        jz      .empty                  ; never used
        load_next rcx, rax
        test    rcx, rcx
        jz      .empty
.pop:   mov     [rbp + shelf.head], rcx
        mov     dword [rbp + shelf.lock], 0
        mov     qword [rax + BLOCK_LABEL], 0
        pop     r12
        pop     rbp
        pop     rbx
        ret
.empty: call    empty_bin
        mov     ecx, [rbp + shelf.count]
        test    ecx, ecx
        jz      .cut
        dec     ecx
        mov     [rbp + shelf.count], ecx
        mov     rax, [rbp + shelf.lists + rcx * 8]
        load_next rcx, rax
        jmp     .pop
.cut:   mov     edi, ebx
        call    smm_pool_refill
        test    rax, rax
        jz      .refused
        load_next rcx, rax
        jmp     .pop
.refused:
        mov     dword [rbp + shelf.lock], 0
        jmp     .none
endproc

; empty_bin: gives the blocks in the bin of the locked shelf rbp back to their spans.
empty_bin:
        xor     edi, edi
        xchg    [rbp + shelf.bin], rdi
        mov     esi, ebx
        test    rdi, rdi
        jnz     smm_pool_return
        ret

; smm_overflow, reached from free: the block rdi of code rsi cannot go onto this processor's list,
; which is full, or is none. Clobbers what a System V call does.
proc smm_overflow
        cmp     esi, CODE_LARGE
        je      smm_free_large
        test    esi, esi
        jz      smm_fault_block
        push    rbx
        push    rbp
        push    r12
        mov     ebx, esi
        mov     rbp, rdi
        mov     rax, [rdi + BLOCK_LABEL]
        xor     rax, [smm_heap + heap.key]
        shr     rax, 8
        jnz     .free
        xor     edx, edx
        call    smm_check_double        ; returns if it is not free after all
.free:  mov     r8, [smm_heap + heap.rseq_offset]
        call    have_arena
        jz      .locked
        sentinel_of r12, rbx
        rseq_begin swap_head            ; the block alone replaces the full list
        this_arena
        test    ecx, ecx
        jz      .locked
        mov     rdi, [rdx + arena.head + rbx * 8]
        mov     rcx, [rdi + BLOCK_LABEL]
        dec     rcx
        test    cl, cl
        jnz     .room
        mov     r9, [r12 + BLOCK_LABEL]
        dec     r9
        store_next rbp, r12, rcx
        mov     [rbp + BLOCK_LABEL], r9
        mov     [rdx + arena.head + rbx * 8], rbp
        rseq_commit swap_head
        rseq_begin swap_spare
        this_arena
        test    ecx, ecx
        jz      .give
        mov     r9, [rdx + arena.spare + rbx * 8]
        mov     [rdx + arena.spare + rbx * 8], rdi
        rseq_commit swap_spare
        mov     rdi, r9
        test    rdi, rdi
        jz      .done
.give:  call    give_list
.done:  pop     r12
        pop     rbp
        pop     rbx
        ret
.room:  mov     rdi, rbp                ; another processor by now, with room in its list
        mov     esi, ebx
        push_block overflow_push, .free
        jmp     .done
        rseq_abort swap_head
        rseq_abort swap_spare
        rseq_abort overflow_push

; The path without restartable sequences.
.locked:
        mov     r12, rbp                ; r12: the block
        mov     edi, ebx
        call    find_shelf
        test    rax, rax
        jz      .bin
        mov     rbp, rax                ; rbp: the shelf
        cmp     qword [rbp + shelf.bin], 0
        je      .push
        call    empty_bin
.push:  xor     edx, edx                ; rdx: a full list, if there is one
        sentinel_of r10, rbx
        mov     rax, [rbp + shelf.head]
        test    rax, rax
        cmovz   rax, r10                ; never used
        mov     rcx, [rax + BLOCK_LABEL]
        dec     rcx
        test    cl, cl
        jnz     .link
        mov     rdx, rax
        mov     rax, r10
        mov     rcx, [rax + BLOCK_LABEL]
        dec     rcx
.link:  store_next r12, rax, r9
        mov     [r12 + BLOCK_LABEL], rcx
        mov     [rbp + shelf.head], r12
        test    rdx, rdx
        jz      .unlock
        mov     eax, [rbp + shelf.count]
        lea     rcx, [smm_class_shelf]
        movzx   ecx, byte [rcx + rbx]
        cmp     eax, ecx
        jae     .return
        mov     [rbp + shelf.lists + rax * 8], rdx
        inc     eax
        mov     [rbp + shelf.count], eax
.unlock:
        mov     dword [rbp + shelf.lock], 0
        jmp     .done
.return:
        mov     dword [rbp + shelf.lock], 0
        mov     rdi, rdx
        mov     esi, ebx
        call    smm_pool_return
        jmp     .done
.bin:   lock inc qword [smm_heap + heap.binned]
        sentinel_of r10, rbx
        mov     rax, [r10 + BLOCK_LABEL]
        mov     [r12 + BLOCK_LABEL], rax
        mov     rax, [rdx + shelf.bin]
.again: mov     rcx, r10                ; an empty bin ends in the sentinel too
        test    rax, rax
        cmovnz  rcx, rax
        store_next r12, rcx, r9
        lock cmpxchg [rdx + shelf.bin], r12
        jne     .again
        jmp     .done
endproc

; smm_suspect, reached from free: the block rdi of code rsi carries the mark of a free block.
proc smm_suspect
        push    rdi
        push    rsi
        sub     rsp, 8
        xor     edx, edx
        call    smm_check_double        ; returns if it is not free after all
        add     rsp, 8
        pop     rsi
        pop     rdi
        push_block suspect_push, smm_overflow
        ret
        rseq_abort suspect_push
endproc
