%include "tools/bazel/nasm_test/convention.inc"

default rel
section .text

; uint64_t strata_sum(const uint64_t* values, uint64_t count)
global strata_sum
strata_sum:
        xor     eax, eax
        test    arg1, arg1
        jz      .done
.next:
        add     rax, [arg0 + 8 * arg1 - 8]
        dec     arg1
        jnz     .next
.done:
        ret
