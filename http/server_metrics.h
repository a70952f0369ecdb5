// File: server_metrics.h
//
// What a server counts, for a page of metrics, and the page itself as a handler.
//
//   MetricsRegistry registry;
//   auto mine = registry.Register([&](MetricsPage& page) { ExportServer(page, *server); });
//   router.Get("/metrics", ServeMetrics(registry));
//
// The server has to be there as long as the collector is; of a page that it serves itself it is.

#ifndef STRATA_HTTP_SERVER_METRICS_H_
#define STRATA_HTTP_SERVER_METRICS_H_

#include "strata/http/handler.h"
#include "strata/http/metrics.h"
#include "strata/http/server.h"

namespace strata::http {

// strata_http_connections_total, _open_connections, _requests_total, _refused_requests_total,
// _refused_connections_total, _header_timeouts_total, _upgrades_total, _aborted_total;
// strata_http_responses_total by `class` ("2xx"); strata_http_request_seconds, from the end of a
// request's head to that of its answer.
void ExportServer(MetricsPage& page, const Server& server);

// Renders on the loop: some microseconds for each hundred series. The registry outlives the server.
// Who may read it is for a middleware in front to say.
Handler ServeMetrics(MetricsRegistry& registry);

// "ok" as long as the server runs; for those who ask whether it does.
Handler ServeHealth();

}  // namespace strata::http

#endif  // STRATA_HTTP_SERVER_METRICS_H_
