// File: router.h
//
// Which handler answers which request.
//
//   Router router;
//   router.Get("/", [](Request&, Response& response) { response.SendText("Hello, World!"); });
//   router.Use(RequireLogin);                                 // For what is added from here on.
//   router.Group("/api", [](Router& api) {
//     api.Get("/people/{id}", ShowPerson);                    // request.param("id")
//     api.Post("/people", AddPerson, {.max_body_bytes = 64 * 1024});
//   });
//   router.Host("static.example.com", [&](Router& host) { host.Get("/{path...}", files); });
//
// Patterns, and which of several comes first, are described in route_tree.h. Beside what was added:
//
//   - HEAD is answered by the handler of GET, without the body.
//   - OPTIONS is answered with 204 and the methods in Allow, and "OPTIONS *" too.
//   - A method that a path does not have is 405 with Allow; a path that is not there is 404.
//
// A router is built by one thread. What is wrong with a route is kept: status() says it, and
// Server::Create() returns it.

#ifndef STRATA_HTTP_ROUTER_H_
#define STRATA_HTTP_ROUTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/http/handler.h"
#include "strata/http/method.h"

namespace strata::http {

class RouteTable;

struct RouteOptions {
  // Instead of ServerOptions' limits. A larger body is answered with 413.
  std::optional<std::uint64_t> max_body_bytes;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  void Get(std::string_view pattern, Handler handler);
  void Post(std::string_view pattern, Handler handler, const RouteOptions& options = {});
  void Put(std::string_view pattern, Handler handler, const RouteOptions& options = {});
  void Patch(std::string_view pattern, Handler handler, const RouteOptions& options = {});
  void Delete(std::string_view pattern, Handler handler, const RouteOptions& options = {});

  // Of any method: kOther stands for those that have no route of their own, extension methods too.
  void Handle(Method method, std::string_view pattern, Handler handler,
              const RouteOptions& options = {});

  // With the body in pieces; no limit, unless the options have one.
  void HandleStream(Method method, std::string_view pattern, StreamingHandler handler,
                    const RouteOptions& options = {});

  // Runs in front of every handler that is added to this router from now on, and to groups that are
  // begun from now on; in the order of adding. UseAlways() also runs in front of the answers 404,
  // 405 and those to OPTIONS, of the whole table: for CORS, or fields that every answer has.
  void Use(Middleware middleware);
  void UseAlways(Middleware middleware);

  // Adds routes below a prefix, with the middlewares so far and those that it adds for itself.
  void Group(std::string_view prefix, absl::AnyInvocable<void(Router&)> add);

  // Adds routes for one host, or for all below one: "*.example.com".
  void Host(std::string_view host, absl::AnyInvocable<void(Router&)> add);

  // Instead of the answer 404; the request has no params.
  void NotFound(Handler handler);

  // The first error: InvalidArgument or AlreadyExists, with the pattern.
  absl::Status status() const;

 private:
  friend class RouteTable;
  struct Routes;
  using MiddlewareList = std::vector<std::shared_ptr<const Middleware>>;

  explicit Router(std::shared_ptr<Routes> routes) : routes_(std::move(routes)) {}
  void Add(Method method, std::string_view pattern, std::shared_ptr<const Handler> handler,
           std::shared_ptr<const StreamingHandler> streaming, const RouteOptions& options);

  std::shared_ptr<Routes> routes_;  // Shared with the groups, while they add.
  std::string host_;
  std::string prefix_;
  MiddlewareList middlewares_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_ROUTER_H_
