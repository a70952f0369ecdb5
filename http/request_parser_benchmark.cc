// What a head costs to parse: a small one, a browser's, and many that differ, so that the processor
// cannot learn one by heart.

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"
#include "strata/http/field.h"
#include "strata/http/request_parser.h"

namespace strata::http {
namespace {

constexpr std::string_view kSmall = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

constexpr std::string_view kBrowser =
    "GET /articles/2026/08/01/index.html?from=front&page=2 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://www.example.com/articles/\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "\r\n";

// A fixed seed: every run parses the same.
constexpr std::uint64_t kSeed = 1;

std::vector<std::string> ManyHeads() {
  const std::vector<std::string_view> names = {
      "Accept",     "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control",
      "Connection", "Cookie",          "If-None-Match",   "Origin",        "Referer",
      "User-Agent", "X-Forwarded-For", "X-Request-ID",    "X-Trace",       "Sec-Fetch-Mode"};
  std::mt19937_64 random(kSeed);
  std::vector<std::string> heads;
  for (int i = 0; i < 1000; ++i) {
    std::string& head = heads.emplace_back("GET /");
    head.append(random() % 60, 'p');
    head += " HTTP/1.1\r\nHost: www.example.com\r\n";
    for (std::uint64_t fields = 4 + random() % 10; fields > 0; --fields) {
      head.append(names[random() % names.size()]).append(": ");
      head.append(1 + random() % 80, 'v').append("\r\n");
    }
    head += "\r\n";
  }
  return heads;
}

void Parse(RequestParser& parser, std::string_view bytes) {
  parser.Reset();
  if (parser.Parse(bytes) != ParseResult::kComplete) {
    std::fprintf(stderr, "not parsed\n");
    std::abort();
  }
  benchmark::DoNotOptimize(parser.head().fields.size());
}

void BM_Parse(benchmark::State& state, std::string_view head) {
  RequestParser parser;
  for (auto _ : state) Parse(parser, head);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}
BENCHMARK_CAPTURE(BM_Parse, Small, kSmall);
BENCHMARK_CAPTURE(BM_Parse, Browser, kBrowser);

// One head each time.
void BM_ParseMany(benchmark::State& state) {
  const std::vector<std::string> heads = ManyHeads();
  RequestParser parser;
  std::size_t i = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    Parse(parser, heads[i]);
    bytes += static_cast<std::int64_t>(heads[i].size());
    i = (i + 1) % heads.size();
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_ParseMany);

// A head that comes a byte at a time.
void BM_ParseByBytes(benchmark::State& state) {
  RequestParser parser;
  for (auto _ : state) {
    parser.Reset();
    for (std::size_t size = 1; size <= kBrowser.size(); ++size) {
      benchmark::DoNotOptimize(parser.Parse(kBrowser.substr(0, size)));
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBrowser.size()));
}
BENCHMARK(BM_ParseByBytes);

// The names of a browser's fields, one after the other.
void BM_FieldIdOf(benchmark::State& state) {
  RequestParser parser;
  Parse(parser, kBrowser);
  std::vector<std::string_view> names;
  for (const Field& field : parser.head().fields) names.push_back(field.name);
  for (auto _ : state) {
    for (const std::string_view name : names) benchmark::DoNotOptimize(FieldIdOf(name));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(names.size()));
}
BENCHMARK(BM_FieldIdOf);

}  // namespace
}  // namespace strata::http
