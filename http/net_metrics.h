// File: net_metrics.h
//
// What net counts, for a page of metrics.
//
//   auto registration = registry.Register([&](MetricsPage& page) { ExportRuntime(page, runtime);
//   });
//
// Loops and pools must live as long as the collector does.

#ifndef STRATA_HTTP_NET_METRICS_H_
#define STRATA_HTTP_NET_METRICS_H_

#include <string_view>

#include "strata/http/metrics.h"
#include "strata/net/loop.h"
#include "strata/net/runtime.h"
#include "strata/net/worker_pool.h"

namespace strata::http {

// A loop's counters, with its name as the label `loop`: strata_loop_turns_total, _tasks_total,
// _timers_total, _signals_total, _accepted_total, _opened_total, _closed_total, _shed_total,
// _received_bytes_total, _sent_bytes_total; and strata_loop_streams, that are open.
void ExportLoop(MetricsPage& page, const net::Loop& loop);

// A pool's jobs, with the label `pool`: strata_pool_done_total, _refused_total; strata_pool_queued,
// strata_pool_running.
void ExportWorkerPool(MetricsPage& page, const net::WorkerPool& pool, std::string_view name);

// All loops of a runtime, and its pool as "workers".
void ExportRuntime(MetricsPage& page, net::Runtime& runtime);

}  // namespace strata::http

#endif  // STRATA_HTTP_NET_METRICS_H_
