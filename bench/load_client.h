// File: load_client.h
//
// What load clients share. One warms up, prints "ready", waits for a line of its input, measures,
// and prints what it has seen; with --idle it only holds its connections from "ready" to that line.

#ifndef BENCH_LOAD_CLIENT_H_
#define BENCH_LOAD_CLIENT_H_

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bench/arguments.h"

namespace bench {

inline constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

[[noreturn]] inline void Die(const char* what) {
  std::fprintf(stderr, "load_client: %s\n", what);
  std::exit(1);
}

// Nanoseconds.
inline std::uint64_t Now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time;
  ::clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t Nanoseconds(double seconds) {
  return static_cast<std::uint64_t>(seconds * static_cast<double>(kNsPerSecond));
}

// A Client has Run(nanoseconds) and Print(). The arguments are --idle, --warm-up and --seconds.
template <typename Client>
void RunLoadClient(Client& client, const Arguments& arguments) {
  const bool idle = arguments.Has("--idle");
  client.Run(idle ? 0 : Nanoseconds(arguments.Seconds("--warm-up", 0.3)));
  std::puts("ready");
  std::fflush(stdout);
  for (int byte = 0; byte != EOF && byte != '\n';) byte = std::getchar();
  if (idle) return;
  client.Run(Nanoseconds(arguments.Seconds("--seconds", 1)));
  client.Print();
}

}  // namespace bench

#endif  // BENCH_LOAD_CLIENT_H_
