; size_class.asm -- size classes: 16-byte steps to 128 bytes, then four for each doubling to 32 KiB.
;
; One byte of table for each 16 bytes of size: a lookup is an add, a shift and a load, and touches
; only the lines of the sizes in use.

%include "mm/abi.inc"
%include "mm/layout.inc"

; Calls the macro given with (code, bytes, bytes of the class below) for each class.
%macro for_each_class 1
  %assign %%code 1
  %assign %%last 0
  %rep CODE_TINY_LAST
    %assign %%size %%last + 16
    %1 %%code, %%size, %%last
    %assign %%last %%size
    %assign %%code %%code + 1
  %endrep
  %assign %%step 32
  %rep (CLASSES - CODE_TINY_LAST) / 4
    %rep 4
      %assign %%size %%last + %%step
      %1 %%code, %%size, %%last
      %assign %%last %%size
      %assign %%code %%code + 1
    %endrep
    %assign %%step %%step * 2
  %endrep
%endmacro

%macro code_bytes 3
  times (%2 - %3) / 16 db %1
%endmacro

%macro size_entry 3
  dd %2
%endmacro

; 64 blocks or 16 KiB, whichever is less, but a block.
%macro bound_entry 3
  %if 16384 / %2 > 64
    db 64
  %elif 16384 / %2 < 1
    db 1
  %else
    db 16384 / %2
  %endif
%endmacro

; 32 blocks or one page, whichever is less, but a block.
%macro refill_entry 3
  %if PAGE_SIZE / %2 > 32
    db 32
  %elif PAGE_SIZE / %2 < 1
    db 1
  %else
    db PAGE_SIZE / %2
  %endif
%endmacro

%macro shelf_entry 3
  %if %2 <= 256
    db SHELF_LISTS
  %elif %2 <= 1024
    db 8
  %else
    db 4
  %endif
%endmacro

read_only_section

; uint8_t smm_code_of[SMALL_MAX / 16 + 1]: the code for a size, by (size + 15) / 16.
align 64
data smm_code_of, SMALL_MAX / 16 + 1
        db      1                       ; size 0
        for_each_class code_bytes

; uint32_t smm_class_size[CODES]: bytes of a block, by code.
align 4
data smm_class_size, CODES * 4
        dd      0
        for_each_class size_entry
        dd      0

; uint8_t smm_class_bound[CODES]: most blocks in one list.
data smm_class_bound, CODES
        db      0
        for_each_class bound_entry
        db      0

; uint8_t smm_class_refill[CODES]: most blocks carved or taken from a span at once.
data smm_class_refill, CODES
        db      0
        for_each_class refill_entry
        db      0

; uint8_t smm_class_shelf[CODES]: most lists on a shelf.
data smm_class_shelf, CODES
        db      0
        for_each_class shelf_entry
        db      0

section .text

; uint32_t smm_size_class(size_t size): the code for a size of at most SMALL_MAX bytes.
proc smm_size_class
        lea     rax, [arg0 + 15]
        shr     rax, 4
        lea     arg1, [smm_code_of]
        movzx   eax, byte [arg1 + rax]
        ret
endproc
