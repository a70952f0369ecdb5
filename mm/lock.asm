; lock.asm -- the lock of the slow paths: one word, 0 free and 1 held.
;
; A waiter spins with pause, each time twice as long, then yields its processor, and at last sleeps;
; each is counted. Sections under a lock are short, so that all of this is rare.

%include "mm/abi.inc"
%include "mm/layout.inc"

extern smm_sleep
extern smm_yield

PAUSES_MAX      equ 64                  ; in one round of spinning
SPIN_ROUNDS     equ 32                  ; about 2,000 pauses before the first yield
YIELDS_MAX      equ 64                  ; before a sleep

section .text

; uint32_t smm_try_lock(uint32_t* lock): 1 if it is now held by the caller, else 0.
proc smm_try_lock
        xor     eax, eax
        cmp     dword [rdi], eax        ; a look first: a failed exchange would take the line
        jne     .held
        mov     ecx, 1
        lock cmpxchg dword [rdi], ecx
        sete    al
        movzx   eax, al
.held:  ret
endproc

; void smm_lock(uint32_t* lock, struct contention* counts): waits until the caller holds it.
; Preserves all registers but rax, rcx and r11.
proc smm_lock
        xor     eax, eax
        mov     ecx, 1
        lock cmpxchg dword [rdi], ecx
        jne     .contended
        ret

.contended:
        push    rbx
        push    rbp
        push    r12
        push    rdi
        push    rsi
        push    rdx
        push    r8
        push    r9
        push    r10
        mov     rbp, rdi
        mov     r12, rsi
        lock inc qword [r12 + contention.spins]
        xor     ebx, ebx                ; yields so far
.wait:  mov     edx, SPIN_ROUNDS
        mov     r8d, 1
.round: mov     ecx, r8d
.pause: pause
        dec     ecx
        jnz     .pause
        cmp     dword [rbp], 0
        je      .try
.next:  add     r8d, r8d
        cmp     r8d, PAUSES_MAX
        jbe     .more
        mov     r8d, PAUSES_MAX
.more:  dec     edx
        jnz     .round
        inc     ebx
        cmp     ebx, YIELDS_MAX
        ja      .sleep
        lock inc qword [r12 + contention.yields]
        call    smm_yield
        jmp     .wait
.sleep: lock inc qword [r12 + contention.sleeps]
        call    smm_sleep
        lock add [r12 + contention.slept_ns], rax
        jmp     .wait

.try:   xor     eax, eax
        mov     ecx, 1
        lock cmpxchg dword [rbp], ecx
        jne     .next
        pop     r10
        pop     r9
        pop     r8
        pop     rdx
        pop     rsi
        pop     rdi
        pop     r12
        pop     rbp
        pop     rbx
        ret
endproc
