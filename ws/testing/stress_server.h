// File: stress_server.h
//
// What the stress test talks to: a server on two loops, with hubs on which others publish.

#ifndef STRATA_WS_TESTING_STRESS_SERVER_H_
#define STRATA_WS_TESTING_STRESS_SERVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "strata/http/server.h"
#include "strata/net/counter.h"
#include "strata/net/runtime.h"
#include "strata/ws/hub.h"

namespace strata::ws::testing {

inline constexpr std::size_t kTopics = 4;
inline constexpr std::size_t kMaxMessage = 1 << 20;

// Publishes, as long as it lives, on the topics "t/0" and so on: the topic, a number, which is the
// last one's on this topic and one more, and dots.
class Publisher {
 public:
  explicit Publisher(Hub& hub) : hub_(hub), thread_([this] { Run(); }) {}
  ~Publisher() {
    end_ = true;
    thread_.join();
  }

  // Published so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  void Run();

  Hub& hub_;
  std::atomic<bool> end_{false};
  std::atomic<std::uint64_t> bytes_{0};
  std::thread thread_;
};

// On these paths:
//
//   /echo     echoes, and takes a context over with permessage-deflate
//   /race     subscribes to all; three threads send "from 0" and so on, a ping "race" and 3000
//             bytes, and close with 4000 and so on
//   /hub      subscribes to what a client sends, but for "leave", and for "dropped?", which is
//   /strict   answered with the number of messages lost; with kDropOldest, or with kClose
class StressServer {
 public:
  StressServer();
  ~StressServer();

  const net::Address& address() const { return server_->address(); }
  Hub& hub() { return hub_; }
  Hub& strict_hub() { return strict_hub_; }

  // Of all loops.
  std::uint64_t Sum(net::Counter net::LoopCounters::*counter) const;

  // Whether so many connections were opened, all have ended, and nothing is left of them.
  bool IsIdle(std::uint64_t connections) const;

 private:
  Hub hub_;
  Hub strict_hub_;
  std::unique_ptr<net::Runtime> runtime_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace strata::ws::testing

#endif  // STRATA_WS_TESTING_STRESS_SERVER_H_
