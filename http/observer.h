// File: observer.h
//
// Who is told of each request that was answered: an access log, or a counter of one's own.
//
//   ServerOptions options;
//   options.observer = ObserveByLog(log);   // access_observer.h
//
// An observer belongs to one loop and is called on its thread, after the answer was queued. It must
// not block.

#ifndef STRATA_HTTP_OBSERVER_H_
#define STRATA_HTTP_OBSERVER_H_

#include <functional>
#include <memory>

#include "strata/http/access_record.h"

namespace strata::http {

class RequestObserver {
 public:
  virtual ~RequestObserver() = default;

  // The views live as long as the call. What was no request has no method and no target.
  virtual void OnAnswered(const AccessRecord& record) = 0;
};

// Makes one for each loop.
using ObserverFactory = std::function<std::unique_ptr<RequestObserver>()>;

}  // namespace strata::http

#endif  // STRATA_HTTP_OBSERVER_H_
