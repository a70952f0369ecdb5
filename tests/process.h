// What stress suites and tests of leaks ask of the process that they run in. Linux alone.

#ifndef STRATA_TESTS_PROCESS_H_
#define STRATA_TESTS_PROCESS_H_

#include <cstddef>
#include <cstdint>

namespace strata::testing {

// The descriptors that are open.
std::size_t OpenDescriptors();

// Bytes that are allocated and not freed, by the C library's allocator; zero under a sanitizer,
// whose memory is its own.
std::size_t MemoryInUse();

// The environment variable as a decimal number; `otherwise` if there is none.
std::uint64_t EnvironmentNumber(const char* name, std::uint64_t otherwise);

// STRATA_STRESS_SEED, or one of its own that is the same at each call. The first call prints it.
std::uint64_t StressSeed();

}  // namespace strata::testing

#endif  // STRATA_TESTS_PROCESS_H_
