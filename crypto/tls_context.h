// File: tls_context.h
//
// TLS 1.2 and 1.3 (RFC 5246, RFC 8446) by OpenSSL, with the settings of today: what a server or a
// client is, apart from any connection.
//
//   auto identity = strata::crypto::TlsIdentity::FromFiles("chain.pem", "key.pem");
//   if (!identity.ok()) return identity.status();
//   auto server = strata::crypto::TlsServerContext::Create(*identity, {.alpn = {"http/1.1"}});
//   if (!server.ok()) return server.status();
//   auto renewed = strata::crypto::TlsIdentity::FromFiles("chain.pem", "key.pem");
//   if (renewed.ok()) (*server)->SetIdentity(*renewed);  // From now on; connections stay.
//
// A connection is a TlsSession (tls_session.h), which takes and gives bytes and does no I/O; over a
// stream of net's it is net/tls.h.
//
// Settings that are not options: forward secrecy always (ECDHE by X25519, P-256 or P-384), AES-GCM
// and ChaCha20-Poly1305 alone, no renegotiation, no compression, no early data (it can be
// replayed).
//
// Thread-safe: contexts are shared by all threads, also while an identity is set.

#ifndef STRATA_CRYPTO_TLS_CONTEXT_H_
#define STRATA_CRYPTO_TLS_CONTEXT_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/key.h"
#include "strata/crypto/tls_session.h"
#include "strata/crypto/x509.h"

namespace strata::crypto {

enum class TlsVersion { kTls12, kTls13 };

// Who one is: a certificate, those between it and an authority, and the key. Immutable.
class TlsIdentity {
 public:
  // The most certificates of a chain.
  static constexpr std::size_t kMaxChain = 10;

  // `chain` begins with the certificate of `key`. `ocsp_response` is DER (RFC 6960) from the
  // authority's responder, given to clients that ask for it (RFC 6066, section 8); empty for none.
  // It expires within days: whoever staples fetches it anew and sets a new identity.
  // InvalidArgument if the key is another one's, or one that cannot sign, or the response
  // malformed.
  static absl::StatusOr<std::shared_ptr<const TlsIdentity>> Create(std::vector<Certificate> chain,
                                                                   PrivateKey key,
                                                                   std::string ocsp_response = {});

  // Of PEM texts, and of files that hold them. Errors name the file.
  static absl::StatusOr<std::shared_ptr<const TlsIdentity>> FromPem(std::string_view chain,
                                                                    std::string_view key);
  static absl::StatusOr<std::shared_ptr<const TlsIdentity>> FromFiles(const std::string& chain,
                                                                      const std::string& key);

  const std::vector<Certificate>& chain() const { return chain_; }
  const std::string& ocsp_response() const { return ocsp_response_; }

 private:
  friend class TlsIdentityAccess;
  TlsIdentity(std::vector<Certificate> chain, PrivateKey key, std::string ocsp_response);

  std::vector<Certificate> chain_;
  PrivateKey key_;
  std::string ocsp_response_;
};

struct TlsServerOptions {
  TlsVersion min_version = TlsVersion::kTls12;

  // The protocols that the server speaks, the best first (RFC 7301). A client that offers others
  // alone is refused; one that offers none gets none. Each has 1 to 255 bytes; at most 16.
  std::vector<std::string> alpn = {};

  // Which identity is for a client that asks for `server_name` (SNI, RFC 6066; lower case, empty if
  // it does not say). Null refuses it. Without this function, all get the context's identity.
  // Called by any thread, inside the handshake: it must not block.
  std::function<std::shared_ptr<const TlsIdentity>(std::string_view server_name)> identity_for = {};

  // Whether a client has to show a certificate. One that is shown must be good for this store; who
  // it is stands in TlsSession::peer_chain().
  enum class ClientCertificates { kNone, kRequested, kRequired };
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::optional<TrustStore> client_authorities = {};

  // How long a client may resume, by a ticket (RFC 5077, RFC 8446 section 2.2). The keys of tickets
  // are random, are replaced as often, and are kept as long again. Zero: no resumption. At most
  // seven days (RFC 8446, section 4.6.1).
  std::chrono::seconds ticket_lifetime{std::chrono::hours(12)};
};

class TlsServerContext {
 public:
  // InvalidArgument for options out of bounds, or client certificates without authorities.
  static absl::StatusOr<std::shared_ptr<TlsServerContext>> Create(
      std::shared_ptr<const TlsIdentity> identity, const TlsServerOptions& options = {});

  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // Handshakes that begin from now on use this one. Must not be null.
  void SetIdentity(std::shared_ptr<const TlsIdentity> identity);

  // Replaces the key of tickets now. Those of the key before are still taken, older ones are not:
  // twice, and no ticket that was given is good.
  void RotateTicketKeys();

  // A session for one connection. ResourceExhausted if there is no memory.
  absl::StatusOr<TlsSession> NewSession() const;

  struct State;

 private:
  explicit TlsServerContext(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

struct TlsClientOptions {
  TlsVersion min_version = TlsVersion::kTls12;

  // Whom to believe; without, the system's authorities.
  std::optional<TrustStore> authorities = {};

  // The protocols that the client speaks, the best first.
  std::vector<std::string> alpn = {};

  // What to show to a server that asks for a certificate; null for none.
  std::shared_ptr<const TlsIdentity> identity = {};

  // Sessions kept to resume, one for each host. Zero: none.
  std::size_t max_cached_sessions = 256;

  // Accepts any certificate, whoever made it: anybody on the way can read and change all. For tests
  // against a server whose certificate cannot be had.
  bool dangerously_accept_any_certificate = false;
};

class TlsClientContext {
 public:
  static absl::StatusOr<std::shared_ptr<TlsClientContext>> Create(
      const TlsClientOptions& options = {});

  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // A session with the server `host`, a DNS name or an IP address, for which the server's
  // certificate must be (RFC 9525). InvalidArgument if it is neither.
  absl::StatusOr<TlsSession> NewSession(std::string_view host) const;

  struct State;

 private:
  explicit TlsClientContext(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_TLS_CONTEXT_H_
