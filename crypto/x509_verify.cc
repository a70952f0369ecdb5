// Chains of certificates.

#include <openssl/x509_vfy.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/x509.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

// Each certificate of a store is trusted as it is: an authority that is not self-signed ends a
// chain too.
OpenSslPtr<X509_STORE> NewStore() {
  OpenSslPtr<X509_STORE> store(X509_STORE_new());
  if (store != nullptr) X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

absl::Status NoMemory() {
  return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot make a trust store");
}

bool IsOfTime(int result) {
  return result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID;
}

bool IsOfUse(int result) {
  return result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH ||
         result == X509_V_ERR_INVALID_PURPOSE;
}

}  // namespace

TrustStore::TrustStore(std::shared_ptr<x509_store_st> store) : store_(std::move(store)) {}

absl::StatusOr<TrustStore> TrustStore::System() {
  OpenSslPtr<X509_STORE> store = NewStore();
  if (store == nullptr) return NoMemory();
  if (X509_STORE_set_default_paths(store.get()) != 1) {
    return OpenSslFailure(absl::StatusCode::kFailedPrecondition,
                          "the system's certificate authorities cannot be read");
  }
  // A file that is missing is no error, to OpenSSL; the directory beside it is looked into later.
  ClearOpenSslErrors();
  return CertificateAccess::Adopt(std::move(store));
}

absl::StatusOr<TrustStore> TrustStore::FromPem(std::string_view pem) {
  const absl::StatusOr<std::vector<Certificate>> all = Certificate::AllFromPem(pem);
  if (!all.ok()) return all.status();
  return FromCertificates(*all);
}

absl::StatusOr<TrustStore> TrustStore::FromCertificates(std::span<const Certificate> authorities) {
  if (authorities.empty()) return absl::InvalidArgumentError("a trust store of no certificate");
  OpenSslPtr<X509_STORE> store = NewStore();
  if (store == nullptr) return NoMemory();
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(store.get(), CertificateAccess::Get(authority)) != 1) return NoMemory();
  }
  return CertificateAccess::Adopt(std::move(store));
}

absl::Status VerificationFailure(int result) {
  const std::string text = absl::StrCat("the certificate: ", X509_verify_cert_error_string(result));
  if (IsOfTime(result)) return OpenSslFailure(absl::StatusCode::kFailedPrecondition, text);
  if (IsOfUse(result)) return OpenSslFailure(absl::StatusCode::kPermissionDenied, text);
  return OpenSslFailure(absl::StatusCode::kUnauthenticated, text);
}

absl::Status VerifyCertificate(const Certificate& certificate, const TrustStore& store,
                               const CertificateVerification& verification) {
  const OpenSslPtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  const OpenSslPtr<STACK_OF(X509)> intermediates = CertificateStack(verification.intermediates);
  if (context == nullptr || intermediates == nullptr ||
      X509_STORE_CTX_init(context.get(), CertificateAccess::Get(store),
                          CertificateAccess::Get(certificate), intermediates.get()) != 1) {
    return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot verify a certificate");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  const bool is_server = verification.purpose == CertificatePurpose::kServer;
  X509_STORE_CTX_set_purpose(context.get(),
                             is_server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_depth(parameters, verification.max_depth);
  if (verification.now.has_value()) {
    X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(*verification.now));
  }
  if (X509_verify_cert(context.get()) != 1) {
    return VerificationFailure(X509_STORE_CTX_get_error(context.get()));
  }
  if (!verification.host.empty() && !certificate.MatchesHost(verification.host)) {
    return VerificationFailure(X509_V_ERR_HOSTNAME_MISMATCH);
  }
  return absl::OkStatus();
}

}  // namespace strata::crypto
