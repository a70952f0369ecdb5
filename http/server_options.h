// File: server_options.h
//
// The bounds and habits of a server, each with its default; and what it counts.
//
//   ServerOptions options{.address = "[::]:8080"};
//   options.limits.max_body_bytes = 16 << 20;
//   options.compression.codings = {NewBrotliCoding().value(), NewGzipCoding().value()};

#ifndef STRATA_HTTP_SERVER_OPTIONS_H_
#define STRATA_HTTP_SERVER_OPTIONS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "strata/http/ban_list.h"
#include "strata/http/coder.h"
#include "strata/http/coding_pool.h"
#include "strata/http/connection_limits.h"
#include "strata/http/content_coding.h"
#include "strata/http/limits.h"
#include "strata/http/network.h"
#include "strata/http/observer.h"
#include "strata/net/counter.h"
#include "strata/net/runtime.h"
#include "strata/net/tcp_listener.h"

namespace strata::http {

// Which responses are compressed, and how. What ShouldCompress() chooses gets the coding that the
// client's Accept-Encoding prefers, whether its body is sent at once, made as it is sent, or
// written piece by piece; Vary says so, and its entity tag becomes a weak one. Left as they are:
// parts (206), answers to HTTP/1.0, what has a Content-Encoding or Content-Range already, and what
// would not become smaller. Each piece of a BodyWriter can be read by the client as it comes.
//
// An attacker who sees the size of encrypted responses, and can bring texts of his own into them,
// can guess the secrets beside those: such a response says "Cache-Control: no-transform".
struct CompressionOptions {
  // By NewGzipCoding() and the like, each with its level. Of those that a client likes as much the
  // first is taken. Empty: nothing is compressed.
  std::vector<std::shared_ptr<const CodingFactory>> codings = {};

  CompressionPolicy policy = {};

  // Of each loop, for requests too. A response that finds no encoder goes as it is; a request that
  // finds no decoder is answered with 503.
  CodingPoolOptions pool = {};
};

struct ServerOptions {
  // Where Create() listens: "ADDRESS:PORT" or "unix:PATH"; port 0 takes a free one; or "fd:NUMBER",
  // a socket that was passed to the process (net/successor.h). Empty: nowhere yet.
  std::string address;

  // Of a server that makes its own.
  net::Runtime::Options runtime = {};

  // listen.stream.idle_timeout is how long a connection is kept without a request on it, or with
  // one that makes no progress.
  net::ListenOptions listen = {.stream = {.idle_timeout = std::chrono::seconds(60)}};

  ParserLimits limits = {};

  // The Server field; empty: none.
  std::string name = "strata";

  // From the first byte of a request's head to its last: beyond that 408.
  std::chrono::milliseconds header_timeout{std::chrono::seconds(10)};

  // When the server drains, an idle connection is kept so long: a request may be under way on it,
  // whose client cannot know of the drain, and must not send it again if it is a POST (RFC 9112
  // sections 9.3.1 and 9.5). It is answered, with Connection: close. 0: closed at once.
  std::chrono::milliseconds drain_grace{std::chrono::seconds(1)};

  // A body has to come at this rate, on average over each `body_rate_window`, or the connection is
  // closed. 0: at any.
  std::uint32_t min_body_bytes_per_second = 512;
  std::chrono::milliseconds body_rate_window{std::chrono::seconds(10)};

  // After so many requests a connection is closed. 0: never for that.
  std::uint32_t max_requests_per_connection = 0;

  // What a connection holds of the requests that follow one which is being answered. Above it the
  // client is not read from.
  std::size_t max_pipelined_bytes = 64 * 1024;

  // An unread body is read and dropped up to so many bytes, so that the connection can be used
  // again; it is closed instead if there are more.
  std::size_t max_drained_bytes = 256 * 1024;

  // Proxies whose word on the client is taken (forwarded.h), and the fields that they write:
  // exactly one kind, for the other comes from the client as it likes. Request::client() and
  // secure() are then what they say.
  NetworkSet trusted_proxies = {};
  enum class ForwardedBy { kXForwarded, kForwarded } forwarded_by = ForwardedBy::kXForwarded;

  // How many connections there may be, in all and by client: those beyond are answered with 503.
  // Clients here are peers, so proxies should be exempt. Null: any number.
  std::shared_ptr<ConnectionLimits> connection_limits = nullptr;

  // Whose connections are reset at once. A broken rule and a head that is late are strikes. Null:
  // nobody's.
  std::shared_ptr<BanList> bans = nullptr;

  // Told of every answer. Null: nobody.
  ObserverFactory observer = nullptr;

  // Whether Server::latency() knows anything, for a look at the clock in each request. An answer's
  // time is from when the loop found the request, and was free of what it found before.
  bool measure_latency = true;

  CompressionOptions compression = {};

  // Requests with a Content-Encoding: their bodies are decoded by compression.codings, up to as
  // many bytes as the body may have and to 200 times what was sent, and other codings are answered
  // with 415. The fields stay as they were sent. If not, handlers get bodies as they were sent.
  bool decompress_requests = false;

  // Of a BodyWriter: what may wait for the client. A piece is taken in any case while no more than
  // listen.stream.high_watermark_bytes wait.
  std::size_t max_body_queue_bytes = 4 * 1024 * 1024;
};

// Counted since the server's creation, for each loop.
struct ServerCounters {
  net::Counter connections;  // Opened.
  net::Counter closed;       // Of these.
  net::Counter requests;     // Whose head was read.
  net::Counter refused;      // Answered by a parser's error.
  net::Counter timeouts;     // Of heads.
  net::Counter turned_away;  // Connections: banned, or too many.
  net::Counter upgrades;
  net::Counter aborted;                   // Whose client was gone before the answer was complete.
  std::array<net::Counter, 6> responses;  // By the first digit of their status.
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SERVER_OPTIONS_H_
