// DER (ITU-T X.690), as much as the containers of keys need, read strictly: lengths are definite
// and minimal, tags have one byte. OpenSSL's readers also accept BER, and fetch whatever algorithm
// the input names; here a key's algorithm is known before OpenSSL sees a byte of it.

#ifndef STRATA_CRYPTO_KEY_DER_INTERNAL_H_
#define STRATA_CRYPTO_KEY_DER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "strata/crypto/key.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

using ByteSpan = std::span<const std::uint8_t>;

inline constexpr std::uint8_t kDerInteger = 0x02;
inline constexpr std::uint8_t kDerBitString = 0x03;
inline constexpr std::uint8_t kDerOctetString = 0x04;
inline constexpr std::uint8_t kDerObjectId = 0x06;
inline constexpr std::uint8_t kDerSequence = 0x30;

// Reads elements one after the other from bytes that somebody else owns.
class DerReader {
 public:
  explicit DerReader(ByteSpan bytes) : bytes_(bytes) {}

  // The contents of the next element, if it has `tag` and is well formed; and goes past it.
  std::optional<ByteSpan> Read(std::uint8_t tag);

  // Goes past the next element if it is an INTEGER of `value`, from 0 to 127.
  bool ReadInteger(std::uint8_t value);

  // The value of the next element, an INTEGER from 0 to 2^32 - 1.
  std::optional<std::uint32_t> ReadUint32();

  // Goes past the next bytes if they are `bytes`.
  bool Skip(ByteSpan bytes);

  bool HasTag(std::uint8_t tag) const { return !bytes_.empty() && bytes_[0] == tag; }
  bool empty() const { return bytes_.empty(); }

 private:
  ByteSpan bytes_;
};

// The key in its container, by the algorithm that the container names. `bytes` are lent.
struct ContainedKey {
  KeyType type;
  ByteSpan bytes;
};

// A SubjectPublicKeyInfo (RFC 5280, section 4.1): `bytes` are the raw key, or an RSAPublicKey.
std::optional<ContainedKey> ReadSpki(ByteSpan der);

// A PrivateKeyInfo (RFC 5208), without attributes: `bytes` are the private key itself for Ed25519
// and X25519 (RFC 8410), an ECPrivateKey (RFC 5915), or an RSAPrivateKey (RFC 8017).
std::optional<ContainedKey> ReadPkcs8(ByteSpan der);

// An ECPrivateKey. Its curve is in `expected`, else in the key itself; if both, they must agree.
struct ContainedEcKey {
  KeyType type;
  ByteSpan scalar;
  std::optional<ByteSpan> point;  // As SEC1 writes it.
};
std::optional<ContainedEcKey> ReadEcPrivateKey(ByteSpan der, std::optional<KeyType> expected);

// Whether an EncryptedPrivateKeyInfo asks for what key.h says we do, at bounded cost:
// InvalidArgument if it is malformed or beyond the bounds, Unimplemented if it asks for another
// scheme.
absl::Status CheckEncryption(ByteSpan der);

// An element of `tag` whose contents are `parts`, one after the other.
SecretBytes DerElement(std::uint8_t tag, std::initializer_list<ByteSpan> parts);

// The reverse of the readers above: a PrivateKeyInfo around `contents`, and what it contains for a
// curve of FIPS 186-4 and for RSA.
SecretBytes WritePkcs8(KeyType type, const SecretBytes& contents);
SecretBytes WriteEcPrivateKey(ByteSpan scalar, ByteSpan point);
SecretBytes WriteRsaPrivateKey(std::span<const SecretBytes> numbers);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_KEY_DER_INTERNAL_H_
