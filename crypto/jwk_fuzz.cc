// Feeds texts to the readers of JWKs and JWK Sets: what is accepted is the same key when written
// and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/crypto/jwk.h"
#include "strata/crypto/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using strata::crypto::PrivateKey;
  using strata::crypto::PublicKey;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<PublicKey> half = strata::crypto::PublicKeyFromJwk(text);
  if (half.ok() && strata::crypto::PublicKeyFromJwk(ToJwk(*half)).value() != *half) std::abort();
  const absl::StatusOr<PrivateKey> key = strata::crypto::PrivateKeyFromJwk(text);
  if (key.ok() &&
      strata::crypto::PrivateKeyFromJwk(ToJwk(*key).text())->public_key() != key->public_key()) {
    std::abort();
  }
  const auto keys = strata::crypto::JwtKeySet::FromJson(text);
  if (keys.ok() && keys->size() == 0) std::abort();
  return 0;
}
