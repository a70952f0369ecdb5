// Loops and pools on a page of metrics.

#include "strata/http/net_metrics.h"

namespace strata::http {

void ExportLoop(MetricsPage& page, const net::Loop& loop) {
  const net::LoopCounters& counters = loop.counters();
  struct Row {
    std::string_view name;
    std::string_view help;
    const net::Counter& counter;
  };
  for (const Row& row : {
           Row{"strata_loop_turns_total", "Turns of the loop.", counters.turns},
           Row{"strata_loop_tasks_total", "Tasks run that were posted.", counters.tasks},
           Row{"strata_loop_timers_total", "Timers that came due.", counters.timers},
           Row{"strata_loop_signals_total", "Signals received.", counters.signals},
           Row{"strata_loop_accepted_total", "Connections accepted.", counters.accepted},
           Row{"strata_loop_opened_total", "Streams opened.", counters.opened},
           Row{"strata_loop_closed_total", "Streams closed.", counters.closed},
           Row{"strata_loop_shed_total", "Connections closed for want of descriptors.",
               counters.shed},
           Row{"strata_loop_received_bytes_total", "Bytes received.", counters.bytes_received},
           Row{"strata_loop_sent_bytes_total", "Bytes sent.", counters.bytes_sent},
       }) {
    page.Counter(row.name, row.help).Add(row.counter.Get(), {{"loop", loop.name()}});
  }
  // Closed first: what is closed meanwhile was opened before.
  const std::uint64_t closed = counters.closed.Get();
  const std::uint64_t opened = counters.opened.Get();
  page.Gauge("strata_loop_streams", "Streams that are open.")
      .Add(opened > closed ? opened - closed : 0, {{"loop", loop.name()}});
}

void ExportWorkerPool(MetricsPage& page, const net::WorkerPool& pool, std::string_view name) {
  const net::WorkerPool::Counts counts = pool.counts();
  page.Counter("strata_pool_done_total", "Jobs done.").Add(counts.done, {{"pool", name}});
  page.Counter("strata_pool_refused_total", "Jobs refused.").Add(counts.refused, {{"pool", name}});
  page.Gauge("strata_pool_queued", "Jobs that wait.").Add(counts.queued, {{"pool", name}});
  page.Gauge("strata_pool_running", "Jobs that run.").Add(counts.running, {{"pool", name}});
}

void ExportRuntime(MetricsPage& page, net::Runtime& runtime) {
  for (std::size_t i = 0; i < runtime.loop_count(); ++i) ExportLoop(page, runtime.loop(i));
  ExportWorkerPool(page, runtime.workers(), "workers");
}

}  // namespace strata::http
