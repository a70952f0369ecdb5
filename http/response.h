// File: response.h
//
// Answering a request: at once by Response, or later, from any thread, by Responder.
//
//   router.Get("/now", [](Request&, Response& response) { response.SendText("now\n"); });
//
//   router.Get("/later", [&workers](Request& request, Response& response) {
//     (void)workers.Submit([responder = response.Defer(), kept = request.Keep()]() mutable {
//       responder.Send(Reply(200, "text/plain", Query(kept)));
//     });
//   });
//
// A handler that returns without having answered or deferred, and a Responder that is destroyed
// without having answered, are answered with 500: no client waits for ever.

#ifndef STRATA_HTTP_RESPONSE_H_
#define STRATA_HTTP_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "strata/http/reply.h"
#include "strata/http/request.h"
#include "strata/net/error.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/stream.h"

namespace strata::http {

struct Exchange;
class PendingReply;
class Responder;
class ServerConnection;

// The response to the request that a handler was called with; on the loop, and until the handler
// returns. The head is shared with the middlewares in front of the handler, which may have added
// fields.
class Response {
 public:
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  ReplyHead& head();
  void set_status(int status) { head().set_status(status); }
  void Set(FieldId id, std::string_view value) { head().Set(id, value); }
  void Add(std::string_view name, std::string_view value) { head().Add(name, value); }

  // Each of these answers. A second answer is not sent. SendText() and SendJson() set the
  // Content-Type, unless it is set.
  void Send(std::string_view body);
  void Send(ReplyBody body);
  void SendText(std::string_view text);
  void SendJson(std::string_view json);

  // No body: 204 if the status was not set to another one than 200.
  void SendNothing();

  // With a short text of its own, for a person; an empty `detail` gives "404 Not Found".
  void SendError(int status, std::string_view detail = {});

  // 301, 302, 303, 307 or 308, with a Location.
  void Redirect(int status, std::string_view location);

  // The response instead of this one. Fields that middlewares have added stay, unless the reply has
  // the same.
  void Send(Reply reply);

  // To answer later. Nothing else can be sent by this response from then on; fields of head() stay.
  Responder Defer();

  // 101: the connection goes to `handler`, which is told OnOpen() and receives what follows the
  // request (RFC 9110 section 7.8). Only for a request with head().upgrade, else answered with 426.
  // `protocol` is that of the Upgrade field.
  void Upgrade(std::string_view protocol, std::unique_ptr<net::StreamHandler> handler);

  // Whether an answer was sent, or deferred.
  bool answered() const;

  // The connection's loop, whose thread this is, and its stream.
  net::Loop& loop() const;
  net::Stream& stream() const;

 private:
  friend class ServerConnection;
  Response(ServerConnection& connection, Exchange& exchange)
      : connection_(connection), exchange_(exchange) {}

  ServerConnection& connection_;
  Exchange& exchange_;
};

// A body that is sent as it comes, from any thread. Copies of it write to the same body; when the
// last is gone without Finish(), the connection breaks, so that the client sees that something is
// missing.
class BodyWriter {
 public:
  // Queues bytes. kQueueFull: not taken, for max_body_queue_bytes wait already (see
  // ServerOptions); kClosed: the client is gone, or the body is finished. Empty bytes are taken and
  // send nothing.
  [[nodiscard]] net::Error Write(std::string bytes);

  // Ends the body, once. The fields of `trailers` are sent behind it if it is sent in chunks.
  void Finish(const ReplyHead& trailers = ReplyHead());

  // Breaks the connection: what was sent is not whole.
  void Abort();

  // Bytes that wait, those on the way to the loop included. A producer that can pause does so above
  // some 256 KiB, and goes on when OnWritable() says so.
  std::size_t queued_bytes() const;

  // Called on the loop each time that the queue was above the high watermark and is below the low
  // one, or that Write() was refused and may not be any more; and when the client is gone. A call
  // that comes while another thread is in Write() may be about what that one refuses. By the loop's
  // thread.
  void OnWritable(absl::AnyInvocable<void()> callback);

  // The client is gone.
  bool aborted() const;

 private:
  friend class Responder;
  explicit BodyWriter(net::RefPtr<PendingReply> pending);

  class Handle;
  std::shared_ptr<Handle> handle_;
};

// The right to answer one request, once. Movable, and safe on any thread, also after the client,
// the connection or the server's loop is gone: then nothing happens.
class Responder {
 public:
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();  // 500, if it was not used.

  void Send(Reply reply);

  // The same for who has told the loop to expect an answer (net::Mailbox::Expect()), and may have
  // more of them. Never calls the connection before it returns.
  void SendExpected(Reply reply, bool more);

  // Begins a body of `length` bytes, or of any number, which is sent in chunks (to a client of
  // HTTP/1.0 until the connection ends).
  BodyWriter Start(ReplyHead head, std::optional<std::uint64_t> length = std::nullopt);

  // Leaves the answer to a handler, which is called once on the loop, soon, as if it had been
  // called first: it may answer, defer again, or upgrade. For what has to be found out elsewhere
  // before. `request` is the one that was deferred; what is attached to it is seen by the access
  // log. Not called if the client is gone by then.
  void Call(KeptRequest request, absl::AnyInvocable<void(Request&, Response&)> handler);

  // The client has gone, or has said that it sends no more, which most clients do only when they do
  // not wait any longer. An answer is still tried.
  bool aborted() const;

  // Called once, on the loop, when that happens; not after the answer. By the loop's thread.
  void OnAbort(absl::AnyInvocable<void()> callback);

 private:
  friend class Response;
  friend class ServerConnection;
  explicit Responder(net::RefPtr<PendingReply> pending);

  net::RefPtr<PendingReply> pending_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_RESPONSE_H_
