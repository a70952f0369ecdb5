// File: abi_check.h
//
// A test that an assembly routine keeps the promises of its platform's calling convention: System V
// on Linux, Microsoft's on Windows. A routine that clobbers rbx works in every test until a
// compiler keeps something there.
//
//   const AbiCall call = CallChecked(&smm_copy, destination, source, length);
//   EXPECT_EQ(call.broken, "");
//   EXPECT_EQ(call.result, expected);
//
// The call fills every register that a callee preserves and compares it afterwards, fills every
// other one with garbage, and looks at the stack pointer, the direction flag, the control words of
// SSE and x87, and the caller's part of the stack. Up to six arguments, integers or pointers.
//
// One thread at a time: what is needed after the call lies in static memory, for a broken routine
// may have lost every register.

#ifndef STRATA_MM_TESTING_ABI_CHECK_H_
#define STRATA_MM_TESTING_ABI_CHECK_H_

#include <cstdint>
#include <string>
#include <type_traits>

extern "C" {

// Numbers of the bits in strata_abi_report::broken. xmm6 to xmm15 have 13 to 22.
enum strata_abi_promise {
  STRATA_ABI_RBX = 0,
  STRATA_ABI_RBP = 1,
  STRATA_ABI_R12 = 2,
  STRATA_ABI_R13 = 3,
  STRATA_ABI_R14 = 4,
  STRATA_ABI_R15 = 5,
  STRATA_ABI_RSP = 6,
  STRATA_ABI_DIRECTION_FLAG = 7,
  STRATA_ABI_MXCSR = 8,
  STRATA_ABI_X87_CONTROL = 9,
  STRATA_ABI_CALLERS_STACK = 10,
  STRATA_ABI_RDI = 11,  // This and what follows are promises of Win64 alone.
  STRATA_ABI_RSI = 12,
  STRATA_ABI_XMM6 = 13,
  STRATA_ABI_PROMISES = 23,
};

struct strata_abi_report {
  uint64_t broken;    // Bit n set: promise n was not kept.
  int64_t rsp_moved;  // Bytes by which the stack pointer is off; 8 after a `ret 8`.
};

// Calls `function` with the six `args` and fills `*report`. Returns what it left in rax.
uint64_t strata_abi_call(void* function, const uint64_t args[6], struct strata_abi_report* report);

}  // extern "C"

namespace strata::mm::testing {

struct AbiCall {
  uint64_t result = 0;
  std::string broken;  // Names of what was not kept, such as "rbx xmm7"; empty if all was.
};

AbiCall CallCheckedWithWords(void* function, const uint64_t args[6]);

template <typename T>
uint64_t ToWord(T argument) {
  if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<uintptr_t>(argument);
  } else {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>, "integers and pointers only");
    return static_cast<uint64_t>(argument);
  }
}

// Calls `function` with `arguments`, each converted to the function's own parameter type.
template <typename Result, typename... Parameters, typename... Arguments>
AbiCall CallChecked(Result (*function)(Parameters...), Arguments... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "wrong number of arguments");
  static_assert(sizeof...(Parameters) <= 6, "six arguments at most");
  const uint64_t words[6 + 1] = {ToWord<Parameters>(arguments)...};
  return CallCheckedWithWords(reinterpret_cast<void*>(function), words);
}

}  // namespace strata::mm::testing

#endif  // STRATA_MM_TESTING_ABI_CHECK_H_
