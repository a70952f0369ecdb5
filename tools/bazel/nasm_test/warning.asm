section .text
        mov     al, 300                 ; Does not fit: NASM warns.
