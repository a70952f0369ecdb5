; abi_check.asm -- calls a function and notes which of its convention's promises it broke.
;
;   uint64_t strata_abi_call(void* function, const uint64_t args[6],
;                            struct strata_abi_report* report);
;
; Every register that a function must preserve gets a value of its own before the call and is
; compared after it; every register that it may clobber gets garbage, so that it cannot lean on a
; zero that happens to be there.
;
; After the call no register can be trusted, the stack pointer least of all. So what has to be found
; again lies in `state`, which makes this routine fit for one thread at a time.
;
; Frame, from rsp at the call upwards (112 bytes, and on Win64 room for xmm6-15 above them):
;   0..31     Win64: the callee's shadow space.    System V: the caller's, must stay
;   32..47    Win64: arguments 5 and 6.            System V: the caller's, must stay
;   48..111   the caller's, must stay

default rel
bits 64

%ifidn __OUTPUT_FORMAT__, win64
  %define arg0 rcx
  %define arg1 rdx
  %define arg2 r8
  %define first_guard 48
  %define frame_size 112 + 160
  section .rdata rdata align=16
%else
  %define arg0 rdi
  %define arg1 rsi
  %define arg2 rdx
  %define first_guard 0
  %define frame_size 112
  section .note.GNU-stack noalloc noexec nowrite progbits
  section .rodata align=16
%endif
%define guard_end 112

; What the preserved registers hold during the call. All differ, in every byte.
filled:
  .rbx: dq 0x0101030507090b0d
  .rbp: dq 0x1214161828222426
  .r12: dq 0x2327292b3d3f3133
  .r13: dq 0x3436383a4c4e4042
  .r14: dq 0x45474941535d5f51
  .r15: dq 0x56585a5c6e606264
  .rdi: dq 0x6769657b7d7f7173
  .rsi: dq 0x787a7c7e808284d6
guard:   dq 0x5a5aa5a5c3c33c3c
garbage: dq 0xdeadc0dedeadc0de, 0xfeedfacefeedface
align 16
xmm_filled:
%assign i 6
%rep 10
  dq 0x1111111111111111 * i, 0xa5a5a5a500000000 + i
  %assign i i + 1
%endrep

section .bss align=16
state:
  .rsp:    resq 1  ; What it has to be after the call.
  .report: resq 1
  .mxcsr:  resd 1
  .x87:    resw 1
           resw 1
after:
  .rax:    resq 1
  .rbx:    resq 1
  .rbp:    resq 1
  .r12:    resq 1
  .r13:    resq 1
  .r14:    resq 1
  .r15:    resq 1
  .rdi:    resq 1
  .rsi:    resq 1
  .rsp:    resq 1
  .flags:  resq 1
  .mxcsr:  resd 1
  .x87:    resw 1
           resw 1
  .xmm:    resb 160

section .text align=16

; broken NUMBER: sets the bit of one promise in r11, if the comparison before found a difference.
%macro broken 1
  je %%kept
  bts r11, %1
%%kept:
%endmacro

; compare REGISTER, NUMBER: of a preserved general register.
%macro compare 2
  mov rax, [after.%1]
  cmp rax, [filled.%1]
  broken %2
%endmacro

%ifidn __OUTPUT_FORMAT__, elf64
global strata_abi_call:function hidden (strata_abi_call.end - strata_abi_call)
%else
global strata_abi_call
%endif
strata_abi_call:
  push rbx
  push rbp
  push r12
  push r13
  push r14
  push r15
  push rdi
  push rsi
  sub rsp, frame_size + 8   ; Eight pushes and the return address are 72: 8 more align the call.
%ifidn __OUTPUT_FORMAT__, win64
  %assign i 6
  %rep 10
  movdqu [rsp + 112 + 16 * (i - 6)], xmm %+ i
    %assign i i + 1
  %endrep
%endif

  mov [state.rsp], rsp
  mov [state.report], arg2
  stmxcsr [state.mxcsr]
  fnstcw [state.x87]
  mov r11, arg0             ; The function.
  mov r10, arg1             ; Its arguments.
  mov rax, [guard]
%assign offset 0
%rep guard_end / 8
  mov [rsp + offset], rax
  %assign offset offset + 8
%endrep

  mov rbx, [filled.rbx]
  mov rbp, [filled.rbp]
  mov r12, [filled.r12]
  mov r13, [filled.r13]
  mov r14, [filled.r14]
  mov r15, [filled.r15]
%ifidn __OUTPUT_FORMAT__, win64
  mov rdi, [filled.rdi]
  mov rsi, [filled.rsi]
  %assign i 6
  %rep 10
  movdqa xmm %+ i, [xmm_filled + 16 * (i - 6)]
    %assign i i + 1
  %endrep
  %assign i 0
  %rep 6
  movdqu xmm %+ i, [garbage]
    %assign i i + 1
  %endrep
  mov rax, [r10 + 32]
  mov [rsp + 32], rax
  mov rax, [r10 + 40]
  mov [rsp + 40], rax
  mov rcx, [r10]
  mov rdx, [r10 + 8]
  mov r8, [r10 + 16]
  mov r9, [r10 + 24]
%else
  %assign i 0
  %rep 16
  movdqu xmm %+ i, [garbage]
    %assign i i + 1
  %endrep
  mov rdi, [r10]
  mov rsi, [r10 + 8]
  mov rdx, [r10 + 16]
  mov rcx, [r10 + 24]
  mov r8, [r10 + 32]
  mov r9, [r10 + 40]
%endif
  mov rax, [garbage]
  mov r10, [garbage + 8]
  call r11

  mov [after.rax], rax
  mov [after.rbx], rbx
  mov [after.rbp], rbp
  mov [after.r12], r12
  mov [after.r13], r13
  mov [after.r14], r14
  mov [after.r15], r15
  mov [after.rdi], rdi
  mov [after.rsi], rsi
  mov [after.rsp], rsp
  mov rsp, [state.rsp]
  stmxcsr [after.mxcsr]
  fnstcw [after.x87]
  pushfq
  pop qword [after.flags]
  cld
  ldmxcsr [state.mxcsr]
  fldcw [state.x87]
%ifidn __OUTPUT_FORMAT__, win64
  %assign i 6
  %rep 10
  movdqu [after.xmm + 16 * (i - 6)], xmm %+ i
    %assign i i + 1
  %endrep
%endif

; The numbers are those of enum strata_abi_promise in abi_check.h.
  xor r11d, r11d
  compare rbx, 0
  compare rbp, 1
  compare r12, 2
  compare r13, 3
  compare r14, 4
  compare r15, 5
  mov rax, [after.rsp]
  cmp rax, [state.rsp]
  broken 6
  mov rax, [after.flags]
  and eax, 1 << 10          ; DF: string instructions of the caller count on it.
  broken 7
  mov eax, [after.mxcsr]
  xor eax, [state.mxcsr]
  and eax, 0xffc0           ; Rounding and masks; the low bits are status, which may change.
  broken 8
  mov ax, [after.x87]
  cmp ax, [state.x87]
  broken 9
%assign offset first_guard
%rep (guard_end - first_guard) / 8
  mov rax, [rsp + offset]
  cmp rax, [guard]
  broken 10
  %assign offset offset + 8
%endrep
%ifidn __OUTPUT_FORMAT__, win64
  compare rdi, 11
  compare rsi, 12
  lea r9, [after.xmm]
  lea r10, [xmm_filled]
  %assign i 0
  %rep 20
  mov rax, [r9 + 8 * i]
  cmp rax, [r10 + 8 * i]
  broken 13 + i / 2
    %assign i i + 1
  %endrep
%endif

  mov r10, [state.report]
  mov [r10], r11
  mov rax, [after.rsp]
  sub rax, [state.rsp]
  mov [r10 + 8], rax
  mov rax, [after.rax]

%ifidn __OUTPUT_FORMAT__, win64
  %assign i 6
  %rep 10
  movdqu xmm %+ i, [rsp + 112 + 16 * (i - 6)]
    %assign i i + 1
  %endrep
%endif
  add rsp, frame_size + 8
  pop rsi
  pop rdi
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  ret
.end:
