// Whether a message is worth compressing, guessed from a sample of its bytes.

#ifndef STRATA_WS_ENTROPY_INTERNAL_H_
#define STRATA_WS_ENTROPY_INTERNAL_H_

#include <string_view>

namespace strata::ws {

// Whether the bytes are spread as evenly as those of random, encrypted or compressed data. Takes
// less than a microsecond, where deflating a kilobyte takes ten. Short messages never are.
bool LooksRandom(std::string_view message);

}  // namespace strata::ws

#endif  // STRATA_WS_ENTROPY_INTERNAL_H_
