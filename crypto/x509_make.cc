// Requests for certificates, and certificates that sign themselves.

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/key_internal.h"
#include "strata/crypto/key_pem_internal.h"
#include "strata/crypto/random.h"
#include "strata/crypto/x509.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kMaxNames = 100;
constexpr std::size_t kMaxCommonNameCharacters = 64;  // RFC 5280, appendix A: ub-common-name.
constexpr std::size_t kMaxDnsNameCharacters = 253;
constexpr std::chrono::hours kMaxValidity{24 * 3660};

absl::Status CannotMake() {
  return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot make a certificate");
}

// The digest that goes with a key's type; null for Ed25519, which has its own.
const EVP_MD* DigestFor(KeyType type) {
  if (type == KeyType::kEd25519) return nullptr;
  return type == KeyType::kP384 ? EVP_sha384() : EVP_sha256();
}

// Labels of letters, digits and hyphens (RFC 1123, section 2.1), the first of which may be "*".
bool IsDnsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxDnsNameCharacters) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  while (true) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view label = name.substr(0, end);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return absl::ascii_isalnum(c) || c == '-'; })) {
      return false;
    }
    if (end == name.size()) return true;
    name.remove_prefix(end + 1);
  }
}

// Adds an alternative name that owns `value`.
bool AddName(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  OpenSslPtr<GENERAL_NAME> name(GENERAL_NAME_new());
  if (name == nullptr || value == nullptr) {
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name.get(), type, value);
  if (sk_GENERAL_NAME_push(names, name.get()) == 0) return false;
  name.release();
  return true;
}

absl::StatusOr<OpenSslPtr<GENERAL_NAMES>> AlternativeNames(const CertificateSubject& subject) {
  OpenSslPtr<GENERAL_NAMES> names(GENERAL_NAMES_new());
  if (names == nullptr) return CannotMake();
  for (const std::string& name : subject.dns_names) {
    if (!IsDnsName(name)) return absl::InvalidArgumentError(absl::StrCat("no DNS name: ", name));
    ASN1_STRING* value = ASN1_IA5STRING_new();
    if (value != nullptr) ASN1_STRING_set(value, name.data(), static_cast<int>(name.size()));
    if (!AddName(names.get(), GEN_DNS, value)) return CannotMake();
  }
  for (const std::string& address : subject.ip_addresses) {
    ASN1_OCTET_STRING* value = a2i_IPADDRESS(address.c_str());
    if (value == nullptr || address.find('\0') != address.npos) {
      ASN1_STRING_free(value);
      return OpenSslFailure(absl::StatusCode::kInvalidArgument,
                            absl::StrCat("no IP address: ", address));
    }
    if (!AddName(names.get(), GEN_IPADD, value)) return CannotMake();
  }
  return names;
}

absl::Status CheckSubject(const PrivateKey& key, const CertificateSubject& subject) {
  if (key.type() == KeyType::kX25519) {
    return absl::InvalidArgumentError("an X25519 key cannot sign a certificate");
  }
  const std::size_t count = subject.dns_names.size() + subject.ip_addresses.size();
  if (count == 0 || count > kMaxNames) {
    return absl::InvalidArgumentError("a certificate has 1 to 100 names and addresses");
  }
  if (subject.common_name.size() > kMaxCommonNameCharacters ||
      subject.organization.size() > kMaxCommonNameCharacters) {
    return absl::InvalidArgumentError("a common name and an organization have up to 64 characters");
  }
  return absl::OkStatus();
}

bool AddEntry(X509_NAME* name, const char* field, std::string_view value) {
  return value.empty() ||
         X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

absl::Status FillName(X509_NAME* name, const CertificateSubject& subject) {
  std::string_view common_name = subject.common_name;
  if (common_name.empty()) {
    common_name = subject.dns_names.empty() ? subject.ip_addresses[0] : subject.dns_names[0];
    if (common_name.size() > kMaxCommonNameCharacters) common_name = {};
  }
  if (AddEntry(name, "O", subject.organization) && AddEntry(name, "CN", common_name)) {
    return absl::OkStatus();
  }
  return OpenSslFormatError("the common name or the organization");
}

// An extension from its text, as openssl-x509v3_config(5) writes it.
bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const OpenSslPtr<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSerialNumber(X509* certificate) {
  std::array<std::uint8_t, 16> bytes = SecureRandom::Bytes<16>();
  bytes[0] = (bytes[0] & 0x7f) | 0x40;  // Positive, and of one length.
  const OpenSslPtr<BIGNUM> number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

}  // namespace

absl::StatusOr<std::string> MakeCertificateRequest(const PrivateKey& key,
                                                   const CertificateSubject& subject) {
  if (absl::Status status = CheckSubject(key, subject); !status.ok()) return status;
  const absl::StatusOr<OpenSslPtr<GENERAL_NAMES>> names = AlternativeNames(subject);
  if (!names.ok()) return names.status();
  const OpenSslPtr<X509_REQ> request(X509_REQ_new());
  if (request == nullptr) return CannotMake();
  if (absl::Status status = FillName(X509_REQ_get_subject_name(request.get()), subject);
      !status.ok()) {
    return status;
  }
  OpenSslPtr<X509_EXTENSION> extension(
      X509V3_EXT_i2d(NID_subject_alt_name, 0, const_cast<GENERAL_NAMES*>(names->get())));
  const OpenSslPtr<STACK_OF(X509_EXTENSION)> extensions(sk_X509_EXTENSION_new_null());
  if (extension == nullptr || extensions == nullptr ||
      sk_X509_EXTENSION_push(extensions.get(), extension.get()) == 0) {
    return CannotMake();
  }
  extension.release();
  EVP_PKEY* pair = KeyAccess::Get(key);
  unsigned char* der = nullptr;
  int size = -1;
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
      X509_REQ_set_pubkey(request.get(), pair) == 1 &&
      X509_REQ_add_extensions(request.get(), extensions.get()) == 1 &&
      X509_REQ_sign(request.get(), pair, DigestFor(key.type())) > 0) {
    size = i2d_X509_REQ(request.get(), &der);
  }
  if (size < 0) return CannotMake();
  std::string pem(
      WritePem("CERTIFICATE REQUEST", std::span(der, static_cast<std::size_t>(size))).text());
  OPENSSL_free(der);
  return pem;
}

absl::StatusOr<Certificate> MakeSelfSignedCertificate(const PrivateKey& key,
                                                      const CertificateSubject& subject,
                                                      std::chrono::hours validity) {
  if (absl::Status status = CheckSubject(key, subject); !status.ok()) return status;
  if (validity.count() <= 0 || validity > kMaxValidity) {
    return absl::InvalidArgumentError("a certificate is valid for an hour to ten years");
  }
  const absl::StatusOr<OpenSslPtr<GENERAL_NAMES>> names = AlternativeNames(subject);
  if (!names.ok()) return names.status();
  const OpenSslPtr<X509> certificate(X509_new());
  if (certificate == nullptr) return CannotMake();
  X509* x509 = certificate.get();
  if (absl::Status status = FillName(X509_get_subject_name(x509), subject); !status.ok()) {
    return status;
  }
  EVP_PKEY* pair = KeyAccess::Get(key);
  const long seconds = static_cast<long>(std::chrono::seconds(validity).count());
  if (X509_set_version(x509, X509_VERSION_3) != 1 || !SetSerialNumber(x509) ||
      X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(x509), -3600) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(x509), seconds) == nullptr ||
      X509_set_pubkey(x509, pair) != 1 ||
      X509_add1_ext_i2d(x509, NID_subject_alt_name, names->get(), 0, X509V3_ADD_DEFAULT) != 1 ||
      !AddExtension(x509, NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(x509, NID_key_usage, "critical,digitalSignature") ||
      !AddExtension(x509, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !AddExtension(x509, NID_subject_key_identifier, "hash") ||
      X509_sign(x509, pair, DigestFor(key.type())) == 0) {
    return CannotMake();
  }
  // Read again, as anybody else's: OpenSSL's object of a certificate that was made lacks what
  // reading finds out.
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509, &der);
  if (size < 0) return CannotMake();
  absl::StatusOr<Certificate> made =
      Certificate::FromDer(std::span(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return made;
}

}  // namespace strata::crypto
