// What the other sources of this library need of a certificate: OpenSSL's objects.

#ifndef STRATA_CRYPTO_X509_INTERNAL_H_
#define STRATA_CRYPTO_X509_INTERNAL_H_

#include <span>
#include <utility>

#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/x509.h"

namespace strata::crypto {

class CertificateAccess {
 public:
  static X509* Get(const Certificate& certificate) { return certificate.certificate_.get(); }
  static X509_STORE* Get(const TrustStore& store) { return store.store_.get(); }

  static Certificate Adopt(OpenSslPtr<X509> certificate) {
    return Certificate(std::move(certificate));
  }
  static TrustStore Adopt(OpenSslPtr<X509_STORE> store) { return TrustStore(std::move(store)); }
};

// A second reference to the same certificate.
Certificate ShareCertificate(X509* certificate);

// A stack that owns references to these.
OpenSslPtr<STACK_OF(X509)> CertificateStack(std::span<const Certificate> certificates);

// What a result of X509_verify_cert, not X509_V_OK, is to a caller.
absl::Status VerificationFailure(int result);

// Whether `host` is an IP address, not a name.
bool IsIpAddress(const std::string& host);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_X509_INTERNAL_H_
