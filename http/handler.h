// File: handler.h
//
// What a router calls.
//
//   router.Get("/", [](Request&, Response& response) { response.SendText("at once"); });
//   router.Get("/report", OnWorkers(runtime.workers(), [](const KeptRequest& request) {
//                return Reply(200, "text/csv", QueryDatabase(request));
//              }));
//
// All of these are called by every loop of the server, at the same time: what they refer to must be
// safe for that. They must not block; what blocks is OnWorkers().

#ifndef STRATA_HTTP_HANDLER_H_
#define STRATA_HTTP_HANDLER_H_

#include <memory>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "strata/http/parse_error.h"
#include "strata/http/reply.h"
#include "strata/http/request.h"
#include "strata/http/response.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/worker_pool.h"

namespace strata::http {

// Answers a request, with its whole body, or defers the answer.
using Handler = absl::AnyInvocable<void(Request&, Response&) const>;

// Looks at a request before its handler, when its head has come and its body may not have: may
// answer it, and then the handler is not called; may add fields to the response that somebody else
// will send; may attach something to the request.
using Middleware = absl::AnyInvocable<void(Request&, Response&) const>;

// Holds back and lets go the pieces of a body. Kept as long as one likes; any thread.
class BodyControl {
 public:
  BodyControl(const BodyControl&);
  BodyControl& operator=(const BodyControl&);
  ~BodyControl();

  // No piece comes until Resume(), but for what is under way when another thread says so. The
  // client is stopped by TCP then.
  void Pause();
  void Resume();

 private:
  friend class ServerConnection;
  explicit BodyControl(net::RefPtr<PendingReply> pending);

  net::RefPtr<PendingReply> pending_;
};

// Takes a body in pieces; lives from the request's head to the end of its body. Calls come on the
// loop.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;

  // One byte or more, lent for the length of the call.
  virtual void OnData(std::string_view bytes) = 0;

  // The body is complete. The last call.
  virtual void OnEnd(const FieldList& trailers) = 0;

  // The body will not be complete: the client is gone or has broken a rule, in which case it was
  // answered. The last call.
  virtual void OnAbort() {}
};

// Called when the head has come; `responder` may answer at any time, and the rest of the body is
// then read and dropped, or the connection closed. Null if it has answered already and wants none
// of the body.
using StreamingHandler = absl::AnyInvocable<std::unique_ptr<BodyReceiver>(
    Request& request, Responder responder, BodyControl control) const>;

// A handler that may block: it runs on a worker, and gives its answer back.
using WorkerHandler = absl::AnyInvocable<Reply(const KeptRequest&) const>;

// Runs `handler` on the pool, which must outlive the server's running. When too many jobs wait
// there already the answer is 503 with Retry-After.
Handler OnWorkers(net::WorkerPool& pool, WorkerHandler handler);

}  // namespace strata::http

#endif  // STRATA_HTTP_HANDLER_H_
