// What timers cost beside a million that are armed: the idle timeouts of a million connections.

#include <memory>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/net/timer_wheel.h"

namespace strata::net {
namespace {

class Node final : public TimerNode {
  void OnTimer() override {}
};

constexpr std::size_t kArmed = 1'000'000;

// A fixed seed: every run arms the same.
constexpr std::uint64_t kSeed = 1;

void BM_ArmAndCancel(benchmark::State& state) {
  std::mt19937_64 random(kSeed);
  std::vector<std::unique_ptr<Node>> nodes(kArmed);
  TimerWheel wheel;
  for (std::unique_ptr<Node>& node : nodes) {
    node = std::make_unique<Node>();
    wheel.Arm(*node, 1 + random() % 120'000);
  }
  Node node;
  std::uint64_t expiry = 0;
  for (auto _ : state) {
    expiry = (expiry + 7919) % 120'000;
    wheel.Arm(node, 1 + expiry);
    wheel.Cancel(node);
  }
}
BENCHMARK(BM_ArmAndCancel);

// Those of all connections in turn: each is in memory that was not touched for long.
void BM_ArmAnewAmongAMillion(benchmark::State& state) {
  std::mt19937_64 random(kSeed);
  std::vector<std::unique_ptr<Node>> nodes(kArmed);
  TimerWheel wheel;
  for (std::unique_ptr<Node>& node : nodes) {
    node = std::make_unique<Node>();
    wheel.Arm(*node, 1 + random() % 120'000);
  }
  std::size_t which = 0;
  for (auto _ : state) {
    which = (which + 7919) % kArmed;
    wheel.Arm(*nodes[which], 1 + which % 120'000);
  }
}
BENCHMARK(BM_ArmAnewAmongAMillion);

}  // namespace
}  // namespace strata::net
