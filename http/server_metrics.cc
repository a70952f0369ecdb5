#include "strata/http/server_metrics.h"

#include <array>
#include <cstdint>
#include <utility>

namespace strata::http {
namespace {

constexpr std::array<std::string_view, 6> kClasses = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};

}  // namespace

void ExportServer(MetricsPage& page, const Server& server) {
  const auto sum = [&server](net::Counter ServerCounters::*counter) {
    std::uint64_t total = 0;
    for (const ServerCounters* counters : server.counters()) total += (counters->*counter).Get();
    return total;
  };
  // Closed is read first, so that the difference is never below zero.
  const std::uint64_t closed = sum(&ServerCounters::closed);
  const std::uint64_t opened = sum(&ServerCounters::connections);
  page.Gauge("strata_http_open_connections", "Connections that are open.").Add(opened - closed);

  struct Row {
    net::Counter ServerCounters::*counter;
    std::string_view name;
    std::string_view help;
  };
  constexpr Row kRows[] = {
      {&ServerCounters::connections, "strata_http_connections_total", "Connections opened."},
      {&ServerCounters::requests, "strata_http_requests_total", "Requests whose head was read."},
      {&ServerCounters::refused, "strata_http_refused_requests_total",
       "Requests that broke a rule or a limit."},
      {&ServerCounters::turned_away, "strata_http_refused_connections_total",
       "Connections closed at once: banned, or too many."},
      {&ServerCounters::timeouts, "strata_http_header_timeouts_total",
       "Requests whose head did not come in time."},
      {&ServerCounters::upgrades, "strata_http_upgrades_total",
       "Connections that went over to another protocol."},
      {&ServerCounters::aborted, "strata_http_aborted_total",
       "Requests whose client was gone before the answer was complete."},
  };
  for (const Row& row : kRows) page.Counter(row.name, row.help).Add(sum(row.counter));

  MetricsPage::Family responses =
      page.Counter("strata_http_responses_total", "Responses by class of status.");
  for (std::size_t i = 1; i < kClasses.size(); ++i) {
    std::uint64_t total = 0;
    for (const ServerCounters* counters : server.counters()) total += counters->responses[i].Get();
    responses.Add(total, {{"class", kClasses[i]}});
  }
  page.Histogram("strata_http_request_seconds", "From the end of a head to that of the answer.")
      .Add(server.latency());
}

Handler ServeMetrics(MetricsRegistry& registry) {
  return [&registry](Request&, Response& response) {
    response.Set(FieldId::kContentType, kMetricsContentType);
    response.Set(FieldId::kCacheControl, "no-store");
    response.Send(registry.Render());
  };
}

Handler ServeHealth() {
  return [](Request&, Response& response) {
    response.Set(FieldId::kCacheControl, "no-store");
    response.SendText("ok\n");
  };
}

}  // namespace strata::http
