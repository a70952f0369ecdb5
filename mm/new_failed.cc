// What operator new does when there is no memory: the new handler, again and again, until there is
// memory, no handler is left, or it throws. Assembly has no unwind tables, so this is reached by a
// jump: to the unwinder it was called by whoever called operator new.
//
// [new.delete.single] of C++20. The C++ library is reached by weak symbols: a program that has none
// never comes here.

#include "strata/mm/heap_internal.h"

namespace std {
using new_handler = void (*)();
new_handler get_new_handler() noexcept __attribute__((weak));
void __throw_bad_alloc() __attribute__((noreturn, weak));
}  // namespace std

// What the compiler itself calls for the catch below. It declares them by no name that an attribute
// could reach.
asm(".weak __cxa_begin_catch, __cxa_end_catch, __gxx_personality_v0, _Unwind_Resume");

namespace strata::mm {
namespace {

// A block, or null where there is no memory and no handler.
void* AllocateByHandler(size_t size, size_t alignment) {
  for (;;) {
    std::new_handler handler = std::get_new_handler != nullptr ? std::get_new_handler() : nullptr;
    if (handler == nullptr) return nullptr;
    handler();
    void* block = alignment > 16 ? smm_memalign(alignment, size) : smm_malloc(size);
    if (block != nullptr) return block;
  }
}

}  // namespace

extern "C" {

// `alignment` 0 stands for one that is no power of two, which no handler can help.
void* smm_new_failed(size_t size, size_t alignment) {
  void* block = alignment != 0 ? AllocateByHandler(size, alignment) : nullptr;
  if (block == nullptr) std::__throw_bad_alloc();
  return block;
}

void* smm_new_nothrow_failed(size_t size, size_t alignment) {
  try {
    return alignment != 0 ? AllocateByHandler(size, alignment) : nullptr;
  } catch (...) {
    return nullptr;
  }
}

}  // extern "C"
}  // namespace strata::mm
