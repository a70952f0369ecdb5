// File: server_loop_internal.h
//
// What a server has once, and what it has for each loop.

#ifndef STRATA_HTTP_SERVER_LOOP_INTERNAL_H_
#define STRATA_HTTP_SERVER_LOOP_INTERNAL_H_

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "strata/http/coding_pool.h"
#include "strata/http/content_coding.h"
#include "strata/http/exchange_internal.h"
#include "strata/http/latency_histogram.h"
#include "strata/http/observer.h"
#include "strata/http/route_table_internal.h"
#include "strata/http/server_options.h"
#include "strata/net/counter.h"
#include "strata/net/loop.h"
#include "strata/net/ref_ptr.h"

namespace strata::http {

class ServerCore;

// By its loop's thread; the counters by any.
class ServerLoop {
 public:
  ServerLoop(const ServerCore& core, net::Loop& loop);
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  net::Loop& loop() { return loop_; }

  // The exchange at hand, as Reset() leaves it.
  Exchange& current() { return *current_; }

  // Gives the one at hand away.
  std::unique_ptr<Exchange> Take();
  void GiveBack(std::unique_ptr<Exchange> exchange);

  // "Server: strata\r\nDate: ...\r\n", and the same behind the status line of 200. Of this second.
  std::string_view common_lines() {
    Refresh();
    return std::string_view(ok_lines_).substr(ok_line_size_);
  }
  std::string_view ok_lines() {
    Refresh();
    return ok_lines_;
  }
  std::string_view server_line() const {
    return std::string_view(ok_lines_).substr(ok_line_size_, server_line_size_);
  }
  std::string_view date_line() {
    Refresh();
    return std::string_view(ok_lines_).substr(ok_line_size_ + server_line_size_);
  }

  // While a connection works on requests: the exchange at hand is in use.
  class Busy {
   public:
    explicit Busy(ServerLoop& loop) : loop_(loop) { loop_.Begin(); }
    ~Busy() { loop_.End(); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    ServerLoop& loop_;
  };
  bool busy() const { return busy_; }

  // When the requests of the work that is under way have begun, if anybody wants to know: when the
  // loop has woken with them, or, later, has answered those of the connection before.
  std::chrono::steady_clock::time_point began() const { return began_; }

  // A request that began then is answered. All of one piece of work count as answered at its end: a
  // look at the clock for each would be a tenth of what a pipelined request takes.
  void AnsweredNow() { ++answered_; }

  // For heads that are being written. Empty between uses, as far as anybody may rely on.
  std::string& scratch() { return scratch_; }

  // Null if nobody is to be told.
  RequestObserver* observer() { return observer_.get(); }

  LatencyHistogram& latency() { return latency_; }
  const LatencyHistogram& latency() const { return latency_; }

  // In the order of the options.
  std::span<const ContentCoding> preferred_codings() const { return preferred_codings_; }
  CodingPool& codings() { return codings_; }

  ServerCounters& counters() { return counters_; }
  const ServerCounters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kMaxFree = 64;

  void Refresh() {
    if (loop_.now_ms() >= refresh_at_ms_) WriteLines();
  }
  void WriteLines();

  // One look at the clock serves as the end of this connection's work and as the begin of the next
  // one's.
  void Begin() {
    busy_ = true;
    began_ = std::max(loop_.now(), looked_);
  }
  void End() {
    busy_ = false;
    if (answered_ == 0) return;
    looked_ = std::chrono::steady_clock::now();
    for (; answered_ > 0; --answered_) latency_.Record(looked_ - began_);
  }

  const ServerCore& core_;
  net::Loop& loop_;
  CodingPool codings_;  // Before the exchanges, which give back to it.
  std::vector<ContentCoding> preferred_codings_;
  std::unique_ptr<Exchange> current_;
  std::vector<std::unique_ptr<Exchange>> free_;
  std::string scratch_;
  std::string ok_lines_;
  std::size_t ok_line_size_ = 0;
  std::size_t server_line_size_ = 0;
  std::uint64_t refresh_at_ms_ = 0;
  bool busy_ = false;
  std::uint32_t answered_ = 0;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point looked_;
  const std::unique_ptr<RequestObserver> observer_;
  ServerCounters counters_;
  LatencyHistogram latency_;
};

// Lives as long as any connection of the server does.
class ServerCore final : public net::RefCounted {
 public:
  ServerCore(std::unique_ptr<const RouteTable> routes, ServerOptions options)
      : routes_(std::move(routes)), options_(std::move(options)) {}

  // Before any connection.
  void AddLoop(net::Loop& loop) { loops_.push_back(std::make_unique<ServerLoop>(*this, loop)); }

  const RouteTable& routes() const { return *routes_; }
  const ServerOptions& options() const { return options_; }

  ServerLoop& ForLoop(const net::Loop* loop) const;
  const std::vector<std::unique_ptr<ServerLoop>>& loops() const { return loops_; }

 private:
  const std::unique_ptr<const RouteTable> routes_;
  const ServerOptions options_;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SERVER_LOOP_INTERNAL_H_
