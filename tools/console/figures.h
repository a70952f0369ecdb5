// What the console's charts show: once a second, to every page that is open.

#ifndef STRATA_TOOLS_CONSOLE_FIGURES_H_
#define STRATA_TOOLS_CONSOLE_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "strata/http/server.h"
#include "strata/http/sse.h"
#include "strata/net/timer.h"

namespace strata::console {

// Takes a sample each second on one of the server's loops, and sends it as an event to those who
// listen. All but Listen() is for that loop.
class Figures {
 public:
  // What a page that has just opened is told of the past.
  static constexpr std::size_t kKeptSamples = 60;

  // More pages than these are told to come later.
  static constexpr std::size_t kMaxListeners = 64;

  // The server must not have started, and has to outlive this, once it has stopped.
  explicit Figures(http::Server& server);
  ~Figures();
  Figures(const Figures&) = delete;
  Figures& operator=(const Figures&) = delete;

  // Answers a GET, on any loop: events of type "sample", whose data is JSON:
  //
  //   {"at": ms since 1970, "requests": of this second, "failed": those answered with 5xx,
  //    "p50": microseconds, "p99": ..., "connections": open now, "resident": bytes,
  //    "heap": {"live": bytes, "held": bytes, "classes": [{"size", "live", "cached"}, ...]}}
  //
  // where live and cached of a class are bytes, and classes without any are left out.
  void Listen(const http::Request& request, http::Response& response);

 private:
  struct Totals;

  void Take();
  void Add(std::shared_ptr<http::EventStream> listener);

  http::Server& server_;
  net::Loop& loop_;
  std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<Totals> before_;
  std::deque<std::string> samples_;
  std::vector<std::shared_ptr<http::EventStream>> listeners_;
};

}  // namespace strata::console

#endif  // STRATA_TOOLS_CONSOLE_FIGURES_H_
