// The scaling of two threads is what each does in a second of its processor's time, over what one
// does that is alone. Locks and cache lines that go to and fro show in it, what else the machine
// does hardly. In the figures of `openssl speed -multi` that shows: they need a quiet machine.

#include "bench/crypto/scaling.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/crypto/operations.h"
#include "strata/crypto/aead.h"

namespace strata::bench {
namespace {

constexpr int kRounds = 5;

crypto::Aead MakeAead() {
  absl::StatusOr<crypto::Aead> aead =
      crypto::Aead::Create(crypto::AeadAlgorithm::kAes256Gcm, std::vector<std::uint8_t>(32, 7));
  Require(aead.ok());
  return *std::move(aead);
}

// Messages sealed in a second of processor time, all `threads` threads together, each with a key of
// its own or all with one.
double Rate(int threads, std::size_t size, bool shared) {
  std::vector<crypto::Aead> aeads;
  for (int i = 0; i < (shared ? 1 : threads); ++i) aeads.push_back(MakeAead());
  std::atomic<int> ready{0};
  std::atomic<bool> stop{false};
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    running.emplace_back([&, i] {
      const crypto::Aead& aead = aeads[shared ? 0 : i];
      Buffers& buffers = ThreadBuffers();
      const auto in = std::span(buffers.in).first(size);
      const auto out = std::span(buffers.out).first(size + crypto::kAeadOverheadBytes);
      std::uint64_t mine = 0;
      ready.fetch_add(1);
      const double begin = ThreadNanoseconds();
      while (!stop.load(std::memory_order_relaxed)) {
        for (int j = 0; j < 64; ++j) Require(aead.SealTo(in, {}, out).ok());
        mine += 64;
      }
      rates[i] = static_cast<double>(mine) * 1e9 / (ThreadNanoseconds() - begin);
    });
  }
  while (ready.load() != threads) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  stop.store(true);
  for (std::thread& thread : running) thread.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

// What `openssl speed` prints in its last line, in thousands of bytes a second.
std::optional<double> SpeedRate(int processes, std::size_t size) {
  const std::string command =
      "openssl speed -seconds 1 -evp aes-256-gcm -bytes " + std::to_string(size) +
      (processes > 1 ? " -multi " + std::to_string(processes) : "") + " 2>/dev/null | tail -1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  char line[256] = {};
  const bool got = std::fgets(line, sizeof(line), pipe) != nullptr;
  pclose(pipe);
  const std::string text = line;
  const std::size_t blank = text.find_last_of(' ');
  if (!got || blank == std::string::npos) return std::nullopt;
  const double rate = std::strtod(text.c_str() + blank, nullptr);
  if (rate <= 0) return std::nullopt;
  return rate;
}

}  // namespace

void PrintScaling() {
  std::printf("\nTwo threads against one, AES-256-GCM (1.00 is twice the work):\n\n");
  std::printf("| bytes | own keys | one key | openssl speed |\n|---|---|---|---|\n");
  for (const std::size_t size : {std::size_t{64}, std::size_t{8192}}) {
    std::vector<double> own, shared, speed;
    for (int round = 0; round < kRounds; ++round) {
      own.push_back(Rate(2, size, false) / (2 * Rate(1, size, false)));
      shared.push_back(Rate(2, size, true) / (2 * Rate(1, size, true)));
      const std::optional<double> two = SpeedRate(2, size);
      const std::optional<double> one = SpeedRate(1, size);
      if (one.has_value() && two.has_value()) speed.push_back(*two / (2 * *one));
    }
    std::printf("| %zu B | %.2f | %.2f | %.2f |\n", size, Median(own), Median(shared),
                speed.empty() ? 0.0 : Median(speed));
    std::fflush(stdout);
  }
}

}  // namespace strata::bench
