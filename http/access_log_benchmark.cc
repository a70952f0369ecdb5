// What a record of the access log costs the loop that leaves it. The log's thread writes to
// /dev/null meanwhile; where it does not keep up, records are dropped, at less cost, and their
// share is told.

#include <chrono>
#include <memory>

#include "benchmark/benchmark.h"
#include "strata/http/access_log.h"

namespace strata::http {
namespace {

void BM_Append(benchmark::State& state, AccessLogFormat format, const char* peer_text) {
  auto log = AccessLog::Open({.path = "/dev/null", .format = format, .buffer_bytes = 16 << 20});
  auto producer = (*log)->NewProducer();
  const net::Address peer = *net::Address::Parse(peer_text);
  AccessRecord record = {
      .time = std::chrono::system_clock::now(),
      .peer = &peer,
      .method = "GET",
      .target = "/articles/2026/some-title?page=2",
      .status = 200,
      .bytes = 5321,
      .duration = std::chrono::microseconds(120),
      .referer = "https://www.example.com/articles/",
      .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      .request_id = "0123456789abcdef0123456789abcdef"};
  std::int64_t dropped = 0;
  for (auto _ : state) {
    record.time += std::chrono::microseconds(4);  // 250,000 a second.
    dropped += !producer->Append(record);
  }
  state.counters["dropped"] =
      static_cast<double>(dropped) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(BM_Append, common, AccessLogFormat::kCommon, "192.0.2.123:1");
BENCHMARK_CAPTURE(BM_Append, common_ipv6, AccessLogFormat::kCommon, "[2001:db8:12:3::1]:1");
BENCHMARK_CAPTURE(BM_Append, combined, AccessLogFormat::kCombined, "192.0.2.123:1");
BENCHMARK_CAPTURE(BM_Append, json, AccessLogFormat::kJson, "192.0.2.123:1");

// The formatting alone.
void BM_Write(benchmark::State& state, AccessLogFormat format) {
  AccessRecordWriter writer(format);
  const net::Address peer = *net::Address::Parse("192.0.2.123:1");
  AccessRecord record = {.time = std::chrono::system_clock::now(),
                         .peer = &peer,
                         .method = "GET",
                         .target = "/articles/2026/some-title?page=2",
                         .status = 200,
                         .bytes = 5321};
  std::string line(AccessRecordWriter::MaxBytes(record), '\0');
  for (auto _ : state) {
    record.time += std::chrono::microseconds(4);
    benchmark::DoNotOptimize(writer.Write(record, line.data()));
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(BM_Write, common, AccessLogFormat::kCommon);
BENCHMARK_CAPTURE(BM_Write, json, AccessLogFormat::kJson);

}  // namespace
}  // namespace strata::http
