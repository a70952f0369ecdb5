// Bytes of a file per second through the parser, in pieces as a loop receives them, beside memcpy
// of the same pieces.

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/http/multipart.h"

namespace strata::http {
namespace {

constexpr std::size_t kContentBytes = 4 << 20;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::uint64_t kSeed = 1;

// As browsers make them.
constexpr std::string_view kBoundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

class Counter final : public MultipartHandler {
 public:
  bool OnPart(const MultipartPart&) override { return true; }
  bool OnData(std::string_view data) override {
    bytes += data.size();
    return true;
  }
  bool OnPartEnd() override { return true; }

  std::size_t bytes = 0;
};

std::string FormOf(const std::string& content, std::string_view boundary) {
  std::string form = "--";
  form.append(boundary).append(
      "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n");
  form.append("\r\n").append(content).append("\r\n--").append(boundary).append("--\r\n");
  return form;
}

std::string RandomBytes() {
  std::mt19937_64 random(kSeed);
  std::string content(kContentBytes, '\0');
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

std::string Lines() {
  std::mt19937_64 random(kSeed);
  std::string content;
  while (content.size() < kContentBytes) {
    for (std::uint64_t words = 1 + random() % 16; words > 0; --words) {
      content.append(1 + random() % 9, static_cast<char>('a' + random() % 26)).append(" ");
    }
    content += "\r\n";
  }
  return content;
}

void Run(benchmark::State& state, const std::string& content, std::string_view boundary) {
  const std::string form = FormOf(content, boundary);
  for (auto _ : state) {
    Counter counter;
    MultipartParser parser(boundary, &counter);
    for (std::size_t at = 0; at < form.size(); at += kPieceBytes) {
      parser.Feed(std::string_view(form).substr(at, kPieceBytes));
    }
    if (parser.Finish() != MultipartError::kOk || counter.bytes != content.size()) {
      state.SkipWithError("no such form");
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * form.size()));
}

void BM_Memcpy(benchmark::State& state) {
  const std::string content = RandomBytes();
  std::vector<char> piece(kPieceBytes);
  for (auto _ : state) {
    for (std::size_t at = 0; at < content.size(); at += kPieceBytes) {
      std::memcpy(piece.data(), content.data() + at, kPieceBytes);
      benchmark::DoNotOptimize(piece.data());
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * content.size()));
}
BENCHMARK(BM_Memcpy);

void BM_RandomBytes(benchmark::State& state) { Run(state, RandomBytes(), kBoundary); }
BENCHMARK(BM_RandomBytes);

void BM_Lines(benchmark::State& state) { Run(state, Lines(), kBoundary); }
BENCHMARK(BM_Lines);

void BM_ShortBoundary(benchmark::State& state) { Run(state, RandomBytes(), "B"); }
BENCHMARK(BM_ShortBoundary);

// The worst for its search: as many places as can be where a delimiter might begin.
void BM_WorstBytes(benchmark::State& state) {
  std::string content;
  while (content.size() < kContentBytes) content += "\r\n--";
  Run(state, content, kBoundary);
}
BENCHMARK(BM_WorstBytes);

void BM_CarriageReturns(benchmark::State& state) {
  Run(state, std::string(kContentBytes, '\r'), kBoundary);
}
BENCHMARK(BM_CarriageReturns);

// A small form, of which browsers send most.
void BM_SmallForm(benchmark::State& state) { Run(state, "value", kBoundary); }
BENCHMARK(BM_SmallForm);

}  // namespace
}  // namespace strata::http
