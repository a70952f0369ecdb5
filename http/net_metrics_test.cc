// Loops and pools are on the page, under their names.

#include "strata/http/net_metrics.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(NetMetricsTest, ARuntimeTellsOfItsLoopsAndItsPool) {
  auto runtime = *net::Runtime::Create({.loops = 2, .loop = {.name = "web"}});
  net::Loop& loop = runtime->loop(1);
  ASSERT_EQ(loop.Post([] {}), net::Error::kOk);
  loop.RunOnce(std::chrono::milliseconds(0));
  loop.counting().opened.Add(7);
  loop.counting().closed.Add(3);

  MetricsRegistry registry;
  const auto registration =
      registry.Register([&](MetricsPage& page) { ExportRuntime(page, *runtime); });
  const std::string page = registry.Render();
  const std::string second = "{loop=\"" + loop.name() + "\"} ";
  for (const std::string& line : {
           "# TYPE strata_loop_tasks_total counter\n" + std::string(),
           "strata_loop_tasks_total" + second + "1\n",
           "strata_loop_opened_total" + second + "7\n",
           "strata_loop_closed_total" + second + "3\n",
           "strata_loop_streams" + second + "4\n",
           "strata_loop_turns_total{loop=\"" + runtime->loop(0).name() + "\"} 0\n",
           std::string("strata_pool_done_total{pool=\"workers\"} 0\n"),
           std::string("# TYPE strata_pool_queued gauge\nstrata_pool_queued{pool=\"workers\"} 0\n"),
       }) {
    EXPECT_NE(page.find(line), std::string::npos) << line << page;
  }
  EXPECT_EQ(page.find("left out"), std::string::npos) << page;
}

}  // namespace
}  // namespace strata::http
