// What other parts of this library must know of the hashes.

#ifndef STRATA_CRYPTO_HASH_INTERNAL_H_
#define STRATA_CRYPTO_HASH_INTERNAL_H_

#include "strata/crypto/hash.h"

namespace strata::crypto {

// OpenSSL's name of `algorithm`, for parameters called "digest".
const char* OpenSslNameOf(HashAlgorithm algorithm);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_HASH_INTERNAL_H_
