; abi_check_routines.asm -- routines that keep the calling convention, and routines that each break
; one promise of it, for the test of the check.

default rel
bits 64

%ifidn __OUTPUT_FORMAT__, win64
  %define arg0 rcx
  %define arg1 rdx
  %define arg2 r8
  %define arg3 r9
  %define arg4 qword [rsp + 40]
  %define arg5 qword [rsp + 48]
%else
  %define arg0 rdi
  %define arg1 rsi
  %define arg2 rdx
  %define arg3 rcx
  %define arg4 r8
  %define arg5 r9
  section .note.GNU-stack noalloc noexec nowrite progbits
%endif

section .text align=16

; uint64_t abi_good(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
; Returns a + 2 b + 3 c + 4 d + 5 e + 6 f, and clobbers all that it may.
global abi_good
abi_good:
  mov rax, arg5
  imul rax, 6
  mov r10, arg4
  lea r10, [r10 + r10 * 4]
  add rax, r10
  lea rax, [rax + arg3 * 4]
  lea r10, [arg2 + arg2 * 2]
  add rax, r10
  lea rax, [rax + arg1 * 2]
  add rax, arg0
  pcmpeqd xmm0, xmm0
  pcmpeqd xmm5, xmm5
  xor ecx, ecx
  xor edx, edx
  xor r8d, r8d
  xor r9d, r9d
  xor r10d, r10d
  xor r11d, r11d
%ifnidn __OUTPUT_FORMAT__, win64
  xor edi, edi
  xor esi, esi
  pcmpeqd xmm6, xmm6
  pcmpeqd xmm15, xmm15
%endif
  ret

; uint64_t abi_bad_REGISTER(): one for each preserved general register. The change is in the lowest
; bit, the hardest to see.
%macro bad_register 1
global abi_bad_%1
abi_bad_%1:
  xor %1, 1
  ret
%endmacro
bad_register rbx
bad_register rbp
bad_register r12
bad_register r13
bad_register r14
bad_register r15
bad_register rdi
bad_register rsi

; Break the upper half of a vector register, which a test of the lower half would miss.
%macro bad_xmm 1
global abi_bad_%1
abi_bad_%1:
  movlhps %1, %1
  ret
%endmacro
bad_xmm xmm6
bad_xmm xmm15

global abi_bad_direction
abi_bad_direction:
  std
  ret

global abi_bad_stack_pointer
abi_bad_stack_pointer:
  ret 8

; Unmasks division by zero.
global abi_bad_mxcsr
abi_bad_mxcsr:
  stmxcsr [rsp - 8]
  xor dword [rsp - 8], 1 << 9
  ldmxcsr [rsp - 8]
  ret

global abi_bad_x87
abi_bad_x87:
  fnstcw [rsp - 8]
  xor word [rsp - 8], 1 << 10
  fldcw [rsp - 8]
  ret

; Writes above what is the callee's: its return address, and on Win64 32 bytes and two arguments.
global abi_bad_callers_stack
abi_bad_callers_stack:
%ifidn __OUTPUT_FORMAT__, win64
  mov byte [rsp + 8 + 48], 1
%else
  mov byte [rsp + 8], 1
%endif
  ret
