; address.asm -- between addresses and page indices.
;
; The heap's pages are numbered: first those of the main window, in which both are an addition and a
; shift, then those of the regions outside it, which are searched.

%include "mm/abi.inc"
%include "mm/layout.inc"

extern smm_heap

section .text

; void* smm_address_of(uint32_t index): where a page is. Preserves all registers but rax and rcx.
proc smm_address_of
        cmp     rdi, [smm_heap + heap.window_pages]
        jae     .outside
        mov     rax, rdi
        shl     rax, PAGE_SHIFT
        add     rax, [smm_heap + heap.base]
        ret
.outside:
        lea     rcx, [smm_heap + heap.regions]
.next:  mov     rax, rdi                ; a page outside the window is in some region
        sub     rax, [rcx + region.first]
        cmp     rax, [rcx + region.pages]
        lea     rcx, [rcx + REGION_SIZE]
        jae     .next
        shl     rax, PAGE_SHIFT
        add     rax, [rcx - REGION_SIZE + region.base]
        ret
endproc

; uint64_t smm_index_of(const void* address): the page it is in, or -1 if that is not the heap's.
; Preserves all registers but rax, rcx and r11.
proc smm_index_of
        mov     rax, rdi
        sub     rax, [smm_heap + heap.base]
        shr     rax, PAGE_SHIFT
        cmp     rax, [smm_heap + heap.window_pages]
        jae     .outside
        ret
.outside:
        mov     r11, [smm_heap + heap.region_count]
        lea     rcx, [smm_heap + heap.regions]
.next:  sub     r11, 1
        jc      .none
        mov     rax, rdi
        sub     rax, [rcx + region.base]
        shr     rax, PAGE_SHIFT
        cmp     rax, [rcx + region.pages]
        lea     rcx, [rcx + REGION_SIZE]
        jae     .next
        add     rax, [rcx - REGION_SIZE + region.first]
        ret
.none:  mov     rax, -1
        ret
endproc
