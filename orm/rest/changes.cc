// Changes over WebSocket and as server-sent events.

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "strata/http/sse.h"
#include "strata/orm/rest/resource_internal.h"
#include "strata/ws/server.h"

namespace strata::orm::rest::internal {
namespace {

// While a client has so much to take, it gets no more.
constexpr std::size_t kMaxQueuedBytes = std::size_t{256} << 10;

struct Wish {
  std::string key;
  std::int64_t from = -1;
};

Problem ReadWish(const Resource& resource, const http::Request& request, Wish* wish) {
  if (resource.changes == nullptr) return {404, "there is no log of the changes"};
  if (Problem problem = resource.Allow(request, Verb::kWatch); !problem.ok()) return problem;
  if (!resource.RowsOf(request).empty()) return {403, "who may not see all rows cannot follow"};
  if (!request.param("key").empty()) {
    Row row(resource.table);
    if (!ReadKey(request.param("key"), &row).ok() ||
        !AppendKey(resource.table, row.get(), &wish->key).ok()) {
      return {404, "there is no such row"};
    }
  }
  // Of an EventSource that comes again, what it had last.
  std::string_view since = http::LastEventId(request);
  if (since.empty()) since = request.query().FirstRaw("since").value_or("");
  if (since.empty()) return {};
  const auto [at, error] = std::from_chars(since.data(), since.data() + since.size(), wish->from);
  if (error != std::errc() || at != since.data() + since.size() || wish->from < 0) {
    return ParameterProblem("since", "it is the number of a change");
  }
  return resource.service->pump.HasRoom() ? Problem() : Problem{503, "too many follow changes"};
}

class SocketWatcher final : public Watcher {
 public:
  SocketWatcher(const Resource& resource, Wish wish, ws::Socket& socket)
      : Watcher(resource.table, resource.type, *resource.changes, std::move(wish.key), wish.from),
        socket_(&socket) {}
  ~SocketWatcher() override { socket_->Close(ws::CloseCode::kGoingAway); }

  bool IsClosed() const override { return !socket_->is_open(); }
  bool IsReady() const override { return socket_->backlog_bytes() <= kMaxQueuedBytes; }
  bool Send(std::int64_t, std::string_view json) override {
    const ws::SendResult result = socket_->SendText(json);
    return result == ws::SendResult::kQueued || result == ws::SendResult::kBacklog;
  }

 private:
  const ws::SocketPtr socket_;
};

// What the client says does not count.
class ChangesSocket final : public ws::SocketHandler {
 public:
  ChangesSocket(ResourcePtr resource, Wish wish)
      : resource_(std::move(resource)), wish_(std::move(wish)) {}

  void OnOpen(ws::Socket& socket) override {
    resource_->service->pump.Add(
        std::make_shared<SocketWatcher>(*resource_, std::move(wish_), socket));
  }
  void OnMessage(ws::Socket&, bool, std::string_view) override {}
  void OnWritable(ws::Socket&) override { resource_->service->pump.Wake(); }
  void OnClosed(ws::Socket&, ws::CloseCode, std::string_view) override {
    resource_->service->pump.Wake();
  }

 private:
  const ResourcePtr resource_;
  Wish wish_;
};

class EventWatcher final : public Watcher {
 public:
  EventWatcher(const Resource& resource, Wish wish, http::EventStream events)
      : Watcher(resource.table, resource.type, *resource.changes, std::move(wish.key), wish.from),
        events_(std::move(events)) {}

  bool IsClosed() const override { return events_.closed(); }
  bool IsReady() const override { return events_.queued_bytes() <= kMaxQueuedBytes; }
  bool Send(std::int64_t sequence, std::string_view json) override {
    const std::string id = std::to_string(sequence);
    return events_.Send({.data = json, .id = id}) == net::Error::kOk;
  }

 private:
  http::EventStream events_;
};

void SendEvents(const ResourcePtr& resource, Wish wish, const http::Request& request,
                http::Response& response) {
  http::EventStream events(request, response);
  // The service's state is kept by the routes, and they by the server.
  events.OnChange([&pump = resource->service->pump] { pump.Wake(); });
  resource->service->pump.Add(
      std::make_shared<EventWatcher>(*resource, std::move(wish), std::move(events)));
}

}  // namespace

http::Handler ChangesHandler(const ResourcePtr& resource) {
  ws::EndpointOptions options;
  options.socket.decoder.max_message_bytes = 1024;
  auto endpoint = std::make_shared<const http::Handler>(ws::WebSocketEndpoint(
      [resource](http::Request& request) -> std::unique_ptr<ws::SocketHandler> {
        Wish wish;
        if (!ReadWish(*resource, request, &wish).ok()) return nullptr;
        return std::make_unique<ChangesSocket>(resource, std::move(wish));
      },
      std::move(options)));
  return [resource, endpoint](http::Request& request, http::Response& response) {
    Wish wish;
    const Problem problem = ReadWish(*resource, request, &wish);
    if (!problem.ok()) return response.Send(ReplyOf(problem));
    if (request.field(http::FieldId::kUpgrade)) return (*endpoint)(request, response);
    SendEvents(resource, std::move(wish), request, response);
  };
}

}  // namespace strata::orm::rest::internal
