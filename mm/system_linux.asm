; system_linux.asm -- the system calls the heap makes, with no libc between.
;
; Each returns the kernel's result: a value, or a negated errno (-4095 to -1). errno is untouched.
; They clobber what a System V call clobbers.

%include "mm/abi.inc"
%include "mm/layout.inc"

extern smm_heap

SYS_mmap        equ 9
SYS_mprotect    equ 10
SYS_munmap      equ 11
SYS_sched_yield equ 24
SYS_mremap      equ 25
SYS_madvise     equ 28
SYS_nanosleep   equ 35
SYS_clock_gettime equ 228

PROT_NONE       equ 0
PROT_READ_WRITE equ 3
MAP_PRIVATE     equ 2
MAP_FIXED       equ 0x10
MAP_ANONYMOUS   equ 0x20
MAP_NORESERVE   equ 0x4000
MAP_FIXED_NOREPLACE equ 0x100000      ; since Linux 4.17
MADV_DONTNEED   equ 4
CLOCK_MONOTONIC equ 1
MREMAP_MAYMOVE  equ 1
MREMAP_FIXED    equ 2
MREMAP_DONTUNMAP equ 4                  ; since Linux 5.7; refused before

section .text

; mmap_call PROTECTION, FLAGS: rdi is the address, rsi the bytes.
%macro mmap_call 2
        lock inc qword [smm_heap + heap.mmap_calls]
        mov     edx, %1
        mov     r10d, %2
        mov     r8, -1
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        ret
%endmacro

; long smm_map(size_t bytes): new memory, readable and writable.
proc smm_map
        mov     rsi, rdi
        xor     edi, edi
        mmap_call PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
endproc

; long smm_map_tables(size_t bytes): the same, without a reservation in swap: mostly never touched.
proc smm_map_tables
        mov     rsi, rdi
        xor     edi, edi
        mmap_call PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
endproc

; long smm_reserve(size_t bytes): address space that nothing may touch yet. Not MAP_NORESERVE: what
; is committed later is to be accounted, so that a request beyond all memory is refused.
proc smm_reserve
        mov     rsi, rdi
        xor     edi, edi
        mmap_call PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS
endproc

; long smm_remap_empty(void* at, size_t bytes): fresh zero pages in place of those at `at`.
proc smm_remap_empty
        mmap_call PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
endproc

; long smm_remap_hole(void* at, size_t bytes): the same where nothing is mapped; else an error.
proc smm_remap_hole
        mmap_call PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
endproc

; long smm_commit(void* at, size_t bytes): makes reserved address space usable.
proc smm_commit
        lock inc qword [smm_heap + heap.mprotect_calls]
        mov     edx, PROT_READ_WRITE
        mov     eax, SYS_mprotect
        syscall
        ret
endproc

; long smm_close(void* at, size_t bytes): makes pages inaccessible; they keep what they hold.
proc smm_close
        lock inc qword [smm_heap + heap.mprotect_calls]
        mov     edx, PROT_NONE
        mov     eax, SYS_mprotect
        syscall
        ret
endproc

; long smm_unmap(void* at, size_t bytes).
proc smm_unmap
        lock inc qword [smm_heap + heap.munmap_calls]
        mov     eax, SYS_munmap
        syscall
        ret
endproc

; long smm_purge(void* at, size_t bytes): gives the pages back; they read as zero from now on.
proc smm_purge
        lock inc qword [smm_heap + heap.madvise_calls]
        mov     edx, MADV_DONTNEED
        mov     eax, SYS_madvise
        syscall
        ret
endproc

; long smm_move_pages(void* from, size_t bytes, void* to): moves the pages themselves, over whatever
; is at `to`, and leaves zero pages at `from`. The tables of pages change, no byte is copied.
proc smm_move_pages
        lock inc qword [smm_heap + heap.mremap_calls]
        mov     r8, rdx
        mov     rdx, rsi
        mov     r10d, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP
        mov     eax, SYS_mremap
        syscall
        ret
endproc

; void smm_yield(void): lets another thread run.
proc smm_yield
        mov     eax, SYS_sched_yield
        syscall
        ret
endproc

; monotonic_ns: rax is the time in nanoseconds.
monotonic_ns:
        sub     rsp, 16                 ; struct timespec
        mov     edi, CLOCK_MONOTONIC
        mov     rsi, rsp
        mov     eax, SYS_clock_gettime
        syscall
        imul    rax, [rsp], 1000000000
        add     rax, [rsp + 8]
        add     rsp, 16
        ret

; uint64_t smm_sleep(void): 50 microseconds off the processor; the nanoseconds that it took.
proc smm_sleep
        push    rbx
        call    monotonic_ns
        mov     rbx, rax
        push    50000                   ; struct timespec { 0, 50000 } on the stack
        push    0
        mov     rdi, rsp
        xor     esi, esi
        mov     eax, SYS_nanosleep
        syscall
        add     rsp, 16
        call    monotonic_ns
        sub     rax, rbx
        pop     rbx
        ret
endproc

; long smm_system_call(long number, long a, long b, long c, long d): for what happens rarely.
proc smm_system_call
        mov     rax, rdi
        mov     rdi, rsi
        mov     rsi, rdx
        mov     rdx, rcx
        mov     r10, r8
        syscall
        ret
endproc
