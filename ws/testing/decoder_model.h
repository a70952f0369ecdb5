// A decoder as RFC 6455 is read: a byte at a time, everything kept, everything looked at anew.
// Slow, and without a line in common with the library's.

#ifndef STRATA_WS_TESTING_DECODER_MODEL_H_
#define STRATA_WS_TESTING_DECODER_MODEL_H_

#include <string>
#include <string_view>

#include "strata/ws/decoder.h"

namespace strata::ws::wire {

// The events as Decode() of wire.h tells them, without permessage-deflate.
std::string ModelEvents(std::string_view bytes, const DecoderOptions& options);

}  // namespace strata::ws::wire

#endif  // STRATA_WS_TESTING_DECODER_MODEL_H_
