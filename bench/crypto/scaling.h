// How well two threads do beside each other, against `openssl speed -multi 2`.

#ifndef STRATA_BENCH_CRYPTO_SCALING_H_
#define STRATA_BENCH_CRYPTO_SCALING_H_

namespace strata::bench {

// Prints a table. Takes about a minute; without the program `openssl` only our part of it.
void PrintScaling();

}  // namespace strata::bench

#endif  // STRATA_BENCH_CRYPTO_SCALING_H_
