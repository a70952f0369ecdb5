// File: heap_metrics.h
//
// The figures of the heap, for a page of metrics: of programs whose malloc is strata's (mm), linked
// or preloaded.
//
//   auto heap = registry.Register([](MetricsPage& page) { ExportHeap(page); });

#ifndef STRATA_HTTP_HEAP_METRICS_H_
#define STRATA_HTTP_HEAP_METRICS_H_

#include "strata/http/metrics.h"

namespace strata::http {

// strata_heap_live_bytes, _held_bytes, _held_bytes_peak, _retained_bytes, _reserved_bytes,
// _large_live_bytes, _arenas; strata_heap_system_calls_total by `call`, and
// strata_heap_lock_waits_total by `end` ("spin", "yield", "sleep"). Nothing, and false, if the
// program has another malloc. Takes some microseconds, and stops no thread.
bool ExportHeap(MetricsPage& page);

}  // namespace strata::http

#endif  // STRATA_HTTP_HEAP_METRICS_H_
