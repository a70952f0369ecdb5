// Strata's crypto against raw EVP, naive EVP and libsodium, at several sizes of messages.
//
//   crypto_bench [--quick] [--no-scaling] [NAME...]
//
// With names, only the operations whose names contain one of them, and no scaling.
// Prints nanoseconds of processor time for each, and ratios. The rivals take turns in short slices;
// "again" is the floor measured twice, so its ratio says how much a difference means.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/crypto/operations.h"
#include "bench/crypto/scaling.h"

namespace {

using strata::bench::Measure;
using strata::bench::Median;
using strata::bench::MedianRatio;
using strata::bench::Operation;
using strata::bench::Slices;

constexpr std::size_t kSizes[] = {16, 64, 256, 1024, 8192, std::size_t{1} << 20};

struct Effort {
  int slices;
  double slice_ms;
};

// Ends a line of a table.
void EndRow() {
  std::printf(" |\n");
  std::fflush(stdout);
}

void Print(const Operation& operation, const Effort& effort) {
  std::printf("\n| %s", operation.name.c_str());
  for (const auto& contender : operation.contenders) std::printf(" | %s", contender.name.c_str());
  std::printf(" | strata/floor | again/floor");
  for (std::size_t i = 3; i < operation.contenders.size(); ++i) {
    std::printf(" | %s/strata", operation.contenders[i].name.c_str());
  }
  EndRow();
  // A column for the size, the contenders, and the ratios of all but the floor.
  for (std::size_t i = 0; i < 2 * operation.contenders.size(); ++i) std::printf("|---");
  std::printf("|\n");
  for (const std::size_t size : kSizes) {
    const std::vector<Slices> taken =
        Measure(operation.contenders, size, effort.slices, effort.slice_ms);
    std::printf("| %zu B", size);
    for (const Slices& one : taken) std::printf(" | %.0f", Median(one));
    std::printf(" | %.2f | %.2f", MedianRatio(taken[0], taken[1]), MedianRatio(taken[2], taken[1]));
    for (std::size_t i = 3; i < taken.size(); ++i) {
      std::printf(" | %.2f", MedianRatio(taken[i], taken[0]));
    }
    EndRow();
  }
}

bool IsWanted(const std::string& name, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& part) {
           return name.find(part) != std::string::npos;
         });
}

}  // namespace

int main(int argc, char** argv) {
  Effort effort = {15, 5};
  bool scaling = true;
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      effort = {3, 0.2};
    } else if (argument == "--no-scaling") {
      scaling = false;
    } else {
      wanted.push_back(argument);
    }
  }
  std::printf("Nanoseconds of processor time; medians of %d slices of %.1f ms, in turns\n",
              effort.slices, effort.slice_ms);
  for (const auto& operations : {strata::bench::CipherOperations(), strata::bench::HashOperations(),
                                 strata::bench::OtherOperations()}) {
    for (const Operation& operation : operations) {
      if (IsWanted(operation.name, wanted)) Print(operation, effort);
    }
  }
  if (scaling && wanted.empty()) strata::bench::PrintScaling();
}
