// What a decision of the rate limiter costs a loop, for one client, for many whose slots are not in
// the cache, and when several threads ask at a time.

#include <memory>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/http/rate_limit.h"

namespace strata::http {
namespace {

RateLimiter& Limiter() {
  static RateLimiter& limiter =
      *RateLimiter::Create({.per_second = 1e6, .burst = 1'000'000}).value().release();
  return limiter;
}

std::vector<net::Address> Clients(std::uint32_t count) {
  std::vector<net::Address> clients;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t bytes[] = {10, static_cast<std::uint8_t>(i >> 16),
                                  static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    clients.push_back(net::Address::Ipv4(bytes, 0));
  }
  return clients;
}

// The time is read once for a turn of a loop, not for each request.
void BM_Allow(benchmark::State& state) {
  const std::vector<net::Address> clients = Clients(static_cast<std::uint32_t>(state.range(0)));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t i = 0;
  for (auto _ : state) {
    const auto now = begin + std::chrono::microseconds(i);
    benchmark::DoNotOptimize(Limiter().Allow(clients[i++ % clients.size()], now));
  }
}
BENCHMARK(BM_Allow)->Arg(1)->Arg(1000)->Arg(50'000)->ThreadRange(1, 2);

void BM_AllowByName(benchmark::State& state) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t i = 0;
  for (auto _ : state) {
    const auto now = begin + std::chrono::microseconds(i++);
    benchmark::DoNotOptimize(Limiter().Allow("0123456789abcdef0123456789abcdef", now));
  }
}
BENCHMARK(BM_AllowByName);

void BM_Refuse(benchmark::State& state) {
  auto limiter = RateLimiter::Create({.per_second = 1, .burst = 1}).value();
  const net::Address client = Clients(1)[0];
  const auto now = std::chrono::steady_clock::now();
  for (auto _ : state) benchmark::DoNotOptimize(limiter->Allow(client, now));
}
BENCHMARK(BM_Refuse);

}  // namespace
}  // namespace strata::http
