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

namespace {

// Whether a worker that has an answer will soon have the next, so that the loop can be told of both
// at once. To be woken is dearer than most answers; but not that many wait for it.
bool HasMore(const net::WorkerPool& pool) {
  constexpr int kMaxUntold = 16;
  thread_local int untold = 0;
  const bool more = pool.queued() > 0 && untold < kMaxUntold;
  untold = more ? untold + 1 : 0;
  return more;
}

}  // namespace

Handler OnWorkers(net::WorkerPool& pool, WorkerHandler handler) {
  auto shared = std::make_shared<const WorkerHandler>(std::move(handler));
  return [&pool, shared](Request& request, Response& response) {
    net::Loop& loop = response.loop();
    loop.mailbox()->Expect(loop.now_ms());
    // Shared with the job, which is destroyed if it is refused.
    auto responder = std::make_shared<Responder>(response.Defer());
    const net::Error error = pool.Submit([&pool, shared, responder, kept = request.Keep()] {
      Reply reply = (*shared)(kept);
      responder->SendExpected(std::move(reply), HasMore(pool));
    });
    if (error == net::Error::kOk) return;
    loop.mailbox()->ExpectNot();
    Reply busy(503, "text/plain; charset=utf-8", "too many requests wait\n");
    busy.Set(FieldId::kRetryAfter, "1");
    responder->Send(std::move(busy));
  };
}

}  // namespace strata::http
