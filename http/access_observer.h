// File: access_observer.h
//
// Has a server write an access log:
//
//   auto log = AccessLog::Open({.path = "access.log", .format = AccessLogFormat::kJson});
//   if (!log.ok()) return log.status();
//   ServerOptions options{.address = "[::]:8080", .observer = ObserveByLog(*log)};
//   // After the file was renamed away: (*log)->Reopen(), on SIGHUP.

#ifndef STRATA_HTTP_ACCESS_OBSERVER_H_
#define STRATA_HTTP_ACCESS_OBSERVER_H_

#include <memory>

#include "strata/http/access_log.h"
#include "strata/http/observer.h"

namespace strata::http {

// A line for each request. The log lives as long as the observers do.
ObserverFactory ObserveByLog(std::shared_ptr<AccessLog> log);

}  // namespace strata::http

#endif  // STRATA_HTTP_ACCESS_OBSERVER_H_
