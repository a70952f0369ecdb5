// File: backoff.h
//
// How long to wait before the next try: doubled each time up to a bound, and drawn at random below
// that, so that a thousand clients of a server that comes back do not all come at once ("equal
// jitter", AWS Architecture Blog, "Exponential Backoff And Jitter").

#ifndef STRATA_NET_BACKOFF_H_
#define STRATA_NET_BACKOFF_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace strata::net {

class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds first{100};
    std::chrono::milliseconds most{std::chrono::seconds(30)};
  };

  // The seed decides what is drawn.
  explicit Backoff(const Options& options, std::uint64_t seed = std::random_device{}())
      : options_(options), ceiling_(options.first), random_(seed) {}

  // The next wait: half of the ceiling and a random part of the other half.
  std::chrono::milliseconds Next() {
    const std::int64_t half = ceiling_.count() / 2;
    ceiling_ = std::min(ceiling_ * 2, options_.most);
    return std::chrono::milliseconds(half +
                                     std::uniform_int_distribution<std::int64_t>(0, half)(random_));
  }

  // Begins anew, after a success.
  void Reset() { ceiling_ = options_.first; }

 private:
  Options options_;
  std::chrono::milliseconds ceiling_;
  std::mt19937_64 random_;
};

}  // namespace strata::net

#endif  // STRATA_NET_BACKOFF_H_
