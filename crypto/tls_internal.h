// What contexts and sessions of TLS share: OpenSSL's objects, and the callbacks' way back.

#ifndef STRATA_CRYPTO_TLS_INTERNAL_H_
#define STRATA_CRYPTO_TLS_INTERNAL_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "strata/crypto/key_internal.h"
#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/tls_context.h"
#include "strata/crypto/tls_session.h"

namespace strata::crypto {

template <>
struct OpenSslDeleter<SSL> : FreeBy<SSL_free> {};
template <>
struct OpenSslDeleter<SSL_CTX> : FreeBy<SSL_CTX_free> {};
template <>
struct OpenSslDeleter<SSL_SESSION> : FreeBy<SSL_SESSION_free> {};

class TlsIdentityAccess {
 public:
  static EVP_PKEY* Key(const TlsIdentity& identity) { return KeyAccess::Get(identity.key_); }
};

// SSL_get_app_data() of the session's object is this.
struct TlsSession::State {
  // SSL_free() makes a session that was not shut down one that cannot be resumed. It can, unless it
  // has failed: connections end without a notice all the time.
  ~State() {
    if (status.ok()) SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  OpenSslPtr<SSL> ssl;

  // Keeps what the callbacks of `ssl` use.
  std::shared_ptr<const void> context;

  std::string_view input;
  bool input_ended = false;
  std::string* output = nullptr;  // During a call.

  std::string server_name;                      // In lower case, or the client's `host`.
  std::shared_ptr<const TlsIdentity> identity;  // A server's, once it was chosen.
  absl::Status status;
};

class TlsSessionAccess {
 public:
  // A session of `ssl`, or an error if that is null. Connects it with what is lent and the output.
  static absl::StatusOr<TlsSession> Make(OpenSslPtr<SSL> ssl, std::shared_ptr<const void> context);
  static TlsSession::State& StateOf(TlsSession& session) { return *session.state_; }
};

inline TlsSession::State& StateOf(const SSL* ssl) {
  return *static_cast<TlsSession::State*>(SSL_get_app_data(ssl));
}

// A context with all settings that servers and clients have in common; null without memory.
OpenSslPtr<SSL_CTX> NewSslContext(const SSL_METHOD* method, TlsVersion min_version);

// The wire's form of a list of protocols, a length before each. InvalidArgument if one is empty or
// too long, or they are too many.
absl::StatusOr<std::string> EncodeAlpn(const std::vector<std::string>& protocols);

// Sets certificate, chain and key of a handshake.
bool UseIdentity(SSL* ssl, const TlsIdentity& identity);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_TLS_INTERNAL_H_
