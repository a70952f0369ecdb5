#include "strata/mm/testing/abi_check.h"

#include "gtest/gtest.h"

extern "C" {
uint64_t abi_good(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
uint64_t abi_bad_rbx();
uint64_t abi_bad_rbp();
uint64_t abi_bad_r12();
uint64_t abi_bad_r13();
uint64_t abi_bad_r14();
uint64_t abi_bad_r15();
uint64_t abi_bad_rdi();
uint64_t abi_bad_rsi();
uint64_t abi_bad_xmm6();
uint64_t abi_bad_xmm15();
uint64_t abi_bad_direction();
uint64_t abi_bad_stack_pointer();
uint64_t abi_bad_mxcsr();
uint64_t abi_bad_x87();
uint64_t abi_bad_callers_stack();
}

namespace strata::mm::testing {
namespace {

uint64_t Sum(const char* text, int number, uint8_t small) {
  return static_cast<uint64_t>(text[0]) + static_cast<uint64_t>(number) + small;
}

TEST(AbiCheck, PassesArgumentsAndResult) {
  const AbiCall call = CallChecked(&abi_good, 1, 10, 100, 1000, 10000, uint64_t{1} << 40);
  EXPECT_EQ(call.result, 1u + 20 + 300 + 4000 + 50000 + (uint64_t{6} << 40));
  EXPECT_EQ(call.broken, "");
}

TEST(AbiCheck, CompiledFunctionKeepsEverything) {
  const AbiCall call = CallChecked(&Sum, "A", 35, 200);
  EXPECT_EQ(call.result, 300u);
  EXPECT_EQ(call.broken, "");
}

TEST(AbiCheck, FindsEachClobberedRegister) {
  EXPECT_EQ(CallChecked(&abi_bad_rbx).broken, "rbx");
  EXPECT_EQ(CallChecked(&abi_bad_rbp).broken, "rbp");
  EXPECT_EQ(CallChecked(&abi_bad_r12).broken, "r12");
  EXPECT_EQ(CallChecked(&abi_bad_r13).broken, "r13");
  EXPECT_EQ(CallChecked(&abi_bad_r14).broken, "r14");
  EXPECT_EQ(CallChecked(&abi_bad_r15).broken, "r15");
}

#ifdef _WIN32
TEST(AbiCheck, FindsWhatWindowsPreservesBeside) {
  EXPECT_EQ(CallChecked(&abi_bad_rdi).broken, "rdi");
  EXPECT_EQ(CallChecked(&abi_bad_rsi).broken, "rsi");
  EXPECT_EQ(CallChecked(&abi_bad_xmm6).broken, "xmm6");
  EXPECT_EQ(CallChecked(&abi_bad_xmm15).broken, "xmm15");
}
#else
TEST(AbiCheck, AllowsWhatSystemVDoesNotPreserve) {
  EXPECT_EQ(CallChecked(&abi_bad_rdi).broken, "");
  EXPECT_EQ(CallChecked(&abi_bad_rsi).broken, "");
  EXPECT_EQ(CallChecked(&abi_bad_xmm6).broken, "");
  EXPECT_EQ(CallChecked(&abi_bad_xmm15).broken, "");
}
#endif

TEST(AbiCheck, FindsAndRepairsMachineState) {
  EXPECT_EQ(CallChecked(&abi_bad_direction).broken, "direction-flag");
  EXPECT_EQ(CallChecked(&abi_bad_mxcsr).broken, "mxcsr");
  EXPECT_EQ(CallChecked(&abi_bad_x87).broken, "x87-control");
  EXPECT_EQ(CallChecked(&abi_good, 0, 0, 0, 0, 0, 0).broken, "");
}

TEST(AbiCheck, FindsAWrongStackPointerAndSurvivesIt) {
  EXPECT_EQ(CallChecked(&abi_bad_stack_pointer).broken, "rsp (by 8)");
}

TEST(AbiCheck, FindsWritesIntoTheCallersStack) {
  EXPECT_EQ(CallChecked(&abi_bad_callers_stack).broken, "callers-stack");
}

}  // namespace
}  // namespace strata::mm::testing
