#include <cstdint>

#include "gtest/gtest.h"

extern "C" uint64_t strata_sum(const uint64_t* values, uint64_t count);

namespace {

TEST(NasmLibrary, IsCalledFromCpp) {
  const uint64_t values[] = {1, 20, 300};
  EXPECT_EQ(strata_sum(values, 3), 321u);
  EXPECT_EQ(strata_sum(values, 0), 0u);
}

}  // namespace
