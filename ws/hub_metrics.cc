#include "strata/ws/hub_metrics.h"

#include <cstdint>

namespace strata::ws {

void ExportHub(http::MetricsPage& page, const Hub& hub, std::string_view name) {
  const HubCounters counters = hub.counters();
  struct Row {
    std::string_view name;
    std::string_view help;
    std::uint64_t value;
  };
  for (const Row& row : {
           Row{"strata_hub_published_total", "Messages published.", counters.published},
           Row{"strata_hub_refused_total", "Messages refused, for a loop was too far behind.",
               counters.refused},
           Row{"strata_hub_delivered_total", "Messages that sockets have taken.",
               counters.delivered},
           Row{"strata_hub_dropped_total", "Messages that subscribers have lost.",
               counters.dropped},
           Row{"strata_hub_closed_slow_total", "Connections closed for being too slow.",
               counters.closed_slow},
       }) {
    page.Counter(row.name, row.help).Add(row.value, {{"hub", name}});
  }
  for (const Row& row : {
           Row{"strata_hub_subscriptions", "Subscriptions that there are.", counters.subscriptions},
           Row{"strata_hub_levels", "Levels of topics and filters that are kept.", counters.levels},
           Row{"strata_hub_history_bytes", "Bytes of messages that are kept.",
               counters.history_bytes},
       }) {
    page.Gauge(row.name, row.help).Add(row.value, {{"hub", name}});
  }
}

}  // namespace strata::ws
