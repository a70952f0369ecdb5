// Prints a page with all that a page can have, for a parser that is not ours.

#include <cstdio>
#include <limits>

#include "strata/http/metrics.h"

int main() {
  using namespace strata::http;
  MetricsRegistry registry;
  const auto registration = registry.Register([](MetricsPage& page) {
    page.Counter("plain_total", "Without labels.").Add(7);
    auto labeled = page.Counter("labeled_total", "Help with \\, \" and\na second line.");
    labeled.Add(1u, {{"path", "/a"}, {"code", "200"}});
    labeled.Add(2u, {{"path", "a\"b\\c\nd{e=\"f\"} 1 # \xff\xc3\xa9"}, {"code", ""}});
    auto numbers = page.Gauge("numbers", "");
    numbers.Add(0.1, {{"kind", "real"}});
    numbers.Add(-1e-300, {{"kind", "small"}});
    numbers.Add(std::numeric_limits<std::uint64_t>::max(), {{"kind", "large"}});
    numbers.Add(std::numeric_limits<double>::infinity(), {{"kind", "infinite"}});
    numbers.Add(std::numeric_limits<double>::quiet_NaN(), {{"kind", "nan"}});
    LatencyHistogram histogram;
    for (int i = 1; i <= 1000; ++i) histogram.Record(std::chrono::milliseconds(i));
    LatencySnapshot snapshot;
    snapshot.Add(histogram);
    page.Histogram("latency_seconds", "Time.").Add(snapshot, {{"route", "/x/{id}"}});
    page.Gauge("plain_total", "").Add(1);  // Left out, and told in a comment.
  });
  std::fputs(registry.Render().c_str(), stdout);
}
