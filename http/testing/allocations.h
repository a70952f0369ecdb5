// How often a program allocates: linked into a test, this takes the place of operator new.

#ifndef STRATA_HTTP_TESTING_ALLOCATIONS_H_
#define STRATA_HTTP_TESTING_ALLOCATIONS_H_

#include <cstdint>

namespace strata::http::testing {

// By all threads so far.
std::uint64_t Allocations();

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_ALLOCATIONS_H_
