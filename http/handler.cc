#include "strata/http/handler.h"

#include <utility>

#include "strata/http/exchange_internal.h"
#include "strata/http/server_connection_internal.h"

namespace strata::http {

BodyControl::BodyControl(net::RefPtr<PendingReply> pending) : pending_(std::move(pending)) {}
BodyControl::BodyControl(const BodyControl&) = default;
BodyControl& BodyControl::operator=(const BodyControl&) = default;
BodyControl::~BodyControl() = default;

void BodyControl::Pause() {
  pending_->Run([](ServerConnection& connection) { connection.PauseBody(); });
}

void BodyControl::Resume() {
  pending_->Run([](ServerConnection& connection) { connection.ResumeBody(); });
}

Handler OnWorkers(net::WorkerPool& pool, WorkerHandler handler) {
  auto shared = std::make_shared<const WorkerHandler>(std::move(handler));
  return [&pool, shared](Request& request, Response& response) {
    // Shared with the job, which is destroyed if it is refused.
    auto responder = std::make_shared<Responder>(response.Defer());
    const net::Error error = pool.Submit(
        [shared, responder, kept = request.Keep()] { responder->Send((*shared)(kept)); });
    if (error == net::Error::kOk) return;
    Reply busy(503, "text/plain; charset=utf-8", "too many requests wait\n");
    busy.Set(FieldId::kRetryAfter, "1");
    responder->Send(std::move(busy));
  };
}

}  // namespace strata::http
