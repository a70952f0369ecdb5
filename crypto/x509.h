// File: x509.h
//
// X.509 certificates (RFC 5280): read, looked at, verified, requested, and made for development.
//
//   absl::StatusOr<strata::crypto::Certificate> certificate =
//       strata::crypto::Certificate::FromPem(pem);
//   if (!certificate.ok()) return certificate.status();
//   absl::StatusOr<strata::crypto::TrustStore> store = strata::crypto::TrustStore::System();
//   if (!store.ok()) return store.status();
//   absl::Status status =
//       strata::crypto::VerifyCertificate(*certificate, *store, {.host = "www.example.com"});
//
// TLS verifies by itself (tls_context.h); this is for certificates that come by other ways.
//
// Certificates are public: texts of errors say what is wrong with them. Values are cheap to copy
// and safe to use from several threads.

#ifndef STRATA_CRYPTO_X509_H_
#define STRATA_CRYPTO_X509_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/key.h"

struct x509_st;        // OpenSSL's X509.
struct x509_store_st;  // OpenSSL's X509_STORE.

namespace strata::crypto {

// The longest certificate that is read, in bytes of DER, and the most in one text.
inline constexpr std::size_t kMaxCertificateBytes = 64 * 1024;
inline constexpr std::size_t kMaxCertificates = 1024;

class Certificate {
 public:
  // One block "CERTIFICATE" (RFC 7468, section 5), and no other. InvalidArgument if it is
  // malformed.
  static absl::StatusOr<Certificate> FromPem(std::string_view pem);
  static absl::StatusOr<Certificate> FromDer(std::span<const std::uint8_t> der);

  // All certificates of a text, at least one, in their order: a chain from the leaf up, or a bundle
  // of authorities. Other blocks are refused.
  static absl::StatusOr<std::vector<Certificate>> AllFromPem(std::string_view pem);

  std::string ToPem() const;
  std::vector<std::uint8_t> ToDer() const;

  // Names as RFC 2253 writes them: "CN=www.example.com,O=Example".
  std::string subject() const;
  std::string issuer() const;

  // Lower-case hexadecimal digits, without leading zeros; a negative number begins with '-'.
  std::string serial_number() const;

  // The subject alternative names: what the certificate is for. Names that hold a NUL byte are left
  // out: no host has one, and it has served to deceive. Addresses as text.
  std::vector<std::string> dns_names() const;
  std::vector<std::string> ip_addresses() const;

  // The first and the last second of its validity. Outside the years 1970 to 2262 they are the
  // nearest that a time_point holds.
  std::chrono::system_clock::time_point not_before() const;
  std::chrono::system_clock::time_point not_after() const;

  // Whether it may issue others (section 4.2.1.9).
  bool is_authority() const;

  // Unimplemented for a key that key.h does not know.
  absl::StatusOr<PublicKey> public_key() const;

  // SHA-256 of the DER.
  Digest fingerprint() const;

  // Whether it is for `host`, a DNS name or an IP address (RFC 6125, RFC 9525): by its alternative
  // names alone, never by its common name; a wildcard is one whole leftmost label.
  bool MatchesHost(std::string_view host) const;

  friend bool operator==(const Certificate& a, const Certificate& b) {
    return a.ToDer() == b.ToDer();
  }

 private:
  friend class CertificateAccess;
  explicit Certificate(std::shared_ptr<x509_st> certificate);

  std::shared_ptr<x509_st> certificate_;
};

// The authorities that are trusted. A value, cheap to copy; copies are the same store.
class TrustStore {
 public:
  // Those of the system, where OpenSSL looks for them (SSL_CERT_FILE, SSL_CERT_DIR, else its own
  // directory). FailedPrecondition if there are none.
  static absl::StatusOr<TrustStore> System();

  // These and no others. Each is trusted as it is, be it self-signed or not.
  static absl::StatusOr<TrustStore> FromPem(std::string_view pem);
  static absl::StatusOr<TrustStore> FromCertificates(std::span<const Certificate> authorities);

 private:
  friend class CertificateAccess;
  explicit TrustStore(std::shared_ptr<x509_store_st> store);

  std::shared_ptr<x509_store_st> store_;
};

// What a certificate must allow (extended key usage, section 4.2.1.12).
enum class CertificatePurpose { kServer, kClient };

struct CertificateVerification {
  // Whom the certificate must be for. Empty: whoever it is for; then the caller looks.
  std::string host = {};

  CertificatePurpose purpose = CertificatePurpose::kServer;

  // Certificates between this one and the trusted ones, in any order, which need not be trusted.
  std::vector<Certificate> intermediates = {};

  // The most certificates between this one and the trusted one.
  int max_depth = 8;

  // The time to compare with. Without, now.
  std::optional<std::chrono::system_clock::time_point> now = {};
};

// Verifies the chain from `certificate` to a trusted one: signatures, validity, constraints,
// purposes, names (RFC 5280, section 6). Revocation is not looked at. Errors:
//   Unauthenticated     no chain to a trusted certificate, or a signature on it is not good.
//   FailedPrecondition  one of the chain has expired or is not yet valid.
//   PermissionDenied    a good chain, but for another host or another purpose.
absl::Status VerifyCertificate(const Certificate& certificate, const TrustStore& store,
                               const CertificateVerification& verification);

// Whom a certificate is for.
struct CertificateSubject {
  std::string common_name = {};  // At most 64 characters; the first name or address if empty.
  std::string organization = {};
  std::vector<std::string> dns_names = {};  // "www.example.com", "*.example.com".
  std::vector<std::string> ip_addresses = {};
};

// A certificate signing request (PKCS#10, RFC 2986) as PEM, for an authority to make a certificate
// of. InvalidArgument if a name is malformed, there is none, or the key cannot sign.
absl::StatusOr<std::string> MakeCertificateRequest(const PrivateKey& key,
                                                   const CertificateSubject& subject);

// A certificate that nobody vouches for but the key itself: for development and tests, on both
// sides of which it is put into a TrustStore. `validity` is at most ten years; it begins an hour
// ago, for clocks that differ.
absl::StatusOr<Certificate> MakeSelfSignedCertificate(
    const PrivateKey& key, const CertificateSubject& subject,
    std::chrono::hours validity = std::chrono::hours(90 * 24));

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_X509_H_
