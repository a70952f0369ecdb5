// The routines that serve both calling conventions, each against its C++ model on random input,
// with a check of what the convention promises.

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "strata/mm/heap_internal.h"
#include "strata/mm/testing/abi_check.h"

namespace strata::mm {
namespace {

using ::strata::mm::testing::CallChecked;

// The model of the size classes: 16-byte steps to 128, then four for each doubling.
std::vector<uint32_t> ModelSizes() {
  std::vector<uint32_t> sizes;
  for (uint32_t size = 16; size <= 128; size += 16) sizes.push_back(size);
  for (uint32_t base = 128; base < kSmallMax; base *= 2) {
    for (uint32_t i = 1; i <= 4; ++i) sizes.push_back(base + base / 4 * i);
  }
  return sizes;
}

TEST(SizeClass, EverySizeHasTheSmallestClassThatHoldsIt) {
  std::vector<uint32_t> sizes = ModelSizes();
  ASSERT_EQ(sizes.size(), static_cast<size_t>(kClasses));
  for (size_t size = 0; size <= kSmallMax; ++size) {
    auto model = std::lower_bound(sizes.begin(), sizes.end(), size) - sizes.begin() + 1;
    ASSERT_EQ(smm_size_class(size), static_cast<uint32_t>(model)) << size;
  }
  EXPECT_EQ(CallChecked(&smm_size_class, size_t{100}).broken, "");
}

TEST(SizeClass, TablesFollowFromTheSizes) {
  std::vector<uint32_t> sizes = ModelSizes();
  for (uint32_t code = 1; code <= kClasses; ++code) {
    uint32_t size = sizes[code - 1];
    EXPECT_EQ(smm_class_size[code], size);
    EXPECT_EQ(smm_class_bound[code], std::clamp(16384 / size, 1u, 64u)) << size;
    EXPECT_EQ(smm_class_refill[code], std::clamp(4096 / size, 1u, 32u)) << size;
    EXPECT_LE(smm_class_refill[code], smm_class_bound[code]) << "a refill overfills its list";
    EXPECT_LE(smm_class_shelf[code], kShelfLists) << size;
  }
  for (uint32_t code : {0, kCodeLarge}) {
    EXPECT_EQ(smm_class_size[code], 0u);
    EXPECT_EQ(smm_class_bound[code], 0u);
  }
}

class Blocks : public ::testing::TestWithParam<size_t> {
 protected:
  static constexpr size_t kMargin = 64;

  // A buffer aligned to 64 with a margin on both sides, of random bytes.
  struct Buffer {
    Buffer(size_t bytes, uint32_t seed) : storage(bytes + 3 * kMargin) {
      std::mt19937 random(seed);
      for (unsigned char& byte : storage) byte = static_cast<unsigned char>(random());
      auto address = reinterpret_cast<uintptr_t>(storage.data()) + kMargin;
      begin = reinterpret_cast<unsigned char*>((address + 63) & ~uintptr_t{63});
    }
    std::vector<unsigned char> storage;
    unsigned char* begin;
  };

  static size_t Rounded(size_t bytes) { return (bytes + 15) & ~size_t{15}; }
};

TEST_P(Blocks, CopyIsMemcpyOfWholeSteps) {
  size_t bytes = GetParam();
  Buffer from(Rounded(bytes), 1);
  Buffer to(Rounded(bytes), 2);
  std::vector<unsigned char> model = to.storage;
  unsigned char* model_begin = model.data() + (to.begin - to.storage.data());
  std::memcpy(model_begin, from.begin, Rounded(bytes));
  auto call = CallChecked(&smm_copy, static_cast<void*>(to.begin),
                          static_cast<const void*>(from.begin), bytes);
  EXPECT_EQ(call.broken, "");
  EXPECT_TRUE(to.storage == model) << bytes;
}

TEST_P(Blocks, ZeroIsMemsetOfWholeSteps) {
  size_t bytes = GetParam();
  Buffer to(Rounded(bytes), 3);
  std::vector<unsigned char> model = to.storage;
  std::memset(model.data() + (to.begin - to.storage.data()), 0, Rounded(bytes));
  auto call = CallChecked(&smm_zero, static_cast<void*>(to.begin), bytes);
  EXPECT_EQ(call.broken, "");
  EXPECT_TRUE(to.storage == model) << bytes;
}

std::vector<size_t> Lengths() {
  std::vector<size_t> lengths;
  for (size_t bytes = 0; bytes <= 200; ++bytes) lengths.push_back(bytes);
  std::mt19937 random(std::random_device{}());  // Each length names itself in a failure.
  for (int i = 0; i < 100; ++i) lengths.push_back(200 + random() % 20000);
  // Around the steps to the processor's own loop and to streaming stores.
  for (size_t step : {size_t{2048}, size_t{4} << 20}) {
    for (size_t off : {0, 1, 15, 16, 17, 32, 48, 64, 80}) {
      lengths.push_back(step - off);
      lengths.push_back(step + off);
    }
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  return lengths;
}

INSTANTIATE_TEST_SUITE_P(Lengths, Blocks, ::testing::ValuesIn(Lengths()),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace strata::mm
