// The command line that all workloads share: [--scale F] [--threads N]. Prints the checksum.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mm/workloads/workload.h"

namespace {

constexpr int kUsageError = 2;

// Reads `argv` into `options`; returns false when it is not understood.
bool ParseCommandLine(int argc, char** argv, strata::bench::Options* options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    char* end = nullptr;
    if (strcmp(argv[i], "--scale") == 0) {
      options->scale = strtod(argv[i + 1], &end);
      if (*end != '\0' || !(options->scale > 0.0 && options->scale <= 1000.0)) return false;
    } else if (strcmp(argv[i], "--threads") == 0) {
      const unsigned long threads = strtoul(argv[i + 1], &end, 10);
      if (*end != '\0' || threads < 1 || threads > strata::bench::kMaxThreads) return false;
      options->threads = static_cast<unsigned>(threads);
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  strata::bench::Options options;
  if (!ParseCommandLine(argc, argv, &options)) {
    fprintf(stderr, "usage: %s [--scale 0..1000] [--threads 1..%u]\n", argv[0],
            strata::bench::kMaxThreads);
    return kUsageError;
  }
  printf("checksum %016" PRIx64 "\n", strata::bench::RunWorkload(options));
  return 0;
}
