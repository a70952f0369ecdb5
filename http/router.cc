#include "strata/http/router.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/route_table_internal.h"

namespace strata::http {

struct Router::Routes {
  RouteTreeBuilder builder;
  std::vector<Route> routes;
  MiddlewareList always;
  std::shared_ptr<const Handler> not_found;
  absl::Status status;
};

Router::Router() : routes_(std::make_shared<Routes>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::Get(std::string_view pattern, Handler handler) {
  Handle(Method::kGet, pattern, std::move(handler));
}

void Router::Post(std::string_view pattern, Handler handler, const RouteOptions& options) {
  Handle(Method::kPost, pattern, std::move(handler), options);
}

void Router::Put(std::string_view pattern, Handler handler, const RouteOptions& options) {
  Handle(Method::kPut, pattern, std::move(handler), options);
}

void Router::Patch(std::string_view pattern, Handler handler, const RouteOptions& options) {
  Handle(Method::kPatch, pattern, std::move(handler), options);
}

void Router::Delete(std::string_view pattern, Handler handler, const RouteOptions& options) {
  Handle(Method::kDelete, pattern, std::move(handler), options);
}

void Router::Handle(Method method, std::string_view pattern, Handler handler,
                    const RouteOptions& options) {
  Add(method, pattern, std::make_shared<const Handler>(std::move(handler)), nullptr, options);
}

void Router::HandleStream(Method method, std::string_view pattern, StreamingHandler handler,
                          const RouteOptions& options) {
  Add(method, pattern, nullptr, std::make_shared<const StreamingHandler>(std::move(handler)),
      options);
}

void Router::Add(Method method, std::string_view pattern, std::shared_ptr<const Handler> handler,
                 std::shared_ptr<const StreamingHandler> streaming, const RouteOptions& options) {
  const std::string whole = absl::StrCat(prefix_, pattern);
  const absl::Status added =
      routes_->builder.Add(host_, whole, RouteTable::MethodNumber(method),
                           static_cast<std::uint32_t>(routes_->routes.size()));
  if (!added.ok()) {
    routes_->status.Update(added);
    return;
  }
  routes_->routes.push_back({host_, whole, method, middlewares_, std::move(handler),
                             std::move(streaming), options, whole.ends_with("...}")});
}

void Router::Use(Middleware middleware) {
  middlewares_.push_back(std::make_shared<const Middleware>(std::move(middleware)));
}

void Router::UseAlways(Middleware middleware) {
  Use(std::move(middleware));
  routes_->always.push_back(middlewares_.back());
}

void Router::Group(std::string_view prefix, absl::AnyInvocable<void(Router&)> add) {
  Router group(routes_);
  group.host_ = host_;
  group.prefix_ = absl::StrCat(prefix_, prefix);
  group.middlewares_ = middlewares_;
  add(group);
}

void Router::Host(std::string_view host, absl::AnyInvocable<void(Router&)> add) {
  Router group(routes_);
  group.host_ = std::string(host);
  group.prefix_ = prefix_;
  group.middlewares_ = middlewares_;
  add(group);
}

void Router::NotFound(Handler handler) {
  routes_->not_found = std::make_shared<const Handler>(std::move(handler));
}

absl::Status Router::status() const { return routes_->status; }

absl::StatusOr<std::unique_ptr<const RouteTable>> RouteTable::Make(Router router) {
  Router::Routes& routes = *router.routes_;
  if (!routes.status.ok()) return routes.status;
  std::uint32_t methods = 0;
  for (std::uint32_t i = 0; i < routes.routes.size(); ++i) {
    const Route& route = routes.routes[i];
    if (route.method != Method::kOther) methods |= 1u << static_cast<unsigned>(route.method);
    if (route.method != Method::kGet) continue;
    // HEAD, where there is none of its own: for that this answers AlreadyExists.
    (void)routes.builder.Add(route.host, route.pattern, MethodNumber(Method::kHead), i);
    methods |= 1u << static_cast<unsigned>(Method::kHead);
  }
  std::unique_ptr<RouteTable> table(new RouteTable);
  table->tree_ = routes.builder.Build();
  table->routes_ = std::move(routes.routes);
  table->always_ = std::move(routes.always);
  table->not_found_ = std::move(routes.not_found);
  table->allow_any_ = Allow(methods);
  return table;
}

std::string RouteTable::Allow(std::uint32_t methods) {
  methods |= 1u << static_cast<unsigned>(Method::kOptions);
  std::string allow;
  for (int i = 0; i < kMethodCount; ++i) {
    if (!(methods & (1u << i))) continue;
    if (!allow.empty()) allow.append(", ");
    allow.append(MethodName(static_cast<Method>(i)));
  }
  return allow;
}

}  // namespace strata::http
