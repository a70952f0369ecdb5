// Load at the press of a button: the service asks itself, for a while.

#ifndef STRATA_TOOLS_CONSOLE_BURST_H_
#define STRATA_TOOLS_CONSOLE_BURST_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "absl/status/statusor.h"
#include "strata/http/client.h"
#include "strata/http/response.h"
#include "strata/net/resolver.h"
#include "strata/net/runtime.h"

namespace strata::console {

// One burst at a time: reads of rows by id, as fast as they are answered, on so many connections
// and for so long and no longer.
class Burst {
 public:
  static constexpr std::chrono::seconds kTime{5};
  static constexpr std::size_t kConnections = 32;

  // Rows have ids from 1 to `rows`, below the URL `people`. Starts a thread.
  static absl::StatusOr<std::unique_ptr<Burst>> Create(std::string people, std::uint64_t rows);

  // Ends one that is under way.
  ~Burst();
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  // Answers a POST, on any loop: 202 and how long it takes, as {"seconds": 5}; 409 while there is
  // one.
  void Begin(http::Response& response);

 private:
  Burst(std::unique_ptr<net::Runtime> runtime, std::string people, std::uint64_t rows);
  void Run();
  void Next();

  const std::unique_ptr<net::Runtime> runtime_;
  const std::string people_;
  const std::uint64_t rows_;
  net::Resolver resolver_;
  std::atomic<bool> runs_{false};

  // Of the loop.
  std::unique_ptr<http::Client> client_;
  std::chrono::steady_clock::time_point end_;
  std::size_t under_way_ = 0;
  std::minstd_rand random_{1};
};

}  // namespace strata::console

#endif  // STRATA_TOOLS_CONSOLE_BURST_H_
