// Random bytes of the system, to seed what draws more of them.

#ifndef STRATA_HTTP_RANDOM_INTERNAL_H_
#define STRATA_HTTP_RANDOM_INTERNAL_H_

#include <cstddef>
#include <span>

namespace strata::http {

// Ends the program if the system has none to give: what would go on without is no longer safe.
void FillRandom(std::span<std::byte> bytes);

}  // namespace strata::http

#endif  // STRATA_HTTP_RANDOM_INTERNAL_H_
