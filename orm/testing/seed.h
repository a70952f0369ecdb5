// The seed of a random test, by which a run is repeated.

#ifndef STRATA_ORM_TESTING_SEED_H_
#define STRATA_ORM_TESTING_SEED_H_

#include <cstdio>
#include <cstdlib>

namespace strata::orm::testing {

// STRATA_SEED of the environment, or `otherwise`; printed in both cases.
inline unsigned Seed(unsigned otherwise) {
  const char* given = std::getenv("STRATA_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoll(given)) : otherwise;
  std::printf("STRATA_SEED=%u\n", seed);
  return seed;
}

}  // namespace strata::orm::testing

#endif  // STRATA_ORM_TESTING_SEED_H_
