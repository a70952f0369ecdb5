// Sessions: an SSL object between what was lent and what goes out, by a BIO that holds no buffer.

#include "strata/crypto/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/crypto/tls_internal.h"
#include "strata/crypto/x509_internal.h"

namespace strata::crypto {
namespace {

TlsSession::State& StateOf(BIO* bio) { return *static_cast<TlsSession::State*>(BIO_get_data(bio)); }

int ReadLent(BIO* bio, char* into, int size) {
  TlsSession::State& state = StateOf(bio);
  BIO_clear_retry_flags(bio);
  if (state.input.empty()) {
    if (state.input_ended) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(state.input.size(), static_cast<std::size_t>(size));
  std::memcpy(into, state.input.data(), count);
  state.input.remove_prefix(count);
  return static_cast<int>(count);
}

int WriteOutput(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  StateOf(bio).output->append(bytes, static_cast<std::size_t>(size));
  return size;
}

long Control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return StateOf(bio).input_ended && StateOf(bio).input.empty() ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* LendingMethod() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lent bytes");
    BIO_meth_set_read(made, ReadLent);
    BIO_meth_set_write(made, WriteOutput);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  return method;
}

// Why a call on `ssl` has failed, by what OpenSSL has put into its queue, which is emptied.
absl::Status WhyFailed(SSL* ssl) {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const char* text = ERR_reason_error_string(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      return VerificationFailure(static_cast<int>(SSL_get_verify_result(ssl)));
    }
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      return OpenSslFailure(absl::StatusCode::kDataLoss, "TLS: the peer's bytes were cut off");
    }
    // Alerts of the peer's have their numbers above this one.
    if (reason >= SSL_AD_REASON_OFFSET) {
      return OpenSslFailure(absl::StatusCode::kAborted,
                            absl::StrCat("TLS: ", text == nullptr ? "an alert" : text));
    }
  }
  return OpenSslFailure(absl::StatusCode::kInvalidArgument,
                        absl::StrCat("TLS: ", text == nullptr ? "failed" : text));
}

// Makes a call on the session's object, whose result is positive if it is good.
template <typename Call>
TlsResult Run(TlsSession::State& state, std::string& output, Call call) {
  if (!state.status.ok()) return TlsResult::kFailed;
  // What somebody has left there would be taken for ours.
  ERR_clear_error();
  state.output = &output;
  const int result = call(state.ssl.get());
  state.output = nullptr;
  if (result > 0) return TlsResult::kOk;
  switch (SSL_get_error(state.ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return TlsResult::kNeedInput;
    case SSL_ERROR_ZERO_RETURN:
      return TlsResult::kEnd;
    default:
      state.status = WhyFailed(state.ssl.get());
      return TlsResult::kFailed;
  }
}

}  // namespace

absl::StatusOr<TlsSession> TlsSessionAccess::Make(OpenSslPtr<SSL> ssl,
                                                  std::shared_ptr<const void> context) {
  OpenSslPtr<BIO> bio(BIO_new(LendingMethod()));
  if (ssl == nullptr || bio == nullptr) {
    return OpenSslFailure(absl::StatusCode::kResourceExhausted, "no memory for a TLS session");
  }
  auto state = std::make_unique<TlsSession::State>();
  BIO_set_data(bio.get(), state.get());
  BIO_set_init(bio.get(), 1);
  SSL_set_app_data(ssl.get(), state.get());
  SSL_set_bio(ssl.get(), bio.get(), bio.get());
  bio.release();
  state->ssl = std::move(ssl);
  state->context = std::move(context);
  return TlsSession(std::move(state));
}

TlsSession::TlsSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsSession::~TlsSession() = default;
TlsSession::TlsSession(TlsSession&&) noexcept = default;
TlsSession& TlsSession::operator=(TlsSession&&) noexcept = default;

void TlsSession::Lend(std::string_view bytes) { state_->input = bytes; }

std::string_view TlsSession::unread() const { return state_->input; }

void TlsSession::EndInput() { state_->input_ended = true; }

TlsResult TlsSession::Handshake(std::string& output) {
  return Run(*state_, output, SSL_do_handshake);
}

bool TlsSession::established() const { return SSL_is_init_finished(state_->ssl.get()) == 1; }

TlsResult TlsSession::Read(std::span<char> buffer, std::size_t& size, std::string& output) {
  size = 0;
  return Run(*state_, output,
             [&](SSL* ssl) { return SSL_read_ex(ssl, buffer.data(), buffer.size(), &size); });
}

TlsResult TlsSession::Write(std::string_view plaintext, std::string& output) {
  if (plaintext.empty()) return state_->status.ok() ? TlsResult::kOk : TlsResult::kFailed;
  std::size_t written = 0;
  return Run(*state_, output, [&](SSL* ssl) {
    return SSL_write_ex(ssl, plaintext.data(), plaintext.size(), &written);
  });
}

TlsResult TlsSession::Shutdown(std::string& output) {
  // 0: sent, and the peer's has not come yet.
  return Run(*state_, output, [](SSL* ssl) { return SSL_shutdown(ssl) >= 0 ? 1 : -1; });
}

const absl::Status& TlsSession::status() const { return state_->status; }

std::string_view TlsSession::version() const { return SSL_get_version(state_->ssl.get()); }

std::string_view TlsSession::cipher() const {
  const char* name = SSL_get_cipher_name(state_->ssl.get());
  return name == nullptr ? std::string_view() : name;
}

std::string_view TlsSession::alpn() const {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

const std::string& TlsSession::server_name() const { return state_->server_name; }

bool TlsSession::resumed() const { return SSL_session_reused(state_->ssl.get()) == 1; }

std::vector<Certificate> TlsSession::peer_chain() const {
  std::vector<Certificate> chain;
  SSL* ssl = state_->ssl.get();
  X509* leaf = SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return chain;
  chain.push_back(ShareCertificate(leaf));
  // A server's list of its client's certificates lacks the client's own.
  const STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl);
  for (int i = SSL_is_server(ssl) ? 0 : 1; i < sk_X509_num(rest); ++i) {
    chain.push_back(ShareCertificate(sk_X509_value(rest, i)));
  }
  return chain;
}

std::string_view TlsSession::ocsp_response() const {
  const char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(state_->ssl.get(), &response);
  return size <= 0 ? std::string_view()
                   : std::string_view(response, static_cast<std::size_t>(size));
}

}  // namespace strata::crypto
