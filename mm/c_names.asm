; c_names.asm -- the allocator as the process's own: the names of C, POSIX, glibc and C++.
;
; Linking this object, or preloading the library that holds it, replaces a process's malloc.
; ISO C23 7.24.3, POSIX.1-2017 posix_memalign, malloc(3) of glibc; [new.delete] of C++20 with the
; names of the Itanium C++ ABI.

%include "mm/abi.inc"
%include "mm/layout.inc"
%include "mm/entry.inc"

extern smm_fail
%ifndef STRATA_MM_SECURE                ; where entry.inc declares them
extern smm_free
extern smm_malloc
%endif
extern smm_memalign
extern smm_memalign_any
extern smm_new_failed
extern smm_new_nothrow_failed
extern smm_no_memory
extern smm_realloc
extern smm_usable_size

ENOMEM          equ 12
EINVAL          equ 22
EOVERFLOW       equ 75

; also NAME: one more name for the routine being defined.
%macro also 1
        global  %1:function (%[%$name].end - %1)
  %1:
%endmacro

; power_of_two REGISTER, OTHERWISE: goes to OTHERWISE if it is not one. Clobbers rax.
%macro power_of_two 2
        lea     rax, [%1 - 1]
        test    %1, %1
        jz      %2
        test    %1, rax
        jnz     %2
%endmacro

section .text

entry malloc
also __libc_malloc
        malloc_body c_malloc
endproc

entry free
also cfree
also __libc_free
also __libc_cfree
also free_sized                         ; the size is a hint that is not needed
also free_aligned_sized
also _ZdlPv                             ; operator delete(void*)
also _ZdaPv                             ; operator delete[](void*)
also _ZdlPvm                            ; (void*, size_t)
also _ZdaPvm
also _ZdlPvRKSt9nothrow_t               ; (void*, const nothrow_t&)
also _ZdaPvRKSt9nothrow_t
also _ZdlPvSt11align_val_t              ; (void*, align_val_t)
also _ZdaPvSt11align_val_t
also _ZdlPvmSt11align_val_t             ; (void*, size_t, align_val_t)
also _ZdaPvmSt11align_val_t
also _ZdlPvSt11align_val_tRKSt9nothrow_t
also _ZdaPvSt11align_val_tRKSt9nothrow_t
        free_body c_free
endproc

entry calloc
also __libc_calloc
        calloc_body c_calloc
endproc

entry realloc
also __libc_realloc
        jmp     smm_realloc
endproc

; void* reallocarray(void* block, size_t count, size_t size)
entry reallocarray
        mov     rax, rsi
        mul     rdx
        jo      smm_no_memory
        mov     rsi, rax
        jmp     smm_realloc
endproc

; int reallocarr(void* address_of_block, size_t count, size_t size), of NetBSD: 0, or an error and
; the block as it was.
entry reallocarr
        mov     rax, rsi
        mul     rdx
        jo      .overflow
        push    rbx
        push    rdi
        push    rax
        mov     rsi, rax
        call    keep_errno
        mov     rdi, [rdi]
        call    smm_realloc
        test    rax, rax
        jnz     .moved
        cmp     qword [rsp], 0
        je      .moved                  ; nothing asked for, nothing there
        call    restore_errno
        mov     eax, ENOMEM
        jmp     .out
.moved: mov     rdi, [rsp + 8]
        mov     [rdi], rax
        xor     eax, eax
.out:   add     rsp, 16
        pop     rbx
        ret
.overflow:
        mov     eax, EOVERFLOW
        ret
endproc

; void* reallocf(void* block, size_t size), of FreeBSD: frees the block on failure.
entry reallocf
        push    rdi
        push    rsi
        sub     rsp, 8
        call    smm_realloc
        add     rsp, 8
        pop     rsi
        pop     rdi
        test    rax, rax
        jnz     .done
        test    rsi, rsi
        jz      .done
        call    smm_free
        xor     eax, eax
.done:  ret
endproc

entry memalign
also __libc_memalign
        jmp     smm_memalign_any
endproc

; void* aligned_alloc(size_t alignment, size_t size): EINVAL unless a power of two.
entry aligned_alloc
        power_of_two rdi, .invalid
        jmp     smm_memalign
.invalid:
        mov     edi, EINVAL
        jmp     smm_fail
endproc

; int posix_memalign(void** block, size_t alignment, size_t size): an error is returned, errno and
; *block are left alone.
entry posix_memalign
also __posix_memalign
        test    sil, 7                  ; a multiple of sizeof(void*)
        jnz     .invalid
        power_of_two rsi, .invalid
        push    rbx
        push    rdi
        sub     rsp, 8
        mov     rdi, rsi
        mov     rsi, rdx
        call    keep_errno
        call    smm_memalign
        mov     rdi, [rsp + 8]
        test    rax, rax
        jz      .none
        mov     [rdi], rax
        xor     eax, eax
.out:   add     rsp, 8
        pop     rdi
        pop     rbx
        ret
.none:  call    restore_errno
        mov     eax, ENOMEM
        jmp     .out
.invalid:
        mov     eax, EINVAL
        ret
endproc

extern __errno_location:weak

; keep_errno: errno into ebx. Keeps rdi and rsi.
keep_errno:
        push    rdi
        push    rsi
        call    errno_address
        test    rax, rax
        jz      .none
        mov     ebx, [rax]
.none:  pop     rsi
        pop     rdi
        ret

; restore_errno: errno from ebx.
restore_errno:
        call    errno_address
        test    rax, rax
        jz      .none
        mov     [rax], ebx
.none:  ret

; errno_address: rax is where errno is, or 0 where there is no libc.
errno_address:
        mov     rax, [__errno_location wrt ..got]
        test    rax, rax
        jz      .none
        push    rbp
        mov     rbp, rsp
        and     rsp, -16
        call    rax
        mov     rsp, rbp
        pop     rbp
.none:  ret

; void* valloc(size_t size): at a multiple of a page.
entry valloc
also __libc_valloc
        mov     rsi, rdi
        mov     edi, PAGE_SIZE
        jmp     smm_memalign
endproc

; void* pvalloc(size_t size): and a multiple of a page long.
entry pvalloc
also __libc_pvalloc
        mov     rsi, rdi
        mov     edi, PAGE_SIZE
        add     rsi, PAGE_SIZE - 1
        jc      smm_no_memory
        and     rsi, -PAGE_SIZE
        jnz     smm_memalign
        mov     esi, PAGE_SIZE
        jmp     smm_memalign
endproc

entry malloc_usable_size
        jmp     smm_usable_size
endproc

; operator new(size_t) and operator new[](size_t)
entry _Znwm
also _Znam
%ifndef STRATA_MM_SECURE
        cmp     rdi, [smm_heap + heap.small_limit]
        jae     .slow
        class_of
        pop_block new_malloc, .slow
        ret
        rseq_abort new_malloc
%endif
.slow:  push    rdi
        call    smm_malloc
        pop     rdi
        test    rax, rax
        jz      .failed
        ret
.failed:
        mov     esi, 16
        jmp     smm_new_failed          ; (size, alignment): the new handler, bad_alloc
endproc

; (size_t, const nothrow_t&)
entry _ZnwmRKSt9nothrow_t
also _ZnamRKSt9nothrow_t
        push    rdi
        call    smm_malloc
        pop     rdi
        test    rax, rax
        jz      .failed
        ret
.failed:
        mov     esi, 16
        jmp     smm_new_nothrow_failed
endproc

; aligned_new OTHERWISE: (rdi: size, rsi: alignment), an alignment that is no power of two fails.
%macro aligned_new 1
        power_of_two rsi, .invalid
        push    rdi
        push    rsi
        sub     rsp, 8
        xchg    rdi, rsi
        call    smm_memalign
        add     rsp, 8
        pop     rsi
        pop     rdi
        test    rax, rax
        jz      %1
        ret
.invalid:
        xor     esi, esi
        jmp     %1
%endmacro

; (size_t, align_val_t)
entry _ZnwmSt11align_val_t
also _ZnamSt11align_val_t
        aligned_new smm_new_failed
endproc

; (size_t, align_val_t, const nothrow_t&)
entry _ZnwmSt11align_val_tRKSt9nothrow_t
also _ZnamSt11align_val_tRKSt9nothrow_t
        aligned_new smm_new_nothrow_failed
endproc
