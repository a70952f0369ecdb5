; mm.asm -- the allocator under its own names, as mm.h declares them.

%include "mm/abi.inc"
%include "mm/layout.inc"
%include "mm/entry.inc"

extern smm_memalign_any
extern smm_realloc
extern smm_usable_size

section .text

entry strata_mm_malloc
        malloc_body mm_malloc
endproc

entry strata_mm_calloc
        calloc_body mm_calloc
endproc

entry strata_mm_free
        free_body mm_free
endproc

entry strata_mm_realloc
        jmp     smm_realloc
endproc

entry strata_mm_memalign
        jmp     smm_memalign_any
endproc

entry strata_mm_usable_size
        jmp     smm_usable_size
endproc
