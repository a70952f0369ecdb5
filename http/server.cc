#include "strata/http/server.h"

#include <utility>

#include "strata/http/route_table_internal.h"
#include "strata/http/server_connection_internal.h"
#include "strata/http/server_loop_internal.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

absl::Status CheckOptions(const ServerOptions& options) {
  if (!IsFieldValue(options.name)) {
    return absl::InvalidArgumentError("ServerOptions::name has a control byte");
  }
  for (const auto& factory : options.compression.codings) {
    if (!factory) {
      return absl::InvalidArgumentError("ServerOptions::compression.codings has a null one");
    }
  }
  if (options.header_timeout.count() <= 0) {
    return absl::InvalidArgumentError("ServerOptions::header_timeout is not positive");
  }
  return absl::OkStatus();
}

}  // namespace

Server::Server(std::unique_ptr<net::Runtime> own, net::Runtime* runtime,
               net::RefPtr<ServerCore> core)
    : own_runtime_(std::move(own)), runtime_(runtime), core_(std::move(core)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Create(Router router, ServerOptions options) {
  auto own = net::Runtime::Create(std::move(options.runtime));
  if (!own.ok()) return own.status();
  net::Runtime& runtime = **own;
  auto server = Create(runtime, std::move(router), std::move(options));
  if (server.ok()) (*server)->own_runtime_ = *std::move(own);
  return server;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Create(net::Runtime& runtime, Router router,
                                                       ServerOptions options) {
  if (absl::Status checked = CheckOptions(options); !checked.ok()) return checked;
  auto routes = RouteTable::Make(std::move(router));
  if (!routes.ok()) return routes.status();
  const std::string address = options.address;
  net::RefPtr<ServerCore> core(new ServerCore(*std::move(routes), std::move(options)));
  for (std::size_t i = 0; i < runtime.loop_count(); ++i) core->AddLoop(runtime.loop(i));
  std::unique_ptr<Server> server(new Server(nullptr, &runtime, std::move(core)));
  if (!address.empty()) {
    if (absl::Status listening = server->Listen(address); !listening.ok()) return listening;
  }
  return server;
}

Server::~Server() {
  for (const auto& listener : listeners_) listener->Close();
  if (own_runtime_) own_runtime_->Stop(std::chrono::milliseconds(0));
}

absl::Status Server::Listen(std::string_view address, ConnectionLayer layer) {
  auto listener = net::TcpListener::Listen(
      *runtime_, address,
      [core = core_, layer = std::move(layer)]() -> std::unique_ptr<net::StreamHandler> {
        auto connection = std::make_unique<ServerConnection>(core);
        if (layer) return layer(std::move(connection));
        return connection;
      },
      core_->options().listen);
  if (!listener.ok()) return listener.status();
  listeners_.push_back(*std::move(listener));
  return absl::OkStatus();
}

std::vector<const net::TcpListener*> Server::listeners() const {
  std::vector<const net::TcpListener*> all;
  for (const auto& listener : listeners_) all.push_back(listener.get());
  return all;
}

std::vector<const ServerCounters*> Server::counters() const {
  std::vector<const ServerCounters*> all;
  for (const auto& loop : core_->loops()) all.push_back(&loop->counters());
  return all;
}

LatencySnapshot Server::latency() const {
  LatencySnapshot all;
  for (const auto& loop : core_->loops()) all.Add(loop->latency());
  return all;
}

std::unique_ptr<net::StreamHandler> Server::NewConnection() const {
  return std::make_unique<ServerConnection>(core_);
}

}  // namespace strata::http
