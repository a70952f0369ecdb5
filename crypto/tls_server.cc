// Servers: which identity, which protocol, which tickets.

#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "strata/crypto/tls_context.h"
#include "strata/crypto/tls_internal.h"
#include "strata/crypto/tls_ticket_keys_internal.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {

struct TlsServerContext::State {
  State(std::shared_ptr<const TlsIdentity> its_identity, const TlsServerOptions& options)
      : identity_for(options.identity_for),
        ticket_keys(options.ticket_lifetime),
        identity(std::move(its_identity)) {}

  std::shared_ptr<const TlsIdentity> IdentityFor(std::string_view server_name) {
    if (identity_for) return identity_for(server_name);
    const std::lock_guard lock(mutex);
    return identity;
  }

  OpenSslPtr<SSL_CTX> ssl_context;
  std::string alpn;  // As on the wire; the server's order.
  const std::function<std::shared_ptr<const TlsIdentity>(std::string_view)> identity_for;
  TlsTicketKeys ticket_keys;

  std::mutex mutex;  // Of what follows.
  std::shared_ptr<const TlsIdentity> identity;
};

namespace {

constexpr std::chrono::seconds kMaxTicketLifetime{std::chrono::hours(7 * 24)};
constexpr unsigned char kSessionContext[] = "strata";

TlsServerContext::State& ServerOf(SSL* ssl) {
  return *static_cast<TlsServerContext::State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// Before anything else of a ClientHello: notes the name that the client asks for.
int NoteServerName(SSL* ssl, int*, void*) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) StateOf(ssl).server_name = absl::AsciiStrToLower(name);
  return SSL_TLSEXT_ERR_OK;
}

// Of a full handshake: which certificate.
int ChooseIdentity(SSL* ssl, void*) {
  TlsSession::State& session = StateOf(ssl);
  session.identity = ServerOf(ssl).IdentityFor(session.server_name);
  return session.identity != nullptr && UseIdentity(ssl, *session.identity) ? 1 : 0;
}

int ChooseProtocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  const std::string& ours = ServerOf(ssl).alpn;
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int StapleOcsp(SSL* ssl, void*) {
  const std::shared_ptr<const TlsIdentity>& identity = StateOf(ssl).identity;
  if (identity == nullptr || identity->ocsp_response().empty()) return SSL_TLSEXT_ERR_NOACK;
  const std::string& response = identity->ocsp_response();
  void* copy = OPENSSL_memdup(response.data(), response.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response.size()));
  return SSL_TLSEXT_ERR_OK;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 for a good key, 2 for one whose ticket is to be
// replaced, 0 for none, negative on failure.
int TicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int encrypts) {
  TlsTicketKeys& keys = ServerOf(ssl).ticket_keys;
  if (encrypts != 0) return keys.Begin(name, iv, cipher, mac) ? 1 : -1;
  switch (keys.Find(name, iv, cipher, mac)) {
    case TlsTicketKeys::Found::kCurrent:
      // Of TLS 1.3 each is for one use, so there must be a next one.
      return SSL_version(ssl) >= TLS1_3_VERSION ? 2 : 1;
    case TlsTicketKeys::Found::kPrevious:
      return 2;
    case TlsTicketKeys::Found::kNone:
      return 0;
    case TlsTicketKeys::Found::kFailed:
      break;
  }
  return -1;
}

absl::Status SetClientCertificates(SSL_CTX* ctx, const TlsServerOptions& options) {
  using Clients = TlsServerOptions::ClientCertificates;
  if (options.client_certificates == Clients::kNone) return absl::OkStatus();
  if (!options.client_authorities.has_value()) {
    return absl::InvalidArgumentError("client certificates need authorities to verify them");
  }
  SSL_CTX_set1_cert_store(ctx, CertificateAccess::Get(*options.client_authorities));
  const bool required = options.client_certificates == Clients::kRequired;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return absl::OkStatus();
}

void SetTickets(SSL_CTX* ctx, std::chrono::seconds lifetime) {
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  if (lifetime.count() == 0) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    return;
  }
  SSL_CTX_set_timeout(ctx, static_cast<long>(lifetime.count()));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, TicketKey);
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsServerContext>> TlsServerContext::Create(
    std::shared_ptr<const TlsIdentity> identity, const TlsServerOptions& options) {
  if (identity == nullptr) return absl::InvalidArgumentError("a TLS server needs an identity");
  if (options.ticket_lifetime.count() < 0 || options.ticket_lifetime > kMaxTicketLifetime) {
    return absl::InvalidArgumentError("tickets live for up to seven days");
  }
  absl::StatusOr<std::string> alpn = EncodeAlpn(options.alpn);
  if (!alpn.ok()) return alpn.status();
  auto state = std::make_shared<State>(std::move(identity), options);
  state->alpn = *std::move(alpn);
  state->ssl_context = NewSslContext(TLS_server_method(), options.min_version);
  SSL_CTX* ctx = state->ssl_context.get();
  if (ctx == nullptr ||
      SSL_CTX_set_session_id_context(ctx, kSessionContext, sizeof(kSessionContext) - 1) != 1) {
    return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot make a TLS context");
  }
  if (absl::Status status = SetClientCertificates(ctx, options); !status.ok()) return status;
  SSL_CTX_set_app_data(ctx, state.get());
  SSL_CTX_set_tlsext_servername_callback(ctx, NoteServerName);
  SSL_CTX_set_cert_cb(ctx, ChooseIdentity, nullptr);
  SSL_CTX_set_tlsext_status_cb(ctx, StapleOcsp);
  if (!state->alpn.empty()) SSL_CTX_set_alpn_select_cb(ctx, ChooseProtocol, nullptr);
  SetTickets(ctx, options.ticket_lifetime);
  return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::move(state)));
}

TlsServerContext::TlsServerContext(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsServerContext::~TlsServerContext() = default;

void TlsServerContext::SetIdentity(std::shared_ptr<const TlsIdentity> identity) {
  const std::lock_guard lock(state_->mutex);
  state_->identity.swap(identity);
}

void TlsServerContext::RotateTicketKeys() { state_->ticket_keys.Rotate(); }

absl::StatusOr<TlsSession> TlsServerContext::NewSession() const {
  OpenSslPtr<SSL> ssl(SSL_new(state_->ssl_context.get()));
  if (ssl != nullptr) SSL_set_accept_state(ssl.get());
  return TlsSessionAccess::Make(std::move(ssl), state_);
}

}  // namespace strata::crypto
