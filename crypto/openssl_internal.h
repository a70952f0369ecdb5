// What every source of this library needs to speak with OpenSSL: owners of its objects, and its
// errors as a Status.
//
// OpenSSL keeps a queue of errors for each thread. Whoever sees a call fail makes a Status by one
// of the functions below, which empties the queue: what is left there would be found by somebody
// else's SSL_get_error, as if it were theirs.

#ifndef STRATA_CRYPTO_OPENSSL_INTERNAL_H_
#define STRATA_CRYPTO_OPENSSL_INTERNAL_H_

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

#include "absl/status/status.h"

namespace strata::crypto {

// Calls an OpenSSL function that frees.
template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

// How a type of OpenSSL's is freed. A source that needs a type not listed here adds it here, but
// for those of libssl, which have their own header.
template <typename T>
struct OpenSslDeleter;

template <>
struct OpenSslDeleter<ASN1_OBJECT> : FreeBy<ASN1_OBJECT_free> {};
template <>
struct OpenSslDeleter<ASN1_STRING> : FreeBy<ASN1_STRING_clear_free> {};
template <>
struct OpenSslDeleter<BIGNUM> : FreeBy<BN_clear_free> {};
template <>
struct OpenSslDeleter<BIO> : FreeBy<BIO_free_all> {};
template <>
struct OpenSslDeleter<EC_GROUP> : FreeBy<EC_GROUP_free> {};
template <>
struct OpenSslDeleter<EC_POINT> : FreeBy<EC_POINT_clear_free> {};
template <>
struct OpenSslDeleter<ECDSA_SIG> : FreeBy<ECDSA_SIG_free> {};
template <>
struct OpenSslDeleter<EVP_CIPHER> : FreeBy<EVP_CIPHER_free> {};
template <>
struct OpenSslDeleter<EVP_CIPHER_CTX> : FreeBy<EVP_CIPHER_CTX_free> {};
template <>
struct OpenSslDeleter<EVP_KDF> : FreeBy<EVP_KDF_free> {};
template <>
struct OpenSslDeleter<EVP_KDF_CTX> : FreeBy<EVP_KDF_CTX_free> {};
template <>
struct OpenSslDeleter<EVP_MAC> : FreeBy<EVP_MAC_free> {};
template <>
struct OpenSslDeleter<EVP_MAC_CTX> : FreeBy<EVP_MAC_CTX_free> {};
template <>
struct OpenSslDeleter<EVP_MD> : FreeBy<EVP_MD_free> {};
template <>
struct OpenSslDeleter<EVP_MD_CTX> : FreeBy<EVP_MD_CTX_free> {};
template <>
struct OpenSslDeleter<EVP_PKEY> : FreeBy<EVP_PKEY_free> {};
template <>
struct OpenSslDeleter<EVP_PKEY_CTX> : FreeBy<EVP_PKEY_CTX_free> {};
template <>
struct OpenSslDeleter<GENERAL_NAME> : FreeBy<GENERAL_NAME_free> {};
template <>
struct OpenSslDeleter<GENERAL_NAMES> : FreeBy<GENERAL_NAMES_free> {};
template <>
struct OpenSslDeleter<OCSP_RESPONSE> : FreeBy<OCSP_RESPONSE_free> {};
template <>
struct OpenSslDeleter<OSSL_DECODER_CTX> : FreeBy<OSSL_DECODER_CTX_free> {};
template <>
struct OpenSslDeleter<OSSL_ENCODER_CTX> : FreeBy<OSSL_ENCODER_CTX_free> {};
template <>
struct OpenSslDeleter<OSSL_PARAM> : FreeBy<OSSL_PARAM_free> {};
template <>
struct OpenSslDeleter<OSSL_PARAM_BLD> : FreeBy<OSSL_PARAM_BLD_free> {};
template <>
struct OpenSslDeleter<PKCS8_PRIV_KEY_INFO> : FreeBy<PKCS8_PRIV_KEY_INFO_free> {};
template <>
struct OpenSslDeleter<X509> : FreeBy<X509_free> {};
template <>
struct OpenSslDeleter<X509_CRL> : FreeBy<X509_CRL_free> {};
template <>
struct OpenSslDeleter<X509_EXTENSION> : FreeBy<X509_EXTENSION_free> {};
template <>
struct OpenSslDeleter<X509_NAME> : FreeBy<X509_NAME_free> {};
template <>
struct OpenSslDeleter<X509_REQ> : FreeBy<X509_REQ_free> {};
template <>
struct OpenSslDeleter<X509_SIG> : FreeBy<X509_SIG_free> {};
template <>
struct OpenSslDeleter<X509_STORE> : FreeBy<X509_STORE_free> {};
template <>
struct OpenSslDeleter<X509_STORE_CTX> : FreeBy<X509_STORE_CTX_free> {};

// A stack of certificates owns them.
template <>
struct OpenSslDeleter<STACK_OF(X509)> {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
template <>
struct OpenSslDeleter<STACK_OF(X509_EXTENSION)> {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};

// The one owner of an object of OpenSSL's: OpenSslPtr<EVP_PKEY> key(EVP_PKEY_new());
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter<T>>;

// A Status with `code` and the text `what`, and nothing of OpenSSL's reason, which might tell an
// attacker how close a guess was. Empties this thread's error queue.
absl::Status OpenSslFailure(absl::StatusCode code, std::string_view what);

// InvalidArgument with the text `what`, followed by OpenSSL's first reason if there is one. Only
// for input that is public, or whose form alone is wrong: malformed PEM, DER, certificates. Empties
// this thread's error queue.
absl::Status OpenSslFormatError(std::string_view what);

// Empties this thread's error queue, where a failure was expected.
void ClearOpenSslErrors();

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_OPENSSL_INTERNAL_H_
