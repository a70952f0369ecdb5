; memory.asm -- copying and zeroing of blocks.
;
; Blocks begin at multiples of 16 and own a multiple of 16 bytes, so both routines work in whole
; 16-byte steps, with no head or tail to treat. Leaf routines of both calling conventions; they
; clobber rax, r10, r11, their arguments and xmm0-3.

%include "mm/abi.inc"

; From here on a copy goes past the caches: it would empty them of everything else.
STREAM_MIN      equ 4 << 20
; From here on the processor's own loop, which writes whole lines, wins over 16-byte stores.
REP_MIN         equ 2048

section .text

; void smm_copy(void* to, const void* from, size_t bytes): copies bytes, rounded up to 16. Both are
; multiples of 16 and do not overlap.
proc smm_copy
        add     arg2, 15
        and     arg2, -16
        jz      .done
        add     arg0, arg2
        add     arg1, arg2
        mov     rax, arg2
        neg     rax                     ; counts up to 0
        cmp     arg2, STREAM_MIN
        jae     .stream
        test    arg2, 16
        jz      .pairs
        movdqa  xmm0, [arg1 + rax]
        movdqa  [arg0 + rax], xmm0
        add     rax, 16
        jz      .done
.pairs: movdqa  xmm0, [arg1 + rax]
        movdqa  xmm1, [arg1 + rax + 16]
        movdqa  [arg0 + rax], xmm0
        movdqa  [arg0 + rax + 16], xmm1
        add     rax, 32
        jnz     .pairs
.done:  ret

.stream:
        test    eax, 48                 ; to a multiple of 64 left
        jz      .lines
        movdqa  xmm0, [arg1 + rax]
        movntdq [arg0 + rax], xmm0
        add     rax, 16
        jmp     .stream
.lines: prefetchnta [arg1 + rax + 512]
        movdqa  xmm0, [arg1 + rax]
        movdqa  xmm1, [arg1 + rax + 16]
        movdqa  xmm2, [arg1 + rax + 32]
        movdqa  xmm3, [arg1 + rax + 48]
        movntdq [arg0 + rax], xmm0
        movntdq [arg0 + rax + 16], xmm1
        movntdq [arg0 + rax + 32], xmm2
        movntdq [arg0 + rax + 48], xmm3
        add     rax, 64
        jnz     .lines
        sfence                          ; streaming stores are not ordered by themselves
        ret
endproc

; void smm_zero(void* to, size_t bytes): zeroes bytes, rounded up to 16, at a multiple of 16.
proc smm_zero
        add     arg1, 15
        and     arg1, -16
        jz      .done
        cmp     arg1, REP_MIN
        jae     .rep
        pxor    xmm0, xmm0
        add     arg0, arg1
        neg     arg1                    ; counts up to 0
        test    arg1, 16
        jz      .pairs
        movdqa  [arg0 + arg1], xmm0
        add     arg1, 16
        jz      .done
.pairs: movdqa  [arg0 + arg1], xmm0
        movdqa  [arg0 + arg1 + 16], xmm0
        add     arg1, 32
        jnz     .pairs
.done:  ret

.rep:   mov     r10, rdi                ; Win64 preserves rdi
        mov     r11, arg1
        mov     rdi, arg0
        mov     rcx, r11
        shr     rcx, 3
        xor     eax, eax
        rep stosq
        mov     rdi, r10
        ret
endproc
