// File: hub_metrics.h
//
// What a hub counts, for a page of metrics (http/metrics.h).
//
//   auto registration =
//       registry.Register([&](http::MetricsPage& page) { ExportHub(page, hub, "news"); });
//
// The hub must live as long as the collector does.

#ifndef STRATA_WS_HUB_METRICS_H_
#define STRATA_WS_HUB_METRICS_H_

#include <string_view>

#include "strata/http/metrics.h"
#include "strata/ws/hub.h"

namespace strata::ws {

// HubCounters, with the label `hub`: strata_hub_published_total, _refused_total, _delivered_total,
// _dropped_total, _closed_slow_total; strata_hub_subscriptions, _levels, _history_bytes.
void ExportHub(http::MetricsPage& page, const Hub& hub, std::string_view name);

}  // namespace strata::ws

#endif  // STRATA_WS_HUB_METRICS_H_
