#include "strata/mm/testing/abi_check.h"

namespace strata::mm::testing {
namespace {

constexpr const char* kNames[STRATA_ABI_PROMISES] = {
    "rbx",   "rbp",         "r12",           "r13",   "r14",   "r15",   "rsp",  "direction-flag",
    "mxcsr", "x87-control", "callers-stack", "rdi",   "rsi",   "xmm6",  "xmm7", "xmm8",
    "xmm9",  "xmm10",       "xmm11",         "xmm12", "xmm13", "xmm14", "xmm15"};

}  // namespace

AbiCall CallCheckedWithWords(void* function, const uint64_t args[6]) {
  strata_abi_report report = {};
  AbiCall call;
  call.result = strata_abi_call(function, args, &report);
  for (int promise = 0; promise < STRATA_ABI_PROMISES; ++promise) {
    if ((report.broken >> promise & 1) == 0) continue;
    if (!call.broken.empty()) call.broken += ' ';
    call.broken += kNames[promise];
    if (promise == STRATA_ABI_RSP) {
      call.broken += " (by " + std::to_string(report.rsp_moved) + ")";
    }
  }
  return call;
}

}  // namespace strata::mm::testing
