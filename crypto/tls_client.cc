// Clients: whom to believe, and sessions to resume.

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "strata/crypto/tls_context.h"
#include "strata/crypto/tls_internal.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kMaxHostCharacters = 253;

// One session for each host, those used last; thread-safe.
class SessionCache {
 public:
  explicit SessionCache(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  void Put(const std::string& host, OpenSslPtr<SSL_SESSION> session) {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_host_.find(host); found != by_host_.end()) Remove(found);
    if (entries_.size() == max_sessions_) Remove(by_host_.find(entries_.back().host));
    entries_.push_front({host, std::move(session)});
    by_host_[host] = entries_.begin();
  }

  // Null if there is none. A ticket of TLS 1.3 is for one use (RFC 8446, appendix C.4): who sees
  // two of the same knows that they come from one client.
  OpenSslPtr<SSL_SESSION> Take(const std::string& host) {
    const std::lock_guard lock(mutex_);
    const auto found = by_host_.find(host);
    if (found == by_host_.end()) return nullptr;
    OpenSslPtr<SSL_SESSION>& session = found->second->session;
    if (SSL_SESSION_get_protocol_version(session.get()) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(session.get());
      return OpenSslPtr<SSL_SESSION>(session.get());
    }
    OpenSslPtr<SSL_SESSION> taken = std::move(session);
    Remove(found);
    return taken;
  }

 private:
  struct Entry {
    std::string host;
    OpenSslPtr<SSL_SESSION> session;
  };
  using Entries = std::list<Entry>;
  using ByHost = std::unordered_map<std::string, Entries::iterator>;

  void Remove(ByHost::iterator found) {
    entries_.erase(found->second);
    by_host_.erase(found);
  }

  const std::size_t max_sessions_;
  std::mutex mutex_;
  Entries entries_;  // The one put last is the first.
  ByHost by_host_;
};

}  // namespace

struct TlsClientContext::State {
  explicit State(const TlsClientOptions& options)
      : identity(options.identity), cache(options.max_cached_sessions) {}

  OpenSslPtr<SSL_CTX> ssl_context;
  const std::shared_ptr<const TlsIdentity> identity;
  SessionCache cache;
};

namespace {

TlsClientContext::State& ClientOf(SSL* ssl) {
  return *static_cast<TlsClientContext::State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

int KeepSession(SSL* ssl, SSL_SESSION* session) {
  ClientOf(ssl).cache.Put(StateOf(ssl).server_name, OpenSslPtr<SSL_SESSION>(session));
  return 1;  // The session is ours now.
}

int ShowIdentity(SSL* ssl, void*) {
  const std::shared_ptr<const TlsIdentity>& identity = ClientOf(ssl).identity;
  return identity == nullptr || UseIdentity(ssl, *identity) ? 1 : 0;
}

// Whom the server's certificate has to be for, and whom the client asks for.
bool SetHost(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (IsIpAddress(host)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

absl::StatusOr<std::shared_ptr<TlsClientContext>> TlsClientContext::Create(
    const TlsClientOptions& options) {
  const absl::StatusOr<std::string> alpn = EncodeAlpn(options.alpn);
  if (!alpn.ok()) return alpn.status();
  auto state = std::make_shared<State>(options);
  state->ssl_context = NewSslContext(TLS_client_method(), options.min_version);
  SSL_CTX* ctx = state->ssl_context.get();
  // SSL_CTX_set_alpn_protos returns 0 if all is well.
  if (ctx == nullptr ||
      SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(alpn->data()),
                              static_cast<unsigned>(alpn->size())) != 0) {
    return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL cannot make a TLS context");
  }
  if (!options.dangerously_accept_any_certificate) {
    absl::StatusOr<TrustStore> store = options.authorities.has_value()
                                           ? absl::StatusOr<TrustStore>(*options.authorities)
                                           : TrustStore::System();
    if (!store.ok()) return store.status();
    SSL_CTX_set1_cert_store(ctx, CertificateAccess::Get(*store));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_app_data(ctx, state.get());
  SSL_CTX_set_cert_cb(ctx, ShowIdentity, nullptr);
  SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
  if (options.max_cached_sessions > 0) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, KeepSession);
  } else {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
  }
  return std::shared_ptr<TlsClientContext>(new TlsClientContext(std::move(state)));
}

TlsClientContext::TlsClientContext(std::shared_ptr<State> state) : state_(std::move(state)) {}
TlsClientContext::~TlsClientContext() = default;

absl::StatusOr<TlsSession> TlsClientContext::NewSession(std::string_view host) const {
  // The root's dot, which neither certificates nor SNI have (RFC 6066, section 3).
  std::string name = absl::AsciiStrToLower(host);
  if (name.ends_with('.')) name.pop_back();
  const bool printable = std::ranges::all_of(name, [](char c) { return absl::ascii_isgraph(c); });
  if (name.empty() || name.size() > kMaxHostCharacters || name[0] == '.' || !printable) {
    return absl::InvalidArgumentError("TLS: the host is neither a DNS name nor an IP address");
  }
  OpenSslPtr<SSL> ssl(SSL_new(state_->ssl_context.get()));
  if (ssl == nullptr || !SetHost(ssl.get(), name)) {
    return OpenSslFailure(absl::StatusCode::kResourceExhausted, "no memory for a TLS session");
  }
  SSL_set_connect_state(ssl.get());
  if (const OpenSslPtr<SSL_SESSION> session = state_->cache.Take(name); session != nullptr) {
    SSL_set_session(ssl.get(), session.get());
  }
  absl::StatusOr<TlsSession> made = TlsSessionAccess::Make(std::move(ssl), state_);
  if (made.ok()) TlsSessionAccess::StateOf(*made).server_name = std::move(name);
  return made;
}

}  // namespace strata::crypto
