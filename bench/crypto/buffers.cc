// The messages of the benchmark.

#include "bench/crypto/operations.h"

namespace strata::bench {

Buffers& ThreadBuffers() {
  static thread_local Buffers buffers;
  return buffers;
}

}  // namespace strata::bench
