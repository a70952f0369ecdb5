// File: sse.h
//
// Server-sent events (WHATWG HTML, section 9.2): a body of events without an end, that a browser
// reads by an EventSource.
//
//   router.Get("/news", [&hub](Request& request, Response& response) {
//     EventStream events(request, response, {.retry = std::chrono::seconds(2)});
//     for (const News& news : hub.Since(LastEventId(request))) {
//       (void)events.Send({.data = news.text, .id = news.id});
//     }
//     hub.Add(std::move(events));   // And Send() from any thread, later.
//   });
//
// A client that lost its connection comes again by itself, and says which event was its last.

#ifndef STRATA_HTTP_SSE_H_
#define STRATA_HTTP_SSE_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "strata/http/request.h"
#include "strata/http/response.h"
#include "strata/net/error.h"

namespace strata::http {

struct Event {
  // Empty for "message". No line ends.
  std::string_view type = {};

  // Any text, in UTF-8; of several lines too, which may end in LF, CR or both, and come as LF.
  std::string_view data;

  // What LastEventId() says when the client comes again. Without, what it was; an empty one forgets
  // it. No line ends and no NUL.
  std::optional<std::string_view> id = {};

  // How long the client is to wait before it comes again, from here on.
  std::optional<std::chrono::milliseconds> retry = {};
};

// Appends the event's lines (section 9.2.6), or nothing if there is a line end, or in the id a NUL,
// where none may be: what an attacker brought into a name must not become an event of its own.
[[nodiscard]] bool AppendEvent(const Event& event, std::string& out);

// The id of the last event that the client has seen; empty if there was none, or if it is not one
// that an event can have. Chosen by the client.
std::string_view LastEventId(const Request& request);

struct EventStreamOptions {
  // A comment is sent this often, so that proxies do not close what they take for idle and a client
  // that is gone is found out (section 9.2.7 advises 15 seconds). 0: never.
  std::chrono::milliseconds keep_alive{15'000};

  // Sent first.
  std::optional<std::chrono::milliseconds> retry = {};
};

// The answer to a request, as events. Movable; for any thread, one at a time, but where it says by
// the loop's thread. Its end, or Close(), ends the body, upon which the client comes again: one
// that is to stay away is answered with 204.
class EventStream {
 public:
  // Answers: 200, text/event-stream, not to be cached nor held back by nginx. On the loop.
  EventStream(const Request& request, Response& response, const EventStreamOptions& options = {});
  ~EventStream();
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;

  // kInvalidArgument for what AppendEvent() refuses; kQueueFull, and nothing is sent, if the client
  // does not keep up, so that ServerOptions::max_body_queue_bytes wait already; kClosed if it is
  // gone, or the server drains: that ends the stream too.
  [[nodiscard]] net::Error Send(const Event& event);

  // Lines that mean nothing, for persons. As above.
  [[nodiscard]] net::Error Comment(std::string_view text);

  void Close();

  // Bytes that wait for the client. Who can hold events back does so above some 256 KiB.
  std::size_t queued_bytes() const;

  bool closed() const;

  // Called on the loop each time that much has waited and little does any more, and when the stream
  // has ended by itself, which closed() tells. By the loop's thread.
  void OnChange(absl::AnyInvocable<void()> callback);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SSE_H_
