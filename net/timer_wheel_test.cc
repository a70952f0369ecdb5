// The timing wheel, by itself and against a model: a sorted map.

#include "strata/net/timer_wheel.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace strata::net {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

class Node final : public TimerNode {
 public:
  explicit Node(std::function<void()> fire = nullptr) : fire_(std::move(fire)) {}
  ~Node() override = default;
  int fired = 0;

 private:
  void OnTimer() override {
    ++fired;
    if (fire_) fire_();
  }
  std::function<void()> fire_;
};

TEST(TimerWheelTest, FiresAtItsTickAndNotBefore) {
  for (const std::uint64_t expiry :
       {std::uint64_t{1}, std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{65},
        std::uint64_t{4095}, std::uint64_t{4096}, std::uint64_t{1} << 40, kLast - 1, kLast}) {
    SCOPED_TRACE(expiry);
    TimerWheel wheel;
    Node node;
    wheel.Arm(node, expiry);
    EXPECT_TRUE(node.armed());
    wheel.Advance(expiry - 1);
    EXPECT_EQ(node.fired, 0);
    wheel.Advance(expiry);
    EXPECT_EQ(node.fired, 1);
    EXPECT_FALSE(node.armed());
  }
}

TEST(TimerWheelTest, WhatIsDueAlreadyFiresAtTheNextAdvanceToTheSameTick) {
  TimerWheel wheel;
  wheel.Advance(100);
  Node now;
  Node past;
  wheel.Arm(now, 100);
  wheel.Arm(past, 3);
  EXPECT_EQ(wheel.NextExpiry(), 100u);
  wheel.Advance(100);
  EXPECT_EQ(now.fired, 1);
  EXPECT_EQ(past.fired, 1);
}

TEST(TimerWheelTest, ArmedForNowInItsCallbackDoesNotLoop) {
  TimerWheel wheel;
  Node* again = nullptr;
  Node node([&] { wheel.Arm(*again, 0); });
  again = &node;
  wheel.Arm(node, 5);
  wheel.Advance(10);
  EXPECT_EQ(node.fired, 1);
  wheel.Advance(10);
  EXPECT_EQ(node.fired, 2);
  wheel.Cancel(node);
}

TEST(TimerWheelTest, CallbackMayCancelAndDestroyOthersOfTheSameTick) {
  TimerWheel wheel;
  std::vector<std::unique_ptr<Node>> others;
  int fired = 0;
  const auto fire = [&] {
    ++fired;
    for (auto& other : others) {
      if (other && other->armed()) {
        wheel.Cancel(*other);
        other.reset();
      }
    }
  };
  for (int i = 0; i < 10; ++i) others.push_back(std::make_unique<Node>(fire));
  for (auto& other : others) wheel.Arm(*other, 7);
  wheel.Advance(7);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheelTest, CallbackMayDestroyItsOwnNode) {
  TimerWheel wheel;
  std::unique_ptr<Node> node;
  node = std::make_unique<Node>([&] { node.reset(); });
  wheel.Arm(*node, 1);
  wheel.Advance(1);
  EXPECT_EQ(node, nullptr);
}

TEST(TimerWheelTest, ArmingAnewMovesIt) {
  TimerWheel wheel;
  Node node;
  wheel.Arm(node, 5);
  wheel.Arm(node, 500);
  wheel.Advance(499);
  EXPECT_EQ(node.fired, 0);
  wheel.Advance(500);
  EXPECT_EQ(node.fired, 1);
}

TEST(TimerWheelTest, NothingArmedHasNoNextExpiry) {
  TimerWheel wheel;
  EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
  Node node;
  wheel.Arm(node, 1000);
  wheel.Cancel(node);
  wheel.Cancel(node);
  EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
}

TEST(TimerWheelTest, WaitingAsNextExpirySaysTakesFewSteps) {
  TimerWheel wheel;
  Node node;
  wheel.Arm(node, 123'456'789'012);
  int steps = 0;
  while (node.fired == 0) {
    const std::optional<std::uint64_t> next = wheel.NextExpiry();
    ASSERT_TRUE(next.has_value());
    wheel.Advance(*next);
    ASSERT_LE(++steps, 11);
  }
}

TEST(TimerWheelTest, DestroyedWheelDisarms) {
  Node near;
  Node far;
  {
    TimerWheel wheel;
    wheel.Arm(near, 0);
    wheel.Arm(far, kLast);
  }
  EXPECT_FALSE(near.armed());
  EXPECT_FALSE(far.armed());
}

// Random operations; the model is a map from node to expiry.
TEST(TimerWheelTest, DoesAsTheModelDoes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::unique_ptr<Node>> nodes;
  TimerWheel wheel;  // Destroyed first: some nodes are still armed.
  std::uint64_t now = 0;
  std::map<std::size_t, std::uint64_t> model;
  std::vector<std::size_t> fired;
  for (std::size_t i = 0; i < 200; ++i) {
    nodes.push_back(std::make_unique<Node>([&fired, i] { fired.push_back(i); }));
  }
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t which = random() % nodes.size();
    switch (random() % 4) {
      case 0:
      case 1: {
        // All distances alike: a random number of random bits.
        const std::uint64_t expiry = now + (random() >> (random() % 64)) % (kLast - now);
        wheel.Arm(*nodes[which], expiry);
        model[which] = expiry;
        break;
      }
      case 2:
        wheel.Cancel(*nodes[which]);
        model.erase(which);
        break;
      default: {
        std::uint64_t to = now + (random() >> (40 + random() % 24));
        if (to < now) to = now;
        const std::optional<std::uint64_t> next = wheel.NextExpiry();
        std::uint64_t earliest = kLast;
        for (const auto& [node, expiry] : model) earliest = std::min(earliest, expiry);
        ASSERT_EQ(next.has_value(), !model.empty());
        if (next) {
          ASSERT_LE(*next, std::max(earliest, now));
        }
        fired.clear();
        wheel.Advance(to);
        now = to;
        for (const std::size_t node : fired) {
          ASSERT_TRUE(model.contains(node));
          ASSERT_LE(model[node], now);
          model.erase(node);
        }
        for (const auto& [node, expiry] : model) ASSERT_GT(expiry, now) << node;
        break;
      }
    }
  }
}

TEST(TimerWheelTest, FiresInTheOrderOfExpiry) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  TimerWheel wheel;
  std::vector<std::uint64_t> fired;
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t expiry = 1 + (random() >> (34 + random() % 30));
    nodes.push_back(std::make_unique<Node>([&fired, expiry] { fired.push_back(expiry); }));
    wheel.Arm(*nodes.back(), expiry);
  }
  wheel.Advance(kLast);
  EXPECT_EQ(fired.size(), nodes.size());
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}

}  // namespace
}  // namespace strata::net
