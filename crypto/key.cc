// Keys in their containers: PEM, DER, raw bytes, encrypted PKCS#8. What is inside a container is
// made a key of in key_raw.cc.

#include "strata/crypto/key.h"

#include <openssl/pkcs12.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/key_der_internal.h"
#include "strata/crypto/key_internal.h"
#include "strata/crypto/key_pem_internal.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kMaxKeyPasswordBytes = 1024;
constexpr std::uint32_t kMinWrittenIterations = 100'000;
constexpr int kEncryptionSaltBytes = 16;

absl::Status Malformed(std::string_view what) {
  return OpenSslFailure(absl::StatusCode::kInvalidArgument, what);
}

// Takes the parts of an RSAPublicKey or RSAPrivateKey: `count` positive INTEGERs.
bool ReadIntegers(DerReader& reader, std::span<ByteSpan> integers) {
  for (ByteSpan& integer : integers) {
    const std::optional<ByteSpan> contents = reader.Read(kDerInteger);
    if (!contents.has_value() || contents->empty() || (*contents)[0] >= 0x80) return false;
    const bool padded = contents->size() > 1 && (*contents)[0] == 0;
    if (padded && (*contents)[1] < 0x80) return false;
    integer = contents->subspan(padded ? 1 : 0);
  }
  return reader.empty();
}

absl::StatusOr<PublicKey> RsaPublicKeyFromDer(ByteSpan der) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  ByteSpan integers[kRsaPublicNumbers];
  if (!sequence.has_value() || !outer.empty()) return Malformed("malformed RSA public key");
  DerReader inner(*sequence);
  if (!ReadIntegers(inner, integers)) return Malformed("malformed RSA public key");
  return RsaPublicKey(integers[0], integers[1]);
}

// An RSAPrivateKey of two primes (RFC 8017, appendix A.1.2).
absl::StatusOr<PrivateKey> RsaPrivateKeyFromDer(ByteSpan der) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  ByteSpan i[kRsaPrivateNumbers];
  if (!sequence.has_value() || !outer.empty()) return Malformed("malformed RSA private key");
  DerReader inner(*sequence);
  if (!inner.ReadInteger(0) || !ReadIntegers(inner, i)) {
    return Malformed("malformed RSA private key");
  }
  return RsaPrivateKey(i);
}

absl::StatusOr<PrivateKey> EcPrivateKeyFromDer(ByteSpan der, std::optional<KeyType> type) {
  const std::optional<ContainedEcKey> contained = ReadEcPrivateKey(der, type);
  if (!contained.has_value()) return Malformed("malformed private key of an elliptic curve");
  absl::StatusOr<PrivateKey> key = PrivateKey::FromRaw(contained->type, contained->scalar);
  if (!key.ok() || !contained->point.has_value()) return key;
  const absl::StatusOr<PublicKey> point = PublicKey::FromRaw(contained->type, *contained->point);
  if (!point.ok()) return point.status();
  if (*point != key->public_key())
    return Malformed("the public key belongs to another private key");
  return key;
}

// The only block of a text, but for those that are passed over.
absl::StatusOr<PemBlock> OnlyBlock(std::string_view pem) {
  absl::StatusOr<std::vector<PemBlock>> blocks = ReadPem(pem);
  if (!blocks.ok()) return blocks.status();
  std::erase_if(*blocks, [](const PemBlock& block) { return block.label == "EC PARAMETERS"; });
  if (blocks->size() != 1) return Malformed("PEM: not one key");
  return std::move(blocks->front());
}

absl::Status CheckSize(ByteSpan der) {
  if (der.size() <= kMaxKeyDerBytes) return absl::OkStatus();
  return absl::InvalidArgumentError("a key has at most 16 KB");
}

}  // namespace

absl::StatusOr<PublicKey> PublicKey::FromPem(std::string_view pem) {
  const absl::StatusOr<PemBlock> block = OnlyBlock(pem);
  if (!block.ok()) return block.status();
  if (block->label != "PUBLIC KEY") return Malformed("PEM: not a block \"PUBLIC KEY\"");
  return FromDer(block->der.bytes());
}

absl::StatusOr<PublicKey> PublicKey::FromDer(ByteSpan der) {
  if (absl::Status status = CheckSize(der); !status.ok()) return status;
  const std::optional<ContainedKey> key = ReadSpki(der);
  if (!key.has_value()) return Malformed("malformed public key, or of an unknown algorithm");
  return key->type == KeyType::kRsa ? RsaPublicKeyFromDer(key->bytes)
                                    : FromRaw(key->type, key->bytes);
}

std::string PublicKey::ToPem() const { return std::string(WritePem("PUBLIC KEY", ToDer()).text()); }

absl::StatusOr<PrivateKey> PrivateKey::FromPem(std::string_view pem) {
  const absl::StatusOr<PemBlock> block = OnlyBlock(pem);
  if (!block.ok()) return block.status();
  const ByteSpan der = block->der.bytes();
  if (block->label == "PRIVATE KEY") return FromDer(der);
  if (absl::Status status = CheckSize(der); !status.ok()) return status;
  if (block->label == "EC PRIVATE KEY") return EcPrivateKeyFromDer(der, std::nullopt);
  if (block->label == "RSA PRIVATE KEY") return RsaPrivateKeyFromDer(der);
  if (block->label == "ENCRYPTED PRIVATE KEY") {
    return Malformed("PEM: the private key is encrypted: a password is needed");
  }
  return Malformed("PEM: not a private key");
}

absl::StatusOr<PrivateKey> PrivateKey::FromEncryptedPem(std::string_view pem,
                                                        std::string_view password) {
  const absl::StatusOr<PemBlock> block = OnlyBlock(pem);
  if (!block.ok()) return block.status();
  if (block->label != "ENCRYPTED PRIVATE KEY") {
    return Malformed("PEM: not a block \"ENCRYPTED PRIVATE KEY\"");
  }
  return FromEncryptedDer(block->der.bytes(), password);
}

absl::StatusOr<PrivateKey> PrivateKey::FromDer(ByteSpan der) {
  if (absl::Status status = CheckSize(der); !status.ok()) return status;
  const std::optional<ContainedKey> key = ReadPkcs8(der);
  if (!key.has_value()) return Malformed("malformed private key, or of an unknown algorithm");
  switch (key->type) {
    case KeyType::kRsa:
      return RsaPrivateKeyFromDer(key->bytes);
    case KeyType::kP256:
    case KeyType::kP384:
      return EcPrivateKeyFromDer(key->bytes, key->type);
    default:
      return FromRaw(key->type, key->bytes);
  }
}

absl::StatusOr<PrivateKey> PrivateKey::FromEncryptedDer(ByteSpan der, std::string_view password) {
  if (password.size() > kMaxKeyPasswordBytes) return Malformed("the password is too long");
  if (absl::Status status = CheckSize(der); !status.ok()) return status;
  if (absl::Status status = CheckEncryption(der); !status.ok()) return status;
  const std::uint8_t* at = der.data();
  const OpenSslPtr<X509_SIG> encrypted(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (encrypted == nullptr) return Malformed("malformed encrypted key");
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_OCTET_STRING* ciphertext = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, &ciphertext);
  unsigned char* decrypted = nullptr;
  int size = 0;
  // A wrong password shows in the padding, or in what comes out; both get one text.
  const absl::Status wrong = absl::UnauthenticatedError("the password is another one");
  if (PKCS12_pbe_crypt(algorithm, password.data(), static_cast<int>(password.size()),
                       ASN1_STRING_get0_data(ciphertext), ASN1_STRING_length(ciphertext),
                       &decrypted, &size, 0) == nullptr) {
    ClearOpenSslErrors();
    return wrong;
  }
  const SecretBytes clear = SecretBytes::Copy(ByteSpan(decrypted, static_cast<std::size_t>(size)));
  OPENSSL_clear_free(decrypted, static_cast<std::size_t>(size));
  absl::StatusOr<PrivateKey> key = FromDer(clear.bytes());
  return key.ok() ? std::move(key) : wrong;
}

SecretBytes PrivateKey::ToPem() const { return WritePem("PRIVATE KEY", ToDer().bytes()); }

absl::StatusOr<std::string> PrivateKey::ToEncryptedPem(std::string_view password,
                                                       const KeyEncryption& encryption) const {
  if (password.empty() || password.size() > kMaxKeyPasswordBytes) {
    return absl::InvalidArgumentError("the password of a key has 1 to 1024 bytes");
  }
  if (encryption.iterations < kMinWrittenIterations || encryption.iterations > kMaxKeyIterations) {
    return absl::InvalidArgumentError("from 100,000 to 5,000,000 iterations");
  }
  const SecretBytes clear = ToDer();
  const std::uint8_t* at = clear.bytes().data();
  const OpenSslPtr<PKCS8_PRIV_KEY_INFO> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(clear.size())));
  OpenSslPtr<X509_SIG> encrypted;
  if (info != nullptr) {
    // OpenSSL draws salt and IV; its default PRF is HMAC-SHA256.
    encrypted.reset(PKCS8_encrypt(-1, EVP_aes_256_cbc(), password.data(),
                                  static_cast<int>(password.size()), nullptr, kEncryptionSaltBytes,
                                  static_cast<int>(encryption.iterations), info.get()));
  }
  unsigned char* der = nullptr;
  const int size = encrypted == nullptr ? -1 : i2d_X509_SIG(encrypted.get(), &der);
  if (size < 0) return OpenSslFailure(absl::StatusCode::kInternal, "a key cannot be encrypted");
  const ByteSpan bytes(der, static_cast<std::size_t>(size));
  std::string pem(WritePem("ENCRYPTED PRIVATE KEY", bytes).text());
  OPENSSL_free(der);
  return pem;
}

}  // namespace strata::crypto
