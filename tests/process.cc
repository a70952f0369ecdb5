#include "strata/tests/process.h"

#include <dirent.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace strata::testing {

std::size_t OpenDescriptors() {
  std::size_t count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count - 3;  // The folder's own, "." and "..".
}

std::size_t MemoryInUse() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::uint64_t EnvironmentNumber(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t StressSeed() {
  static const std::uint64_t seed = [] {
    const std::uint64_t chosen = EnvironmentNumber("STRATA_STRESS_SEED", std::random_device{}());
    std::printf("STRATA_STRESS_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

}  // namespace strata::testing
