// Where the masking keys of clients, and the keys of their handshakes, come from.

#ifndef STRATA_WS_MASK_KEYS_INTERNAL_H_
#define STRATA_WS_MASK_KEYS_INTERNAL_H_

#include <cstdint>
#include <span>

#include "strata/ws/encoder.h"

namespace strata::ws {

// Random bytes of the system. Ends the program if it has none to give: what would go on without is
// no longer safe.
void FillRandom(std::span<std::uint8_t> bytes);

// Keys of the system's random numbers, some hundred at a time (RFC 6455 section 10.3). For all
// threads, and never destroyed.
MaskKeyGenerator* SystemMaskKeys();

}  // namespace strata::ws

#endif  // STRATA_WS_MASK_KEYS_INTERNAL_H_
