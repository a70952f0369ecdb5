// Certificates, read and looked at.

#include "strata/crypto/x509.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/key_pem_internal.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

// What OpenSSL writes, as text.
std::string TextOf(const OpenSslPtr<BIO>& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string NameText(const X509_NAME* name) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  return TextOf(bio);
}

system_clock::time_point TimeOf(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const std::int64_t latest =
      std::chrono::floor<seconds>(system_clock::time_point::max()).time_since_epoch().count();
  return system_clock::time_point(seconds(std::clamp<std::int64_t>(timegm(&parts), 0, latest)));
}

// Calls `see` with each alternative name of `type`, as bytes.
template <typename See>
void ForEachName(X509* certificate, int type, See see) {
  const OpenSslPtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  ClearOpenSslErrors();
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int its_type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &its_type));
    if (its_type != type) continue;
    see(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                         static_cast<std::size_t>(ASN1_STRING_length(value))));
  }
}

// An address of 4 or 16 bytes as text; empty for another size.
std::string AddressText(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if (bytes.size() == 4) return absl::StrCat(byte(0), ".", byte(1), ".", byte(2), ".", byte(3));
  if (bytes.size() != 16) return {};
  std::string text;
  for (std::size_t i = 0; i < 16; i += 2) {
    absl::StrAppend(&text, i == 0 ? "" : ":", absl::Hex(byte(i) << 8 | byte(i + 1)));
  }
  return text;
}

}  // namespace

Certificate::Certificate(std::shared_ptr<x509_st> certificate)
    : certificate_(std::move(certificate)) {}

Certificate ShareCertificate(X509* certificate) {
  X509_up_ref(certificate);
  return CertificateAccess::Adopt(OpenSslPtr<X509>(certificate));
}

OpenSslPtr<STACK_OF(X509)> CertificateStack(std::span<const Certificate> certificates) {
  OpenSslPtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (const Certificate& certificate : certificates) {
    X509* x509 = CertificateAccess::Get(certificate);
    X509_up_ref(x509);
    sk_X509_push(stack.get(), x509);
  }
  return stack;
}

bool IsIpAddress(const std::string& host) {
  const OpenSslPtr<ASN1_OCTET_STRING> address(a2i_IPADDRESS(host.c_str()));
  ClearOpenSslErrors();
  return address != nullptr;
}

absl::StatusOr<Certificate> Certificate::FromDer(std::span<const std::uint8_t> der) {
  if (der.size() > kMaxCertificateBytes) {
    return absl::InvalidArgumentError("a certificate has at most 64 KB");
  }
  const std::uint8_t* at = der.data();
  OpenSslPtr<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr) return OpenSslFormatError("malformed certificate");
  if (at != der.data() + der.size()) {
    return absl::InvalidArgumentError("malformed certificate: bytes after its end");
  }
  // Reads its extensions, once, so that threads which share it only read.
  X509_check_purpose(certificate.get(), -1, 0);
  ClearOpenSslErrors();
  return CertificateAccess::Adopt(std::move(certificate));
}

absl::StatusOr<Certificate> Certificate::FromPem(std::string_view pem) {
  absl::StatusOr<std::vector<Certificate>> all = AllFromPem(pem);
  if (!all.ok()) return all.status();
  if (all->size() != 1) return absl::InvalidArgumentError("PEM: more than one certificate");
  return std::move(all->front());
}

absl::StatusOr<std::vector<Certificate>> Certificate::AllFromPem(std::string_view pem) {
  static_assert(kMaxCertificates == kMaxPemBlocks);
  const absl::StatusOr<std::vector<PemBlock>> blocks = ReadPem(pem);
  if (!blocks.ok()) return blocks.status();
  std::vector<Certificate> all;
  for (const PemBlock& block : *blocks) {
    if (block.label != "CERTIFICATE") {
      return absl::InvalidArgumentError(
          absl::StrCat("PEM: a block \"", block.label, "\" among certificates"));
    }
    absl::StatusOr<Certificate> certificate = FromDer(block.der.bytes());
    if (!certificate.ok()) return certificate.status();
    all.push_back(*std::move(certificate));
  }
  return all;
}

std::string Certificate::ToPem() const {
  return std::string(WritePem("CERTIFICATE", ToDer()).text());
}

std::vector<std::uint8_t> Certificate::ToDer() const {
  std::vector<std::uint8_t> der(
      static_cast<std::size_t>(std::max(0, i2d_X509(certificate_.get(), nullptr))));
  std::uint8_t* at = der.data();
  i2d_X509(certificate_.get(), &at);
  return der;
}

std::string Certificate::subject() const {
  return NameText(X509_get_subject_name(certificate_.get()));
}

std::string Certificate::issuer() const {
  return NameText(X509_get_issuer_name(certificate_.get()));
}

std::string Certificate::serial_number() const {
  const OpenSslPtr<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate_.get()), nullptr));
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number.get());
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  absl::AsciiStrToLower(&text);
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const std::size_t first = text.find_first_not_of('0', sign);
  return text.substr(0, sign) + (first == text.npos ? "0" : text.substr(first));
}

std::vector<std::string> Certificate::dns_names() const {
  std::vector<std::string> names;
  ForEachName(certificate_.get(), GEN_DNS, [&names](std::string_view name) {
    if (name.find('\0') == name.npos) names.emplace_back(name);
  });
  return names;
}

std::vector<std::string> Certificate::ip_addresses() const {
  std::vector<std::string> addresses;
  ForEachName(certificate_.get(), GEN_IPADD, [&addresses](std::string_view bytes) {
    if (std::string text = AddressText(bytes); !text.empty()) addresses.push_back(std::move(text));
  });
  return addresses;
}

system_clock::time_point Certificate::not_before() const {
  return TimeOf(X509_get0_notBefore(certificate_.get()));
}

system_clock::time_point Certificate::not_after() const {
  return TimeOf(X509_get0_notAfter(certificate_.get()));
}

bool Certificate::is_authority() const {
  return (X509_get_extension_flags(certificate_.get()) & EXFLAG_CA) != 0;
}

absl::StatusOr<PublicKey> Certificate::public_key() const {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_.get()), &der);
  if (size < 0) return OpenSslFormatError("the certificate's public key");
  absl::StatusOr<PublicKey> key =
      PublicKey::FromDer(std::span(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  if (!key.ok()) return absl::UnimplementedError("the certificate's public key is of another type");
  return key;
}

Digest Certificate::fingerprint() const {
  const std::vector<std::uint8_t> der = ToDer();
  return Hash(HashAlgorithm::kSha256, der);
}

bool Certificate::MatchesHost(std::string_view host) const {
  const std::string name(host);
  // To OpenSSL a leading dot is any host below.
  if (name.empty() || name[0] == '.' || name.find('\0') != name.npos) return false;
  const int matches = IsIpAddress(name)
                          ? X509_check_ip_asc(certificate_.get(), name.c_str(), 0)
                          : X509_check_host(certificate_.get(), name.data(), name.size(),
                                            X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                            nullptr);
  ClearOpenSslErrors();
  return matches == 1;
}

}  // namespace strata::crypto
