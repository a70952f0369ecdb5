// Feeds texts to the readers of PEM: what is accepted is the same key when written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/crypto/key.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using strata::crypto::PrivateKey;
  using strata::crypto::PublicKey;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<PublicKey> half = PublicKey::FromPem(text);
  if (half.ok() && PublicKey::FromPem(half->ToPem()).value() != *half) std::abort();
  const absl::StatusOr<PrivateKey> key = PrivateKey::FromPem(text);
  if (key.ok() && PrivateKey::FromPem(key->ToPem().text())->public_key() != key->public_key()) {
    std::abort();
  }
  return 0;
}
