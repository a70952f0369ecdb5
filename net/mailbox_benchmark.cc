// What it costs to post a task to a loop from other threads, until it has run. Time on the clock of
// all posts together, divided by their number; the posters wait while the queue is full.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/net/loop.h"

namespace strata::net {
namespace {

constexpr std::uint64_t kPosts = 1'000'000;

void BM_Post(benchmark::State& state) {
  const auto posters = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    std::unique_ptr<Loop> loop = *Loop::Create({});
    std::uint64_t ran = 0;
    std::thread runner([&] { loop->Run(); });
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < posters; ++i) {
      threads.emplace_back([&] {
        for (std::uint64_t j = 0; j < kPosts / posters; ++j) {
          while (loop->Post([&] {
            if (++ran == kPosts / posters * posters) loop->Stop();
          }) != Error::kOk) {
            std::this_thread::yield();
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    runner.join();
    if (ran != kPosts / posters * posters) state.SkipWithError("a post was lost");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPosts));
}
BENCHMARK(BM_Post)->Arg(1)->Arg(2)->Arg(4)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace strata::net
