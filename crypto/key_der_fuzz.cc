// Feeds bytes to the readers of DER, strict ones: a public key that is accepted is written back as
// it came, but for a point that came compressed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "strata/crypto/key.h"
#include "strata/crypto/key_der_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using strata::crypto::KeyType;
  using strata::crypto::PrivateKey;
  using strata::crypto::PublicKey;
  const std::span<const std::uint8_t> der(data, size);
  const absl::StatusOr<PublicKey> half = PublicKey::FromDer(der);
  if (half.ok()) {
    const std::vector<std::uint8_t> written = half->ToDer();
    const bool compressed = written.size() > size;
    if (!compressed && !std::ranges::equal(written, der)) std::abort();
  }
  const absl::StatusOr<PrivateKey> key = PrivateKey::FromDer(der);
  if (key.ok() && PrivateKey::FromDer(key->ToDer().bytes())->public_key() != key->public_key()) {
    std::abort();
  }
  // Not the decryption itself, which is slow on purpose.
  (void)strata::crypto::CheckEncryption(der);
  return 0;
}
