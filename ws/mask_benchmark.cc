// Masking beside memcpy() of as many bytes, from the place of one buffer to another or in place.
// 125 bytes and 16 KB are usual messages; 64 KB is what a loop reads at once.

#include <cstring>
#include <string>

#include "benchmark/benchmark.h"
#include "strata/ws/mask.h"
#include "strata/ws/mask_internal.h"

namespace strata::ws {
namespace {

// A frame's header has moved the payload off any alignment.
constexpr std::size_t kOffset = 14;
constexpr std::uint32_t kKey = 0x5a0fc381;

void BM_Memcpy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string from(kOffset + size, 'x');
  std::string to(kOffset + size, 'y');
  for (auto _ : state) {
    std::memcpy(to.data() + kOffset, from.data() + kOffset, size);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_MaskInPlace(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string bytes(kOffset + size, 'x');
  for (auto _ : state) {
    MaskKey key = ApplyMask({bytes.data() + kOffset, size}, MaskKey::FromNumber(kKey));
    benchmark::DoNotOptimize(key);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_CopyMasked(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string from(kOffset + size, 'x');
  std::string to(size, 'y');
  for (auto _ : state) {
    CopyMasked(to.data(), from.data() + kOffset, size, MaskKey::FromNumber(kKey));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

template <void (*kCopy)(char*, const char*, std::size_t, std::uint32_t)>
void BM_MaskInPlaceBy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string bytes(kOffset + size, 'x');
  for (auto _ : state) {
    kCopy(bytes.data() + kOffset, bytes.data() + kOffset, size, kKey);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int size : {8, 125, 1024, 16 * 1024, 64 * 1024}) benchmark->Arg(size);
}
BENCHMARK(BM_Memcpy)->Apply(Sizes);
BENCHMARK(BM_MaskInPlace)->Apply(Sizes);
BENCHMARK(BM_CopyMasked)->Apply(Sizes);
BENCHMARK(BM_MaskInPlaceBy<CopyMaskedPortable>)->Name("BM_MaskInPlacePortable")->Apply(Sizes);
BENCHMARK(BM_MaskInPlaceBy<CopyMaskedSse2>)->Name("BM_MaskInPlaceSse2")->Apply(Sizes);

}  // namespace
}  // namespace strata::ws
