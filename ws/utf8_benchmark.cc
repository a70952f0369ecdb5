// Validating UTF-8 beside memcpy() of as many bytes: ASCII, ASCII with an accent now and then, and
// text in which characters of one, two, three and four bytes alternate.

#include <cstring>
#include <string>

#include "benchmark/benchmark.h"
#include "strata/ws/utf8.h"
#include "strata/ws/utf8_internal.h"

namespace strata::ws {
namespace {

std::string Text(const benchmark::State& state, std::string_view unit) {
  std::string text;
  while (text.size() + unit.size() <= static_cast<std::size_t>(state.range(0))) text += unit;
  text.resize(static_cast<std::size_t>(state.range(0)), '.');
  return text;
}

constexpr std::string_view kAscii = "The quick brown fox jumps over the lazy dog. ";
constexpr std::string_view kLatin =
    "Voix ambigu\u00eb d'un c\u0153ur qui, au z\u00e9phyr, pr\u00e9f\u00e8re les jattes de kiwis. ";
constexpr std::string_view kMixed =
    "ab \u03b1\u03b2\u03b3 \u0436\u0438 \u4f60\u597d \u20ac \U0001f600\U0001f680 xyz ";

void BM_Memcpy(benchmark::State& state) {
  const std::string from = Text(state, kAscii);
  std::string to(from.size(), 'y');
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Validate(benchmark::State& state, std::string_view unit) {
  const std::string text = Text(state, unit);
  for (auto _ : state) {
    bool valid = IsValidUtf8(text);
    benchmark::DoNotOptimize(valid);
    if (!valid) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BM_ValidateAscii(benchmark::State& state) { Validate(state, kAscii); }
void BM_ValidateLatin(benchmark::State& state) { Validate(state, kLatin); }
void BM_ValidateMixed(benchmark::State& state) { Validate(state, kMixed); }

template <SkipValidUtf8Function kSkip>
void BM_ValidateMixedBy(benchmark::State& state) {
  const std::string text = Text(state, kMixed);
  for (auto _ : state) {
    Utf8Validator validator;
    std::size_t good = Utf8Ways::Add(validator, text, kSkip);
    benchmark::DoNotOptimize(good);
    if (good != text.size()) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int size : {8, 125, 1024, 16 * 1024, 64 * 1024}) benchmark->Arg(size);
}
BENCHMARK(BM_Memcpy)->Apply(Sizes);
BENCHMARK(BM_ValidateAscii)->Apply(Sizes);
BENCHMARK(BM_ValidateLatin)->Apply(Sizes);
BENCHMARK(BM_ValidateMixed)->Apply(Sizes);
BENCHMARK(BM_ValidateMixedBy<SkipAsciiPortable>)->Name("BM_ValidateMixedPortable")->Apply(Sizes);
BENCHMARK(BM_ValidateMixedBy<SkipValidUtf8Ssse3>)->Name("BM_ValidateMixedSsse3")->Apply(Sizes);

}  // namespace
}  // namespace strata::ws
