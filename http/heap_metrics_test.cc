// The heap's figures, of a program that has it and of one that has not: the build says which.

#include "strata/http/heap_metrics.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

// What the page says of a gauge; -1 if nothing.
double Gauge(std::string_view name) {
  MetricsRegistry registry;
  const auto heap = registry.Register([](MetricsPage& page) { ExportHeap(page); });
  const std::string page = "\n" + registry.Render();
  const std::size_t at = page.find("\n" + std::string(name) + " ");
  return at == std::string::npos ? -1 : std::atof(page.c_str() + at + name.size() + 2);
}

TEST(HeapMetricsTest, ShowsWhatIsAllocatedIfTheHeapIsOurs) {
  MetricsPage page;
#ifdef STRATA_HEAP
  ASSERT_TRUE(ExportHeap(page));
  const double before = Gauge("strata_heap_large_live_bytes");
  constexpr std::size_t kBytes = 50'000'000;
  const auto block = std::make_unique<char[]>(kBytes);
  EXPECT_GE(Gauge("strata_heap_large_live_bytes"), before + kBytes);
  EXPECT_GE(Gauge("strata_heap_live_bytes"), before + kBytes);
  EXPECT_GE(Gauge("strata_heap_held_bytes_peak"), before + kBytes);
#else
  EXPECT_FALSE(ExportHeap(page));
  EXPECT_EQ(Gauge("strata_heap_live_bytes"), -1);
#endif
}

}  // namespace
}  // namespace strata::http
