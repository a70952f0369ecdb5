// Handlers that put a TLS stream between a connection and a user's handler.

#include "strata/net/tls.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "strata/net/tls_stream_internal.h"

namespace strata::net {
namespace {

std::chrono::milliseconds Timeout(const TlsStreamOptions& options) {
  return std::clamp<std::chrono::milliseconds>(options.handshake_timeout,
                                               std::chrono::milliseconds(1), std::chrono::hours(1));
}

// The handler of the stream below. Before that opens it only keeps the user's handler.
class TlsHandler : public StreamHandler {
 public:
  TlsHandler(std::unique_ptr<StreamHandler> handler, const TlsStreamOptions& options)
      : handler_(std::move(handler)), handshake_timeout_(Timeout(options)) {}

  void OnOpen(Stream& below) override {
    absl::StatusOr<crypto::TlsSession> session = NewSession();
    if (!session.ok()) {
      error_ = Error::kNoMemory;
      below.Abort();
      return;
    }
    stream_ = RefPtr<TlsStream>(new TlsStream(below, *std::move(session), std::move(handler_)));
    stream_->Open(handshake_timeout_);
  }

  void OnReceive(Stream&, std::string_view bytes) override {
    if (stream_) stream_->Received(bytes);
  }
  void OnReceiveEnd(Stream& below) override {
    if (stream_) {
      stream_->ReceiveEnded();
    } else {
      below.Close();
    }
  }
  void OnWritable(Stream&) override { stream_->BelowWritable(); }
  void OnDrain(Stream& below) override {
    if (stream_) {
      stream_->Drain();
    } else {
      below.Close();
    }
  }
  void OnClosed(Stream& below, Error error) override {
    if (stream_) {
      stream_->BelowClosed(error);
    } else {
      handler_->OnClosed(below, error_ != Error::kOk ? error_ : error);
    }
  }

 private:
  virtual absl::StatusOr<crypto::TlsSession> NewSession() = 0;

  std::unique_ptr<StreamHandler> handler_;
  const std::chrono::milliseconds handshake_timeout_;
  Error error_ = Error::kOk;
  RefPtr<TlsStream> stream_;
};

class TlsAcceptor final : public TlsHandler {
 public:
  TlsAcceptor(std::shared_ptr<const crypto::TlsServerContext> context,
              std::unique_ptr<StreamHandler> handler, const TlsStreamOptions& options)
      : TlsHandler(std::move(handler), options), context_(std::move(context)) {}

 private:
  absl::StatusOr<crypto::TlsSession> NewSession() override { return context_->NewSession(); }

  const std::shared_ptr<const crypto::TlsServerContext> context_;
};

class TlsConnector final : public TlsHandler {
 public:
  TlsConnector(crypto::TlsSession session, std::unique_ptr<StreamHandler> handler,
               const TlsStreamOptions& options)
      : TlsHandler(std::move(handler), options), session_(std::move(session)) {}

 private:
  absl::StatusOr<crypto::TlsSession> NewSession() override { return *std::move(session_); }

  std::optional<crypto::TlsSession> session_;
};

}  // namespace

std::unique_ptr<StreamHandler> AcceptTls(std::shared_ptr<const crypto::TlsServerContext> context,
                                         std::unique_ptr<StreamHandler> handler,
                                         const TlsStreamOptions& options) {
  return std::make_unique<TlsAcceptor>(std::move(context), std::move(handler), options);
}

absl::StatusOr<std::unique_ptr<StreamHandler>> ConnectTls(const crypto::TlsClientContext& context,
                                                          std::string_view host,
                                                          std::unique_ptr<StreamHandler> handler,
                                                          const TlsStreamOptions& options) {
  absl::StatusOr<crypto::TlsSession> session = context.NewSession(host);
  if (!session.ok()) return session.status();
  return std::make_unique<TlsConnector>(*std::move(session), std::move(handler), options);
}

}  // namespace strata::net
