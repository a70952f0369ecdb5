// The operations that are compared, each done by Strata and by its rivals.

#ifndef STRATA_BENCH_CRYPTO_OPERATIONS_H_
#define STRATA_BENCH_CRYPTO_OPERATIONS_H_

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/crypto/measure.h"

namespace strata::bench {

// The first contender is Strata, the second the floor: raw EVP with context and key set. The third
// is the floor once more, which shows how far two measurements of the same thing are apart. Then
// naive EVP, which fetches and makes a context each time, and libsodium where it has the operation.
struct Operation {
  std::string name;
  std::vector<Contender> contenders;
};

// The largest message.
inline constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

// Room for a message and what comes with it, one of each for a thread.
struct Buffers {
  std::vector<std::uint8_t> in = std::vector<std::uint8_t>(kMaxBytes, 'x');
  std::vector<std::uint8_t> out = std::vector<std::uint8_t>(kMaxBytes + 64);
};
Buffers& ThreadBuffers();

// A benchmark of what fails would be of no use.
inline void Require(bool done) {
  if (!done) std::abort();
}

std::vector<Operation> CipherOperations();
std::vector<Operation> HashOperations();

// Not against EVP: CRC-32C against one stream of the processor's instruction, small draws of random
// bytes against RAND_bytes.
std::vector<Operation> OtherOperations();

}  // namespace strata::bench

#endif  // STRATA_BENCH_CRYPTO_OPERATIONS_H_
