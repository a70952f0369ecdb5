// Pages of metrics, and what is left out of them; the registry and its threads.

#include "strata/http/metrics.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(MetricsPageTest, HasFamiliesSortedByName) {
  MetricsPage page;
  page.Gauge("queue", "Jobs that wait.").Add(-3);
  page.Counter("jobs_total", "Jobs done.").Add(12u, {{"pool", "a"}, {"kind", "x"}});
  page.Counter("jobs_total", "").Add(13u, {{"pool", "b"}, {"kind", "x"}});
  EXPECT_EQ(page.ToString(),
            "# HELP jobs_total Jobs done.\n"
            "# TYPE jobs_total counter\n"
            "jobs_total{kind=\"x\",pool=\"a\"} 12\n"
            "jobs_total{kind=\"x\",pool=\"b\"} 13\n"
            "# HELP queue Jobs that wait.\n"
            "# TYPE queue gauge\n"
            "queue -3\n");
  EXPECT_EQ(page.dropped(), 0u);
}

TEST(MetricsPageTest, WhatHasNoSeriesIsNotThere) {
  MetricsPage page;
  page.Counter("jobs_total", "Jobs done.");
  EXPECT_EQ(page.ToString(), "");
}

TEST(MetricsPageTest, WritesNumbersSoThatTheyAreReadBack) {
  MetricsPage page;
  int i = 0;
  const auto add = [&](auto number) { page.Gauge("g" + std::to_string(i++), "").Add(number); };
  add(std::numeric_limits<std::uint64_t>::max());
  add(std::numeric_limits<std::int64_t>::min());
  add(0.1);
  add(1e300);
  add(std::numeric_limits<double>::quiet_NaN());
  add(std::numeric_limits<double>::infinity());
  add(-std::numeric_limits<double>::infinity());
  add(true);
  const std::string text = page.ToString();
  for (const char* line : {"g0 18446744073709551615\n", "g1 -9223372036854775808\n", "g2 0.1\n",
                           "g3 1e+300\n", "g4 NaN\n", "g5 +Inf\n", "g6 -Inf\n", "g7 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(MetricsPageTest, EscapesWhatIsOfStrangers) {
  MetricsPage page;
  page.Counter("x_total", "a\"b\\c\nd\xff")
      .Add(1, {{"l", "a\"b\\c\n# TYPE y gauge\ny 1\xff\xc3\xa9"}});
  EXPECT_EQ(page.ToString(),
            "# HELP x_total a\"b\\\\c\\nd\xef\xbf\xbd\n"
            "# TYPE x_total counter\n"
            "x_total{l=\"a\\\"b\\\\c\\n# TYPE y gauge\\ny 1\xef\xbf\xbd\xc3\xa9\"} 1\n");
}

TEST(MetricsPageTest, AHistogramHasBucketsSumAndCount) {
  MetricsPage page;
  const double bounds[] = {0.00005, 0.5, 10};
  const std::uint64_t counts[] = {0, 2, 3};
  const MetricsLabel label = {"route", "/x"};
  page.Histogram("time_seconds", "Time.").Add(bounds, counts, 1.25, 4, {&label, 1});
  page.Histogram("time_seconds", "Time.").Add(bounds, counts, 1.25, 4);
  EXPECT_EQ(page.ToString(),
            "# HELP time_seconds Time.\n"
            "# TYPE time_seconds histogram\n"
            "time_seconds_bucket{route=\"/x\",le=\"0.00005\"} 0\n"
            "time_seconds_bucket{route=\"/x\",le=\"0.5\"} 2\n"
            "time_seconds_bucket{route=\"/x\",le=\"10\"} 3\n"
            "time_seconds_bucket{route=\"/x\",le=\"+Inf\"} 4\n"
            "time_seconds_sum{route=\"/x\"} 1.25\n"
            "time_seconds_count{route=\"/x\"} 4\n"
            "time_seconds_bucket{le=\"0.00005\"} 0\n"
            "time_seconds_bucket{le=\"0.5\"} 2\n"
            "time_seconds_bucket{le=\"10\"} 3\n"
            "time_seconds_bucket{le=\"+Inf\"} 4\n"
            "time_seconds_sum 1.25\n"
            "time_seconds_count 4\n");
}

TEST(MetricsPageTest, ALatencyHistogramHasExactBounds) {
  LatencyHistogram histogram;
  for (const std::chrono::nanoseconds bound : kLatencyBounds) {
    histogram.Record(bound);
    histogram.Record(bound + std::chrono::nanoseconds(1));
  }
  LatencySnapshot snapshot;
  snapshot.Add(histogram);
  MetricsPage page;
  page.Histogram("t_seconds", "").Add(snapshot, {{"a", "b"}});
  const std::string text = page.ToString();
  std::size_t expected = 1;
  for (const char* le :
       {"0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
        "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60"}) {
    const std::string line = "t_seconds_bucket{a=\"b\",le=\"" + std::string(le) + "\"} " +
                             std::to_string(expected) + "\n";
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
    expected += 2;
  }
  EXPECT_NE(text.find("t_seconds_bucket{a=\"b\",le=\"+Inf\"} 38\n"), std::string::npos);
  EXPECT_NE(text.find("t_seconds_count{a=\"b\"} 38\n"), std::string::npos);
}

// Each of these would spoil the page for Prometheus, and all that others have told with it.
TEST(MetricsPageTest, LeavesOutWhatWouldSpoilIt) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<const char*, std::function<void(MetricsPage&)>>> bad = {
      {"name", [](MetricsPage& p) { p.Gauge("", "").Add(1); }},
      {"name", [](MetricsPage& p) { p.Gauge("1x", "").Add(1); }},
      {"name", [](MetricsPage& p) { p.Gauge("a-b", "").Add(1); }},
      {"name", [](MetricsPage& p) { p.Gauge("a 1\nb", "").Add(1); }},
      {"name", [](MetricsPage& p) { p.Gauge("\xc3\xa9", "").Add(1); }},
      {"type", [](MetricsPage& p) { p.Counter("good", "").Add(1); }},
      {"series", [](MetricsPage& p) { p.Gauge("good", "").Add(2); }},
      {"series",
       [](MetricsPage& p) {
         p.Gauge("two", "").Add(3, {{"b", "2"}, {"a", "1"}});
       }},
      {"label",
       [](MetricsPage& p) {
         p.Gauge("good", "").Add(1, {{"a:b", "x"}});
       }},
      {"label",
       [](MetricsPage& p) {
         p.Gauge("good", "").Add(1, {{"__name__", "x"}});
       }},
      {"label",
       [](MetricsPage& p) {
         p.Gauge("good", "").Add(1, {{"", "x"}});
       }},
      {"label",
       [](MetricsPage& p) {
         p.Gauge("good", "").Add(1, {{"a", "x"}, {"a", "y"}});
       }},
      {"label",
       [](MetricsPage& p) {
         p.Histogram("hist", "").Add(LatencySnapshot(), {{"le", "1"}});
       }},
      {"zero", [](MetricsPage& p) { p.Counter("c_total", "").Add(-1); }},
      {"zero", [](MetricsPage& p) { p.Counter("c_total", "").Add(-0.5); }},
      {"zero", [nan](MetricsPage& p) { p.Counter("c_total", "").Add(nan); }},
      {"histogram", [](MetricsPage& p) { p.Histogram("hist", "").Add(1); }},
      {"histogram",
       [](MetricsPage& p) {
         p.Gauge("good", "").Add(LatencySnapshot(), {{"a", "b"}});
       }},
      {"histogram", [](MetricsPage& p) { p.Gauge("hist_sum", "").Add(1); }},
      {"family", [](MetricsPage& p) { p.Histogram("of", "").Add(LatencySnapshot()); }},
  };
  const std::string good =
      "# TYPE good gauge\ngood 1\n"
      "# TYPE hist histogram\nhist_bucket{le=\"+Inf\"} 0\nhist_sum 0\nhist_count 0\n"
      "# TYPE of_count gauge\nof_count 1\n"
      "# TYPE two gauge\ntwo{a=\"1\",b=\"2\"} 3\n";
  for (const auto& [why, add] : bad) {
    MetricsPage page;
    page.Gauge("good", "").Add(1);
    page.Gauge("two", "").Add(3, {{"a", "1"}, {"b", "2"}});
    page.Histogram("hist", "").Add({}, {}, 0, 0);
    page.Gauge("of_count", "").Add(1);
    ASSERT_EQ(page.ToString(), good);
    add(page);
    EXPECT_EQ(page.dropped(), 1u);
    EXPECT_NE(page.first_problem().find(why), std::string_view::npos) << page.first_problem();
    const std::string text = page.ToString();
    EXPECT_TRUE(text.starts_with(good + "# 1 series left out")) << text;
    EXPECT_EQ(text.find('\n', good.size()), text.size() - 1) << text;
  }
}

TEST(MetricsPageTest, LeavesOutBucketsThatDoNotAscend) {
  struct Case {
    std::vector<double> bounds;
    std::vector<std::uint64_t> counts;
  };
  for (const Case& c :
       {Case{{1, 1}, {0, 0}}, Case{{2, 1}, {0, 0}}, Case{{1, 2}, {3, 2}}, Case{{1, 2}, {3, 6}},
        Case{{1}, {1, 2}}, Case{{1, INFINITY}, {1, 2}}, Case{{NAN}, {1}}}) {
    MetricsPage page;
    page.Histogram("h", "").Add(c.bounds, c.counts, 1, 5);
    EXPECT_EQ(page.dropped(), 1u);
  }
}

TEST(MetricsPageTest, IsBounded) {
  MetricsPage page(10);
  for (int i = 0; i < 100; ++i) {
    page.Counter("requests_total", "").Add(1, {{"path", std::to_string(i)}});
  }
  EXPECT_EQ(page.dropped(), 90u);
  EXPECT_LT(page.ToString().size(), 600u);
}

TEST(MetricsRegistryTest, CallsTheCollectorsThatAreRegistered) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.Render(), "");
  int x = 1;
  auto one = registry.Register([&x](MetricsPage& page) { page.Gauge("x", "").Add(x); });
  {
    const auto two = registry.Register([](MetricsPage& page) { page.Gauge("y", "").Add(2); });
    EXPECT_EQ(registry.Render(), "# TYPE x gauge\nx 1\n# TYPE y gauge\ny 2\n");
  }
  x = 3;
  EXPECT_EQ(registry.Render(), "# TYPE x gauge\nx 3\n");
  one = registry.Register([](MetricsPage& page) { page.Gauge("z", "").Add(4); });
  EXPECT_EQ(registry.Render(), "# TYPE z gauge\nz 4\n");
  auto moved = std::move(one);
  EXPECT_EQ(registry.Render(), "# TYPE z gauge\nz 4\n");
  moved = {};
  EXPECT_EQ(registry.Render(), "");
}

TEST(MetricsRegistryTest, ARegistrationMayOutliveIt) {
  MetricsRegistry::Registration registration;
  {
    MetricsRegistry registry;
    registration = registry.Register([](MetricsPage&) {});
  }
}

TEST(MetricsRegistryTest, AnEndedCollectorIsNotCalledAnyMore) {
  MetricsRegistry registry;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!done) (void)registry.Render();
  });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        // Sanitizers see it if the collector runs when this is gone.
        auto counted = std::make_unique<std::atomic<int>>(0);
        auto registration =
            registry.Register([&c = *counted](MetricsPage& page) { page.Gauge("x", "").Add(++c); });
      }
    });
  }
  threads[1].join();
  threads[2].join();
  done = true;
  threads[0].join();
  EXPECT_EQ(registry.Render(), "");
}

}  // namespace
}  // namespace strata::http
