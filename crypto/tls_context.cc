// What servers and clients have in common: identities, and the settings of a context.

#include "strata/crypto/tls_context.h"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/tls_internal.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kMaxAlpn = 16;
constexpr std::size_t kMaxOcspResponseBytes = 64 * 1024;
constexpr long kMaxPeerCertificatesBytes = 64 * 1024;
constexpr std::size_t kMaxFileBytes = 1 << 20;

// The order is Mozilla's ("intermediate", 2024); a server takes the client's.
constexpr char kTls13Ciphers[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kTls12Ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kGroups[] = "X25519:P-256:P-384";

absl::StatusOr<SecretBytes> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
  SecretBytes bytes(kMaxFileBytes);
  in.read(reinterpret_cast<char*>(bytes.mutable_bytes().data()),
          static_cast<std::streamsize>(kMaxFileBytes));
  if (in.bad()) return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  if (in.gcount() == static_cast<std::streamsize>(kMaxFileBytes)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": 1 MB or more"));
  }
  bytes.Truncate(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

absl::Status Prefixed(std::string_view what, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// `chain_name` and `key_name` begin the texts of errors.
absl::StatusOr<std::shared_ptr<const TlsIdentity>> ReadIdentity(std::string_view chain_name,
                                                                std::string_view chain,
                                                                std::string_view key_name,
                                                                std::string_view key) {
  absl::StatusOr<std::vector<Certificate>> certificates = Certificate::AllFromPem(chain);
  if (!certificates.ok()) return Prefixed(chain_name, certificates.status());
  absl::StatusOr<PrivateKey> private_key = PrivateKey::FromPem(key);
  if (!private_key.ok()) return Prefixed(key_name, private_key.status());
  return TlsIdentity::Create(*std::move(certificates), *std::move(private_key));
}

}  // namespace

TlsIdentity::TlsIdentity(std::vector<Certificate> chain, PrivateKey key, std::string ocsp_response)
    : chain_(std::move(chain)), key_(std::move(key)), ocsp_response_(std::move(ocsp_response)) {}

absl::StatusOr<std::shared_ptr<const TlsIdentity>> TlsIdentity::Create(
    std::vector<Certificate> chain, PrivateKey key, std::string ocsp_response) {
  if (chain.empty() || chain.size() > kMaxChain) {
    return absl::InvalidArgumentError("a chain has 1 to 10 certificates");
  }
  if (key.type() == KeyType::kX25519) {
    return absl::InvalidArgumentError("an X25519 key cannot sign a handshake");
  }
  const absl::StatusOr<PublicKey> certified = chain.front().public_key();
  if (!certified.ok()) return certified.status();
  if (*certified != key.public_key()) {
    return absl::InvalidArgumentError("the first certificate is not that of the key");
  }
  if (!ocsp_response.empty()) {
    const auto* at = reinterpret_cast<const unsigned char*>(ocsp_response.data());
    const OpenSslPtr<OCSP_RESPONSE> response(
        ocsp_response.size() > kMaxOcspResponseBytes
            ? nullptr
            : d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(ocsp_response.size())));
    if (response == nullptr) return OpenSslFormatError("malformed OCSP response");
  }
  return std::shared_ptr<const TlsIdentity>(
      new TlsIdentity(std::move(chain), std::move(key), std::move(ocsp_response)));
}

absl::StatusOr<std::shared_ptr<const TlsIdentity>> TlsIdentity::FromPem(std::string_view chain,
                                                                        std::string_view key) {
  return ReadIdentity("certificates", chain, "key", key);
}

absl::StatusOr<std::shared_ptr<const TlsIdentity>> TlsIdentity::FromFiles(const std::string& chain,
                                                                          const std::string& key) {
  const absl::StatusOr<SecretBytes> chain_text = ReadFile(chain);
  if (!chain_text.ok()) return chain_text.status();
  const absl::StatusOr<SecretBytes> key_text = ReadFile(key);
  if (!key_text.ok()) return key_text.status();
  return ReadIdentity(chain, chain_text->text(), key, key_text->text());
}

OpenSslPtr<SSL_CTX> NewSslContext(const SSL_METHOD* method, TlsVersion min_version) {
  OpenSslPtr<SSL_CTX> context(SSL_CTX_new(method));
  if (context == nullptr) return nullptr;
  SSL_CTX* ctx = context.get();
  const int version = min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(ctx, version) != 1 ||
      SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(ctx, kTls13Ciphers) != 1 ||
      SSL_CTX_set_cipher_list(ctx, kTls12Ciphers) != 1 ||
      SSL_CTX_set1_groups_list(ctx, kGroups) != 1) {
    return nullptr;
  }
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Buffers go when they are empty: what thousands of idle connections would hold.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(ctx, kMaxPeerCertificatesBytes);
  return context;
}

absl::StatusOr<std::string> EncodeAlpn(const std::vector<std::string>& protocols) {
  if (protocols.size() > kMaxAlpn) return absl::InvalidArgumentError("ALPN: more than 16");
  std::string encoded;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError("ALPN: a protocol has 1 to 255 bytes");
    }
    encoded += static_cast<char>(protocol.size());
    encoded += protocol;
  }
  return encoded;
}

bool UseIdentity(SSL* ssl, const TlsIdentity& identity) {
  const OpenSslPtr<STACK_OF(X509)> rest = CertificateStack(std::span(identity.chain()).subspan(1));
  return rest != nullptr &&
         SSL_use_cert_and_key(ssl, CertificateAccess::Get(identity.chain().front()),
                              TlsIdentityAccess::Key(identity), rest.get(), 1) == 1;
}

}  // namespace strata::crypto
