// File: route_table_internal.h
//
// What a router has become when the server starts: immutable, for all loops.

#ifndef STRATA_HTTP_ROUTE_TABLE_INTERNAL_H_
#define STRATA_HTTP_ROUTE_TABLE_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/http/handler.h"
#include "strata/http/request_parser.h"
#include "strata/http/route_tree.h"
#include "strata/http/router.h"

namespace strata::http {

using MiddlewareList = std::vector<std::shared_ptr<const Middleware>>;

struct Route {
  std::string host;
  std::string pattern;
  Method method;  // kOther: any.
  MiddlewareList middlewares;
  std::shared_ptr<const Handler> handler;  // One of the two.
  std::shared_ptr<const StreamingHandler> streaming;
  RouteOptions options;
  bool captures_rest;  // The last capture is all that follows.
};

class RouteTable {
 public:
  // Invalid if a route could not be added.
  static absl::StatusOr<std::unique_ptr<const RouteTable>> Make(Router router);

  RouteMatch Match(const RequestHead& head) const {
    return tree_.Match(head.host, head.path, MethodNumber(head.method));
  }

  const Route& route(std::uint32_t value) const { return routes_[value]; }

  // In front of the answers that no route gives.
  const MiddlewareList& always() const { return always_; }

  // Null: the plain 404.
  const Handler* not_found() const { return not_found_.get(); }

  // The value of the Allow field for the methods of a match.
  static std::string Allow(std::uint32_t methods);

  // Of "OPTIONS *": all methods that any route has.
  const std::string& allow_any() const { return allow_any_; }

 private:
  friend class Router;
  RouteTable() = default;

  static std::uint32_t MethodNumber(Method method) {
    return method == Method::kOther ? kAnyMethod : static_cast<std::uint32_t>(method);
  }

  RouteTree tree_;
  std::vector<Route> routes_;
  MiddlewareList always_;
  std::shared_ptr<const Handler> not_found_;
  std::string allow_any_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_ROUTE_TABLE_INTERNAL_H_
