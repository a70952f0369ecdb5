// TLS between a connection and the client.

#include "strata/http/tls_client.h"

#include <string>
#include <utility>

#include "strata/crypto/tls_session.h"

namespace strata::http {
namespace {

class Layer final : public ClientLayer {
 public:
  Layer(std::shared_ptr<const crypto::TlsClientContext> context,
        const net::TlsStreamOptions& options)
      : context_(std::move(context)), options_(options) {}

  absl::StatusOr<std::unique_ptr<net::StreamHandler>> Wrap(
      std::string_view host, std::unique_ptr<net::StreamHandler> handler) const override {
    return net::ConnectTls(*context_, host, std::move(handler), options_);
  }

  std::string Failure(const net::Stream& stream) const override {
    const crypto::TlsSession* const session = stream.tls();
    return std::string(session ? session->status().message() : "TLS has failed");
  }

 private:
  const std::shared_ptr<const crypto::TlsClientContext> context_;
  const net::TlsStreamOptions options_;
};

}  // namespace

std::shared_ptr<const ClientLayer> TlsClientLayer(
    std::shared_ptr<const crypto::TlsClientContext> context, const net::TlsStreamOptions& options) {
  return std::make_shared<Layer>(std::move(context), options);
}

}  // namespace strata::http
