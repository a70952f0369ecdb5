// Signatures by EVP_DigestSign and EVP_DigestVerify. A context is made for each: it takes a
// microsecond, and the fastest of the signatures tens of them.

#include "strata/crypto/sign.h"

#include <openssl/core_names.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "strata/crypto/key_internal.h"
#include "strata/crypto/openssl_internal.h"

namespace strata::crypto {
namespace {

struct Scheme {
  KeyType type;
  const char* digest;  // Null for Ed25519, which has its own.
  bool pss = false;
  bool fixed = false;
};

Scheme SchemeOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEd25519:
      return {KeyType::kEd25519, nullptr};
    case SignatureAlgorithm::kEcdsaP256Sha256:
      return {KeyType::kP256, "SHA256"};
    case SignatureAlgorithm::kEcdsaP384Sha384:
      return {KeyType::kP384, "SHA384"};
    case SignatureAlgorithm::kEcdsaP256Sha256Fixed:
      return {.type = KeyType::kP256, .digest = "SHA256", .fixed = true};
    case SignatureAlgorithm::kEcdsaP384Sha384Fixed:
      return {.type = KeyType::kP384, .digest = "SHA384", .fixed = true};
    case SignatureAlgorithm::kRsaPssSha256:
      return {.type = KeyType::kRsa, .digest = "SHA256", .pss = true};
    case SignatureAlgorithm::kRsaPssSha384:
      return {.type = KeyType::kRsa, .digest = "SHA384", .pss = true};
    case SignatureAlgorithm::kRsaPssSha512:
      return {.type = KeyType::kRsa, .digest = "SHA512", .pss = true};
    case SignatureAlgorithm::kRsaPkcs1Sha256:
      return {KeyType::kRsa, "SHA256"};
    case SignatureAlgorithm::kRsaPkcs1Sha384:
      return {KeyType::kRsa, "SHA384"};
    case SignatureAlgorithm::kRsaPkcs1Sha512:
      break;
  }
  return {KeyType::kRsa, "SHA512"};
}

const unsigned char* AsBytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* AsBytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

absl::Status CheckType(SignatureAlgorithm algorithm, KeyType type) {
  if (KeyTypeOf(algorithm) == type) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the algorithm is for keys of ",
                                                 KeyTypeName(KeyTypeOf(algorithm)), ", not ",
                                                 KeyTypeName(type)));
}

// The parameters of PSS; a salt as long as the digest is what OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST
// asks for, of the verifier as well.
bool SetPadding(const Scheme& scheme, EVP_PKEY_CTX* context) {
  if (scheme.type != KeyType::kRsa) return true;
  if (!scheme.pss) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// r and s of a DER signature that OpenSSL made, each `size` bytes.
std::optional<std::string> DerToFixed(std::string_view der, std::size_t size) {
  const unsigned char* at = AsBytes(der);
  const OpenSslPtr<ECDSA_SIG> parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (parts == nullptr) return std::nullopt;
  std::string fixed(2 * size, '\0');
  const int width = static_cast<int>(size);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), AsBytes(fixed), width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), AsBytes(fixed) + size, width) != width) {
    return std::nullopt;
  }
  return fixed;
}

// The reverse, for a verifier, which checks the range of r and s.
std::optional<std::string> FixedToDer(std::string_view fixed, std::size_t size) {
  if (fixed.size() != 2 * size) return std::nullopt;
  const OpenSslPtr<ECDSA_SIG> parts(ECDSA_SIG_new());
  OpenSslPtr<BIGNUM> r(BN_bin2bn(AsBytes(fixed), static_cast<int>(size), nullptr));
  OpenSslPtr<BIGNUM> s(BN_bin2bn(AsBytes(fixed) + size, static_cast<int>(size), nullptr));
  if (parts == nullptr || r == nullptr || s == nullptr) return std::nullopt;
  ECDSA_SIG_set0(parts.get(), r.release(), s.release());
  std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)), '\0');
  unsigned char* at = AsBytes(der);
  i2d_ECDSA_SIG(parts.get(), &at);
  return der;
}

bool IsGood(const Scheme& scheme, EVP_PKEY* key, std::string_view message,
            std::string_view signature) {
  // RFC 8017, section 8.1.2, step 1; OpenSSL also takes one whose leading zeros are missing.
  if (scheme.type == KeyType::kRsa &&
      signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key))) {
    return false;
  }
  std::optional<std::string> der;
  if (scheme.fixed) {
    der = FixedToDer(signature, RawKeyBytes(scheme.type));
    if (!der.has_value()) return false;
    signature = *der;
  }
  const OpenSslPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* of_key = nullptr;  // The context's.
  return context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), &of_key, scheme.digest, nullptr, nullptr, key,
                                 nullptr) == 1 &&
         SetPadding(scheme, of_key) &&
         EVP_DigestVerify(context.get(), AsBytes(signature), signature.size(), AsBytes(message),
                          message.size()) == 1;
}

}  // namespace

KeyType KeyTypeOf(SignatureAlgorithm algorithm) { return SchemeOf(algorithm).type; }

absl::StatusOr<Signer> Signer::Create(SignatureAlgorithm algorithm, PrivateKey key) {
  if (absl::Status status = CheckType(algorithm, key.type()); !status.ok()) return status;
  return Signer(algorithm, std::move(key));
}

absl::StatusOr<std::string> Signer::Sign(std::string_view message) const {
  const Scheme scheme = SchemeOf(algorithm_);
  EVP_PKEY* key = KeyAccess::Get(key_);
  const OpenSslPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* of_key = nullptr;  // The context's.
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit_ex(context.get(), &of_key, scheme.digest, nullptr, nullptr, key,
                            nullptr) != 1 ||
      !SetPadding(scheme, of_key) ||
      EVP_DigestSign(context.get(), AsBytes(signature), &size, AsBytes(message), message.size()) !=
          1) {
    return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot sign");
  }
  signature.resize(size);
  if (!scheme.fixed) return signature;
  const std::optional<std::string> fixed = DerToFixed(signature, RawKeyBytes(scheme.type));
  if (!fixed.has_value()) return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot sign");
  return *fixed;
}

absl::StatusOr<Verifier> Verifier::Create(SignatureAlgorithm algorithm, PublicKey key) {
  if (absl::Status status = CheckType(algorithm, key.type()); !status.ok()) return status;
  return Verifier(algorithm, std::move(key));
}

absl::Status Verifier::Verify(std::string_view message, std::string_view signature) const {
  if (IsGood(SchemeOf(algorithm_), KeyAccess::Get(key_), message, signature)) {
    return absl::OkStatus();
  }
  return OpenSslFailure(absl::StatusCode::kUnauthenticated, "the signature is not good");
}

}  // namespace strata::crypto
