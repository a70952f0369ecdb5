// Key agreement by EVP_PKEY_derive, and keys from its result by HKDF.

#include "strata/crypto/agree.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "strata/crypto/kdf.h"
#include "strata/crypto/key_internal.h"
#include "strata/crypto/openssl_internal.h"

namespace strata::crypto {

absl::StatusOr<SecretBytes> RawSharedSecret(const PrivateKey& mine, const PublicKey& theirs) {
  const KeyType type = mine.type();
  if (type != theirs.type()) return absl::InvalidArgumentError("keys of two different types");
  if (type == KeyType::kEd25519 || type == KeyType::kRsa) {
    return absl::InvalidArgumentError("keys of this type sign, and do not agree");
  }
  const OpenSslPtr<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, KeyAccess::Get(mine), nullptr));
  SecretBytes secret(RawKeyBytes(type));
  std::size_t size = secret.size();
  // X25519 fails where the result would be zero, whatever the private key.
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), KeyAccess::Get(theirs)) != 1 ||
      EVP_PKEY_derive(context.get(), secret.mutable_bytes().data(), &size) != 1 ||
      size != secret.size()) {
    return OpenSslFailure(absl::StatusCode::kInvalidArgument,
                          "the peer's public key is not one to agree with");
  }
  return secret;
}

absl::StatusOr<SecretBytes> AgreeOnKey(const PrivateKey& mine, const PublicKey& theirs,
                                       std::string_view info, std::size_t size) {
  const absl::StatusOr<SecretBytes> secret = RawSharedSecret(mine, theirs);
  if (!secret.ok()) return secret.status();
  std::vector<std::uint8_t> salt = *mine.public_key().ToRaw();
  std::vector<std::uint8_t> other = *theirs.ToRaw();
  if (other < salt) std::swap(salt, other);
  salt.insert(salt.end(), other.begin(), other.end());
  return Hkdf(HashAlgorithm::kSha256, secret->bytes(), salt, info, size);
}

}  // namespace strata::crypto
